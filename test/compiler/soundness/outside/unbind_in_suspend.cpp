// SPDX-License-Identifier: BSL-1.0
// VERDICT: E edeadlk
// stop() takes the driver off when it finds the device broken, and is called for a sleep: what is to sleep would be gone.
#include "support.hpp"

struct driver {
    struct state {
        std::string name = "a name that is too long for the small buffer";
        std::function<result<>()> give_up{};
        result<> answer{};
        void start() noexcept {}
        void stop() noexcept {
            if (give_up)
                answer = give_up();
            name += " and longer";
        }
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(devm_start(dev, data));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add({}));
    MUST(bound);
    bound->state().give_up = [&] { return bound->unbind(); };
    MUST(bound->suspend());
    MUST(!bound->state().answer && bound->state().answer.error() == errc::edeadlk);
    bound->state().give_up = nullptr;
    MUST(bound->resume());
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
