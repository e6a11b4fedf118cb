// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D007] this platform does not say what BARs are: describe_bar(function, bar_number)
#include "driver.hpp"

#ifdef EXPECT_FAIL
struct more_platform : platform_type {};
#else
struct more_platform : platform_type {
    result<bar_resource> describe_bar(const function_type&, bar_number) noexcept { return bar_resource{}; }
};
#endif

struct driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto registers, pci_resource(dev, bar_number(0)));
        return registers.size < 4096 ? result<>(std::unexpected(errc::enodev)) : result<>();
    }
};

result<binding<driver, more_platform>> bound(more_platform& platform, function_type& function) {
    return bind<driver>(platform, function);
}
