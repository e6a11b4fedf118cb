// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// The device is pulled out while it sleeps; resume says so, and the unbind gives everything back.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::bar_of<Device> registers;
        pci::coherent_of<Device> ring;
        std::vector<int> log{0};
        void start() noexcept { registers.write32(0, 1); }
        void stop() noexcept { log.at(0) = static_cast<int>(registers.read32(0)); }
        pci::irq_return on_irq() noexcept { return ++log.at(0), pci::irq_return::handled; }
        ~state() { *static_cast<int*>(ring.data()) = log.at(0); }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "x"));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 4, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, registers, ring));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        DEVRES_TRY(devm_start(dev, data));
        return data;
    }
};

int main() {
    for (const bool asleep : {false, true}) {
        for (const bool woken : {false, true}) {
            sim::bus bus;
            auto& f = bus.add(card());
            auto bound = pci::bind<driver>(bus, f);
            MUST(bound);
            if (asleep)
                MUST(bound->suspend());
            f.surprise_remove();
            if (asleep && woken)
                MUST(bound->resume().error() == errc::enodev);
            f.raise(0U);
            MUST(bound->unbind());
            MUST(clean(bus));
        }
    }
    return 0;
}
