// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enoent
// An action that was never added (the optional supply is absent) is released by its name.
#include "support.hpp"

inline void power_off(void*) {}
struct driver {
    struct state {
        action off;
    };
    static inline result<> answer;
    static probed<state> probe(auto& dev, const pci::device_id& id) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        if (id.vendor == 0x8086) {  // only this one has a supply
            DEVRES_TRY(data->off, devm_add_action_or_reset(dev, &power_off, nullptr));
        }
        answer = devm_release_action(dev, data->off);
        return data;
    }
};

int main() {
    sim::bus bus;
    MUST(plain<driver>(bus));
    MUST(driver::answer.error() == errc::enoent);
    MUST(clean(bus));
    return 0;
}
