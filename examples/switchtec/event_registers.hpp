// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <devres/devres.hpp>

#include "partition.hpp"
#include "registers.hpp"
#include "reports.hpp"

namespace switchtec {

/// Whether an event is the driver's own: its users may not change it.
[[nodiscard]] constexpr bool is_drivers_own(event what) noexcept {
    return what == event::mrpc_comp || what == event::link_state;
}

/// The event registers of a partition: which events have occurred, and which of them interrupt. The completions of
/// commands and the changes of links are the driver's own, all others its users'.
///
/// A view: it is made where it is used.
template <class Registers>
class event_registers {
public:
    event_registers(const Registers& registers, const partition_info& info) noexcept
        : registers_(registers), info_(info) {}

    /// Whether the device still answers.
    [[nodiscard]] bool present() const noexcept { return is_present(registers_); }

    /// Has the driver's own events interrupt.
    void enable() const noexcept {
        write32(mrpc_header(), gas::event_header::occurred | gas::event_header::interrupt);
        for (const unsigned port : info_.port_functions())
            write32(header_offset(event::link_state, port), gas::event_header::occurred | gas::event_header::interrupt);
    }
    /// No event interrupts any more.
    void disable() const noexcept {
        each_block([&](event_scope scope, unsigned instance) {
            const event_range events = events_of(scope);
            for (unsigned i = 0; i != events.count(); ++i) {
                const std::size_t at = block_offset(scope, instance, events.header + i * gas::event_header::stride);
                if (const std::uint32_t now = read32(at); (now & gas::event_header::interrupt) != 0)
                    write32(at, now & ~(gas::event_header::interrupt | gas::event_header::occurred));
            }
        });
    }

    /// Which events have occurred. @returns `enodev` if the device is gone
    [[nodiscard]] devres::result<event_summary> summary() const noexcept {
        event_summary out;
        out.global = read32(summary_offset(event_scope::global, 0));
        out.partition = read32(summary_offset(event_scope::partition, info_.partition));
        for (const unsigned port : info_.port_functions())
            out.port_functions[port] = read32(summary_offset(event_scope::port_function, port));
        return present() ? devres::result<event_summary>(out) : devres::fail(devres::errc::enodev);
    }

    /// Whether the partition has such an event.
    [[nodiscard]] bool has(event what, unsigned instance) const noexcept {
        if (what > event::link_state)
            return false;
        if (scope_of(what) != event_scope::port_function)
            return instance == 0;
        for (const unsigned port : info_.port_functions()) {
            if (port == instance)
                return true;
        }
        return false;
    }

    /// Looks at an event that the partition has, and changes it. @returns the event as it was; `enodev` if the device
    /// is gone
    [[nodiscard]] devres::result<event_status> control(event what, unsigned instance,
                                                       const event_control& change) const noexcept {
        const bool ours = scope_of(what) == event_scope::partition;
        const std::size_t at = header_offset(what, ours ? info_.partition : instance);
        const std::uint32_t before = read32(at);
        if (before == gas::all_ones)
            return devres::fail(devres::errc::enodev);
        event_status out{.occurred = (before & gas::event_header::occurred) != 0,
                         .interrupt = (before & gas::event_header::interrupt) != 0,
                         .log = (before & gas::event_header::log) != 0,
                         .cli = (before & gas::event_header::cli) != 0,
                         .fatal = (before & gas::event_header::fatal) != 0,
                         .count = before >> gas::event_header::count_shift & gas::event_header::count_mask};
        for (unsigned i = 0; i != gas::event_header::data_words; ++i)
            out.data[i] = read32(at + 4 * (i + 1));
        if (change.any())
            write32(at, changed(before, change));
        return out;
    }

    /// What has occurred since the last time, and was not looked at.
    struct news {
        bool gone = false;      ///< the device does not answer
        bool answered = false;  ///< a command has completed
        occurrences now{};
    };
    /// Acknowledges the driver's own events, and keeps those of users from interrupting again, until they have looked.
    [[nodiscard]] news take() const noexcept {
        const std::uint32_t mrpc = read32(mrpc_header());
        if (mrpc == gas::all_ones)
            return {.gone = true};
        news out{.answered = fired(mrpc)};
        if (out.answered)  // before the status is read: an answer that comes in between interrupts again
            write32(mrpc_header(), gas::event_header::occurred | gas::event_header::interrupt);
        for (const unsigned port : info_.port_functions()) {
            const std::size_t at = header_offset(event::link_state, port);
            if (fired(read32(at))) {
                write32(at, gas::event_header::occurred | gas::event_header::interrupt);
                ++out.now.link_changes;
            }
        }
        each_fired([&](std::size_t at, std::uint32_t now) {
            write32(at, now & ~(gas::event_header::interrupt | gas::event_header::occurred));
            ++out.now.events;
        });
        return out;
    }

    /// Whether there is anything to take.
    [[nodiscard]] bool has_fired() const noexcept {
        bool any = fired(read32(mrpc_header()));
        for (const unsigned port : info_.port_functions())
            any = any || fired(read32(header_offset(event::link_state, port)));
        each_fired([&](std::size_t, std::uint32_t) { any = true; });
        return any;
    }

private:
    [[nodiscard]] static std::uint32_t changed(std::uint32_t before, const event_control& change) noexcept {
        std::uint32_t after = before & ~gas::event_header::occurred;
        const auto set = [&](const std::optional<bool>& wanted, std::uint32_t bit) {
            if (wanted)
                after = *wanted ? after | bit : after & ~bit;
        };
        set(change.clear ? std::optional(true) : std::nullopt, gas::event_header::occurred);
        set(change.interrupt, gas::event_header::interrupt);
        set(change.log, gas::event_header::log);
        set(change.cli, gas::event_header::cli);
        set(change.fatal, gas::event_header::fatal);
        return after;
    }

    [[nodiscard]] static bool fired(std::uint32_t value) noexcept {
        constexpr std::uint32_t both = gas::event_header::occurred | gas::event_header::interrupt;
        return value != gas::all_ones && (value & both) == both;
    }

    /// The users' events that interrupt: where the header is, and what it says.
    template <class Visit>
    void each_fired(Visit visit) const noexcept {
        each_block([&](event_scope scope, unsigned instance) {
            const std::uint32_t occurred = read32(summary_offset(scope, instance));
            const event_range events = events_of(scope);
            for (unsigned i = 0; i != events.count(); ++i) {
                const auto what = static_cast<event>(static_cast<unsigned>(events.first) + i);
                if ((occurred >> i & 1U) == 0 || is_drivers_own(what))
                    continue;
                const std::size_t at = block_offset(scope, instance, events.header + i * gas::event_header::stride);
                if (const std::uint32_t now = read32(at); fired(now))
                    visit(at, now);
            }
        });
    }

    /// The blocks of registers whose events are ours.
    template <class Visit>
    void each_block(Visit visit) const noexcept {
        visit(event_scope::global, 0U);
        visit(event_scope::partition, info_.partition);
        for (const unsigned port : info_.port_functions())
            visit(event_scope::port_function, port);
    }

    [[nodiscard]] std::size_t mrpc_header() const noexcept { return header_offset(event::mrpc_comp, info_.partition); }

    [[nodiscard]] std::uint32_t read32(std::size_t offset) const noexcept { return registers_.read32(offset); }
    void write32(std::size_t offset, std::uint32_t value) const noexcept { registers_.write32(offset, value); }

    const Registers& registers_;
    const partition_info& info_;
};

}  // namespace switchtec
