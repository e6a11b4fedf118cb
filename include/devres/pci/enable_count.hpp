// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace devres::pci {

/// For platforms: how often a function is enabled, and when that is to reach the hardware. The last disable waits until
/// nothing needs the function enabled, no mapped BAR and no allocated vector. Any thread may read the count.
class enable_count {
public:
    /// enables that have not been undone
    [[nodiscard]] unsigned count() const noexcept { return __atomic_load_n(&count_, __ATOMIC_RELAXED); }
    /// Whether the last disable waits for what needs the function.
    [[nodiscard]] bool disable_is_due() const noexcept { return due_; }

    /// Counts one. @returns whether the function is to be enabled now: it is enabled already otherwise.
    [[nodiscard]] bool enable() noexcept {
        const bool first = __atomic_fetch_add(&count_, 1U, __ATOMIC_RELAXED) == 0 && !due_;
        due_ = false;
        return first;
    }
    /// Undoes one, of a count that is not 0. @returns whether the function is to be disabled now.
    [[nodiscard]] bool disable(bool is_needed) noexcept {
        due_ = __atomic_sub_fetch(&count_, 1U, __ATOMIC_RELAXED) == 0;
        return settle(is_needed);
    }
    /// Something has gone that needed the function enabled. @returns whether the function is to be disabled now.
    [[nodiscard]] bool settle(bool is_needed) noexcept {
        if (!due_ || is_needed)
            return false;
        due_ = false;
        return true;
    }

private:
    unsigned count_ = 0;
    bool due_ = false;
};

}  // namespace devres::pci
