// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D009] the first argument is no enabled device: unwrap the result of pci(m)_enable_device
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY([[maybe_unused]] auto data, devm_emplace<queue>(dev));
        auto enabled = pcim_enable_device(dev);
        DEVRES_TRY([[maybe_unused]] auto device, enabled);
#if EXPECT_FAIL == 1
        (void)pcim_iomap_region<0>(enabled, "registers");
#elif EXPECT_FAIL == 2
        (void)pci_iomap_region<0>(enabled, "registers");
#elif EXPECT_FAIL == 3
        (void)dmam_alloc_coherent(enabled, 4096);
#elif EXPECT_FAIL == 4
        (void)dma_alloc_coherent(enabled, 4096);
#elif EXPECT_FAIL == 5
        (void)dmam_map_single(enabled, data);
#elif EXPECT_FAIL == 6
        (void)dma_map_single(enabled, nullptr, 64);
#elif EXPECT_FAIL == 7
        (void)pcim_alloc_irq_vectors(enabled, 1, 8, irq_type::msix);
#elif EXPECT_FAIL == 8
        (void)pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix);
#elif EXPECT_FAIL == 9
        (void)pcim_alloc_irq_vectors<2>(enabled, 8, irq_type::msix);
#elif EXPECT_FAIL == 10
        (void)pci_alloc_irq_vectors<2>(enabled, 8, irq_type::msix);
#elif EXPECT_FAIL == 11
        (void)pcim_alloc_irq_vectors_affinity(enabled, 1, 8, irq_type::msix, irq_affinity{});
#elif EXPECT_FAIL == 12
        (void)pci_alloc_irq_vectors_affinity(enabled, 1, 8, irq_type::msix, irq_affinity{});
#elif EXPECT_FAIL == 13
        (void)pci_set_master(enabled);
#elif EXPECT_FAIL == 14
        (void)pci_clear_master(enabled);
#elif EXPECT_FAIL == 15
        (void)pci_set_mwi(enabled);
#elif EXPECT_FAIL == 16
        (void)pci_clear_mwi(enabled);
#elif EXPECT_FAIL == 17
        (void)pci_intx(enabled, false);
#else
        (void)pcim_iomap_region<0>(device, "registers");
        (void)pci_iomap_region<0>(device, "registers");
        (void)dmam_alloc_coherent(device, 4096);
        (void)dma_alloc_coherent(device, 4096);
        (void)dmam_map_single(device, data);
        (void)dma_map_single(device, nullptr, 64);
        (void)pcim_alloc_irq_vectors(device, 1, 8, irq_type::msix);
        (void)pci_alloc_irq_vectors(device, 1, 8, irq_type::msix);
        (void)pcim_alloc_irq_vectors<2>(device, 8, irq_type::msix);
        (void)pci_alloc_irq_vectors<2>(device, 8, irq_type::msix);
        (void)pcim_alloc_irq_vectors_affinity(device, 1, 8, irq_type::msix, irq_affinity{});
        (void)pci_alloc_irq_vectors_affinity(device, 1, 8, irq_type::msix, irq_affinity{});
        (void)pci_set_master(device);
        (void)pci_clear_master(device);
        (void)pci_set_mwi(device);
        (void)pci_clear_mwi(device);
        (void)pci_intx(device, false);
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
