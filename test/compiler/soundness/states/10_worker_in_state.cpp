// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A thread polls a register, and is joined by the destructor of the state that it is a member of: the BAR goes after it.
#include "support.hpp"

struct poller_driver {
    template <class Device>
    struct poller {
        pci::bar_of<Device> registers;
        std::atomic<unsigned> seen = 0;
        std::jthread worker{[this](const std::stop_token& stop) {
            while (!stop.stop_requested())
                seen += registers.read32(0) + 1;
        }};
    };
    template <class Device>
    static probed<poller<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "poller"));
        return devm_emplace<poller<Device>>(dev, registers);
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
