// SPDX-License-Identifier: BSL-1.0
// VERDICT: S an access is closed or moved by another thread
// An access is opened on one thread and closed on another, so that nobody could tell who waits for whom.
#include "support.hpp"

struct driver {
    struct state {
        revocable<state> users;
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(data->users, devm_revocable(dev, data));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add({}));
    MUST(bound);
    std::optional<revocable<driver::state>::access> open(bound->state().users.try_access());
    std::thread([&] { open.reset(); }).join();
    return 0;
}
