// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <devres/devres.hpp>

#include "commands.hpp"
#include "prp.hpp"
#include "queue_layout.hpp"

namespace nvme {

namespace pci = devres::pci;

/// The memory that a pair of queues shares with the controller: both rings, and where the data of commands is.
///
/// The submission ring is written by one thread at a time, and the completion ring read by one, maybe another.
template <class Device>
class queue_memory {
public:
    /// The memory is as large as `layout`, which is valid, has it.
    queue_memory(const queue_layout& layout, const pci::coherent_of<Device>& memory) noexcept
        : layout_(layout), memory_(memory) {
        for (unsigned i = 0; i != layout_.slots; ++i)
            write_page_list(reinterpret_cast<std::uint64_t*>(at(layout_.list(i))), bus(layout_.data(i) + page_size),
                            layout_.transfer / page_size - 1);
    }

    [[nodiscard]] const queue_layout& layout() const noexcept { return layout_; }
    /// Where the controller finds the rings.
    [[nodiscard]] pci::bus_address submissions() const noexcept { return memory_.address(); }
    [[nodiscard]] pci::bus_address completions() const noexcept { return bus(layout_.completions()); }

    /// The data of the command in a slot.
    [[nodiscard]] std::byte* data(unsigned slot) const noexcept { return at(layout_.data(slot)); }
    /// Tells that command where its data is.
    void describe_data(command& what, unsigned slot, std::size_t size) const noexcept {
        set_data(what, bus(layout_.data(slot)), size, bus(layout_.list(slot)));
    }

    /// Both rings are empty again.
    void rewind() noexcept {
        std::memset(at(0), 0, layout_.list(0));
        tail_ = head_ = 0;
        phase_ = true;
    }

    /// Puts a command in the submission ring, which has room. @returns its new tail, for the doorbell
    std::uint32_t put(const command& what) noexcept {
        const auto words = std::bit_cast<std::array<std::uint64_t, sizeof(command) / 8>>(what);
        auto* const entry = reinterpret_cast<std::uint64_t*>(at(tail_ * sizeof(command)));
        for (std::size_t i = 0; i != words.size(); ++i)  // released: the data is in memory before the doorbell rings
            std::atomic_ref(entry[i]).store(words[i], std::memory_order_release);
        tail_ = tail_ + 1 == layout_.entries ? 0 : tail_ + 1;
        return tail_;
    }

    /// Calls `visit` for each completion that is there, and takes it. @returns whether there was one
    template <class Visit>
    bool take(Visit visit) noexcept {
        bool some = false;
        for (completion next = peek(); next.phase() == phase_; next = peek()) {
            if (++head_ == layout_.entries) {
                head_ = 0;
                phase_ = !phase_;
            }
            visit(next);
            some = true;
        }
        return some;
    }
    /// Of the completion ring, for the doorbell.
    [[nodiscard]] std::uint32_t head() const noexcept { return head_; }

private:
    [[nodiscard]] pci::bus_address bus(std::size_t offset) const noexcept {
        return pci::bus_address{static_cast<std::uint64_t>(memory_.address()) + offset};
    }
    [[nodiscard]] std::byte* at(std::size_t offset) const noexcept {
        return static_cast<std::byte*>(memory_.data()) + offset;
    }

    /// The next entry of the completion ring, which is there if it has the phase of this round.
    [[nodiscard]] completion peek() const noexcept {
        auto* const entry = reinterpret_cast<std::uint64_t*>(at(layout_.completions() + head_ * sizeof(completion)));
        std::array<std::uint64_t, 2> words{};
        words[1] = std::atomic_ref(entry[1]).load(std::memory_order_acquire);  // the phase, which is written last
        words[0] = std::atomic_ref(entry[0]).load(std::memory_order_relaxed);
        return std::bit_cast<completion>(words);
    }

    queue_layout layout_;
    pci::coherent_of<Device> memory_;
    std::uint32_t tail_ = 0;
    std::uint32_t head_ = 0;
    bool phase_ = true;
};

}  // namespace nvme
