// SPDX-License-Identifier: BSL-1.0
// VERDICT: E edeadlk
// Work that cancels itself and waits.
#include "support.hpp"

template <class Device>
struct state {
    pci::work_of<Device> work = {};
    result<bool> cancelled = false;
    void run() noexcept { cancelled = pci::cancel_work_sync(work); }
};
struct driver {
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(data->work, pci::devm_work<&state<Device>::run>(dev, data));
        pci::schedule_work(data->work);
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bus.run_work() == 1);
    MUST(bound->state().cancelled == fail(errc::edeadlk));
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
