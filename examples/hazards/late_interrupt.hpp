// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hazards/event_text.hpp"
#include "hazards/linux_side.hpp"
#include "rocker/model.hpp"

/// C drivers whose handlers outlive what they are called with, and a device that interrupts in between. What is freed
/// here only says so: its handlers count when they are called with it.
namespace hazards {

/// A machine with a rocker, and what is written down of a driver on it.
class witness {
public:
    explicit witness(const lm::kernel_version& version) : kernel_(version) {}
    witness(const witness&) = delete;
    witness& operator=(const witness&) = delete;

    [[nodiscard]] lm::kernel& kernel() noexcept { return kernel_; }

    /// What follows happens in `phase`.
    void enter(std::string_view phase) { phase_ = phase; }

    /// A step of the driver, which answers what a C function does.
    int step(const std::string& call, const std::function<int(lm::pci_dev&)>& act) {
        add_line(steps, step_phase_, phase_, call);
        const int answer = act(dev_);
        hear();
        return answer;
    }
    /// A step that the model has no part in, and which says something of what goes.
    void step(const std::string& call, std::string_view verb = "", std::string_view what = "") {
        add_line(steps, step_phase_, phase_, call);
        if (!verb.empty())
            tell(verb, what);
    }
    void tell(std::string_view verb, std::string_view what) { add(event_text::line(verb, what)); }

    /// The device interrupts with a vector. @returns whether a handler was called
    bool interrupt(unsigned vector) {
        const unsigned before = calls_;
        dev_.hardware.raise(vector);
        return calls_ != before;
    }
    /// For handlers.
    void called() noexcept { ++calls_; }

    /// What the kernel did, as far as it has not been told. After a probe that failed it is devres's doing.
    void hear() {
        const auto log = kernel_.log().take_events();
        const auto failed = std::ranges::find_if(
            log, [](const lm::event& each) { return each.kind == lm::event_kind::probe && each.value < 0; });
        const auto split = failed == log.end() ? failed : std::next(failed);
        for (std::string& line : text_.lines({log.begin(), split}))
            add(std::move(line));
        if (failed != log.end())
            enter("devres");
        for (std::string& line : text_.lines({split, log.end()}))
            add(std::move(line));
    }

    [[nodiscard]] lm::pci_dev& dev() noexcept { return dev_; }
    [[nodiscard]] unsigned vectors_live() {
        unsigned live = 0;
        for (const int irq : irqs)
            live += kernel_.find_irq(irq) != nullptr ? 1U : 0U;
        return live;
    }

    std::vector<phase_line> steps;
    std::vector<phase_line> events;
    std::vector<int> irqs;  ///< that the driver found

private:
    void add(std::string line) { add_line(events, event_phase_, phase_, std::move(line)); }

    rocker::model rocker_;
    lm::kernel kernel_;
    lm::pci_dev& dev_ = kernel_.add(rocker::config(rocker_));
    event_text text_;
    std::string phase_ = "probe";
    std::string step_phase_;
    std::string event_phase_;
    unsigned calls_ = 0;
};

/// What came of a driver whose handlers may have been called too late.
struct late_calls {
    std::vector<phase_line> steps;
    std::vector<phase_line> events;
    unsigned with_freed = 0;  ///< handlers that were called with what is freed
    bool nothing_left = false;
    int next = 0;

    [[nodiscard]] std::string in_words() const {
        if (!nothing_left || next != 0)
            return "something is left";
        return with_freed == 0 ? "no handler is called" : counted(with_freed, "handler") + " called with what is freed";
    }
};

namespace detail {

/// What a handler is called with: part of something that is freed.
struct dev_id {
    witness* who;
    bool freed = false;
    unsigned calls_when_freed = 0;

    static devres::pci::irq_return on_interrupt(unsigned, void* self) {
        auto& id = *static_cast<dev_id*>(self);
        id.who->called();
        if (id.freed)
            ++id.calls_when_freed;
        return devres::pci::irq_return::handled;
    }
};

/// The steps that both drivers have in common.
inline int start(witness& w, const char* types, unsigned flags) {
    (void)w.step("pcim_enable_device(pdev)", [&](lm::pci_dev& d) { return w.kernel().pcim_enable_device(d); });
    (void)w.step("pci_set_master(pdev)", [&](lm::pci_dev& d) { return w.kernel().pci_set_master(d), 0; });
    const int count = w.step(std::string("pci_alloc_irq_vectors(pdev, 1, 4, ") + types + ")",
                             [&](lm::pci_dev& d) { return w.kernel().pci_alloc_irq_vectors(d, 1, 4, flags); });
    for (int i = 0; i < count; ++i)
        w.irqs.push_back(w.kernel().pci_irq_vector(w.dev(), static_cast<unsigned>(i)));
    return count;
}

/// Interrupts with these vectors, and what comes of it.
inline void interrupt_late(witness& w, unsigned vectors, std::string_view with) {
    std::vector<unsigned> all;
    unsigned calls = 0;
    for (unsigned v = 0; v != vectors; ++v) {
        all.push_back(v);
        calls += w.interrupt(v) ? 1U : 0U;
    }
    const std::string how = calls == 0 ? "not sent" : counted(calls, "handler").append(" called with ").append(with);
    w.tell("interrupt", vectors_named(all) + ": " + how);
}

/// What is there after the driver, and what another one gets.
inline late_calls finish(witness& w, unsigned with_freed) {
    w.hear();
    late_calls out{.steps = w.steps, .events = w.events, .with_freed = with_freed};
    out.nothing_left = w.vectors_live() == 0 && !w.dev().has_resources() && w.dev().enable_cnt == 0;
    const auto probe = [&](lm::pci_dev& d) {
        const int error = w.kernel().pcim_enable_device(d);
        const int count = w.kernel().pci_alloc_irq_vectors(d, 4, 4, lm::pci_irq::msix);
        return error != 0 ? error : count < 0 ? count : 0;
    };
    out.next = w.kernel().bind(w.dev(), {.name = "next", .probe = probe});
    return out;
}

}  // namespace detail

/// Which way switchtec frees its driver data.
enum class switchtec_end { remove, probe_error };

/// switchtec as it is, reduced: an object of kzalloc(), and a managed handler that is called with it.
[[nodiscard]] inline late_calls run_switchtec(const lm::kernel_version& version, switchtec_end end) {
    witness w(version);
    lm::kernel& kernel = w.kernel();
    detail::dev_id stdev{&w};
    const auto put_device = [&] {
        w.step("put_device(&stdev->dev), the last reference", "kfree", "stdev");
        stdev.freed = true;
        detail::interrupt_late(w, 1, "the freed stdev");
    };
    const auto probe = [&](lm::pci_dev&) {
        w.step("stdev = kzalloc()");
        (void)detail::start(w, "PCI_IRQ_MSIX | PCI_IRQ_MSI", lm::pci_irq::msix | lm::pci_irq::msi);
        (void)w.step("devm_request_irq(..., stdev) on the event vector", [&](lm::pci_dev& d) {
            return kernel.devm_request_irq(d, w.irqs[0], detail::dev_id::on_interrupt, 0, "switchtec", &stdev);
        });
        if (end == switchtec_end::remove)
            return 0;
        w.enter("error path");
        w.step("the vector of the second handler is out of range: -EFAULT");
        put_device();
        return -14;
    };
    const auto remove = [&](lm::pci_dev&) {
        w.enter("remove");
        (void)w.step("stdev_kill(): pci_clear_master(pdev)",
                     [&](lm::pci_dev& d) { return kernel.pci_clear_master(d), 0; });
        put_device();
    };
    (void)kernel.bind(w.dev(), {.name = "switchtec", .probe = probe, .remove = remove});
    w.hear();
    kernel.unbind(w.dev());
    w.enter("devres");
    return detail::finish(w, stdev.calls_when_freed);
}

/// VMD as it is, reduced: a list for each vector, and a managed handler that walks it.
[[nodiscard]] inline late_calls run_vmd(const lm::kernel_version& version) {
    witness w(version);
    lm::kernel& kernel = w.kernel();
    std::array<detail::dev_id, 4> lists;
    lists.fill({&w});
    const auto probe = [&](lm::pci_dev&) {
        w.step("vmd = devm_kzalloc()");
        (void)detail::start(w, "PCI_IRQ_MSIX", lm::pci_irq::msix);
        w.step("init_srcu_struct(&vmd->irqs[i].srcu) for each vector");
        return w.step("devm_request_irq(..., &vmd->irqs[i]) on each vector", [&](lm::pci_dev& d) {
            int error = 0;
            for (std::size_t i = 0; i != lists.size() && error == 0; ++i)
                error = kernel.devm_request_irq(d, w.irqs[i], detail::dev_id::on_interrupt, 0, "vmd", &lists[i]);
            return error;
        });
    };
    const auto remove = [&](lm::pci_dev&) {
        w.enter("remove");
        w.step("pci_stop_root_bus(): the children are unbound");
        w.step("cleanup_srcu_struct(&vmd->irqs[i].srcu) for each vector", "cleanup", "the SRCU of 4 lists");
        for (detail::dev_id& each : lists)
            each.freed = true;
        detail::interrupt_late(w, 4, "a list whose SRCU is gone");
    };
    (void)kernel.bind(w.dev(), {.name = "vmd", .probe = probe, .remove = remove});
    w.hear();
    kernel.unbind(w.dev());
    w.enter("devres");
    unsigned calls = 0;
    for (const detail::dev_id& each : lists)
        calls += each.calls_when_freed;
    return detail::finish(w, calls);
}

namespace detail {

/// A row of the table, which must say the same for every kernel. @param expected how many handlers are called too late
template <class Run>
void add_row(linux_side& to, std::string what, unsigned expected, Run run) {
    outcome_row row{std::move(what), {}};
    for (const lm::kernel_version& version : lm::kernel_versions) {
        const late_calls found = run(version);
        row.on_kernel.push_back(found.in_words());
        if (found.with_freed != expected || !found.nothing_left || found.next != 0)
            to.untrue.push_back("Linux " + std::string(version.name) + ", " + row.what + ": " + found.in_words());
    }
    to.rows.push_back(std::move(row));
}

/// What is the same for both: on a real kernel, the fault itself is a use after free.
inline linux_side side_of(const late_calls& shown) {
    linux_side out;
    out.device = "a function with 4 MSI-X vectors";
    out.steps = shown.steps;
    out.events = shown.events;
    out.left = shown.nothing_left ? "nothing" : "something";
    out.next = answer_named(shown.next);
    out.program = "EBA4QTP:";
    out.device_of_program = "rocker";
    out.confirmed = "for the order only: devres frees the handlers after remove(). The late interrupt is the model's "
                    "alone, as it would be a use after free";
    return out;
}

}  // namespace detail

/// Both ways, one after the other.
[[nodiscard]] inline linux_side tell_switchtec() {
    const late_calls failing = run_switchtec(lm::linux_6_1, switchtec_end::probe_error);
    const late_calls removed = run_switchtec(lm::linux_6_1, switchtec_end::remove);
    linux_side out = detail::side_of(failing);
    const auto append_from = [](std::vector<phase_line>& to, const std::vector<phase_line>& from,
                                std::string_view phase) {
        to.insert(to.end(), std::ranges::find(from, phase, &phase_line::phase), from.end());
    };
    append_from(out.steps, removed.steps, "remove");
    append_from(out.events, removed.events, "remove");
    detail::add_row(out, "a probe that fails", 1,
                    [](const auto& version) { return run_switchtec(version, switchtec_end::probe_error); });
    detail::add_row(out, "remove()", 0,
                    [](const auto& version) { return run_switchtec(version, switchtec_end::remove); });
    return out;
}

[[nodiscard]] inline linux_side tell_vmd() {
    linux_side out = detail::side_of(run_vmd(lm::linux_6_1));
    detail::add_row(out, "remove()", 4, [](const auto& version) { return run_vmd(version); });
    return out;
}

}  // namespace hazards
