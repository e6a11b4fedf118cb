// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Work that re-arms itself is not stopped before what it uses goes.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::bar_of<Device> bar;
        std::atomic<std::uint32_t> last = 1;
        deferred work{[this] {
            last = bar.read32(0);
            work.schedule();
        }};
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0>(device, "ts"));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, bar));
        data->work.schedule();
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    for (int i = 0; i != 20; ++i) {
        auto bound = pci::bind<driver>(bus, f);
        MUST(bound);
        while (bound->state().last == 1)
            std::this_thread::yield();
    }
    MUST(clean(bus));
    return 0;
}
