// SPDX-License-Identifier: BSL-1.0
#include <devres/devres.hpp>

#include "start.hpp"

namespace {

devres::result<int> half(int number) noexcept {
    if (number % 2 != 0)
        return devres::fail(devres::errc::einval);
    return number / 2;
}

devres::result<int> quarter(int number) noexcept {
    const int once = DEVRES_TRY(half(number));
    return DEVRES_TRY(half(once));
}

}  // namespace

/// 0 if all is well; the number of the step that is not, otherwise.
int exercise() noexcept {
    if (quarter(12) != 3)
        return 1;
    if (quarter(10) != devres::fail(devres::errc::einval))
        return 2;
    return 0;
}
