// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include <devres/sim.hpp>

#include "registers.hpp"

namespace kestrel {

/// The device on the simulated bus. Interrupts are raised, so handlers run, when the model's lock is free.
class model : public devres::sim::device_model {
public:
    /// Requests stay in the ring until `proceed`.
    void hold() {
        change([this] { held_ = true; });
    }
    void proceed() {
        change([this] { held_ = false; });
    }

    void attached(devres::sim::function& self) override { function_ = &self; }
    void reset(devres::sim::function&) override {
        change([this] { state_ = {}; });
    }
    void removed(devres::sim::function&) override {
        change([this] { state_ = {}; });
    }

    [[nodiscard]] std::uint64_t read(devres::sim::function&, devres::pci::bar_number, std::uint64_t offset,
                                     unsigned) override {
        const std::scoped_lock locked(lock_);
        switch (offset) {
        case registers::identity: return identity;
        case registers::status: return state_.runs ? 1 : 0;
        case registers::ring_low: return state_.ring & 0xffff'ffff;
        case registers::ring_high: return state_.ring >> 32U;
        case registers::entries: return state_.entries;
        case registers::submitted: return state_.submitted;
        default: return 0;
        }
    }

    void write(devres::sim::function&, devres::pci::bar_number, std::uint64_t offset, unsigned,
               std::uint64_t value) override {
        change([&] { set(offset, static_cast<std::uint32_t>(value)); });
    }

private:
    struct registers_state {
        bool runs = false;
        std::uint64_t ring = 0;
        std::uint32_t entries = 0;
        std::uint32_t submitted = 0;
        std::uint32_t completed = 0;
    };

    void set(std::uint64_t offset, std::uint32_t value) {
        const std::uint64_t high_half = 0xffff'ffff'0000'0000;
        switch (offset) {
        case registers::control:
            state_.runs = value == 1 && state_.entries != 0;
            state_.submitted = state_.completed = 0;
            break;
        case registers::ring_low: state_.ring = (state_.ring & high_half) | value; break;
        case registers::ring_high: state_.ring = (state_.ring & ~high_half) | std::uint64_t{value} << 32U; break;
        case registers::entries: state_.entries = value; break;
        case registers::submitted: state_.submitted = value; break;
        default: break;
        }
    }

    /// Changes something, does what there is to do then, and interrupts.
    template <class Change>
    void change(Change what) {
        std::optional<unsigned> interrupts;
        {
            const std::scoped_lock locked(lock_);
            what();
            while (state_.runs && !held_ && state_.completed != state_.submitted) {
                state_.runs = serve(state_.ring + state_.completed % state_.entries * sizeof(descriptor));
                interrupts = state_.runs ? vectors::done : vectors::fault;
                ++state_.completed;
            }
        }
        if (interrupts)
            function_->raise(*interrupts);
    }

    /// Serves one request. @returns false if there is memory that it may not reach
    bool serve(std::uint64_t at) {
        const devres::pci::bus_address entry{at};
        descriptor request{};
        if (!function_->dma_read(entry, &request, sizeof(request)))
            return false;
        std::vector<std::uint8_t> bytes(request.length);
        if (!function_->dma_read(devres::pci::bus_address{request.address}, bytes.data(), bytes.size()))
            return false;
        request.checksum = crc32(bytes);
        request.state = request_state::done;
        const std::uint64_t state_at = at + offsetof(descriptor, state);
        const std::uint64_t checksum_at = at + offsetof(descriptor, checksum);
        return function_->dma_write(devres::pci::bus_address{checksum_at}, &request.checksum, 4) &&
               function_->dma_write(devres::pci::bus_address{state_at}, &request.state, 4);
    }

    [[nodiscard]] static std::uint32_t crc32(const std::vector<std::uint8_t>& bytes) {
        std::uint32_t crc = ~0U;
        for (const std::uint8_t byte : bytes) {
            crc ^= byte;
            for (int bit = 0; bit != 8; ++bit)
                crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0xedb8'8320 : 0);
        }
        return ~crc;
    }

    std::mutex lock_;
    devres::sim::function* function_ = nullptr;
    registers_state state_;
    bool held_ = false;
};

/// A Kestrel for `bus.add`.
[[nodiscard]] inline devres::sim::function_config config(model& hardware) {
    return {.vendor = vendor,
            .device = device,
            .class_code = 0x118000,
            .msix_vectors = vectors::count,
            .bar_sizes = {4096},
            .model = &hardware};
}

}  // namespace kestrel
