// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D004
// A resource of the driver's own, managed by its table, is not named where its action is added: remove() frees it too.
#include "support.hpp"

inline int enabled = 0, underflows = 0;
inline void regulator_enable() { ++enabled; }
inline void regulator_disable() { enabled > 0 ? void(--enabled) : void(++underflows); }
inline constexpr resource<struct regulator_tag> regulator;
struct driver {
    static constexpr auto ownership = own(driver_data = managed, regulator = managed);
    struct state {
        action off;
        static void power_off(void*) { regulator_disable(); }
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        regulator_enable();
#ifndef CORRECTED
        DEVRES_TRY(data->off, devm_add_action_or_reset(dev, &state::power_off, &data.get()));
#else
        DEVRES_TRY(data->off, devm_add_action_or_reset<regulator>(dev, &state::power_off, &data.get()));
#endif
        return data;
    }
#ifndef CORRECTED
    static void remove(state&) noexcept { regulator_disable(); }
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    MUST(underflows == 0 && enabled == 0);
    return 0;
}
