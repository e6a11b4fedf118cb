// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] a managed handler can still run when what the driver frees is gone: say of each unmanaged line
// MAX-LINES: 27, because a table of two lines is shown with both
#include <devres/devres.hpp>

#include "driver.hpp"

inline constexpr resource<struct minor_number_tag> minor_number;

struct driver {
#if EXPECT_FAIL == 1
    static constexpr auto ownership = own(enable = managed, irq_handler = managed, minor_number = unmanaged);
#elif EXPECT_FAIL == 2
    static constexpr auto ownership = own(irq_handler = managed, dma_streaming = unmanaged, enable = managed);
#elif EXPECT_FAIL == 3
    static constexpr auto ownership = own(driver_data = unmanaged, irq_handler = managed);
#elif EXPECT_FAIL == 4
    static constexpr auto ownership = own(bar<0> = unmanaged, bar<2> = unmanaged,
        irq_handler.without(bar<2>) = managed);
#elif EXPECT_FAIL == 5
    static constexpr auto ownership = own(irq_handler.without(bar<0>).guarding(bar<2>) = managed, bar<4> = unmanaged);
#else
    static constexpr auto ownership = own(enable = managed, irq_handler.without(minor_number).guarding(dma_streaming,
        bar<2>) = managed,
            minor_number = unmanaged, dma_streaming = unmanaged, bar<0> = managed, bar<2> = unmanaged);
    static constexpr auto of_the_drivers_own = own(irq_handler = unmanaged, minor_number = unmanaged);
#endif

    static result<> probe(auto&, const device_id&) { return {}; }
};

result<binding<driver, platform_type>> bound(platform_type& platform, function_type& function) {
    return bind<driver>(platform, function);
}
