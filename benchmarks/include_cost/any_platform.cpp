// SPDX-License-Identifier: BSL-1.0
#include <devres/any_platform.hpp>
