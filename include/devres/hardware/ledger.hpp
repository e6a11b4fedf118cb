// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <mutex>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <devres/pci/address.hpp>

namespace devres::hardware {

/// What can go wrong between a driver and the bus.
enum class violation_kind {
    disabled_too_often,        ///< disable without an enable to undo
    detached_without_driver,   ///< detach of a function that no driver has
    detached_with_resources,   ///< detach while something of the driver's is left
    detached_with_master,      ///< detach while the function is bus master, by set_master
    unmapped_twice,            ///< unmap of a region that is not mapped
    used_after_unmap,          ///< access through a region that is not mapped
    access_out_of_range,       ///< access beyond the end of a BAR
    access_misaligned,         ///< access at an offset that is no multiple of its size
    access_not_decoded,        ///< access while COMMAND does not enable the BAR's address space
    freed_inside_handler,      ///< a handler freed itself, or the vectors it runs on
    acquired_inside_handler,   ///< a handler acquired something
    bar_younger_than_handler,  ///< a handler used a BAR that was mapped after it was registered
    bar_kept_off,              ///< a handler used a BAR that its driver's table says it keeps off
    spurious_message,          ///< an interrupt message that no vector is set up for
    nobody_cared,              ///< an INTx line that stays asserted, whatever its handler does
    dma_fault,                 ///< DMA by the device to memory it may not touch
    dma_freed_twice,           ///< free of a DMA block that is not allocated
    dma_unmapped_twice,        ///< unmap of memory that is not mapped for DMA
    dma_not_synced,       ///< one side uses, or overwrites, mapped bytes that the other wrote and that were not synced
    dma_synced_unmapped,  ///< sync of memory that is not mapped for DMA
    memory_unknown,       ///< deallocate of a block that is not allocated
    memory_wrong_size,    ///< deallocate with another size or alignment than allocate
};

/// One thing that went wrong: what, where, and in words with the values that matter.
struct violation {
    violation_kind kind{};  ///< what
    pci::address address;   ///< of the function; 0000:00:00.0 for the bus's memory
    std::string text;       ///< starts with the address, where there is one

    friend std::ostream& operator<<(std::ostream& out, const violation& v) { return out << v.text; }  ///< the text
};

/// The books of a bus: what drivers hold now, and what went wrong so far. Any thread may ask.
class ledger {
public:
    /// What is held now, one line per resource, by name: `0000:00:04.0 BAR 0 mapped as "switchtec"`.
    [[nodiscard]] std::vector<std::string> live() const {
        std::vector<std::string> lines;
        collect_(context_, lines);
        return lines;
    }

    /// What went wrong since the beginning or the last `take_violations`, oldest first. Of a flood, the first
    /// 1000 are kept.
    [[nodiscard]] std::vector<violation> violations() const {
        const std::scoped_lock hold(lock_);
        return violations_;
    }

    /// As `violations`, which are forgotten: for a test that provoked them.
    std::vector<violation> take_violations() {
        const std::scoped_lock hold(lock_);
        return std::exchange(violations_, {});
    }

    /// Nothing is held, and nothing went wrong.
    [[nodiscard]] bool clean() const { return live().empty() && violations().empty(); }

    /// "clean", or a line for each thing that is held or went wrong.
    friend std::ostream& operator<<(std::ostream& out, const ledger& books) {
        const auto live = books.live();
        const auto violations = books.violations();
        if (live.empty() && violations.empty())
            return out << "clean";
        const char* separator = "";
        for (const std::string& line : live)
            out << std::exchange(separator, "\n") << "held: " << line;
        for (const violation& wrong : violations)
            out << std::exchange(separator, "\n") << "violation: " << wrong;
        return out;
    }

    /// For the bus: how the lines of `live` are made.
    using collector = void (*)(const void* context, std::vector<std::string>& lines);
    /// one that asks `collect` for what is held
    ledger(collector collect, const void* context) noexcept : collect_(collect), context_(context) {}
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;

    /// For the bus and for device models: writes down what went wrong at `where`.
    void record(violation_kind kind, pci::address where, const std::string& what) noexcept {
        add(kind, where, std::string(where.text()) + " " + what);
    }

    /// For the bus: what went wrong with memory, which no function has.
    void record(violation_kind kind, const std::string& what) noexcept { add(kind, {}, what); }

private:
    static constexpr std::size_t most = 1000;

    void add(violation_kind kind, pci::address where, std::string text) noexcept {
        const std::scoped_lock hold(lock_);
        if (violations_.size() < most)
            violations_.push_back({kind, where, std::move(text)});
    }

    collector collect_;
    const void* context_;
    mutable std::mutex lock_;
    std::vector<violation> violations_;
};

}  // namespace devres::hardware
