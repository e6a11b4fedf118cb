// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>

#include <devres/linux_model/kernel.hpp>
#include <devres/pci/spread_vectors.hpp>

/// MSI-X, MSI and INTx: who gets vectors, and whose they are.
namespace devres::linux_model {

inline int kernel::pci_alloc_irq_vectors_affinity(pci_dev& dev, unsigned min, unsigned max, unsigned flags,
                                                  const pci::irq_affinity* affinity) {
    const pci::irq_affinity nothing_reserved;
    if ((flags & pci_irq::affinity) == 0) {
        if (affinity != nullptr)
            log_.warn_in(warning_kind::other, "pci_alloc_irq_vectors_affinity");
        affinity = nullptr;
    } else if (affinity == nullptr) {
        affinity = &nothing_reserved;
    }
    const int out = [&] {
        int error = negative(errc::enospc);
        if ((flags & pci_irq::msix) != 0) {
            error = enable_msix(dev, min, max, affinity, (flags & pci_irq::virtual_entries) != 0);
            if (error > 0)
                return error;
        }
        if ((flags & pci_irq::msi) != 0) {
            error = enable_msi(dev, min, max, affinity);
            if (error > 0)
                return error;
        }
        if ((flags & pci_irq::intx) != 0 && min == 1 && dev.irq != 0) {
            if (affinity != nullptr)
                (void)pci::with_sets(*affinity, 1);
            pci_intx(dev, true);
            return 1;
        }
        return error;
    }();
    log_.add(event_kind::alloc, out);
    return out;
}

inline int kernel::pcim_alloc_irq_vectors_affinity(pci_dev& dev, unsigned min, unsigned max, unsigned flags,
                                                   const pci::irq_affinity* affinity) {
    if (patch_->sets_flag)
        dev.is_msi_managed = true;
    return pci_alloc_irq_vectors_affinity(dev, min, max, flags, affinity);
}

inline void kernel::pci_free_irq_vectors(pci_dev& dev) {
    disable_msix(dev);
    disable_msi(dev);
}

inline int kernel::pci_irq_vector(const pci_dev& dev, unsigned vector) const noexcept {
    if (!dev.msi_enabled && !dev.msix_enabled)
        return vector == 0 ? dev.irq : negative(errc::einval);
    return vector < dev.msi_descs_.size() ? static_cast<int>(dev.msi_descs_[vector]->number) : negative(errc::einval);
}

inline std::uint64_t kernel::pci_irq_get_affinity(const pci_dev& dev, unsigned vector) const noexcept {
    return vector < dev.msi_descs_.size() ? dev.masks_.of(vector) : 0;
}

inline bool kernel::msi_supported(const pci_dev& dev, unsigned count) noexcept {
    return !dev.no_msi && count >= 1 && dev.current_state == power_state::d0;
}

/// Before vectors are allocated: the data that has them, and who will free them. Each is a node of its own.
inline void kernel::set_up_msi_context(pci_dev& dev) {
    if (version_->vectors_in_pcim_release)
        return;
    if (!dev.msi_data_) {
        dev.devres_add(dev.devres_alloc([](device&, void*) {}, 0, "devm_attr_group_remove"));
        const auto release = [](device& which, void*) {
            auto& owner = static_cast<pci_dev&>(which);
            owner.kernel_->release_msi_data(owner);
        };
        dev.devres_add(dev.devres_alloc(release, 0, "msi_device_data_release"));
        dev.msi_data_ = true;
    }
    if ((patch_->wants_managed_device && !dev.is_managed) || (patch_->flag_says_installed && dev.is_msi_managed) ||
        (patch_->flag_asks_for_action && !dev.is_msi_managed))
        return;
    const auto release = [](void* which) {
        auto& owner = *static_cast<pci_dev*>(which);
        owner.kernel_->release_managed_vectors(owner);
    };
    dev.devm_add_action(release, &dev, "pcim_msi_release");
    dev.is_msi_managed = true;
}

inline void kernel::release_managed_vectors(pci_dev& dev) {
    if (patch_->action_clears_flag)
        dev.is_msi_managed = false;
    pci_free_irq_vectors(dev);
}

/// The data goes; vectors that are still in it stay allocated, and nobody knows them any more.
inline void kernel::release_msi_data(pci_dev& dev) {
    if (!dev.msi_descs_.empty()) {
        if (version_->irq_domain_of_device)
            log_.warn_in(warning_kind::irq_domain, "irq_domain_remove");
        log_.warn_once_in(warning_kind::msi_data, "msi_device_data_release");
    }
    dev.msi_descs_.clear();
    dev.msi_data_ = false;
}

inline int kernel::enable_msix(pci_dev& dev, unsigned min, unsigned max, const pci::irq_affinity* affinity,
                               bool beyond) {
    if (max < min)
        return negative(errc::erange);
    const auto refused_by_msi = [&] {
        if (dev.msi_enabled)
            log_.add(event_kind::message, std::string(version_->msix_while_msi));
        return dev.msi_enabled;
    };
    if (!version_->msix_context_first && refused_by_msi())
        return negative(errc::einval);
    if (dev.msix_enabled) {
        log_.warn_once_in(warning_kind::double_enable, "__pci_enable_msix_range");
        return negative(errc::einval);
    }
    if (version_->msix_context_first)
        set_up_msi_context(dev);
    const unsigned size = dev.hardware.msix_vectors();
    if (!msi_supported(dev, max) || size == 0)
        return negative(errc::einval);
    unsigned count = max;
    if (!version_->msix_context_first) {
        if (count > size && !beyond)
            count = size;
        if (count < min)
            return negative(errc::enospc);
        set_up_msi_context(dev);
    } else if ((count <= size || beyond || min <= size) && refused_by_msi()) {
        return negative(errc::einval);
    }
    const int taken = take_at_least(dev, min, count, affinity, [&](unsigned wanted) {
        return result<unsigned>(wanted > size && !beyond ? size : take_interrupts(dev, wanted, false));
    });
    if (taken > 0)
        start_msix(dev);
    return taken;
}

inline int kernel::enable_msi(pci_dev& dev, unsigned min, unsigned max, const pci::irq_affinity* affinity) {
    if (!msi_supported(dev, min))
        return negative(errc::einval);
    if (dev.msix_enabled) {
        log_.add(event_kind::message, "can't enable MSI (MSI-X already enabled)");
        return negative(errc::einval);
    }
    if (max < min)
        return negative(errc::erange);
    if (dev.msi_enabled) {
        log_.warn_once_in(warning_kind::double_enable, "__pci_enable_msi_range");
        return negative(errc::einval);
    }
    const unsigned offered = dev.hardware.msi_vectors();
    if (offered == 0)
        return negative(errc::einval);
    if (offered < min)
        return negative(errc::enospc);
    set_up_msi_context(dev);
    const int taken = take_at_least(dev, min, std::min(max, offered), affinity, [&](unsigned wanted) {
        return result<unsigned>(wanted > 1 && !multiple_msi_ ? 1 : take_interrupts(dev, wanted, true));
    });
    if (taken > 0)
        start_msi(dev);
    return taken;
}

/// Takes up to `count` interrupts, as many as there are, and spreads them. @returns how many it took, or an error
template <class Take>
int kernel::take_at_least(pci_dev& dev, unsigned min, unsigned count, const pci::irq_affinity* affinity, Take take) {
    const auto taken = pci::take_vectors(min, count, affinity, hardware_.possible_cpus(), take);
    if (!taken)
        return negative(taken.error());
    spread(dev, affinity, *taken);
    return static_cast<int>(*taken);
}

/// @returns `count`, or how many there could be
inline unsigned kernel::take_interrupts(pci_dev& dev, unsigned count, bool in_one_block) {
    const unsigned available = hardware_.interrupts().available();
    if (available < count)
        return in_one_block && available != 0 ? 1 : available;
    const auto messages = hardware_.interrupts().allocate(count, in_one_block ? std::bit_ceil(count) : 1);
    if (!messages)
        return 0;
    const unsigned base = irqs_.allocate(count, hardware::irq_domain::first_message, dev, dev.hardware);
    dev.msi_descs_.resize(count);
    for (unsigned i = 0; i != count; ++i) {
        irq_desc& desc = irqs_.at(base + i);
        desc.message = *messages + i;
        desc.holds = dev.platform_allocates_;
        if (desc.holds)
            desc.slot.hold();
        hardware_.interrupts().route(desc.message, &desc.slot);
        dev.msi_descs_[i] = &desc;
    }
    return count;
}

inline void kernel::spread(pci_dev& dev, const pci::irq_affinity* affinity, unsigned count) {
    dev.masks_ = {};
    dev.masks_.set_cpus(hardware_.possible_cpus());
    if (affinity == nullptr)
        return;
    const pci::irq_affinity sets = pci::with_sets(*affinity, count);
    if (sets.set_count > pci::irq_affinity::max_sets)
        log_.warn_once_in(warning_kind::other, "irq_create_affinity_masks");
    dev.masks_ = pci::spread_masks(sets, count, hardware_.possible_cpus());
}

}  // namespace devres::linux_model
