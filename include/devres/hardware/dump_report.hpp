// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace devres::hardware {

/// What a reader of dumps has to say of what it read: why it found nothing, or what it left out.
struct dump_report {
    unsigned line = 0;                 ///< what `reason` is about, counted from 1; 0: the whole text
    std::string reason;                ///< why there is no function; empty if there is one
    std::vector<std::string> remarks;  ///< a sentence each for what was skipped, cut or chosen

    /// The remarks in one line; empty if there are none.
    [[nodiscard]] std::string summary() const {
        std::string out;
        for (const std::string& each : remarks)
            out.append(out.empty() ? "" : "; ").append(each);
        return out;
    }
};

}  // namespace devres::hardware
