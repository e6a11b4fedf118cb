// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "child_model.hpp"
#include "child_registers.hpp"

/// The simulated functions that the examples put behind a VMD.
namespace vmd {

/// An NVMe-class controller: commands are rung in by doorbells, and complete when the simulation says so,
/// or at once.
class nvme_model final : public child_model {
public:
    explicit nvme_model(unsigned queues, std::uint16_t device = 0x0010)
        : child_model({.vendor = 0x1b36,
                       .device = device,
                       .class_code = 0x010802,
                       .bars = {{{.size = nvme::registers::bar_size, .wide = true}}},
                       .msix_vectors = queues,
                       .msix_bar = 0,
                       .msix_offset = nvme::registers::msix_table}),
          queues_(queues) {}

    /// Whether commands complete as they are given. Otherwise `complete` completes them.
    void complete_at_once(bool on) noexcept { at_once_ = on; }

    /// Completes what a queue has been given: counts it in memory, then interrupts.
    void complete(unsigned queue) noexcept {
        namespace reg = nvme::registers;
        const std::uint32_t tail = tails_[queue].load();
        {
            const std::scoped_lock hold(dma_);
            if (!enabled_ || !dma_write(completions_ + queue * reg::completion_stride, &tail, sizeof(tail)))
                return;
        }
        raise(vectors_[queue]);
    }

    void unplugged() noexcept override { started_over(); }

private:
    std::uint64_t read_register(unsigned, std::uint64_t offset, unsigned) noexcept override {
        namespace reg = nvme::registers;
        return offset == reg::capabilities ? queues_ - 1 : offset == reg::control ? enabled_.load() : 0;
    }
    void write_register(unsigned, std::uint64_t offset, unsigned, std::uint64_t value) noexcept override {
        namespace reg = nvme::registers;
        if (offset == reg::control) {
            const std::scoped_lock hold(dma_);  // once it is stopped, it writes no memory
            enabled_ = static_cast<std::uint32_t>(value) & reg::enable;
        } else if (offset == reg::completions) {
            completions_ = value;
        } else if (offset - reg::queue_vector(0) < reg::max_queues * 4) {
            vectors_[(offset - reg::queue_vector(0)) / 4] = static_cast<std::uint32_t>(value);
        } else if (offset - reg::doorbell(0) < reg::max_queues * 8) {
            ring(static_cast<unsigned>((offset - reg::doorbell(0)) / 8), static_cast<std::uint32_t>(value));
        }
    }
    void started_over() noexcept override {
        const std::scoped_lock hold(dma_);
        enabled_ = 0;
        completions_ = 0;
    }
    void ring(unsigned queue, std::uint32_t tail) noexcept {
        tails_[queue] = tail;
        if (at_once_)
            complete(queue);
    }

    unsigned queues_;
    std::mutex dma_;
    std::atomic<bool> at_once_{false};
    std::atomic<std::uint32_t> enabled_{0};
    std::atomic<std::uint64_t> completions_{0};
    std::array<std::atomic<std::uint32_t>, nvme::registers::max_queues> vectors_{};
    std::array<std::atomic<std::uint32_t>, nvme::registers::max_queues> tails_{};
};

/// A network port.
class ethernet_model final : public child_model {
public:
    ethernet_model()
        : child_model({.vendor = 0x1b36,
                       .device = 0x0011,
                       .class_code = 0x020000,
                       .bars = {{{.size = ethernet::registers::bar_size}, {.size = 0x1000}}},
                       .msix_vectors = 2,
                       .msix_bar = 1,
                       .msix_offset = ethernet::registers::msix_table}) {}

    void change_link() noexcept { interrupt(0, ethernet::registers::link_changed); }
    void receive() noexcept { interrupt(1, ethernet::registers::frame_received); }

private:
    std::uint64_t read_register(unsigned bar, std::uint64_t offset, unsigned) noexcept override {
        return bar == 0 && offset == ethernet::registers::cause ? cause_.load() : 0;
    }
    void write_register(unsigned bar, std::uint64_t offset, unsigned, std::uint64_t value) noexcept override {
        namespace reg = ethernet::registers;
        if (bar != 0)
            return;
        if (offset == reg::cause)
            cause_ &= ~static_cast<std::uint32_t>(value);
        else if (offset == reg::mask)
            mask_ = static_cast<std::uint32_t>(value);
        else if (offset == reg::vectors)
            vectors_ = std::max(1U, static_cast<std::uint32_t>(value));
    }
    void started_over() noexcept override {
        cause_ = 0;
        mask_ = ~0U;
    }
    void interrupt(unsigned number, std::uint32_t cause) noexcept {
        cause_ |= cause;
        if ((mask_ & cause) == 0)
            raise(number % vectors_);
    }

    std::atomic<std::uint32_t> cause_{0};
    std::atomic<std::uint32_t> mask_{~0U};
    std::atomic<std::uint32_t> vectors_{1};
};

}  // namespace vmd
