// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hazards/tour/witness.hpp"

/// C drivers whose handlers outlive what they are called with, and a device that interrupts in between. What is freed
/// here only says so: its handlers count when they are called with it.
namespace hazards {

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
    w.record("interrupt", vectors_named(all) + ": " + how);
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

}  // namespace hazards
