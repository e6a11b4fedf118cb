// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Recovery after a function-level reset, by hand with guards: what was there is given back, and acquired again.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        using P = typename Device::platform_type;
        Device& dev;
        std::atomic<int> n = 0;
        pci::enabled_device<unmanaged_t, P, driver> device{};
        pci::bar_mapping<unmanaged_t, P, driver> bar{};
        pci::irq_allocation<unmanaged_t, P, driver> vectors{};
        pci::irq_registration<unmanaged_t, P, driver> handler{};
        pci::irq_return on_irq() noexcept { return ++n, pci::irq_return::handled; }
        result<> up() {
            DEVRES_TRY(device, pci::pci_enable_device(dev));
            DEVRES_TRY(pci::pci_set_master(device));
            DEVRES_TRY(bar, pci::pci_iomap_region<0>(device, "x"));
            DEVRES_TRY(vectors, pci::pci_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
            DEVRES_TRY(handler, pci::request_irq(vectors[0], "x", *this));
            return {};
        }
        void down() noexcept {
            handler = {};
            vectors = {};
            bar = {};
            device = {};
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, dev));
        DEVRES_TRY(data->up());
        return data;
    }
    static void remove(auto& data) noexcept { data.down(); }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    auto bound = pci::bind<driver>(bus, f);
    MUST(bound);
    f.reset();
    bound->state().down();
    MUST(bound->state().up());
    f.raise(0U);
    MUST(bound->state().n == 1 && bound->state().bar.read32(0) == 0);
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
