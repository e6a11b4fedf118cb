// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] not a driver: it has no `static result<...> probe(auto& dev, const device_id& id)`
#include <devres/any_platform.hpp>

#include "driver.hpp"

struct driver {
    static result<> probe(device<any_platform, driver>&, const device_id&) { return {}; }
};

result<binding<driver, any_platform>> bound(erased_function<platform_type>& function);
result<binding<driver, any_platform>> bound(erased_function<platform_type>& function) {
    return bind<driver>(function.platform(), function);
}

#ifdef EXPECT_FAIL
void bind_wrongly(erased<platform_type>& platform, erased_function<platform_type>& function);
void bind_wrongly(erased<platform_type>& platform, erased_function<platform_type>& function) {
    (void)bind<driver>(platform, function);
}
#endif
