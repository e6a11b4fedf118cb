// SPDX-License-Identifier: BSL-1.0
// What -O2 finds in what is inlined into a program must not cost it its -Werror.
#include <utility>

#include <devres/devres.hpp>

namespace app {

struct sensor {
    int celsius = 20;
};
using access = devres::revocable<sensor>;

devres::result<int> read(const access& device);
int read_after_move(const access& device);

devres::result<int> read(const access& device) {
    if (const auto opened = device.try_access())
        return opened->celsius;
    return devres::fail(devres::errc::enodev);
}

int read_after_move(const access& device) {
    auto opened = device.try_access();
    const auto other = std::move(opened);
    return other ? other->celsius : 0;
}

}  // namespace app
