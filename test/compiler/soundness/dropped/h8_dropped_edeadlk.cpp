// SPDX-License-Identifier: BSL-1.0
// VERDICT: R unused-result
// A handler frees itself from inside, and drops the answer.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::irq_registration<unmanaged_t, typename Device::platform_type, driver> handler{};
        int seen = 0, refused = 0;
        pci::irq_return on_irq() noexcept {
            ++seen;
#ifndef CORRECTED
            pci::free_irq(std::move(handler));
#else
            refused += pci::free_irq(std::move(handler)).error() == errc::edeadlk;
#endif
            return pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, pci::irq_type::msix));
        DEVRES_TRY(data->handler, pci::request_irq(vectors.template get<0>(), "req", *data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    auto bound = pci::bind<driver>(bus, f);
    MUST(bound);
    f.raise(0U);
    f.raise(0U);
    MUST(bound->state().seen == 2 && bound->state().refused == 2);
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
