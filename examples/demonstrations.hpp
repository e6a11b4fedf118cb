// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <span>

#include "output.hpp"

namespace examples {

/// A driver on its simulated device: what it does, and what happens to it when things go wrong.
struct demonstration {
    const char* name;    ///< the command of the tool
    const char* about;   ///< behind "NAME: "
    int (*run)(output);  ///< answers 0 if every ledger was clean in the end, 1 if not
};

/// All of them, in the order in which they are shown.
[[nodiscard]] std::span<const demonstration> demonstrations();

}  // namespace examples
