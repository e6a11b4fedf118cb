// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include <devres/hardware/detail/text.hpp>
#include <devres/hardware/irq_slot.hpp>
#include <devres/linux_model/event_log.hpp>
#include <devres/linux_model/negative.hpp>
#include <devres/linux_model/profile.hpp>
#include <devres/pci/types.hpp>

namespace devres::linux_model {

/// Flags of `pci_alloc_irq_vectors()`, with the kernel's values; the types are `pci::irq_type`'s.
namespace pci_irq {
/// The flag of that name: `PCI_IRQ_INTX` and so on.
/// @{
inline constexpr unsigned intx = 1U << 0U;
inline constexpr unsigned msi = 1U << 1U;
inline constexpr unsigned msix = 1U << 2U;
inline constexpr unsigned all_types = intx | msi | msix;
inline constexpr unsigned affinity = 1U << 3U;
inline constexpr unsigned virtual_entries = 1U << 4U;
/// @}
}  // namespace pci_irq

/// A handler, as `request_irq()` takes it.
using irq_handler = pci::irq_return (*)(unsigned irq, void* dev_id);

/// Flags of `request_irq()`, with the kernel's values.
namespace irqf {
inline constexpr unsigned shared = 0x80;        ///< IRQF_SHARED
inline constexpr unsigned no_autoen = 0x80000;  ///< IRQF_NO_AUTOEN: requested disabled
}  // namespace irqf

/// One handler of an interrupt (`struct irqaction`).
struct irqaction {
    irq_handler handler = nullptr;  ///< what is called
    void* dev_id = nullptr;         ///< with this; it names the handler
    unsigned flags = 0;             ///< of `irqf`
    std::string name;               ///< as /proc/interrupts has it
};

struct irq_desc;

/// What starts and stops the hardware behind an interrupt, with its first and its last handler, and holds it back while the
/// interrupt is disabled (`struct irq_chip`).
class irq_chip {
public:
    virtual void startup(irq_desc& desc) = 0;   ///< the first handler has come
    virtual void shutdown(irq_desc& desc) = 0;  ///< the last has gone
    virtual void disable(irq_desc& desc) = 0;   ///< it is held back
    virtual void enable(irq_desc& desc) = 0;    ///< no more

protected:
    ~irq_chip() = default;
};

/// An interrupt and its handlers (`struct irq_desc`). Its number exists as long as it is in use.
struct irq_desc {
    unsigned number = 0;             ///< as drivers know it
    bool used = false;               ///< the number is given out
    bool is_line = false;            ///< INTx; otherwise a message
    unsigned message = 0;            ///< the message's number
    unsigned index = 0;              ///< of the vector in its function
    irq_chip* chip = nullptr;        ///< null: nothing to start
    std::vector<irqaction> actions;  ///< in the order in which they were added
    unsigned depth = 0;              ///< of disable_irq; the last handler takes it along
    bool holds = false;  ///< what comes without a handler waits for one, as a platform's vectors do; else it is lost
    hardware::irq_slot slot;  ///< where the hardware delivers it; calls all handlers
};

/// The interrupts of the machine (kernel/irq/manage.c). Numbers are given out from the lowest on, so a freed one is used
/// again at once. Number 0 is the timer's: a driver that takes a `dev.irq` of 0 for an interrupt meets its handler.
///
/// Handlers run on any thread; everything else is for one thread at a time. A handler that is added to, or taken from,
/// a shared interrupt: messages that arrive in that moment are lost.
class irq_core {
public:
    /// With the timer's interrupt.
    irq_core(event_log& log, const kernel_version& version) : log_(&log), version_(&version) {
        irq_desc& timer = descs_.emplace_back();
        timer.used = true;
        timer.actions.push_back({.dev_id = &timer, .name = "timer"});
    }
    irq_core(const irq_core&) = delete;
    irq_core& operator=(const irq_core&) = delete;

    /// The interrupt of a number; null if there is none (`irq_to_desc`).
    [[nodiscard]] irq_desc* find(int irq) noexcept {
        const auto number = static_cast<unsigned>(irq);
        return irq >= 0 && number < descs_.size() && descs_[number].used ? &descs_[number] : nullptr;
    }
    /// The interrupt of a number that `allocate` gave.
    [[nodiscard]] irq_desc& at(unsigned number) noexcept { return descs_[number]; }

    /// `count` numbers in a row, not below `from`. @throws std::bad_alloc if there is no memory
    unsigned allocate(unsigned count, unsigned from, irq_chip& chip, hardware::function& owner) {
        unsigned base = from;
        for (unsigned i = 0; i != count;) {
            if (base + i < descs_.size() && descs_[base + i].used) {
                base += i + 1;
                i = 0;
            } else {
                ++i;
            }
        }
        while (descs_.size() < base + count)
            descs_.emplace_back();
        for (unsigned i = 0; i != count; ++i) {
            irq_desc& desc = descs_[base + i];
            desc.number = base + i;
            desc.used = true;
            desc.is_line = false;
            desc.index = i;
            desc.chip = &chip;
            desc.slot.entry = &call_handlers;
            desc.slot.context = &desc;
            desc.slot.owner = &owner;
            desc.slot.index = i;
            desc.slot.forget_affinity();
        }
        return base;
    }

    /// Takes a number away, and its handlers with it: they are not called any more, and nobody can free them. It waits until
    /// they do not run; the end of the kernel from inside one of them.
    void free(irq_desc& desc) {
        if (!desc.actions.empty()) {
            if (version_->bug_on_live_handler)
                log_->stop("free_msi_irqs");
            if (desc.slot.running_here())
                log_->stop("synchronize_irq");
            const auto named = std::ranges::find_if_not(desc.actions, &std::string::empty, &irqaction::name);
            if (named != desc.actions.end())  // only that has a directory
                log_->warn(warning_kind::rpe, "remove_proc_entry: removing non-empty directory 'irq/" +
                                                  std::to_string(desc.number) + "', leaking at least '" + named->name +
                                                  "'");
            desc.slot.disarm();
            desc.actions.clear();
        }
        desc.depth = 0;
        desc.holds = false;
        desc.slot.let_go();
        desc.used = false;
    }

    /// `name` is copied, and may be null. @returns 0; -EINVAL: no such interrupt, no handler, shared and no dev_id;
    /// -EBUSY: one of the two is not shared
    int request_irq(int irq, irq_handler handler, unsigned flags, const char* name, void* dev_id) {
        irq_desc* const desc = find(irq);
        const bool shared = (flags & irqf::shared) != 0;
        if ((shared && dev_id == nullptr) || desc == nullptr || handler == nullptr)
            return negative(errc::einval);
        if (!desc->actions.empty() && (!shared || (desc->actions.front().flags & irqf::shared) == 0)) {
            log_->add(event_kind::message, mismatch(*desc, flags, name == nullptr ? "(null)" : name));
            return negative(errc::ebusy);
        }
        const bool first = desc->actions.empty();
        if (first)
            desc->depth = 0;
        else
            desc->slot.disarm();
        desc->actions.push_back({handler, dev_id, flags, name == nullptr ? "" : name});
        if (first && (flags & irqf::no_autoen) != 0) {  // enable_irq starts it
            desc->depth = 1;
            desc->slot.hold();
            return 0;
        }
        if (desc->depth == 0)
            desc->slot.arm();
        if (first)
            desc->chip->startup(*desc);
        return 0;
    }

    /// Ends a handler and waits until it does not run. Nothing, in silence, if there is no such interrupt; a warning if
    /// there is no such handler; the end of the kernel from inside the handler.
    /// @returns whether there was one
    bool free_irq(int irq, void* dev_id) {
        irq_desc* const desc = find(irq);
        if (desc == nullptr)
            return false;
        const auto found = std::ranges::find(desc->actions, dev_id, &irqaction::dev_id);
        if (found == desc->actions.end()) {
            log_->warn(warning_kind::already_free, "Trying to free already-free IRQ " + std::to_string(irq));
            return false;
        }
        if (desc->slot.running_here()) {
            log_->warn(warning_kind::other, "Trying to free IRQ " + std::to_string(irq) + " from IRQ context!");
            log_->stop("synchronize_irq");
        }
        if (desc->actions.size() == 1)
            desc->chip->shutdown(*desc);
        desc->slot.disarm();
        desc->actions.erase(found);
        if (desc->actions.empty()) {
            desc->depth = 0;
            if (!desc->holds)
                desc->slot.let_go();
        } else if (desc->depth == 0) {
            desc->slot.arm();
        }
        return true;
    }

    /// Waits until no handler of the interrupt runs that had begun; the end of the kernel from inside one.
    void synchronize_irq(int irq) {
        irq_desc* const desc = find(irq);
        if (desc == nullptr)
            return;
        if (desc->slot.running_here())
            log_->stop("synchronize_irq");
        desc->slot.synchronize();
    }

    /// Holds what comes until as many enables have undone it, and waits until no handler runs; the end of the kernel from
    /// inside one.
    void disable_irq(int irq) {
        disable_irq_nosync(irq);
        irq_desc* const desc = find(irq);
        if (desc == nullptr)
            return;
        if (desc->slot.running_here())
            log_->stop("synchronize_irq");
        if (!desc->actions.empty())
            desc->slot.disarm();
    }
    /// The same, without waiting: handlers may do it.
    void disable_irq_nosync(int irq) {
        irq_desc* const desc = find(irq);
        if (desc == nullptr || desc->depth++ != 0 || desc->actions.empty())
            return;
        desc->slot.hold();
        desc->chip->disable(*desc);
        desc->slot.disarm_quietly();
    }

    /// Undoes one disable: with the last, what was held comes. A warning if there is none.
    void enable_irq(int irq) {
        irq_desc* const desc = find(irq);
        if (desc == nullptr)
            return;
        if (desc->depth == 0) {
            log_->warn(warning_kind::other, "Unbalanced enable for IRQ " + std::to_string(irq));
            return;
        }
        if (--desc->depth != 0 || desc->actions.empty())
            return;
        desc->slot.arm();
        if (!desc->holds)
            desc->slot.let_go();
        desc->chip->enable(*desc);
    }

private:
    static pci::irq_return call_handlers(void* context, pci::vector_index) noexcept {
        const auto& desc = *static_cast<irq_desc*>(context);
        pci::irq_return out = pci::irq_return::none;
        for (const irqaction& action : desc.actions) {
            if (action.handler(desc.number, action.dev_id) == pci::irq_return::handled)
                out = pci::irq_return::handled;
        }
        return out;
    }

    static std::string mismatch(const irq_desc& desc, unsigned flags, const char* name) {
        const auto hex = [](unsigned value) { return hardware::detail::hex_digits(value, 8); };
        const irqaction& old = desc.actions.front();
        return "Flags mismatch irq " + std::to_string(desc.number) + ". " + hex(flags) + " (" + name + ") vs. " +
               hex(old.flags) + " (" + old.name + ')';
    }

    event_log* log_;
    const kernel_version* version_;
    std::deque<irq_desc> descs_;  // by number; a late delivery may still look at one that is free
};

}  // namespace devres::linux_model
