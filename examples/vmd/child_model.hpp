// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <devres/hardware/config_space.hpp>
#include <devres/hardware/msix_table.hpp>
#include <devres/pci/registers.hpp>

#include "child_registers.hpp"

namespace vmd {

/// What a function behind a VMD needs of it.
class upstream_port {
public:
    virtual ~upstream_port() = default;
    /// A message on its way to the CPUs.
    virtual void message(const devres::hardware::interrupt_message& sent) noexcept = 0;
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
        config_.load(configuration());
        allow_writes();
    }
    child_model(const child_model&) = delete;
    child_model& operator=(const child_model&) = delete;
    virtual ~child_model() = default;

    void connect(upstream_port& vmd) noexcept { vmd_ = &vmd; }

    [[nodiscard]] std::uint32_t read_config(unsigned offset, unsigned width) const noexcept {
        return config_.read(offset, width);
    }
    void write_config(unsigned offset, unsigned width, std::uint32_t value) noexcept {
        namespace reg = devres::pci::registers;
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
        namespace reg = devres::pci::registers;
        if ((config_.read(reg::command, 2) & reg::command_bits::memory) == 0 || is_asleep())
            return std::nullopt;
        for (unsigned i = 0; i != pci::bar_count; ++i) {
            if (kind_.bars[i].size == 0)
                continue;
            std::uint64_t base = config_.read(reg::bar + 4 * i, 4) & ~reg::bar_bits::memory_flags;
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
            send_pending(static_cast<unsigned>(offset / devres::hardware::msix_table::entry_size));
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

    /// As it is at power on.
    [[nodiscard]] std::vector<std::uint8_t> configuration() const {
        namespace reg = devres::pci::registers;
        std::vector<std::uint8_t> bytes(256);
        const auto put = [&](unsigned offset, unsigned width, std::uint32_t value) {
            for (unsigned i = 0; i != width; ++i)
                bytes[offset + i] = static_cast<std::uint8_t>(value >> 8 * i);
        };
        put(reg::vendor_id, 2, kind_.vendor);
        put(reg::device_id, 2, kind_.device);
        put(reg::status, 2, reg::status_bits::capabilities);
        put(reg::revision, 4, kind_.class_code << 8U);
        put(reg::capabilities, 1, power);
        put(power, 2, reg::capability_id::power_management | msix << 8U);
        put(msix, 2, reg::capability_id::msix);
        put(msix + reg::msix::control, 2, kind_.msix_vectors - 1);
        put(msix + reg::msix::table, 4, kind_.msix_offset | kind_.msix_bar);
        put(msix + reg::msix::pba, 4, static_cast<std::uint32_t>(pending_offset()) | kind_.msix_bar);
        for (unsigned i = 0; i != pci::bar_count; ++i)
            put(reg::bar + 4 * i, 4, kind_.bars[i].wide ? reg::bar_bits::wide : 0);
        return bytes;
    }
    /// What software may write of that.
    void allow_writes() {
        namespace reg = devres::pci::registers;
        config_.writable(reg::command, 2, reg::command_bits::memory | reg::command_bits::master);
        config_.writable(power + reg::power_management::control, 2, reg::power_management::state);
        config_.writable(msix + reg::msix::control, 2, reg::msix::enable | reg::msix::function_mask);
        for (unsigned i = 0; i != pci::bar_count; ++i) {
            const std::uint64_t address_bits = ~(kind_.bars[i].size - 1);
            if (kind_.bars[i].size == 0)
                continue;
            config_.writable(reg::bar + 4 * i, 4, static_cast<std::uint32_t>(address_bits));
            if (kind_.bars[i].wide)
                config_.writable(reg::bar + 4 * i + 4, 4, static_cast<std::uint32_t>(address_bits >> 32U));
        }
    }

    [[nodiscard]] bool is_asleep() const noexcept {
        namespace pm = devres::pci::registers::power_management;
        return (config_.read(power + pm::control, 2) & pm::state) != 0;
    }
    [[nodiscard]] bool is_master() const noexcept {
        namespace reg = devres::pci::registers;
        return (config_.read(reg::command, 2) & reg::command_bits::master) != 0 && !is_asleep();
    }
    [[nodiscard]] bool is_msix_on() const noexcept {
        namespace reg = devres::pci::registers::msix;
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
        namespace reg = devres::pci::registers::msix;
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
    devres::hardware::config_space config_;
    devres::hardware::msix_table table_;
    upstream_port* vmd_ = nullptr;
};

}  // namespace vmd
