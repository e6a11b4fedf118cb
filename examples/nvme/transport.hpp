// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>

#include <devres/devres.hpp>

#include "registers.hpp"

namespace nvme {

namespace pci = devres::pci;
using devres::errc;
using devres::fail;
using devres::result;

using clock = std::chrono::steady_clock;

/// What the registers of a controller say that it can do.
/// @returns `enodev` if it is gone, or its registers end before the doorbells of `max_queues` pairs of I/O queues,
/// `eopnotsupp` if it cannot do what it has to
template <class Registers>
[[nodiscard]] result<capabilities> read_capabilities(const Registers& of, unsigned max_queues) noexcept {
    if (of.read32(registers::csts) == registers::all_ones)
        return fail(errc::enodev);
    const capabilities able(of.read32(registers::cap) | std::uint64_t{of.read32(registers::cap + 4)} << 32U);
    if (!able.has_nvm_commands() || !able.has_small_pages())
        return fail(errc::eopnotsupp);
    if (of.size() < completion_doorbell(static_cast<queue_id>(max_queues), able.doorbell_stride()) + 4)
        return fail(errc::enodev);
    return able;
}

/// A controller as far as its registers go: they are polled, and nothing here needs an interrupt. It is there before
/// any queue, and when all of them have gone.
///
/// Any thread may access registers and ask whether the controller has ended; the rest is for the device's thread.
template <class Device>
class transport {
public:
    transport(const pci::enabled_of<Device>& enabled, const pci::bar_of<Device>& registers, capabilities able) noexcept
        : enabled_(enabled), registers_(registers), able_(able) {}

    [[nodiscard]] const capabilities& able() const noexcept { return able_; }

    [[nodiscard]] std::uint32_t read32(std::size_t offset) const noexcept { return registers_.read32(offset); }
    void write32(std::size_t offset, std::uint32_t value) const noexcept { registers_.write32(offset, value); }

    /// Why nothing more will come from the controller: `enodev`, it is gone; `eio`, it has failed or was stopped.
    [[nodiscard]] std::optional<errc> ended() const noexcept {
        const int why = ended_.load(std::memory_order_acquire);
        return why == 0 ? std::nullopt : std::optional(static_cast<errc>(why));
    }

    /// Finds out whether the controller is still there and well, which no interrupt tells.
    void look() noexcept {
        const std::uint32_t status = read32(registers::csts);
        if (status == registers::all_ones)
            end(errc::enodev);
        else if ((status & status_bits::fatal) != 0)
            end(errc::eio);
    }

    /// Stops the controller: afterwards there are no queues, and it does not reach memory.
    /// @returns `enodev` if it is gone, `etimedout` if it does not stop
    result<> disable() noexcept {
        const std::uint32_t before = read32(registers::cc);
        if (before != registers::all_ones)
            write32(registers::cc, before & ~(configuration::enable | configuration::shutdown_mask));
        return wait_for(status_bits::ready, 0, timeout());
    }

    /// Starts a controller that is stopped, with an admin queue whose rings of `entries` are there.
    /// @returns as `disable`; `eio` if it says that it cannot
    result<> enable(std::uint32_t entries, pci::bus_address submissions, pci::bus_address completions) noexcept {
        write32(registers::aqa, (entries - 1) << 16U | (entries - 1));
        write64(registers::asq, submissions);
        write64(registers::acq, completions);
        write32(registers::cc, configuration::entry_sizes | configuration::enable);
        return wait_for(status_bits::ready, status_bits::ready, timeout());
    }

    /// Has the controller finish what it has begun and write what it has to, before it is stopped. @returns as
    /// `disable`
    result<> shut_down() noexcept {
        const std::uint32_t before = read32(registers::cc);
        if (before != registers::all_ones)
            write32(registers::cc, (before & ~configuration::shutdown_mask) | configuration::shutdown_normal);
        return wait_for(status_bits::shutdown_mask, status_bits::shutdown_complete,
                        std::max(timeout(), std::chrono::milliseconds(5000)));
    }

    /// Stops a controller that does not answer any more, for good, so that the memory of its queues can go. Users hear
    /// `eio`.
    void halt() noexcept {
        end(errc::eio);
        if (!halted_ && !disable())
            (void)pci::pci_clear_master(enabled_);  // then nothing else keeps it from memory
        halted_ = true;
    }

private:
    /// Nothing more will come from the controller. The first reason counts.
    void end(errc why) noexcept {
        int not_yet = 0;
        ended_.compare_exchange_strong(not_yet, static_cast<int>(why), std::memory_order_acq_rel);
    }

    void write64(std::size_t offset, pci::bus_address value) const noexcept {
        write32(offset, static_cast<std::uint32_t>(static_cast<std::uint64_t>(value)));
        write32(offset + 4, static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> 32U));
    }

    [[nodiscard]] std::chrono::milliseconds timeout() const noexcept {
        return std::chrono::milliseconds(std::max(able_.timeout_ms(), 500U));
    }

    /// Waits until CSTS has `wanted` in the bits of `mask`.
    result<> wait_for(std::uint32_t mask, std::uint32_t wanted, std::chrono::milliseconds at_most) noexcept {
        const auto deadline = clock::now() + at_most;
        for (;;) {
            const std::uint32_t now = read32(registers::csts);
            if (now == registers::all_ones) {
                end(errc::enodev);
                return fail(errc::enodev);
            }
            if ((now & mask) == wanted)
                return {};
            if (wanted != 0 && (now & status_bits::fatal) != 0)
                return fail(errc::eio);
            if (clock::now() >= deadline)
                return fail(errc::etimedout);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    pci::enabled_of<Device> enabled_;
    pci::bar_of<Device> registers_;
    capabilities able_;
    std::atomic<int> ended_{0};
    bool halted_ = false;
};

}  // namespace nvme
