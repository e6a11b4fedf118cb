// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// As 10_worker_in_state, with a state that is older than the BAR: what code gives back goes before all matter.
#include "support.hpp"

struct poller_driver {
    template <class Device>
    struct poller {
        std::optional<pci::bar_of<Device>> registers;
        std::atomic<unsigned> seen = 0;
        std::jthread worker;
    };
    template <class Device>
    static probed<poller<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<poller<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "poller"));
        data->registers.emplace(registers);
        data->worker = std::jthread([data](const std::stop_token& stop) {
            while (!stop.stop_requested())
                data->seen += data->registers->read32(0) + 1;
        });
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    for (int i = 0; i != 20; ++i) {
        auto bound = pci::bind<poller_driver>(bus, function);
        MUST(bound);
        while (bound->state().seen == 0)
            std::this_thread::yield();
    }
    MUST(clean(bus));
    return 0;
}
