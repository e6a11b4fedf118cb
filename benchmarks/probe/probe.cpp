// SPDX-License-Identifier: BSL-1.0
#include "probe.hpp"

namespace devres::benchmarks {

namespace {

using namespace devres::pci;

constexpr std::size_t start_register = 0x10;

irq_return on_irq(interrupts& context) noexcept {
    ++context.seen;
    return irq_return::handled;
}

[[gnu::always_inline]] inline result<interrupts*> acquire_1(device<opaque_platform>& dev,
                                                            interrupts& context) noexcept {
    DEVRES_TRY(const auto enabled, pci_enable_device(dev));
    (void)pci_set_master(enabled);
    return &context;
}

[[gnu::always_inline]] inline result<interrupts*> acquire_2(device<opaque_platform>& dev,
                                                            interrupts& context) noexcept {
    DEVRES_TRY(const auto enabled, pci_enable_device(dev));
    DEVRES_TRY(const auto registers, pci_iomap_region<0>(enabled, "registers"));
    registers.write32(start_register, 1);
    return &context;
}

[[gnu::always_inline]] inline result<interrupts*> acquire_3(device<opaque_platform>& dev,
                                                            interrupts& context) noexcept {
    DEVRES_TRY(const auto enabled, pci_enable_device(dev));
    DEVRES_TRY(const auto registers, pci_iomap_region<0>(enabled, "registers"));
    DEVRES_TRY(const auto vectors, pci_alloc_irq_vectors(enabled, 1, 4, irq_type::msix | irq_type::msi));
    registers.write32(start_register, 1);
    return &context;
}

[[gnu::always_inline]] inline result<interrupts*> acquire_4(device<opaque_platform>& dev,
                                                            interrupts& context) noexcept {
    DEVRES_TRY(const auto enabled, pci_enable_device(dev));
    DEVRES_TRY(const auto registers, pci_iomap_region<0>(enabled, "registers"));
    DEVRES_TRY(const auto vectors, pci_alloc_irq_vectors<1>(enabled, 4, irq_type::msix | irq_type::msi));
    DEVRES_TRY(const auto handler, request_irq<&on_irq>(vectors.get<0>(), "events", context));
    registers.write32(start_register, 1);
    return &context;
}

[[gnu::always_inline]] inline result<interrupts*> acquire_16(device<opaque_platform>& dev,
                                                             interrupts& context) noexcept {
    DEVRES_TRY(const auto enabled, pci_enable_device(dev));
    DEVRES_TRY(const auto bar_0, pci_iomap_region<0>(enabled, "registers"));
    DEVRES_TRY(const auto bar_1, pci_iomap_region<1>(enabled, "registers"));
    DEVRES_TRY(const auto bar_2, pci_iomap_region<2>(enabled, "registers"));
    DEVRES_TRY(const auto bar_3, pci_iomap_region<3>(enabled, "registers"));
    DEVRES_TRY(const auto bar_4, pci_iomap_region<4>(enabled, "registers"));
    DEVRES_TRY(const auto bar_5, pci_iomap_region<5>(enabled, "registers"));
    DEVRES_TRY(const auto vectors, pci_alloc_irq_vectors<8>(enabled, 8, irq_type::msix | irq_type::msi));
    DEVRES_TRY(const auto handler_0, request_irq<&on_irq>(vectors.get<0>(), "events", context));
    DEVRES_TRY(const auto handler_1, request_irq<&on_irq>(vectors.get<1>(), "events", context));
    DEVRES_TRY(const auto handler_2, request_irq<&on_irq>(vectors.get<2>(), "events", context));
    DEVRES_TRY(const auto handler_3, request_irq<&on_irq>(vectors.get<3>(), "events", context));
    DEVRES_TRY(const auto handler_4, request_irq<&on_irq>(vectors.get<4>(), "events", context));
    DEVRES_TRY(const auto handler_5, request_irq<&on_irq>(vectors.get<5>(), "events", context));
    DEVRES_TRY(const auto handler_6, request_irq<&on_irq>(vectors.get<6>(), "events", context));
    DEVRES_TRY(const auto handler_7, request_irq<&on_irq>(vectors.get<7>(), "events", context));
    bar_0.write32(start_register, 1);
    return &context;
}

}  // namespace

bool probe_1(bound& to, interrupts& context, int& error) noexcept {
    auto probed = acquire_1(to.dev, context);
    if (!probed) {
        error = static_cast<int>(probed.error());
        return false;
    }
    to.data = *probed;
    return true;
}

bool probe_2(bound& to, interrupts& context, int& error) noexcept {
    auto probed = acquire_2(to.dev, context);
    if (!probed) {
        error = static_cast<int>(probed.error());
        return false;
    }
    to.data = *probed;
    return true;
}

bool probe_3(bound& to, interrupts& context, int& error) noexcept {
    auto probed = acquire_3(to.dev, context);
    if (!probed) {
        error = static_cast<int>(probed.error());
        return false;
    }
    to.data = *probed;
    return true;
}

bool probe_4(bound& to, interrupts& context, int& error) noexcept {
    auto probed = acquire_4(to.dev, context);
    if (!probed) {
        error = static_cast<int>(probed.error());
        return false;
    }
    to.data = *probed;
    return true;
}

bool probe_16(bound& to, interrupts& context, int& error) noexcept {
    auto probed = acquire_16(to.dev, context);
    if (!probed) {
        error = static_cast<int>(probed.error());
        return false;
    }
    to.data = *probed;
    return true;
}

result<interrupts*> probe_alone(device<opaque_platform>& dev, interrupts& context) noexcept {
    return acquire_4(dev, context);
}

}  // namespace devres::benchmarks
