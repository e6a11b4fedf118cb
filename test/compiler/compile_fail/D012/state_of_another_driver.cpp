// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D012] devm_emplace: the object cannot be made from these parts
#include "driver.hpp"

// A state that is written without the driver: its views are of no driver, or of another.
struct driver;
struct other_driver;
template <class P>
struct of_no_driver {
    irq_allocation<managed_t, P> vectors;
};
template <class P>
struct of_another_driver {
    irq_allocation<managed_t, P, other_driver> vectors;
};
template <class P>
struct of_this_driver {
    irq_allocation<managed_t, P, driver> vectors;
};

#if EXPECT_FAIL == 1
template <class P>
using state = of_no_driver<P>;
#elif EXPECT_FAIL == 2
template <class P>
using state = of_another_driver<P>;
#else
template <class P>
using state = of_this_driver<P>;
#endif

struct driver {
    template <class P>
    static probed<state<P>> probe(device<P, driver>& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<P>>(dev, vectors));
        return data;
    }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
