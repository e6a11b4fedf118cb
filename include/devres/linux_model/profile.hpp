// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

/// What differs between versions of the kernel, and between versions of the patch series "Add Devres managed IRQ vectors
/// allocation" (2026). Everything else the model does is the same for all of them.
namespace devres::linux_model {

/// A version of the kernel: what it does its own way.
struct kernel_version {
    std::string_view name;         ///< "6.1"
    bool vectors_in_pcim_release;  ///< the node of pcim_enable_device frees the vectors; MSI has no nodes of its own
    bool bug_on_live_handler;      ///< freeing a vector with a handler on it is a BUG
    bool msix_context_first;       ///< an MSI-X attempt sets up its nodes before it looks whether the device has MSI-X
    bool irq_domain_of_device;     ///< vectors are in an interrupt domain of the device, which ends with the MSI data
    bool enables_each_time;        ///< every pcim_enable_device enables and has a node; before, one for all
    bool managed_bit_cleared;      ///< is_managed ends with the managed enable; before, it stays for ever
    bool enable_may_be_undone;     ///< pci_disable_device on a managed device is remembered, not undone twice
    bool pin_is_of_device;         ///< pcim_pin_device sets a bit that stays; before, it is of this enable, and checked
    bool empty_release_is_silent;  ///< releasing an unknown group of a device without any resources is no warning
    std::string_view msix_while_msi;  ///< what it says of an MSI-X attempt while MSI is enabled
    std::string_view probe_failed;    ///< what it says of a probe that failed, before the driver's name
};

// clang-format off
/// All that there are, from the oldest.
inline constexpr kernel_version kernel_versions[] = {
    {.name = "5.16",
     .vectors_in_pcim_release = true,  .bug_on_live_handler = true,  .msix_context_first = true,
     .irq_domain_of_device = false,    .enables_each_time = false,   .managed_bit_cleared = false,
     .enable_may_be_undone = true,     .pin_is_of_device = false,    .empty_release_is_silent = false,
     .msix_while_msi = "can't enable MSI-X (MSI IRQ already assigned)",
     .probe_failed = "probe of "},
    {.name = "6.1",
     .vectors_in_pcim_release = false, .bug_on_live_handler = false, .msix_context_first = true,
     .irq_domain_of_device = false,    .enables_each_time = false,   .managed_bit_cleared = false,
     .enable_may_be_undone = true,     .pin_is_of_device = false,    .empty_release_is_silent = true,
     .msix_while_msi = "can't enable MSI-X (MSI IRQ already assigned)",
     .probe_failed = "probe of "},
    {.name = "6.12",
     .vectors_in_pcim_release = false, .bug_on_live_handler = false, .msix_context_first = false,
     .irq_domain_of_device = true,     .enables_each_time = true,    .managed_bit_cleared = true,
     .enable_may_be_undone = false,    .pin_is_of_device = true,     .empty_release_is_silent = true,
     .msix_while_msi = "can't enable MSI-X (MSI already enabled)",
     .probe_failed = "probe with driver "},
    {.name = "6.18",
     .vectors_in_pcim_release = false, .bug_on_live_handler = false, .msix_context_first = false,
     .irq_domain_of_device = true,     .enables_each_time = true,    .managed_bit_cleared = true,
     .enable_may_be_undone = false,    .pin_is_of_device = true,     .empty_release_is_silent = true,
     .msix_while_msi = "can't enable MSI-X (MSI already enabled)",
     .probe_failed = "probe with driver "},
};
// clang-format on

/// A version of the patch series: how pcim_alloc_irq_vectors works, and what becomes of pci_alloc_irq_vectors.
struct patch_version {
    std::string_view name;  ///< "v3"
    bool sets_flag;         ///< pcim_alloc_irq_vectors sets is_msi_managed, then does what pci_alloc_irq_vectors does
    bool wants_managed_device;  ///< the action that frees the vectors is installed on managed devices only
    bool flag_says_installed;   ///< ... and if is_msi_managed is not set, which installing it does
    bool flag_asks_for_action;  ///< ... and if is_msi_managed is set
    bool action_clears_flag;    ///< the action clears is_msi_managed when it runs
};

// clang-format off
/// All that there are.
inline constexpr patch_version patch_versions[] = {
    {.name = "none",    .sets_flag = false, .wants_managed_device = true,  .flag_says_installed = true,
     .flag_asks_for_action = false, .action_clears_flag = true},
    {.name = "v1-1",    .sets_flag = true,  .wants_managed_device = true,  .flag_says_installed = true,
     .flag_asks_for_action = false, .action_clears_flag = true},
    {.name = "v1-full", .sets_flag = true,  .wants_managed_device = false, .flag_says_installed = false,
     .flag_asks_for_action = true,  .action_clears_flag = false},
    {.name = "v3",      .sets_flag = false, .wants_managed_device = true,  .flag_says_installed = true,
     .flag_asks_for_action = false, .action_clears_flag = true},
};
// clang-format on

namespace detail {

template <class Row, unsigned N>
constexpr const Row* row_named(const Row (&rows)[N], std::string_view name) noexcept {
    for (const Row& row : rows) {
        if (row.name == name)
            return &row;
    }
    return nullptr;
}

}  // namespace detail

/// The version of that name, "5.16", "6.1", "6.12" or "6.18"; null if there is none.
[[nodiscard]] constexpr const kernel_version* find_kernel(std::string_view name) noexcept {
    return detail::row_named(kernel_versions, name);
}

/// The version of that name, "none", "v1-1", "v1-full" or "v3"; null if there is none.
[[nodiscard]] constexpr const patch_version* find_patch(std::string_view name) noexcept {
    return detail::row_named(patch_versions, name);
}

/// The version of that name.
/// @{
inline constexpr const kernel_version& linux_5_16 = kernel_versions[0];
inline constexpr const kernel_version& linux_6_1 = kernel_versions[1];
inline constexpr const kernel_version& linux_6_12 = kernel_versions[2];
inline constexpr const kernel_version& linux_6_18 = kernel_versions[3];
inline constexpr const patch_version& unpatched = patch_versions[0];
inline constexpr const patch_version& patch_v1_1 = patch_versions[1];
inline constexpr const patch_version& patch_v1_full = patch_versions[2];
inline constexpr const patch_version& patch_v3 = patch_versions[3];
/// @}

}  // namespace devres::linux_model
