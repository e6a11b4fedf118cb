// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The registers of a Switchtec management endpoint, as its BAR 0 shows them (the "global address space"):
/// what the driver and the device model have to agree on, and no more of it than they use. Offsets are in
/// bytes; registers have 32 bits where nothing else is said.
namespace switchtec::gas {

inline constexpr std::size_t size = 4U << 20U;  ///< of BAR 0

/// A register of a device that is gone reads as this.
inline constexpr std::uint32_t all_ones = 0xffff'ffff;

/// The management calls to the firmware (MRPC), one at a time.
namespace mrpc {
inline constexpr std::size_t max_data = 1024;  ///< bytes of input, and of output
inline constexpr std::size_t input = 0x000;
inline constexpr std::size_t output = 0x400;
inline constexpr std::size_t command = 0x800;  ///< writing it starts the command
inline constexpr std::size_t status = 0x804;
inline constexpr std::size_t return_code = 0x808;
inline constexpr std::size_t dma_enable = 0x80c;   ///< 1: answers also go to memory, and interrupt with dma_vector
inline constexpr std::size_t dma_address = 0x810;  ///< 64 bits
inline constexpr std::size_t dma_vector = 0x818;
inline constexpr std::size_t dma_version = 0x81c;  ///< 0: this firmware has no DMA-MRPC

inline constexpr std::uint32_t in_progress = 1;
inline constexpr std::uint32_t done = 2;
inline constexpr std::uint32_t error = 0xff;         ///< the return code says which
inline constexpr std::uint32_t interrupted = 0x100;  ///< the firmware gave the command up

/// What DMA-MRPC writes to memory before it interrupts.
struct dma_output {
    std::uint32_t status;
    std::uint32_t command;
    std::uint32_t return_code;
    std::uint32_t size;  ///< of data, in bytes
    std::byte data[max_data];
};
}  // namespace mrpc

namespace sys_info {
inline constexpr std::size_t device_id = 0x2000;
inline constexpr std::size_t firmware_version = 0x2008;
}  // namespace sys_info

/// A partition's configuration, one such block per partition.
namespace partition {
inline constexpr unsigned max = 48;
inline constexpr std::size_t base = 0x4000;
inline constexpr std::size_t stride = 0x400;

inline constexpr std::size_t port_count = 0x08;     ///< downstream ports
inline constexpr std::size_t upstream_port = 0x10;  ///< port functions, by instance
inline constexpr std::size_t endpoint_port = 0x14;
inline constexpr std::size_t downstream_ports = 0x18;
inline constexpr unsigned max_downstream = 47;
inline constexpr std::size_t event_vector = 0x100;   ///< low 16 bits: which vector events interrupt with
inline constexpr std::size_t event_summary = 0x114;  ///< bit n: the partition's n-th event has occurred
inline constexpr std::size_t events = 0x124;

/// Where register `offset` of partition `number` is.
[[nodiscard]] constexpr std::size_t at(unsigned number, std::size_t offset) noexcept {
    return base + number * stride + offset;
}
}  // namespace partition

namespace ntb {
inline constexpr std::size_t partitions = 0x10000;  ///< byte 0: how many there are, byte 1: which is ours
}  // namespace ntb

/// The port functions, one block per instance.
namespace port_function {
inline constexpr unsigned max = 255;
inline constexpr std::size_t base = 0x134000;
inline constexpr std::size_t stride = 0x1000;
inline constexpr std::size_t event_summary = 0xc00;
inline constexpr std::size_t events = 0xc10;

/// Where register `offset` of port function `instance` is.
[[nodiscard]] constexpr std::size_t at(unsigned instance, std::size_t offset) noexcept {
    return base + instance * stride + offset;
}
}  // namespace port_function

namespace global {
inline constexpr std::size_t event_summary = 0x1820;
inline constexpr std::size_t events = 0x1830;
}  // namespace global

/// Events: a header and five words of data each.
namespace event_header {
inline constexpr std::size_t stride = 0x18;
inline constexpr unsigned data_words = 5;

inline constexpr std::uint32_t occurred = 1U << 0U;  ///< writing 1 clears it
inline constexpr std::uint32_t log = 1U << 1U;
inline constexpr std::uint32_t cli = 1U << 2U;
inline constexpr std::uint32_t interrupt = 1U << 3U;
inline constexpr std::uint32_t fatal = 1U << 4U;
inline constexpr unsigned count_shift = 5;  ///< how often it has occurred: 8 bits, which wrap
inline constexpr std::uint32_t count_mask = 0xff;
}  // namespace event_header

}  // namespace switchtec::gas

namespace switchtec {

/// What can happen, in the order of the registers: to the whole switch, to a partition, to a port function.
enum class event : unsigned {
    stack_error,
    ppu_error,
    isp_error,
    sys_reset,
    fw_exception,
    fw_nmi,
    fw_non_fatal,
    fw_fatal,
    twi_mrpc_comp,
    twi_mrpc_comp_async,
    cli_mrpc_comp,
    cli_mrpc_comp_async,
    gpio_interrupt,
    gfms,

    part_reset,
    mrpc_comp,
    mrpc_comp_async,
    dyn_part_bind_comp,
    intercomm_notify,

    aer_in_p2p,
    aer_in_vep,
    dpc,
    cts,
    uec,
    hotplug,
    ier,
    threshold,
    power_mgmt,
    tlp_throttling,
    force_speed,
    credit_timeout,
    link_state,
};

enum class event_scope { global, partition, port_function };

/// The events of a scope are `first` to `last`; `header` is where the first one's is in the scope's block.
struct event_range {
    event first;
    event last;
    std::size_t header;

    [[nodiscard]] constexpr unsigned count() const noexcept {
        return static_cast<unsigned>(last) - static_cast<unsigned>(first) + 1;
    }
};

[[nodiscard]] constexpr event_range events_of(event_scope scope) noexcept {
    switch (scope) {
    case event_scope::global: return {event::stack_error, event::gfms, gas::global::events};
    case event_scope::partition: return {event::part_reset, event::intercomm_notify, gas::partition::events};
    default: return {event::aer_in_p2p, event::link_state, gas::port_function::events};
    }
}

[[nodiscard]] constexpr event_scope scope_of(event what) noexcept {
    if (what <= event::gfms)
        return event_scope::global;
    return what <= event::intercomm_notify ? event_scope::partition : event_scope::port_function;
}

/// Which bit of its scope's summary an event has.
[[nodiscard]] constexpr unsigned summary_bit(event what) noexcept {
    return static_cast<unsigned>(what) - static_cast<unsigned>(events_of(scope_of(what)).first);
}

/// Where register `offset` of a scope's block is; `instance` is a partition or a port function, and nothing
/// for the whole switch.
[[nodiscard]] constexpr std::size_t block_offset(event_scope scope, unsigned instance, std::size_t offset) noexcept {
    switch (scope) {
    case event_scope::global: return offset;
    case event_scope::partition: return gas::partition::at(instance, offset);
    default: return gas::port_function::at(instance, offset);
    }
}

/// Where an event's header is; its data follows.
[[nodiscard]] constexpr std::size_t header_offset(event what, unsigned instance) noexcept {
    const event_scope scope = scope_of(what);
    return block_offset(scope, instance, events_of(scope).header + summary_bit(what) * gas::event_header::stride);
}

/// Where the summary of a scope's events is.
[[nodiscard]] constexpr std::size_t summary_offset(event_scope scope, unsigned instance) noexcept {
    const std::size_t offset = scope == event_scope::global      ? gas::global::event_summary
                               : scope == event_scope::partition ? gas::partition::event_summary
                                                                 : gas::port_function::event_summary;
    return block_offset(scope, instance, offset);
}

}  // namespace switchtec
