// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>

#include "commands.hpp"
#include "queue_layout.hpp"

namespace nvme {

/// The commands of a queue that may be on their way, each in a slot: its number is the command's id. Whoever uses it
/// holds a lock.
class command_slots {
public:
    /// So many, `queue_layout::max_slots` at most.
    explicit command_slots(unsigned count) noexcept : count_(count) {}

    /// The number of one that is idle, or of none, `count`.
    [[nodiscard]] unsigned find_idle() const noexcept {
        unsigned found = 0;
        while (found != count_ && slots_[found].now != state::idle)
            ++found;
        return found;
    }
    [[nodiscard]] unsigned count() const noexcept { return count_; }

    [[nodiscard]] bool is_on_its_way(unsigned slot) const noexcept { return slots_[slot].now == state::on_its_way; }
    [[nodiscard]] bool is_done(unsigned slot) const noexcept { return slots_[slot].now == state::done; }
    [[nodiscard]] bool any_on_its_way() const noexcept {
        return std::ranges::find(slots_, state::on_its_way, &slot_type::now) != slots_.end();
    }
    /// Of one that is done.
    [[nodiscard]] const completion& outcome(unsigned slot) const noexcept { return slots_[slot].outcome; }

    /// A command is on its way.
    void take(unsigned slot) noexcept { slots_[slot].now = state::on_its_way; }
    /// Nobody waits for it any more: the slot is taken until it is done.
    void abandon(unsigned slot) noexcept { slots_[slot].now = state::abandoned; }
    void put(unsigned slot) noexcept { slots_[slot].now = state::idle; }

    /// A command is done. @returns false if it was not on its way
    bool complete(const completion& done) noexcept {
        if (done.command_id >= count_)
            return false;
        slot_type& mine = slots_[done.command_id];
        switch (mine.now) {
        case state::on_its_way: mine = {state::done, done}; return true;
        case state::abandoned: mine.now = state::idle; return true;
        case state::idle:
        case state::done: break;
        }
        return false;
    }

    /// None will be done: those that are on their way end with this.
    void cancel(const completion& with) noexcept {
        for (slot_type& each : slots_) {
            if (each.now == state::on_its_way)
                each = {state::done, with};
            else if (each.now == state::abandoned)
                each.now = state::idle;
        }
    }

private:
    enum class state { idle, on_its_way, done, abandoned };
    struct slot_type {
        state now = state::idle;
        completion outcome{};
    };

    unsigned count_;
    std::array<slot_type, queue_layout::max_slots> slots_{};
};

}  // namespace nvme
