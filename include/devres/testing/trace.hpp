// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
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
};

[[nodiscard]] constexpr std::string_view name_of(trace_step step) noexcept {
    constexpr std::array<std::string_view, 11> names{"attached",  "acquired",   "failed", "called",
                                                     "interrupt", "interrupts", "ended",  "released",
                                                     "detached",  "violation",  "remark"};
    return names[static_cast<std::size_t>(step)];
}

/// Who frees the resource, where that is part of what happened.
enum class trace_owner : unsigned char { none, managed, unmanaged };

[[nodiscard]] constexpr std::string_view name_of(trace_owner owner) noexcept {
    constexpr std::array<std::string_view, 3> names{"", "managed", "unmanaged"};
    return names[static_cast<std::size_t>(owner)];
}

/// One line of a trace.
struct trace_entry {
    std::string who{};  ///< the function's label; empty for memory
    trace_step step{};
    std::string resource{};  ///< `irq_handler 2`: its name in an ownership table, and which; or a primitive
    trace_owner owner = trace_owner::none;
    std::string detail{};

    friend bool operator==(const trace_entry&, const trace_entry&) = default;
};

}  // namespace devres::testing

BOOST_HANA_ADAPT_STRUCT(devres::testing::trace_entry, who, step, resource, owner, detail);

namespace devres::testing {

/// Where a trace goes. A platform calls it for one entry at a time, on any thread; it must not use that platform.
using trace_sink = std::function<void(const trace_entry&)>;

namespace detail {

[[nodiscard]] inline std::string_view text_of(const std::string& text) noexcept { return text; }
[[nodiscard]] constexpr std::string_view text_of(trace_step step) noexcept { return name_of(step); }
[[nodiscard]] constexpr std::string_view text_of(trace_owner owner) noexcept { return name_of(owner); }

}  // namespace detail

/// An entry in one line without padding: `acquired irq_handler 2 managed "switchtec-event"`. The function's
/// label is not part of it.
[[nodiscard]] inline std::string to_string(const trace_entry& entry) {
    std::string line;
    boost::hana::for_each(boost::hana::drop_front(boost::hana::accessors<trace_entry>()), [&](const auto& member) {
        const std::string_view part = detail::text_of(boost::hana::second(member)(entry));
        if (!part.empty())
            line.append(line.empty() ? "" : " ").append(part);
    });
    return line;
}

/// Keeps a trace for a test to look at: `testing::traced platform{bus, std::ref(recorder)};`
class trace_recorder {
public:
    void operator()(const trace_entry& entry) {
        const std::lock_guard lock(mutex_);
        entries_.push_back(entry);
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
    /// Forgets the trace so far.
    void clear() {
        const std::lock_guard lock(mutex_);
        entries_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::vector<trace_entry> entries_;
};

}  // namespace devres::testing
