// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// While the device sleeps, a group releases its enable, BAR, vectors, handler and memory; it is woken and unbound.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        Device& dev;
        devres::group power{};
        std::atomic<int> done = 0;
        explicit state(Device& of) : dev(of) {}
        pci::irq_return on_irq() noexcept { return ++done, pci::irq_return::handled; }
    };
    template <class Device>
    static result<> up(managed_ref<state<Device>> data) {
        devres::group power(data->dev);
        DEVRES_TRY(auto device, pci::pcim_enable_device(data->dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(pci::pcim_iomap_region<0>(device, "x"));
        DEVRES_TRY(pci::dmam_alloc_coherent(device, 4096));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 4, pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        power.keep();
        data->power = std::move(power);
        return {};
    }
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, dev));
        DEVRES_TRY(up(data));
        return data;
    }
    template <class Device>
    static result<> resume(managed_ref<state<Device>> data) noexcept {
        return data->power ? result<>() : up(data);
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    const auto before = f.state();
    testing::interrupting platform{bus, [&](const testing::interrupt_point&) { all_vectors(f); }};
    for (int i = 0; i != 2; ++i) {
        auto bound = pci::bind<driver>(platform, f);
        MUST(bound && bound->suspend());
        MUST(bound->state().power.release() == 5U);
        MUST(bound->resume());
        f.raise(0U);
        MUST(bound->state().done != 0);
        MUST(bound->suspend());
        MUST(bound->state().power.release() == 5U);
        MUST(bound->unbind());
        MUST(clean(bus));
        MUST(f.state() == before);
    }
    return 0;
}
