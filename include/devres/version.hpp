// SPDX-License-Identifier: BSL-1.0
#pragma once

// The one place the version is written; CMake reads it from here.
#define DEVRES_VERSION_MAJOR 0
#define DEVRES_VERSION_MINOR 1
#define DEVRES_VERSION_PATCH 0

/// The version as one number that the preprocessor can compare: 10203 is 1.2.3.
#define DEVRES_VERSION (DEVRES_VERSION_MAJOR * 10000 + DEVRES_VERSION_MINOR * 100 + DEVRES_VERSION_PATCH)

namespace devres {

/// The version of the headers in use, as `DEVRES_VERSION` writes it.
inline constexpr int version = DEVRES_VERSION;

}  // namespace devres
