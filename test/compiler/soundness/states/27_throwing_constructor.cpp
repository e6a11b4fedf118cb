// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A constructor adds its own clean-up, then throws.
#include "support.hpp"

static int stops = 0;
struct sensor {
    std::vector<int> samples{1, 2, 3};
    template <class Device>
    explicit sensor(Device& dev, std::size_t depth) {
        (void)devm_add_action_or_reset(dev, [](void* p) { static_cast<sensor*>(p)->stop(); }, this);
        samples.resize(depth);  // throws std::length_error for what a register says
    }
    void stop() { ++stops; }  // which uses no member: they have gone
};
struct sensor_driver {
    static probed<sensor> probe(auto& dev, const pci::device_id&) {
        return devm_emplace<sensor>(dev, dev, ~std::size_t{0});
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add({});
    bool caught = false;
    try {
        (void)pci::bind<sensor_driver>(bus, function);
    } catch (const std::length_error&) {
        caught = true;
    }
    MUST(caught && stops == 1);
    MUST(clean(bus));
    return 0;
}
