// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <devres/sim.hpp>

#include "registers.hpp"

/// QEMU's educational device on the simulated bus: one MSI vector or INTx, factorials, and DMA to and from a buffer of its own.
namespace edu {

/// It computes and transfers at once, and reaches all of memory (QEMU's property `dma_mask`, all ones).
///
/// Any thread may call any function. Interrupts are raised, so handlers run, when the model's lock is free.
class model : public devres::sim::device_model {
public:
    [[nodiscard]] std::uint64_t read(devres::sim::function&, devres::pci::bar_number, std::uint64_t offset,
                                     unsigned) override {
        const std::scoped_lock hold(lock_);
        switch (offset) {
        case registers::identification: return 0x0100'00ed;
        case registers::liveness: return ~state_.liveness;
        case registers::factorial: return state_.factorial;
        case registers::status: return state_.status;
        case registers::irq_status: return state_.irq_status;
        case registers::dma_source: return state_.dma_source;
        case registers::dma_destination: return state_.dma_destination;
        case registers::dma_count: return state_.dma_count;
        case registers::dma_command: return state_.dma_command;
        default: return 0;
        }
    }

    void write(devres::sim::function& self, devres::pci::bar_number, std::uint64_t offset, unsigned,
               std::uint64_t value) override {
        const auto bits = static_cast<std::uint32_t>(value);
        switch (offset) {
        case registers::irq_raise: interrupt(self, bits); break;
        case registers::irq_acknowledge:
            if (acknowledge(bits))
                self.lower_intx();
            break;
        case registers::factorial:
            if (compute(bits))
                interrupt(self, factorial_computed);
            break;
        case registers::dma_command:
            if ((bits & dma::run) != 0 && transfer(self, bits))
                interrupt(self, dma_done);
            break;
        default: set(offset, value);
        }
    }

    void reset(devres::sim::function&) override {
        const std::scoped_lock hold(lock_);
        state_ = {};
    }

private:
    struct state {
        std::uint32_t liveness = 0;
        std::uint32_t factorial = 0;
        std::uint32_t status = 0;
        std::uint32_t irq_status = 0;
        std::uint64_t dma_source = 0;
        std::uint64_t dma_destination = 0;
        std::uint64_t dma_count = 0;
        std::uint32_t dma_command = 0;
        std::array<std::byte, buffer_size> buffer{};
    };

    void set(std::uint64_t offset, std::uint64_t value) {
        const std::scoped_lock hold(lock_);
        switch (offset) {
        case registers::liveness: state_.liveness = static_cast<std::uint32_t>(value); break;
        case registers::status: state_.status = static_cast<std::uint32_t>(value) & interrupt_when_computed; break;
        case registers::dma_source: state_.dma_source = value; break;
        case registers::dma_destination: state_.dma_destination = value; break;
        case registers::dma_count: state_.dma_count = value; break;
        default: break;
        }
    }

    void interrupt(devres::sim::function& self, std::uint32_t why) {
        bool any = false;
        {
            const std::scoped_lock hold(lock_);
            state_.irq_status |= why;
            any = state_.irq_status != 0;
        }
        if (any)
            self.raise(0U);
    }
    /// @returns whether there is no reason to interrupt any more
    bool acknowledge(std::uint32_t what) {
        const std::scoped_lock hold(lock_);
        state_.irq_status &= ~what;
        return state_.irq_status == 0;
    }

    /// @returns whether to interrupt
    bool compute(std::uint32_t of) {
        const std::scoped_lock hold(lock_);
        state_.factorial = 1;
        for (; of > 1; --of)
            state_.factorial *= of;
        return (state_.status & interrupt_when_computed) != 0;
    }

    /// Transfers nothing if part of it would be outside the buffer. @returns whether to interrupt
    bool transfer(devres::sim::function& self, std::uint32_t command) {
        const std::scoped_lock hold(lock_);
        const bool out = (command & dma::to_memory) != 0;
        const std::uint64_t inside = (out ? state_.dma_source : state_.dma_destination) - buffer_begin;
        const devres::pci::bus_address outside{out ? state_.dma_destination : state_.dma_source};
        if (inside <= buffer_size && state_.dma_count <= buffer_size - inside) {
            std::byte* const at = state_.buffer.data() + inside;
            (void)(out ? self.dma_write(outside, at, state_.dma_count) : self.dma_read(outside, at, state_.dma_count));
        }
        state_.dma_command = command & ~dma::run;
        return (command & dma::interrupt_when_done) != 0;
    }

    std::mutex lock_;
    state state_;
};

[[nodiscard]] inline devres::sim::function_config config(devres::sim::device_model& model) {
    return {.vendor = vendor,
            .device = device,
            .class_code = 0x00ff00,
            .revision = 0x10,
            .msi_vectors = 1,
            .intx = true,
            .bar_sizes = {registers::size},
            .model = &model,
            .msi_maskable = false,
            .power_management = false,
            .pcie = false};
}

}  // namespace edu
