// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Delayed work that the handler schedules is a member of the state; remove() cancels it, and the handler schedules it again.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::bar_of<Device> mmio;
        deferred work{[this] { mmio.write32(0x10, 1); }};
        pci::irq_return on_irq() noexcept {
            work.schedule(std::chrono::milliseconds(1));
            return pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto mmio, pci::pcim_iomap_region<0>(device, "x"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, mmio));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        return data;
    }
    static void remove(auto& data) noexcept { data.work.cancel_sync(); }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    for (int i = 0; i != 10; ++i) {
        auto bound = pci::bind<driver>(bus, f);
        MUST(bound);
        std::thread noise([&] {
            for (int k = 0; k != 1000; ++k)
                f.raise(0U);
        });
        const bool gone = bound->unbind().has_value();
        noise.join();
        MUST(gone);
    }
    MUST(clean(bus));
    return 0;
}
