// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <devres/devres.hpp>
#include <devres/linux_model.hpp>

#include "edu/model.hpp"
#include "hazards/tour/event_text.hpp"
#include "hazards/tour/linux_side.hpp"
#include "replay/machine.hpp"
#include "rocker/model.hpp"

/// Drivers of this library on the model of Linux, whose hybrid functions they cannot tell from others.
namespace hazards {

/// What became of a driver: bound, interrupted, unbound.
struct devres_run {
    std::vector<phase_line> events;
    std::string next;                 ///< what the next probe says
    std::string ledger;               ///< of the hardware: "clean", or what is in it
    std::vector<std::string> faults;  ///< what it left, what it was warned of, which interrupts it did not get

    [[nodiscard]] std::string in_words() const { return faults.empty() ? "clean" : faults.front(); }
};

/// A machine for such a driver, and what is written down of it.
class bench {
public:
    bench(const lm::kernel_version& version, replay::device_kind kind)
        : kernel_(version), dev_(kind == replay::device_kind::rocker ? kernel_.add(rocker::config(rocker_))
                                                                     : kernel_.add(edu::config(edu_))) {}
    bench(const bench&) = delete;
    bench& operator=(const bench&) = delete;

    [[nodiscard]] lm::kernel& kernel() noexcept { return kernel_; }
    [[nodiscard]] lm::pci_dev& dev() noexcept { return dev_; }

    void bound(std::optional<devres::errc> error) {
        hear("probe", error ? devres::message(*error) : "0");
        if (error)
            fault("probe says " + std::string(devres::message(*error)));
    }

    /// A second allocation was not made, for this reason; the only right one is that there is one.
    void refused(devres::errc why) {
        add_line(out_.events, phase_, "probe",
                 event_text::line("refused", "a second allocation: " + std::string(devres::message(why))));
        if (why != devres::errc::ebusy)
            fault("a second allocation is not refused");
    }

    /// Interrupts with every vector that has a handler, all of which count.
    void interrupt(const std::atomic<unsigned>& calls) {
        const unsigned vectors = handlers_;
        std::vector<unsigned> all;
        const unsigned before = calls;
        for (unsigned v = 0; v != vectors; ++v) {
            all.push_back(v);
            irqs_.push_back(kernel_.pci_irq_vector(dev_, v));
            dev_.hardware.raise(v);
        }
        const unsigned handled = calls - before;
        const std::string how = handled == vectors ? "handled" : std::to_string(handled) + " handled";
        add_line(out_.events, phase_, "probe", event_text::line("interrupt", vectors_named(all) + ": " + how));
        if (handled != vectors)
            fault(std::to_string(handled) + " of " + counted(vectors, "interrupt") + " handled");
    }

    void unbound() { hear("unbind", ""); }

    /// What another bind says, after that.
    void bound_again(std::optional<devres::errc> error) {
        out_.next = error ? devres::message(*error) : "0";
        if (error)
            fault("the next probe says " + out_.next);
    }

    [[nodiscard]] devres_run finish() {
        unsigned live = 0;
        for (const int irq : irqs_)
            live += kernel_.find_irq(irq) != nullptr ? 1U : 0U;
        if (live != 0)
            fault(counted(live, "vector") + " left");
        if (dev_.msix_enabled || dev_.msi_enabled || dev_.is_msi_managed || dev_.enable_cnt != 0 ||
            dev_.has_resources())
            fault("the device is not as before");
        std::ostringstream books;
        books << kernel_.hardware().ledger();
        out_.ledger = books.str();
        if (!kernel_.hardware().ledger().clean())
            fault("ledger: " + out_.ledger);
        return std::move(out_);
    }

private:
    void fault(std::string what) { out_.faults.push_back(std::move(what)); }

    /// What the kernel did. Its own bind and unbind are around the driver's, so they are left out.
    void hear(std::string_view phase, std::string_view probe) {
        auto events = kernel_.log().take_events();
        std::erase_if(events, [](const lm::event& each) { return each.kind == lm::event_kind::probe; });
        for (const lm::event& each : events) {
            if (each.kind == lm::event_kind::alloc)
                handlers_ = 0;
            else if (each.kind == lm::event_kind::request && each.value == 0)
                ++handlers_;
            if (each.kind == lm::event_kind::warning || each.kind == lm::event_kind::oops)
                fault(each.text);
        }
        for (std::string& line : text_.lines(events))
            add_line(out_.events, phase_, phase, std::move(line));
        if (!probe.empty())
            add_line(out_.events, phase_, phase, event_text::line("probe says", probe));
    }

    rocker::model rocker_;
    edu::model edu_;
    lm::kernel kernel_;
    lm::pci_dev& dev_;
    event_text text_;
    std::vector<int> irqs_;
    unsigned handlers_ = 0;  // since the last allocation
    std::string phase_;
    devres_run out_;
};

/// Binds a driver whose state counts its interrupts, twice: a driver that left something would notice.
template <class Driver>
[[nodiscard]] devres_run run_driver(const lm::kernel_version& version, replay::device_kind kind) {
    bench on(version, kind);
    {
        auto bound = devres::pci::bind<Driver>(on.kernel(), on.dev());
        on.bound(bound ? std::nullopt : std::optional(bound.error()));
        if (bound) {
            if constexpr (requires { bound->state().refused; })
                on.refused(bound->state().refused);
            on.interrupt(bound->state().interrupts);
            (void)bound->unbind();
        }
    }
    on.unbound();
    {
        const auto again = devres::pci::bind<Driver>(on.kernel(), on.dev());
        on.bound_again(again ? std::nullopt : std::optional(again.error()));
    }
    return on.finish();
}

}  // namespace hazards
