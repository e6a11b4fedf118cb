// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <devres/hana.hpp>

namespace devres::testing {

/// What happened, as far as a trace tells.
enum class trace_step : unsigned char {
    attached,    ///< a driver took the function
    acquired,    ///< a resource
    failed,      ///< a primitive; the detail is the error
    called,      ///< a primitive that neither acquires nor releases: set_master, suspend, resume
    interrupt,   ///< was delivered to a handler; the detail is what the handler said
    interrupts,  ///< how many were, in all, to a handler that has ended
    ended,       ///< a handler was still registered when its vectors were freed, which ended it
    released,    ///< a resource
    detached,    ///< the driver gave the function back
    violation,   ///< a handler used a BAR that its driver's table says it keeps off
    remark,      ///< something that the test or example itself has to say
    opened,      ///< a group, as far as who traces says so (`traced::group`)
    closed,      ///< that group was kept, released or dissolved
};

/// As a trace has it.
[[nodiscard]] constexpr std::string_view name_of(trace_step step) noexcept {
    constexpr std::array<std::string_view, 13> names{"attached",   "acquired", "failed",   "called",   "interrupt",
                                                     "interrupts", "ended",    "released", "detached", "violation",
                                                     "remark",     "opened",   "closed"};
    return names[static_cast<std::size_t>(step)];
}

/// Who frees the resource, where that is part of what happened.
enum class trace_owner : unsigned char { none, managed, unmanaged };

/// As a trace has it; empty for none.
[[nodiscard]] constexpr std::string_view name_of(trace_owner owner) noexcept {
    constexpr std::array<std::string_view, 3> names{"", "managed", "unmanaged"};
    return names[static_cast<std::size_t>(owner)];
}

/// One line of a trace. Two are equal if they tell the same, whenever and wherever it happened.
struct trace_entry {
    std::string who{};       ///< the function's label; empty for memory
    trace_step step{};       ///< what happened
    std::string resource{};  ///< `irq_handler 2`: its name in an ownership table, and which; or a primitive
    trace_owner owner = trace_owner::none;  ///< who frees it
    std::string detail{};
    std::chrono::nanoseconds time{};  ///< since the recorder's beginning, by its clock; 0 before one has it
    unsigned thread = 0;              ///< of those that the recorder has seen, from 1; 0 before one has it

    /// Time and thread are not compared.
    friend bool operator==(const trace_entry& a, const trace_entry& b) {
        return a.step == b.step && a.owner == b.owner && a.who == b.who && a.resource == b.resource &&
               a.detail == b.detail;
    }
};

}  // namespace devres::testing

BOOST_HANA_ADAPT_STRUCT(devres::testing::trace_entry, who, step, resource, owner, detail, time, thread);

namespace devres::testing {

/// Where a trace goes. A platform calls it for one entry at a time, on any thread; it must not use that platform.
using trace_sink = std::function<void(const trace_entry&)>;

namespace detail {

[[nodiscard]] inline std::string_view text_of(const std::string& text) noexcept { return text; }
[[nodiscard]] constexpr std::string_view text_of(trace_step step) noexcept { return name_of(step); }
[[nodiscard]] constexpr std::string_view text_of(trace_owner owner) noexcept { return name_of(owner); }

}  // namespace detail

/// An entry in one line without padding: `acquired irq_handler 2 managed "switchtec-event"`. The function's
/// label, time and thread are not part of it.
[[nodiscard]] inline std::string to_string(const trace_entry& entry) {
    std::string line;
    boost::hana::for_each(boost::hana::drop_front(boost::hana::accessors<trace_entry>()), [&](const auto& member) {
        const auto& value = boost::hana::second(member)(entry);
        if constexpr (requires { detail::text_of(value); }) {
            if (const std::string_view part = detail::text_of(value); !part.empty())
                line.append(line.empty() ? "" : " ").append(part);
        }
    });
    return line;
}

/// Asked for the time of each entry, one at a time.
using trace_clock = std::function<std::chrono::nanoseconds()>;

/// The time since it was made.
[[nodiscard]] inline trace_clock steady_trace_clock() {
    return [start = std::chrono::steady_clock::now()] { return std::chrono::steady_clock::now() - start; };
}

/// Keeps a trace for a test to look at: `testing::traced platform{bus, std::ref(recorder)};`
class trace_recorder {
public:
    /// Its clock counts entries, a microsecond each: a test that runs twice has the same trace twice.
    trace_recorder() = default;
    /// Its entries have the time of `clock`: `trace_recorder recorder{steady_trace_clock()};`
    [[nodiscard]] explicit trace_recorder(trace_clock clock) : clock_(std::move(clock)) {}

    /// For the platform: takes one entry.
    void operator()(const trace_entry& entry) {
        const std::lock_guard lock(mutex_);
        trace_entry& kept = entries_.emplace_back(entry);
        kept.time = clock_ ? clock_() : std::chrono::microseconds(count_++);
        const auto next = static_cast<unsigned>(threads_.size()) + 1;
        kept.thread = threads_.try_emplace(std::this_thread::get_id(), next).first->second;
    }

    /// The trace so far.
    [[nodiscard]] std::vector<trace_entry> entries() const {
        const std::lock_guard lock(mutex_);
        return entries_;
    }
    /// The trace so far, an entry a line.
    [[nodiscard]] std::vector<std::string> lines() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> all;
        for (const trace_entry& entry : entries_)
            all.push_back(to_string(entry));
        return all;
    }
    /// Forgets the trace so far; clock and threads go on.
    void clear() {
        const std::lock_guard lock(mutex_);
        entries_.clear();
    }

private:
    mutable std::mutex mutex_;
    trace_clock clock_{};
    std::uint64_t count_ = 0;
    std::map<std::thread::id, unsigned> threads_{};
    std::vector<trace_entry> entries_{};
};

}  // namespace devres::testing
