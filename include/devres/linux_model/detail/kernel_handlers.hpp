// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/linux_model/kernel.hpp>

/// Handlers: registered by the driver, freed by it or by the release list; and what a platform has besides: handlers that are held
/// from inside, and work.
namespace devres::linux_model {

inline int kernel::request_irq(int irq, irq_handler handler, unsigned flags, const char* name, void* dev_id) {
    const int error = irqs_.request_irq(irq, handler, flags, name, dev_id);
    log_.add(event_kind::request, error, dev_id);
    return error;
}

inline void kernel::free_irq(int irq, void* dev_id) {
    const bool found = irqs_.free_irq(irq, dev_id);
    log_.add(event_kind::free_irq, found ? 1 : 0, dev_id);
}

inline int kernel::devm_request_irq(pci_dev& dev, int irq, irq_handler handler, unsigned flags, const char* name,
                                    void* dev_id) {
    const int error = request_irq(irq, handler, flags, name, dev_id);
    if (error != 0)
        return error;
    void* const node = dev.devres_alloc(release_irq, sizeof(irq_devres), "devm_irq_release",
                                        static_cast<int>(irqs_.find(irq)->index));
    new (node) irq_devres{irq, dev_id};
    dev.devres_add(node);
    return 0;
}

inline void kernel::devm_free_irq(pci_dev& dev, int irq, void* dev_id) {
    const irq_devres wanted{irq, dev_id};
    if (dev.devres_destroy(release_irq, same_irq, &wanted) != 0)
        log_.warn_in(warning_kind::devres_warn, "devm_free_irq");
    free_irq(irq, dev_id);
}

inline void kernel::release_irq(device& dev, void* res) {
    const auto& handler = *static_cast<irq_devres*>(res);
    static_cast<pci_dev&>(dev).kernel_->free_irq(handler.irq, handler.dev_id);
}

inline bool kernel::same_irq(device&, void* res, const void* match_data) {
    const auto& one = *static_cast<const irq_devres*>(res);
    const auto& other = *static_cast<const irq_devres*>(match_data);
    return one.irq == other.irq && one.dev_id == other.dev_id;
}

inline std::uint64_t kernel::vector_affinity(pci_dev& dev, pci::vector_index vector) noexcept {
    if (vector.value() >= dev.platform_vectors_)
        return 0;
    const irq_desc* const desc = irqs_.find(pci_irq_vector(dev, vector.value()));
    const std::uint64_t sent = desc == nullptr ? 0 : desc->slot.affinity.load(std::memory_order_relaxed);
    return sent != 0 ? sent : dev.masks_.of(vector.value());
}

inline result<> kernel::hint_affinity(pci_dev& dev, pci::vector_index vector, std::uint64_t cpus, bool apply) noexcept {
    irq_desc* const desc = vector.value() >= dev.platform_vectors_ ? nullptr
                                                                   : irqs_.find(pci_irq_vector(dev, vector.value()));
    if (desc == nullptr)
        return fail(errc::einval);
    desc->slot.hint(cpus, apply);
    return {};
}

inline result<> kernel::hold_handler(pci_dev& dev, pci::handler_id id) noexcept {
    const irq_desc* const desc = registered(dev, id);
    if (desc == nullptr)
        return fail(errc::enoent);
    irqs_.disable_irq_nosync(static_cast<int>(desc->number));
    return {};
}

inline result<pci::work_id> kernel::add_work(pci_dev& dev, const pci::work_action& action) noexcept {
    if (in_handler(dev))
        return fail(errc::edeadlk);
    return hardware_.work().add(dev.hardware, action);
}

inline result<bool> kernel::schedule_work(pci_dev&, pci::work_id id, std::uint64_t nanoseconds, bool again) noexcept {
    return hardware_.work().schedule(id, nanoseconds, again);
}

inline result<bool> kernel::cancel_work(pci_dev&, pci::work_id id, bool wait) noexcept {
    return hardware_.work().cancel(id, wait);
}

inline result<bool> kernel::flush_work(pci_dev& dev, pci::work_id id) noexcept {
    if (in_handler(dev))
        return fail(errc::edeadlk);
    return hardware_.work().flush(id);
}

inline result<> kernel::remove_work(pci_dev&, pci::work_id id) noexcept { return hardware_.work().remove(id); }

}  // namespace devres::linux_model
