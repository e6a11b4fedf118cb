// SPDX-License-Identifier: BSL-1.0
// VERDICT: E edeadlk
// A user holds an access to the queue and asks for other queues: the release would wait for its own thread.
#include "support.hpp"

struct queue {
    int depth = 1;
};
struct nic_driver {
    template <class Device>
    struct nic {
        Device& dev;
        revocable<queue> users{};
        devres::group queues{};
        explicit nic(Device& of) : dev(of) {}
        result<> set_depth(int depth) {
            DEVRES_TRY(queues.release());
            devres::group building(dev);
            DEVRES_TRY(auto rx, devm_emplace<queue>(dev, depth));
            DEVRES_TRY(users, devm_revocable(dev, rx));
            building.keep();
            queues = std::move(building);
            return {};
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, dev));
        DEVRES_TRY(data->set_depth(4));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<nic_driver>(bus, bus.add({}));
    MUST(bound);
    auto& nic = bound->state();
    if (auto rx = nic.users.try_access(); rx && rx->depth < 8) {
        MUST(nic.set_depth(8).error() == errc::edeadlk);
        MUST(bound->unbind().error() == errc::edeadlk);
        MUST(rx->depth == 4);
    }
    MUST(nic.set_depth(8));
    MUST(nic.users.try_access()->depth == 8);
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
