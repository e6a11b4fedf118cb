// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enoent
// start() of an object releases the group that the object is in: there is nothing to be stopped at the unbind.
#include "support.hpp"

static devres::group* setup = nullptr;
struct probe_light {
    std::vector<int> pattern{1, 2, 3};
    static inline int stops = 0;
    void start() noexcept { (void)setup->release(); }
    void stop() noexcept { stops += pattern.at(0); }
};
struct driver {
    static inline result<> answer;
    static result<> probe(auto& dev, const pci::device_id&) {
        devres::group building(dev);
        setup = &building;
        DEVRES_TRY(auto light, devm_emplace<probe_light>(dev));
        answer = devm_start(dev, light);
        building.keep();
        return {};
    }
};

int main() {
    sim::bus bus;
    MUST(plain<driver>(bus));
    MUST(driver::answer.error() == errc::enoent && probe_light::stops == 0);
    MUST(clean(bus));
    return 0;
}
