// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "registers.hpp"

/// What users are told, and what they may ask for.
namespace switchtec {

enum class generation : unsigned { gen3 = 3, gen4 = 4, gen5 = 5 };

/// What the firmware says about the switch and our part of it, read once in probe.
struct partition_info {
    generation gen{};
    std::uint32_t device_id = 0;
    std::uint32_t firmware_version = 0;
    unsigned partition = 0;
    unsigned partitions = 0;
    std::array<std::uint8_t, gas::partition::max_downstream + 2> ports{};  ///< upstream, endpoint, downstream
    unsigned port_count = 0;
    unsigned vectors = 0;  ///< granted; those that no handler is on are spare
    unsigned event_vector = 0;
    std::optional<unsigned> dma_vector{};  ///< none: no DMA-MRPC

    [[nodiscard]] std::span<const std::uint8_t> port_functions() const noexcept { return {ports.data(), port_count}; }
};

/// The answer to a command.
struct mrpc_reply {
    bool failed = false;  ///< the firmware refused the command: `return_code` says why
    std::uint32_t return_code = 0;
    std::size_t size = 0;  ///< bytes of output
};

/// Which events have occurred and not been cleared: bit n is the scope's n-th event.
struct event_summary {
    std::uint32_t global = 0;
    std::uint32_t partition = 0;
    std::array<std::uint32_t, gas::port_function::max> port_functions{};
};

/// What to do with an event; what is not said stays as it is.
struct event_control {
    bool clear = false;
    std::optional<bool> interrupt{};
    std::optional<bool> log{};
    std::optional<bool> cli{};
    std::optional<bool> fatal{};

    /// Whether it says anything.
    [[nodiscard]] constexpr bool any() const noexcept { return clear || interrupt || log || cli || fatal; }
};

/// An event as it was before it was changed.
struct event_status {
    bool occurred = false;
    bool interrupt = false;  ///< it may interrupt: false once it has, until a user says so again
    bool log = false;
    bool cli = false;
    bool fatal = false;
    unsigned count = 0;  ///< how often it has occurred, modulo 256
    std::array<std::uint32_t, gas::event_header::data_words> data{};
};

/// What happened while a user waited.
struct occurrences {
    unsigned events = 0;  ///< interrupts by events that are masked now
    unsigned link_changes = 0;

    friend bool operator==(const occurrences&, const occurrences&) = default;
};

}  // namespace switchtec
