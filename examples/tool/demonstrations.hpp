// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <span>
#include <vector>

#include "output_options.hpp"

namespace devres::testing {
struct trace_entry;
}

namespace examples {

/// A driver on its simulated device: what it does, and what happens to it when things go wrong.
struct demonstration {
    const char* name;    ///< the command of the tool
    const char* about;   ///< behind "NAME: "
    int (*run)(output);  ///< answers 0 if every ledger was clean in the end, 1 if not
};

/// All of them, in the order in which they are shown.
[[nodiscard]] std::span<const demonstration> demonstrations();

/// What happens from the bind of Switchtec's driver to its unbind, with users and interrupts.
[[nodiscard]] std::vector<devres::testing::trace_entry> switchtec_trace();
/// The same, and then a probe that fails at its last step; with the times.
[[nodiscard]] std::vector<devres::testing::trace_entry> switchtec_recording();

}  // namespace examples
