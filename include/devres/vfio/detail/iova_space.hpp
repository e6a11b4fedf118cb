// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace devres::vfio {

/// Addresses for the devices of a bus: which of them are in use.
///
/// The first 4 GiB are used before the rest, as not every device has more; an address is not used again before those
/// behind it have been.
class iova_space {
public:
    struct range {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };
    static constexpr std::uint64_t page = 4096;

    /// Says which addresses there are, in ascending order; without any, all of 48 bits but those of x86's interrupts.
    void set_ranges(std::vector<range> ranges) {
        if (ranges.empty())
            ranges = {{0, 0xfedf'ffff}, {0xfef0'0000, (std::uint64_t{1} << 48U) - 1}};
        ranges.front().first = std::max(ranges.front().first, lowest);
        ranges_ = std::move(ranges);
        next_ = lowest;
    }

    /// Whether there are addresses up to `last`, in use or not.
    [[nodiscard]] bool has_any(std::uint64_t last) const noexcept {
        return std::any_of(ranges_.begin(), ranges_.end(), [&](const range& usable) {
            const std::uint64_t first = std::max(usable.first, lowest);
            const std::uint64_t end = std::min(usable.last, last);
            return first <= end && end - first >= page - 1;
        });
    }

    /// Addresses for `size` bytes, a multiple of the page, all of them up to `last`. @returns the first, or nothing if there are
    /// not so many
    [[nodiscard]] std::optional<std::uint64_t> take(std::uint64_t size, std::uint64_t last = ~std::uint64_t{0}) {
        taken_.reserve(taken_.size() + 1);
        const std::uint64_t low_last = std::min(last, low_end - 1);
        auto at = find(next_, low_last, size);
        if (!at)
            at = find(lowest, low_last, size);
        if (!at && last >= low_end)
            at = find(low_end, last, size);
        if (!at)
            return std::nullopt;
        const range used{*at, *at + size - 1};
        taken_.insert(std::upper_bound(taken_.begin(), taken_.end(), used, below), used);
        if (used.last < low_end)
            next_ = used.last + 1;
        return at;
    }

    /// Gives addresses of `take` back. @returns false if they are not in use
    bool give(std::uint64_t first) noexcept {
        const auto found = std::lower_bound(taken_.begin(), taken_.end(), range{first, first}, below);
        if (found == taken_.end() || found->first != first)
            return false;
        taken_.erase(found);
        return true;
    }

    /// How many are in use, as takes.
    [[nodiscard]] std::size_t in_use() const noexcept { return taken_.size(); }

private:
    static constexpr std::uint64_t lowest = 0x10'0000;  // 0 is no address for many a device
    static constexpr std::uint64_t low_end = std::uint64_t{1} << 32U;

    static bool below(const range& a, const range& b) noexcept { return a.first < b.first; }

    /// The first hole of `size` bytes at or above `from`, all of it up to `end`.
    [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t from, std::uint64_t end,
                                                    std::uint64_t size) const noexcept {
        for (const range& usable : ranges_) {
            const std::uint64_t last = std::min(usable.last, end);
            std::uint64_t at = (std::max(usable.first, from) + page - 1) / page * page;
            for (auto next = std::upper_bound(taken_.begin(), taken_.end(), range{at, at}, below);; ++next) {
                if (next != taken_.begin() && std::prev(next)->last >= at)
                    at = (std::prev(next)->last + page) / page * page;
                if (at > last || last - at < size - 1)
                    break;
                if (next == taken_.end() || next->first - at >= size)
                    return at;
            }
        }
        return std::nullopt;
    }

    std::vector<range> ranges_;
    std::vector<range> taken_;  // by address
    std::uint64_t next_ = lowest;
};

}  // namespace devres::vfio
