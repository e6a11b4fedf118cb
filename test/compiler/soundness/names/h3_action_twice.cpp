// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enoent
// An action is released twice, with nothing in between; what is recorded next has the same memory.
#include "support.hpp"

inline int enabled = 1, underflows = 0;
inline void power_off(void*) { enabled > 0 ? void(--enabled) : void(++underflows); }
struct driver {
    static inline result<> again, later;
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto off, devm_add_action_or_reset(dev, &power_off, nullptr));
        DEVRES_TRY(devm_release_action(dev, off));
        again = devm_release_action(dev, off);
        DEVRES_TRY(auto data, devm_emplace<int>(dev, 1));
        DEVRES_TRY(auto more, devm_emplace<int>(dev, 2));
        later = devm_release_action(dev, off);
        return *data + *more == 3 ? result<>() : fail(errc::eio);
    }
};

int main() {
    sim::bus bus;
    MUST(plain<driver>(bus));
    MUST(driver::again.error() == errc::enoent && driver::later.error() == errc::enoent && underflows == 0);
    MUST(clean(bus));
    return 0;
}
