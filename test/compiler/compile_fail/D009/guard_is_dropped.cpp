// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D009] a guard is dropped at once: keep it with DEVRES_TRY(auto guard, ...)
#include "driver.hpp"

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        [[maybe_unused]] static queue data;
        [[maybe_unused]] static char memory[64];
        DEVRES_TRY(auto enabled, pci_enable_device(dev));
        DEVRES_TRY([[maybe_unused]] auto vectors, pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#if EXPECT_FAIL == 1
        DEVRES_TRY(pci_enable_device(dev));
#elif EXPECT_FAIL == 2
        DEVRES_TRY(pci_iomap_region<0>(enabled, "registers"));
#elif EXPECT_FAIL == 3
        DEVRES_TRY(dma_alloc_coherent(enabled, 4096));
#elif EXPECT_FAIL == 4
        DEVRES_TRY(dma_map_single(enabled, memory, sizeof(memory)));
#elif EXPECT_FAIL == 5
        DEVRES_TRY(pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
#elif EXPECT_FAIL == 6
        DEVRES_TRY((pci_alloc_irq_vectors<2>(enabled, 8, irq_type::msix)));
#elif EXPECT_FAIL == 7
        DEVRES_TRY(pci_alloc_irq_vectors_affinity(enabled, 1, 8, irq_type::msix, irq_affinity{}));
#elif EXPECT_FAIL == 8
        DEVRES_TRY(request_irq(vectors[0], "queue", data));
#else
        DEVRES_TRY(auto registers, pci_iomap_region<0>(enabled, "registers"));
        DEVRES_TRY(auto ring, dma_alloc_coherent(enabled, 4096));
        DEVRES_TRY(auto mapped, dma_map_single(enabled, memory, sizeof(memory)));
        DEVRES_TRY(auto handler, request_irq(vectors[0], "queue", data));
#endif
        return {};
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
