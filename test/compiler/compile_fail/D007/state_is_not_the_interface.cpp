// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] driver_entry: the driver's state is not the interface that its entry names
#include <devres/any_platform.hpp>

#include "driver.hpp"

struct meter {
    virtual int celsius() noexcept = 0;
};
#ifdef EXPECT_FAIL
struct thermometer {
    virtual int celsius() noexcept { return 20; }
};
#else
struct thermometer : meter {
    int celsius() noexcept override { return 20; }
};
#endif

struct driver {
    static probed<thermometer> probe(device<any_platform, driver>& dev, const device_id&) {
        return devm_emplace<thermometer>(dev);
    }
};

extern const driver_entry<meter> entry;
constinit const driver_entry<meter> entry = compiled<driver, meter>("meter");
