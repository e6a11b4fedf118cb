// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vector>

/// What it costs that a driver does not know its platform's type.
namespace devres::benchmarks {

/// One primitive of a platform called again and again: of one whose type is known, and of an `any_platform`.
struct erased_path {
    const char* name;
    void (*direct)(unsigned count);
    void (*erased)(unsigned count);
};
extern const std::vector<erased_path> erased_paths;

/// The life of the driver of `managed_driver`, compiled once.
void compiled_driver(unsigned);

}  // namespace devres::benchmarks
