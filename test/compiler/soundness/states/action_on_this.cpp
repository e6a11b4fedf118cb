// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A constructor adds an action on `this`: it is called before the destructor, though it is older than the object's record.
#include "support.hpp"

struct sensor {
    std::vector<std::string> samples{"a sample that is too long for the small buffer"};
    static inline std::size_t said = 0;
    template <class Device>
    explicit sensor(Device& dev) {
        (void)devm_add_action_or_reset(
            dev, [](void* p) { said += static_cast<sensor*>(p)->samples.at(0).size(); }, this);
    }
};
struct sensor_driver {
    static probed<sensor> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(pci::pcim_enable_device(dev));
        return devm_emplace<sensor>(dev, dev);
    }
};

int main() {
    MUST(clean_in_storm<sensor_driver>() == 0);
    MUST(sensor::said == 46);
    return 0;
}
