// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <devres/core/detail/exceptions.hpp>
#include <devres/hardware/detail/exchanged_flag.hpp>
#include <devres/hardware/detail/text.hpp>
#include <devres/hardware/function.hpp>
#include <devres/hardware/irq_slot.hpp>
#include <devres/hardware/work_queue.hpp>
#include <devres/pci/enable_count.hpp>
#include <devres/pci/platform.hpp>
#include <devres/pci/spread_masks.hpp>

/// What the bus keeps beside a function.
namespace devres::sim::detail {

using hardware::config_space, hardware::function, hardware::irq_slot;

/// What the bus knows about a function, beside it: what the driver that has it holds.
///
/// Changed by the thread that makes the device calls; the atomic parts are also read by deliveries and by the
/// ledger.
struct driver_side final : hardware::occupant {
    driver_side(const function& of, const hardware::work_queue& all_work) noexcept
        : self(&of), mappings(&of.mappings()), work(&all_work) {}

    struct saved_state {
        config_space::registers registers{};
        std::vector<std::uint32_t> msix_table;
    };

    hardware::detail::exchanged_flag attached{0};
    pci::enable_count enables;
    unsigned decode_before = 0;  // the COMMAND bits that the first enable changed
    const function* self;
    const hardware::bar_mappings* mappings;  // the function's
    const hardware::work_queue* work;        // of all functions
    std::optional<saved_state> saved;        // while suspended

    std::atomic<unsigned> vectors{0};
    std::atomic<pci::irq_type> type{pci::irq_type::intx};
    std::atomic<unsigned> base{0};  // the number of vector 0
    unsigned intx_disable_before = 0;
    bool mastering = false;  // by set_master
    pci::spread_masks masks;

    std::mutex holding;  // held to change whether a handler is disabled, on any thread, and what is saved of its mask
    std::atomic<irq_slot*> slots{nullptr};
    unsigned capacity = 0;
    std::vector<std::unique_ptr<irq_slot[]>> owned;  // the last is in use; a late delivery may still look at the others
    unsigned newest = 0;                             // registration, as index + 1
    std::uint64_t registrations = 0;

    [[nodiscard]] bool in_use() const noexcept override {
        return attached.load() || enables.count() != 0 || vectors.load() != 0;
    }
    void describe(std::vector<std::string>& lines) const override;

    /// Whether a BAR is mapped or a vector allocated.
    [[nodiscard]] bool needs_enable() const noexcept { return vectors.load() != 0 || mappings->any(); }

    /// Makes sure that there are `count` slots. No vectors are allocated. @returns `enomem`
    result<> reserve(unsigned count, function& owner) noexcept {
        return devres::detail::unless_out_of_memory([&]() -> result<> {
            if (count <= capacity)
                return {};
            auto fresh = std::make_unique<irq_slot[]>(count);
            for (unsigned i = 0; i != count; ++i) {
                fresh[i].owner = &owner;
                fresh[i].index = i;
            }
            owned.push_back(std::move(fresh));
            capacity = count;
            slots.store(owned.back().get(), std::memory_order_release);
            return {};
        });
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
        {
            const std::scoped_lock hold(holding);
            slot.disarm_quietly();
            slot.disables = 0;
            slot.id.store(0, std::memory_order_release);
        }
        slot.disarm();
        unlink(slot);
    }
};

inline void driver_side::describe(std::vector<std::string>& lines) const {
    if (attached.load())
        lines.emplace_back("driver attached");
    if (const unsigned times = enables.count(); times == 1)
        lines.emplace_back("enabled");
    else if (times != 0)
        lines.push_back("enabled " + std::to_string(times) + " times");
    work->describe(*self, lines);
    const unsigned count = vectors.load();
    if (count == 0)
        return;
    const unsigned first = base.load();
    lines.push_back(std::to_string(count) + ' ' + hardware::detail::type_name(type.load()) +
                    (count == 1 ? " vector, irq " : " vectors, irq ") + std::to_string(first) +
                    (count == 1 ? "" : '-' + std::to_string(first + count - 1)));
    const irq_slot* const all = slots.load(std::memory_order_acquire);
    for (unsigned i = 0; i != count; ++i) {
        if (all[i].id.load(std::memory_order_acquire) != 0)
            lines.push_back("handler \"" + all[i].name.get() + "\" on vector " + std::to_string(i));
    }
}

}  // namespace devres::sim::detail
