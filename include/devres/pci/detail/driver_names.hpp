// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

/// The names in a driver that mean something to `bind`, and those that only look as if they did. A name that is there and
/// cannot be used is a mistake, which must not pass for one that is not there. It is found by the ambiguity that a second
/// one of its name makes, whatever its access and its type; so a driver must not be `final`.
namespace devres::pci::detail {

// Hooks of Linux's `struct pci_driver` and its tables that are not supported: a driver that has one would wait in vain.
#define DEVRES_UNSUPPORTED_HOOKS(visit)                                                                                \
    visit(shutdown) visit(error_detected) visit(mmio_enabled) visit(slot_reset) visit(reset_prepare) visit(reset_done) \
        visit(cor_error_detected) visit(err_handler) visit(sriov_configure) visit(sriov_set_msix_vec_count)            \
            visit(suspend_late) visit(resume_early) visit(suspend_noirq) visit(resume_noirq) visit(runtime_suspend)    \
                visit(runtime_resume) visit(runtime_idle) visit(freeze) visit(thaw) visit(poweroff)

// Slips of the pen for a hook or a table that is.
// clang-format off
#define DEVRES_LIKELY_SLIPS(visit)                                                                           \
    visit(removed) visit(remove_) visit(removee) visit(remov) visit(remvoe) visit(reomve) visit(rmeove)      \
    visit(Remove) visit(on_remove) visit(do_remove) visit(unprobe) visit(unbind) visit(disconnect)           \
    visit(supend) visit(supsend) visit(suspned) visit(suspnd) visit(susspend) visit(suspendd)                \
    visit(suspended) visit(Suspend) visit(on_suspend) visit(do_suspend) visit(pm_suspend) visit(resum)       \
    visit(reusme) visit(rseume) visit(resmue) visit(resumme) visit(resumed) visit(Resume)                    \
    visit(on_resume) visit(do_resume) visit(pm_resume) visit(id_table) visit(idtable) visit(pci_ids)         \
    visit(device_ids) visit(owner_ship) visit(ownerhip) visit(onwership) visit(ownreship)                    \
    visit(Ownership) visit(ownership_table)

// clang-format on

#define DEVRES_DECLARE_NAME(name) int name;
struct driver_names {
    int ids, ownership, remove, suspend, resume;
    DEVRES_UNSUPPORTED_HOOKS(DEVRES_DECLARE_NAME)
    DEVRES_LIKELY_SLIPS(DEVRES_DECLARE_NAME)
};
#undef DEVRES_DECLARE_NAME

template <class Driver>
struct with_driver_names : Driver, driver_names {};

#define DEVRES_HAS_NAME(name) || !requires { &with_driver_names<Driver>::name; }
template <class Driver>
inline constexpr bool has_unsupported_hook = false DEVRES_UNSUPPORTED_HOOKS(DEVRES_HAS_NAME);
template <class Driver>
inline constexpr bool has_likely_slip = false DEVRES_LIKELY_SLIPS(DEVRES_HAS_NAME);
#undef DEVRES_HAS_NAME

template <class Driver>
inline constexpr bool names_ids = !requires { &with_driver_names<Driver>::ids; };
template <class Driver>
inline constexpr bool names_ownership = !requires { &with_driver_names<Driver>::ownership; };
template <class Driver>
inline constexpr bool names_remove = !requires { &with_driver_names<Driver>::remove; };
template <class Driver>
inline constexpr bool names_suspend = !requires { &with_driver_names<Driver>::suspend; };
template <class Driver>
inline constexpr bool names_resume = !requires { &with_driver_names<Driver>::resume; };

#undef DEVRES_UNSUPPORTED_HOOKS
#undef DEVRES_LIKELY_SLIPS

}  // namespace devres::pci::detail
