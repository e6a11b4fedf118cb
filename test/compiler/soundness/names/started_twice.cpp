// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// resume() starts again, by devm_start, what is started already: start() and stop() are called as often as one another.
// What is meant is data->start(), or neither hook.
#include "support.hpp"

struct driver {
    struct state {
        static inline int running = 0;
        void start() noexcept { ++running; }
        void stop() noexcept { --running; }
    };
    template <class Device>
    struct wrapped : state {
        Device& dev;
        explicit wrapped(Device& of) : dev(of) {}
    };
    template <class Device>
    static probed<wrapped<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<wrapped<Device>>(dev, dev));
        DEVRES_TRY(devm_start(dev, data));
        return data;
    }
    template <class Device>
    static result<> resume(managed_ref<wrapped<Device>> data) noexcept {
        return devm_start(data->dev, data);
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound);
    MUST(bound->suspend() && bound->resume() && bound->suspend() && bound->resume());
    MUST(bound->unbind());
    MUST(clean(bus));
    MUST(driver::state::running == 0);
    return 0;
}
