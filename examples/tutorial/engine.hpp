// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <thread>

#include <devres/devres.hpp>

#include "registers.hpp"

namespace kestrel {

namespace pci = devres::pci;
using devres::errc;
using devres::fail;
using devres::result;

inline constexpr unsigned ring_entries = 8;
inline constexpr std::size_t buffer_size = 4096;  ///< of each entry
inline constexpr std::size_t ring_size = ring_entries * sizeof(descriptor);

/// The running device: a ring, a buffer for each of its entries, and who waits for which.
///
/// Any thread may ask for a checksum. Handlers take `lock_`; so nobody touches a register, or waits for the device,
/// while holding it.
template <class Device>
class engine {
public:
    engine(const pci::bar_of<Device>& registers, const pci::coherent_of<Device>& ring,
           const pci::coherent_of<Device>& buffers) noexcept
        : registers_(registers), ring_(ring), buffers_(buffers) {}

    /// For `devm_start`.
    result<> start() noexcept {
        if (registers_.read32(registers::identity) != identity)
            return fail(errc::enodev);
        const std::scoped_lock alone(submitting_);
        std::memset(ring_.data(), 0, ring_size);
        const auto at = static_cast<std::uint64_t>(ring_.address());
        registers_.write32(registers::ring_low, static_cast<std::uint32_t>(at));
        registers_.write32(registers::ring_high, static_cast<std::uint32_t>(at >> 32U));
        registers_.write32(registers::entries, ring_entries);
        {
            const std::scoped_lock hold(lock_);
            submitted_ = completed_ = 0;
            state_ = accepts::requests;
        }
        registers_.write32(registers::control, 1);
        return {};
    }

    void stop() noexcept {
        const std::scoped_lock alone(submitting_);
        registers_.write32(registers::control, 0);
        for (int looks = 0; looks != 1000 && registers_.read32(registers::status) == 1; ++looks)
            std::this_thread::yield();
        end_requests(accepts::nothing, errc::ecanceled);
    }

    /// Wakes who waits, and accepts nothing more.
    void close() noexcept { end_requests(accepts::nothing, errc::ecanceled); }

    pci::irq_return on_done() noexcept {
        const std::scoped_lock hold(lock_);
        const unsigned before = completed_;
        for (; completed_ != submitted_ && state_of(completed_) == request_state::done; ++completed_)
            slot_of(completed_).end(entry(completed_).checksum);
        if (completed_ == before)
            return pci::irq_return::none;
        changed_.notify_all();
        return pci::irq_return::handled;
    }

    pci::irq_return on_fault() noexcept {
        end_requests(accepts::a_restart, errc::eio);
        return pci::irq_return::handled;
    }

    /// The CRC-32 of some bytes.
    /// @returns `einval` for none or more than `buffer_size`, `ebusy` if the ring is full, `etimedout`, `enodev` if the
    /// device is gone, `eio` if it has stopped by itself, `ecanceled` or `eshutdown` if the driver stops it
    result<std::uint32_t> checksum(std::span<const std::byte> bytes, std::chrono::milliseconds at_most) noexcept {
        if (bytes.empty() || bytes.size() > buffer_size)
            return fail(errc::einval);
        DEVRES_TRY(slot* const mine, submit(bytes));
        return wait_for(*mine, at_most);
    }

private:
    enum class accepts { nothing, a_restart, requests };

    /// Who waits for an entry of the ring. One who gives up leaves it to the device.
    struct slot {
        enum { free, waited_for, given_up, answered } state = free;
        result<std::uint32_t> answer = 0U;

        void end(const result<std::uint32_t>& with) noexcept {
            answer = with;
            state = state == waited_for ? answered : state == given_up ? free : state;
        }
    };

    [[nodiscard]] slot& slot_of(unsigned request) noexcept { return slots_[request % ring_entries]; }
    [[nodiscard]] descriptor& entry(unsigned request) const noexcept {
        return static_cast<descriptor*>(ring_.data())[request % ring_entries];
    }
    [[nodiscard]] request_state state_of(unsigned request) const noexcept {
        return std::atomic_ref(entry(request).state).load(std::memory_order_acquire);
    }

    void end_requests(accepts from_now_on, errc why) noexcept {
        const std::scoped_lock hold(lock_);
        state_ = from_now_on;
        for (slot& each : slots_)
            each.end(fail(why));
        completed_ = submitted_;
        changed_.notify_all();
    }

    result<slot*> submit(std::span<const std::byte> bytes) noexcept {
        const std::scoped_lock alone(submitting_);
        unsigned request = 0;
        {
            const std::scoped_lock hold(lock_);
            request = submitted_;
            if (state_ != accepts::requests)
                return fail(state_ == accepts::nothing ? errc::eshutdown : errc::eio);
            if (slot_of(request).state != slot::free)
                return fail(errc::ebusy);
            slot_of(request).state = slot::waited_for;
            const std::size_t offset = request % ring_entries * buffer_size;
            std::memcpy(static_cast<std::byte*>(buffers_.data()) + offset, bytes.data(), bytes.size());
            entry(request) = {.address = static_cast<std::uint64_t>(buffers_.address()) + offset,
                              .length = static_cast<std::uint32_t>(bytes.size()),
                              .state = request_state::empty,
                              .checksum = 0,
                              .reserved = {}};
            ++submitted_;
        }
        registers_.write32(registers::submitted, request + 1);
        return &slot_of(request);
    }

    result<std::uint32_t> wait_for(slot& mine, std::chrono::milliseconds at_most) noexcept {
        const auto answer = [&] { return mine.state = slot::free, mine.answer; };
        for (std::chrono::milliseconds waited(0);; waited += a_look) {
            std::unique_lock hold(lock_);
            if (changed_.wait_for(hold, a_look, [&] { return mine.state == slot::answered; }))
                return answer();
            hold.unlock();
            const bool gone = registers_.read32(registers::identity) == all_ones;
            hold.lock();
            if (mine.state == slot::answered)
                return answer();
            if (gone || waited >= at_most) {
                mine.state = slot::given_up;
                return fail(gone ? errc::enodev : errc::etimedout);
            }
        }
    }

    static constexpr std::chrono::milliseconds a_look{10};  // after which a device may be found to be gone

    pci::bar_of<Device> registers_;
    pci::coherent_of<Device> ring_;
    pci::coherent_of<Device> buffers_;
    std::mutex submitting_;  // doorbells ring in order
    std::mutex lock_;        // what follows
    std::condition_variable changed_;
    std::array<slot, ring_entries> slots_;
    unsigned submitted_ = 0;
    unsigned completed_ = 0;
    accepts state_ = accepts::nothing;
};

}  // namespace kestrel
