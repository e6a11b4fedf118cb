// SPDX-License-Identifier: BSL-1.0
#include <expected>
#include <memory>
