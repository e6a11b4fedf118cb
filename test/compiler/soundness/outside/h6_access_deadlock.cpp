// SPDX-License-Identifier: BSL-1.0
// VERDICT: E edeadlk
// A managed object keeps an access to a second one open: devres would wait for what it releases later.
#include "support.hpp"

struct drm {
    int n = 1;
};
struct driver {
    struct state {
        revocable<drm> file;
        std::optional<revocable<drm>::access> held;
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(auto d, devm_emplace<drm>(dev));
        DEVRES_TRY(data->file, devm_revocable(dev, d));
        data->held.emplace(data->file.try_access());
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound);
    MUST(bound->unbind().error() == errc::edeadlk);
    MUST((*bound->state().held)->n == 1);
    bound->state().held.reset();
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
