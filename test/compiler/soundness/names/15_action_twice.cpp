// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enoent
// suspend() runs the stop action early, and remove() does so again.
#include "support.hpp"

struct pump_driver {
    template <class Device>
    struct state {
        Device& dev;
        int stops = 0;
        action stop{};
    };
    static inline result<> again;
    static inline int stops = 0;
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, dev));
        DEVRES_TRY(data->stop, devm_add_action_or_reset(
                                   dev, [](void* p) { ++static_cast<state<Device>*>(p)->stops; }, &data.get()));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "pump"));
        registers.write32(0, 1);
        return data;
    }
    static result<> suspend(auto& data) { return devm_release_action(data.dev, data.stop); }
    static void remove(auto& data) noexcept {
        again = devm_release_action(data.dev, data.stop);
        stops = data.stops;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<pump_driver>(bus, bus.add(card()));
    MUST(bound && bound->suspend() && bound->resume() && bound->unbind());
    MUST(pump_driver::again.error() == errc::enoent && pump_driver::stops == 1);
    MUST(clean(bus));
    return 0;
}
