// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// As 27_throwing_constructor, and the action uses the members of what has never been complete. Instead: in init().
#include "support.hpp"

static int stops = 0;
template <class Device>
struct sensor {
    Device& dev;
    std::vector<std::string> samples{"a sample that is too long for the small buffer"};
    std::size_t depth;
#ifndef CORRECTED
    sensor(Device& of, std::size_t n) : dev(of), depth(n) {
        (void)devm_add_action_or_reset(dev, [](void* p) { static_cast<sensor*>(p)->stop(); }, this);
        throw std::length_error("depth");
    }
#else
    sensor(Device& of, std::size_t n) : dev(of), depth(n) {}
    result<> init() noexcept {
        DEVRES_TRY(devm_add_action_or_reset(dev, [](void* p) { static_cast<sensor*>(p)->stop(); }, this));
        return depth > 100 ? fail(errc::einval) : result<>();
    }
#endif
    void stop() {
        ++stops;
        for (auto& sample : samples)
            sample += "!";
    }
};
struct sensor_driver {
    template <class Device>
    static probed<sensor<Device>> probe(Device& dev, const pci::device_id&) {
        return devm_emplace<sensor<Device>>(dev, dev, ~std::size_t{0});
    }
};

int main() {
    sim::bus bus;
    const auto bound = pci::bind<sensor_driver>(bus, bus.add({}));
    MUST(bound.error() == errc::einval && stops == 1);
    MUST(clean(bus));
    return 0;
}
