// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A handler of the driver's own on managed or unmanaged vectors, its guard in the state; probe fails after it, or remove()
// forgets it. It ends before the younger managed object that it counts on.
#include "support.hpp"

static int late_live = 0, after_death = 0;
struct late {
    late() { ++late_live; }
    late(const late&) = delete;
    ~late() { --late_live; }
};
template <bool Managed, bool Fail>
struct driver {
    using owner = std::conditional_t<Managed, managed_t, unmanaged_t>;
    template <class Device>
    struct state {
        using P = typename Device::platform_type;
        std::optional<pci::irq_allocation<owner, P, driver>> vectors{};
        pci::irq_registration<unmanaged_t, P, driver> handler{};
        pci::irq_return on_irq() noexcept { return after_death += late_live == 0, pci::irq_return::handled; }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        if constexpr (Managed) {
            DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
            data->vectors.emplace(vectors);
        } else {
            DEVRES_TRY(auto vectors, pci::pci_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
            data->vectors.emplace(std::move(vectors));
        }
        DEVRES_TRY(devm_emplace<late>(dev));
        DEVRES_TRY(data->handler, pci::request_irq((*data->vectors)[0], "x", *data));
        if (Fail)
            return fail(errc::eio);
        return data;
    }
};
template <bool Managed, bool Fail>
bool run() {
    sim::bus bus;
    const bool bound = stormy<driver<Managed, Fail>>(bus).has_value();
    return bound == !Fail && after_death == 0 && late_live == 0 && clean(bus);
}

int main() {
    MUST((run<true, true>()));
    MUST((run<true, false>()));
    MUST((run<false, true>()));
    MUST((run<false, false>()));
    return 0;
}
