// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <unordered_map>
#include <vector>

#include "registers.hpp"

namespace switchtec {

/// What a simulated Switchtec is like. Whatever is left out has a sensible value.
struct model_config {
    std::uint16_t device_id = 0x8536;
    std::uint32_t firmware_version = 0x0401'0203;
    unsigned partitions = 2;
    unsigned partition = 1;          ///< the one that the endpoint manages
    std::uint8_t upstream_port = 0;  ///< port functions, by instance
    std::uint8_t endpoint_port = 48;
    std::vector<std::uint8_t> downstream_ports{8, 16};
    std::uint16_t event_vector = 0;
    std::uint32_t dma_version = 1;  ///< 0: firmware without DMA-MRPC
    std::uint32_t dma_vector = 1;
};

/// The registers of a simulated Switchtec: what reads back of them, and which of its events interrupt.
class model_registers {
public:
    /// As they are when the power comes.
    void power_on(const model_config& as) {
        values_.clear();
        headers_.clear();
        input_.fill({});
        values_[gas::sys_info::device_id] = as.device_id;
        values_[gas::sys_info::firmware_version] = as.firmware_version;
        values_[gas::mrpc::dma_version] = as.dma_version;
        values_[gas::mrpc::dma_vector] = as.dma_vector;
        values_[gas::ntb::partitions] = as.partitions | as.partition << 8U;
        const auto ours = [&](std::size_t offset) -> std::uint32_t& {
            return values_[gas::partition::at(as.partition, offset)];
        };
        ours(gas::partition::event_vector) = as.event_vector;
        ours(gas::partition::upstream_port) = as.upstream_port;
        ours(gas::partition::endpoint_port) = as.endpoint_port;
        ours(gas::partition::port_count) = static_cast<std::uint32_t>(as.downstream_ports.size());
        for (std::size_t i = 0; i != as.downstream_ports.size(); ++i)
            ours(gas::partition::downstream_ports + 4 * i) = as.downstream_ports[i];

        add_headers(event_scope::global, 0);
        for (unsigned i = 0; i != as.partitions; ++i)
            add_headers(event_scope::partition, i);
        add_headers(event_scope::port_function, as.upstream_port);
        add_headers(event_scope::port_function, as.endpoint_port);
        for (const unsigned port : as.downstream_ports)
            add_headers(event_scope::port_function, port);
    }

    [[nodiscard]] std::uint32_t get(std::size_t offset) const {
        if (offset < gas::mrpc::output) {
            std::uint32_t word = 0;
            std::memcpy(&word, input_.data() + offset, sizeof(word));
            return word;
        }
        const auto found = values_.find(offset);
        return found == values_.end() ? 0 : found->second;
    }

    /// Sets a register, read-only ones too.
    void put(std::size_t offset, std::uint32_t value) { values_[offset] = value; }

    /// What a command is given.
    [[nodiscard]] std::span<const std::byte> input() const noexcept { return input_; }
    void put_input(std::size_t offset, std::uint32_t word) { std::memcpy(input_.data() + offset, &word, sizeof(word)); }

    [[nodiscard]] bool is_event_header(std::size_t offset) const { return headers_.contains(offset); }
    /// Writes an event's header as a driver does. @returns whether the event interrupts
    bool write_header(std::size_t offset, std::uint32_t value) {
        namespace bits = gas::event_header;
        constexpr std::uint32_t settings = bits::log | bits::cli | bits::interrupt | bits::fatal;
        std::uint32_t now = (get(offset) & ~settings) | (value & settings);
        if ((value & bits::occurred) != 0)
            now &= ~bits::occurred;
        values_[offset] = now;
        summarize(headers_.at(offset));
        constexpr std::uint32_t firing = bits::occurred | bits::interrupt;
        return (now & firing) == firing;
    }

    /// An event occurs. @returns whether it interrupts
    bool occur(event what, unsigned instance) {
        namespace bits = gas::event_header;
        std::uint32_t& now = values_[header_offset(what, instance)];
        const std::uint32_t count = (now >> bits::count_shift & bits::count_mask) + 1;
        now = (now & ~(bits::count_mask << bits::count_shift)) | (count & bits::count_mask) << bits::count_shift |
              bits::occurred;
        const bool wanted = (now & bits::interrupt) != 0;
        summarize({what, instance});
        return wanted;
    }

    /// The registers that a driver can leave in another state than it found them: interrupts that are enabled, DMA.
    [[nodiscard]] std::vector<std::size_t> left_enabled() const {
        std::vector<std::size_t> offsets;
        if (get(gas::mrpc::dma_enable) != 0)
            offsets.push_back(gas::mrpc::dma_enable);
        for (const auto& [at, known] : headers_) {
            if ((get(at) & gas::event_header::interrupt) != 0)
                offsets.push_back(at);
        }
        std::ranges::sort(offsets);
        return offsets;
    }

private:
    struct header {
        event what;
        unsigned instance;
    };

    void add_headers(event_scope scope, unsigned instance) {
        const event_range events = events_of(scope);
        for (unsigned i = 0; i != events.count(); ++i) {
            const auto what = static_cast<event>(static_cast<unsigned>(events.first) + i);
            headers_.emplace(header_offset(what, instance), header{what, instance});
        }
    }

    void summarize(const header& changed) {
        const std::uint32_t bit = 1U << summary_bit(changed.what);
        std::uint32_t& summary = values_[summary_offset(scope_of(changed.what), changed.instance)];
        const bool occurred = (get(header_offset(changed.what, changed.instance)) & gas::event_header::occurred) != 0;
        summary = occurred ? summary | bit : summary & ~bit;
    }

    std::unordered_map<std::size_t, std::uint32_t> values_;
    std::unordered_map<std::size_t, header> headers_;
    std::array<std::byte, gas::mrpc::max_data> input_{};
};

}  // namespace switchtec
