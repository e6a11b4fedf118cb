// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// An access older than an object with a destructor that its users use, on another thread.
#include "support.hpp"

struct part {
    std::vector<int> v = std::vector<int>(8, 1);
};
struct driver {
    struct state {
        std::optional<managed_ref<part>> p{};
        revocable<state> file{};
        [[nodiscard]] int read() const { return (*p)->v[3]; }
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(data->file, devm_revocable(dev, data));
        DEVRES_TRY(auto p, devm_emplace<part>(dev));
        data->p.emplace(p);
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    for (int i = 0; i != 50; ++i) {
        auto bound = pci::bind<driver>(bus, f);
        MUST(bound);
        std::atomic<bool> started = false;
        std::thread user([file = bound->state().file, &started] {
            int sum = 0;
            while (const auto open = file.try_access()) {
                sum |= open->read();
                started = true;
            }
            if (sum != 1)
                std::abort();
        });
        while (!started)
            std::this_thread::yield();
        const bool gone = bound->unbind().has_value();
        user.join();
        MUST(gone);
    }
    MUST(clean(bus));
    return 0;
}
