// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <devres/pci/enable_count.hpp>
#include <devres/pci/platform.hpp>
#include <devres/sim/affinity_masks.hpp>
#include <devres/sim/config_space.hpp>
#include <devres/sim/fixed_name.hpp>
#include <devres/sim/irq_slot.hpp>

namespace devres::sim::detail {

/// What the operating system knows about a function: what the driver that has it holds.
///
/// Changed by the thread that makes the device calls; the atomic parts are also read by deliveries and by the
/// ledger.
struct driver_side {
    struct mapping {
        std::atomic<std::uint32_t> generation{0};  // of the live mapping; 0: none
        fixed_name name;
    };
    struct saved_state {
        config_space::registers registers{};
        std::vector<std::uint32_t> msix_table;
    };

    std::atomic<bool> attached{false};
    pci::enable_count enables;
    unsigned decode_before = 0;  // the COMMAND bits that the first enable changed
    mapping mappings[pci::bar_count];
    std::uint32_t generations = 0;
    std::optional<saved_state> saved;  // while suspended

    std::atomic<unsigned> vectors{0};
    std::atomic<pci::irq_type> type{pci::irq_type::intx};
    std::atomic<unsigned> base{0};  // the number of vector 0
    unsigned intx_disable_before = 0;
    bool mastering = false;  // by set_master
    spread_masks masks;

    std::atomic<irq_slot*> slots{nullptr};
    unsigned capacity = 0;
    std::vector<std::unique_ptr<irq_slot[]>> owned;  // the last is in use; a late delivery may still look at the others
    unsigned newest = 0;                             // registration, as index + 1
    std::uint64_t registrations = 0;

    /// Whether a BAR is mapped or a vector allocated.
    [[nodiscard]] bool needs_enable() const noexcept {
        bool needed = vectors.load() != 0;
        for (const mapping& bar : mappings)
            needed = needed || bar.generation.load() != 0;
        return needed;
    }

    /// Makes sure that there are `count` slots. No vectors are allocated. @throws std::bad_alloc
    void reserve(unsigned count, function& owner) {
        if (count <= capacity)
            return;
        auto fresh = std::make_unique<irq_slot[]>(count);
        for (unsigned i = 0; i != count; ++i) {
            fresh[i].owner = &owner;
            fresh[i].index = i;
        }
        owned.push_back(std::move(fresh));
        capacity = count;
        slots.store(owned.back().get(), std::memory_order_release);
    }

    [[nodiscard]] irq_slot& slot(unsigned index) noexcept { return slots.load(std::memory_order_relaxed)[index]; }

    // A registration's id says which vector it is on, and is never used again.
    static constexpr unsigned index_bits = 12;
    [[nodiscard]] std::uint64_t new_id(unsigned index) noexcept { return ++registrations << index_bits | index; }
    [[nodiscard]] irq_slot* registered(pci::handler_id id) noexcept {
        const auto value = static_cast<std::uint64_t>(id);
        const auto index = static_cast<unsigned>(value & ((1U << index_bits) - 1));
        if (value == 0 || index >= capacity || slot(index).id.load(std::memory_order_acquire) != value)
            return nullptr;
        return &slot(index);
    }

    void link(irq_slot& added) noexcept {
        added.older = newest;
        added.newer = 0;
        if (newest != 0)
            slot(newest - 1).newer = added.index + 1;
        newest = added.index + 1;
    }
    void unlink(irq_slot& removed) noexcept {
        if (removed.older != 0)
            slot(removed.older - 1).newer = removed.newer;
        if (removed.newer != 0)
            slot(removed.newer - 1).older = removed.older;
        else
            newest = removed.older;
    }

    /// Ends a registration and its disables; returns when its handler is not running.
    void end(irq_slot& slot) noexcept {
        slot.disarm();
        slot.disables = 0;
        unlink(slot);
        slot.id.store(0, std::memory_order_release);
    }
};

}  // namespace devres::sim::detail
