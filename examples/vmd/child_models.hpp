// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include <devres/sim/config_space.hpp>
#include <devres/sim/msix_table.hpp>
#include <devres/sim/registers.hpp>

#include "child_registers.hpp"

/// Simulated functions behind a VMD: what is at the other end of its ECAM window and its memory windows.
namespace vmd {

/// What a function behind a VMD needs of it.
class upstream_port {
public:
    virtual ~upstream_port() = default;
    /// A message on its way to the CPUs.
    virtual void message(const devres::sim::interrupt_message& sent) noexcept = 0;
    /// DMA. @returns false if it may not
    virtual bool dma_write(pci::bus_address at, const void* from, std::size_t size) noexcept = 0;
};

/// A function behind a VMD as its hardware is: configuration space, BARs, MSI-X. Everything may be called
/// on any thread.
class child_model {
public:
    struct bar_kind {
        std::uint64_t size = 0;
        bool wide = false;
    };
    struct kind {
        std::uint16_t vendor = 0x1234;
        std::uint16_t device = 0;
        std::uint32_t class_code = 0;
        std::array<bar_kind, pci::bar_count> bars{};
        unsigned msix_vectors = 0;
        unsigned msix_bar = 0;
        std::uint32_t msix_offset = 0;  ///< of the table; the pending bits are at the end of its BAR
    };

    explicit child_model(const kind& what) : kind_(what), table_(what.msix_vectors) {
        namespace reg = devres::sim::registers;
        std::vector<std::uint8_t> bytes(256);
        const auto put = [&](unsigned offset, unsigned width, std::uint32_t value) {
            for (unsigned i = 0; i != width; ++i)
                bytes[offset + i] = static_cast<std::uint8_t>(value >> 8 * i);
        };
        put(reg::vendor_id, 2, what.vendor);
        put(reg::device_id, 2, what.device);
        put(reg::status, 2, reg::status_bits::capabilities);
        put(reg::revision, 4, what.class_code << 8U);
        put(reg::capabilities, 1, power);
        put(power, 2, reg::capability_id::power_management | msix << 8U);
        put(msix, 2, reg::capability_id::msix);
        put(msix + reg::msix::control, 2, what.msix_vectors - 1);
        put(msix + reg::msix::table, 4, what.msix_offset | what.msix_bar);
        put(msix + reg::msix::pba, 4, static_cast<std::uint32_t>(pending_offset()) | what.msix_bar);
        for (unsigned i = 0; i != pci::bar_count; ++i)
            put(reg::bar + 4 * i, 4, what.bars[i].wide ? 4 : 0);
        config_.load(bytes);
        config_.writable(reg::command, 2, reg::command_bits::memory | reg::command_bits::master);
        config_.writable(power + reg::power_management::control, 2, reg::power_management::state);
        config_.writable(msix + reg::msix::control, 2, reg::msix::enable | reg::msix::function_mask);
        for (unsigned i = 0; i != pci::bar_count; ++i) {
            const std::uint64_t address_bits = ~(what.bars[i].size - 1);
            if (what.bars[i].size == 0)
                continue;
            config_.writable(reg::bar + 4 * i, 4, static_cast<std::uint32_t>(address_bits));
            if (what.bars[i].wide)
                config_.writable(reg::bar + 4 * i + 4, 4, static_cast<std::uint32_t>(address_bits >> 32U));
        }
    }
    child_model(const child_model&) = delete;
    child_model& operator=(const child_model&) = delete;
    virtual ~child_model() = default;

    void connect(upstream_port& vmd) noexcept { vmd_ = &vmd; }

    [[nodiscard]] std::uint32_t read_config(unsigned offset, unsigned width) const noexcept {
        return config_.read(offset, width);
    }
    void write_config(unsigned offset, unsigned width, std::uint32_t value) noexcept {
        namespace reg = devres::sim::registers;
        const auto change = config_.write(offset, width, value);
        const unsigned at = offset & ~3U;
        constexpr std::uint32_t state = reg::power_management::state;
        if (at == power + reg::power_management::control && (change.before & state) != 0 && (change.after & state) == 0)
            reset();  // what it knew is lost in D3
        if (at == msix)
            send_pending();
    }

    /// Where in which BAR an address is, if this function answers to it.
    struct place {
        unsigned bar;
        std::uint64_t offset;
    };
    [[nodiscard]] std::optional<place> decode(std::uint64_t address) const noexcept {
        namespace reg = devres::sim::registers;
        if ((config_.read(reg::command, 2) & reg::command_bits::memory) == 0 || is_asleep())
            return std::nullopt;
        for (unsigned i = 0; i != pci::bar_count; ++i) {
            if (kind_.bars[i].size == 0)
                continue;
            std::uint64_t base = config_.read(reg::bar + 4 * i, 4) & ~15U;
            if (kind_.bars[i].wide)
                base |= std::uint64_t{config_.read(reg::bar + 4 * i + 4, 4)} << 32U;
            if (address - base < kind_.bars[i].size)
                return place{i, address - base};
        }
        return std::nullopt;
    }
    [[nodiscard]] std::uint64_t read(const place& at, unsigned width) noexcept {
        if (is_table(at))
            return table_.read(at.offset - kind_.msix_offset, width);
        if (is_pending(at))
            return table_.read_pending(at.offset - pending_offset(), width);
        return read_register(at.bar, at.offset, width);
    }
    void write(const place& at, unsigned width, std::uint64_t value) noexcept {
        if (is_table(at)) {
            table_.write(at.offset - kind_.msix_offset, width, value);
            const std::uint64_t offset = at.offset - kind_.msix_offset;
            send_pending(static_cast<unsigned>(offset / devres::sim::msix_table::entry_size));
        } else if (!is_pending(at)) {
            write_register(at.bar, at.offset, width, value);
        }
    }

    /// Interrupts: sends the message of an entry of the MSI-X table, or remembers it while the entry is
    /// masked.
    void raise(unsigned vector) noexcept {
        if (!is_msix_on() || vector >= table_.size())
            return;
        table_.set_pending(vector);
        send_pending(vector);
    }

    /// The VMD was pulled out. When this returns, the function writes no memory any more.
    virtual void unplugged() noexcept {}

    /// Starts over.
    void reset() noexcept {
        config_.reset();
        table_.reset();
        started_over();
    }

protected:
    virtual std::uint64_t read_register(unsigned bar, std::uint64_t offset, unsigned width) noexcept = 0;
    virtual void write_register(unsigned bar, std::uint64_t offset, unsigned width, std::uint64_t value) noexcept = 0;
    virtual void started_over() noexcept = 0;

    bool dma_write(std::uint64_t at, const void* from, std::size_t size) noexcept {
        return is_master() && vmd_ != nullptr && vmd_->dma_write(pci::bus_address(at), from, size);
    }

private:
    static constexpr unsigned power = 0x40;  // capabilities
    static constexpr unsigned msix = 0x50;

    [[nodiscard]] bool is_asleep() const noexcept {
        namespace pm = devres::sim::registers::power_management;
        return (config_.read(power + pm::control, 2) & pm::state) != 0;
    }
    [[nodiscard]] bool is_master() const noexcept {
        namespace reg = devres::sim::registers;
        return (config_.read(reg::command, 2) & reg::command_bits::master) != 0 && !is_asleep();
    }
    [[nodiscard]] bool is_msix_on() const noexcept {
        namespace reg = devres::sim::registers::msix;
        return (config_.read(msix + reg::control, 2) & reg::enable) != 0 && !is_asleep();
    }
    [[nodiscard]] std::uint64_t pending_offset() const noexcept {
        return kind_.bars[kind_.msix_bar].size - std::bit_ceil(table_.pending_bytes());
    }
    [[nodiscard]] bool is_table(const place& at) const noexcept {
        return at.bar == kind_.msix_bar && at.offset - kind_.msix_offset < table_.table_bytes();
    }
    [[nodiscard]] bool is_pending(const place& at) const noexcept {
        return at.bar == kind_.msix_bar && at.offset - pending_offset() < table_.pending_bytes();
    }
    void send_pending(unsigned vector) noexcept {
        namespace reg = devres::sim::registers::msix;
        const bool all_masked = (config_.read(msix + reg::control, 2) & reg::function_mask) != 0;
        const bool may_send = is_msix_on() && is_master() && vmd_ != nullptr;
        if (!all_masked && !table_.masked(vector) && may_send && table_.take_pending(vector))
            vmd_->message(table_.message(vector));
    }
    void send_pending() noexcept {
        for (unsigned i = 0; i != table_.size(); ++i)
            send_pending(i);
    }

    kind kind_;
    devres::sim::config_space config_;
    devres::sim::msix_table table_;
    upstream_port* vmd_ = nullptr;
};

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
        } else if (offset - reg::queue_vector(0) < reg::most_queues * 4) {
            vectors_[(offset - reg::queue_vector(0)) / 4] = static_cast<std::uint32_t>(value);
        } else if (offset - reg::doorbell(0) < reg::most_queues * 8) {
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
    std::array<std::atomic<std::uint32_t>, nvme::registers::most_queues> vectors_{};
    std::array<std::atomic<std::uint32_t>, nvme::registers::most_queues> tails_{};
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
