// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// The device is pulled out while interrupts arrive on two threads and a third reads by an access; then it is unbound.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::bar_of<Device> registers;
        pci::coherent_of<Device> ring;
        std::atomic<std::uint32_t> seen = 0;
        revocable<state> users{};
        state(const pci::bar_of<Device>& bar, const pci::coherent_of<Device>& r) : registers(bar), ring(r) {}
        pci::irq_return on_irq() noexcept {
            seen += registers.read32(0) + std::atomic_ref(*static_cast<std::uint32_t*>(ring.data())).load();
            return pci::irq_return::handled;
        }
        void start() noexcept { registers.write32(0, 1); }
        void stop() noexcept { registers.write32(0, 0); }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "x"));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 2, 4, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, registers, ring));
        DEVRES_TRY(data->users, devm_revocable(dev, data));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "a", data));
        DEVRES_TRY(pci::devm_request_irq(vectors[1], "b", data));
        DEVRES_TRY(devm_start(dev, data));
        return data;
    }
};

int main() {
    for (int i = 0; i != 20; ++i) {
        sim::bus bus;
        auto& f = bus.add(card());
        auto bound = pci::bind<driver>(bus, f);
        MUST(bound);
        std::atomic<bool> stop = false;
        const auto raise = [&](unsigned vector) {
            while (!stop)
                f.raise(vector);
        };
        std::thread one(raise, 0U), two(raise, 1U);
        std::thread reader([&, users = bound->state().users] {
            while (const auto open = users.try_access())
                (void)open->registers.read32(0);
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        f.surprise_remove();
        const bool gone = bound->unbind().has_value();
        stop = true;
        one.join();
        two.join();
        reader.join();
        MUST(gone);
        MUST(clean(bus));
    }
    return 0;
}
