// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// An action older than the enable, whose argument is an older object with a destructor: both keep their places.
#include "support.hpp"

static std::string said;
struct clk {
    std::string name = "a clock with a rather long name, on the heap";
};
struct driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto c, devm_emplace<clk>(dev));
        DEVRES_TRY(devm_add_action(dev, [](void* p) { said = static_cast<clk*>(p)->name; }, &c.get()));
        DEVRES_TRY(pci::pcim_enable_device(dev));
        return {};
    }
};

int main() {
    MUST(clean_in_storm<driver>() == 0);
    MUST(said == clk().name);
    return 0;
}
