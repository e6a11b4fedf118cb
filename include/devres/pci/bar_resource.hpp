// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/rule.hpp>
#include <devres/pci/device.hpp>
#include <devres/pci/platform.hpp>

/// What BARs are.
namespace devres::pci {

template <class P>
concept platform_describes_bars =
    rule<describes_bars<P>,
         text{"devres[D007] this platform does not say what BARs are: describe_bar(function, bar_number)"}>;

/// What a BAR is: where it answers, how large it is, memory or ports. Nothing is requested or mapped, and the function need not be
/// enabled.
/// @returns `einval` if the function has no such BAR, or the platform's error
/// @par Linux
/// `pci_resource_start()`, `pci_resource_len()`, `pci_resource_flags()`, which are 0 for a BAR that is not there
template <class P, class Driver>
    requires platform_describes_bars<P>
[[nodiscard]] result_in<bar_resource, P> pci_resource(const device<P, Driver>& dev, bar_number bar) noexcept {
    return dev.platform().describe_bar(dev.function(), bar);
}

/// The BARs that are memory, or that are ports if `io`: bit n for BAR n, for `pci_request_selected_regions`.
/// @par Linux
/// `pci_select_bars(pdev, IORESOURCE_MEM)`, `IORESOURCE_IO`
template <class P, class Driver>
    requires platform_describes_bars<P>
[[nodiscard]] unsigned pci_select_bars(const device<P, Driver>& dev, bool io = false) noexcept {
    unsigned mask = 0;
    for (unsigned bar = 0; bar != bar_count; ++bar) {
        if (const auto found = pci_resource(dev, bar_number(bar)); found && found->io == io)
            mask |= 1U << bar;
    }
    return mask;
}

}  // namespace devres::pci
