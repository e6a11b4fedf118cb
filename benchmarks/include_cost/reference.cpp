// SPDX-License-Identifier: BSL-1.0
#include <memory>
#include <expected>
