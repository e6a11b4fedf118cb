// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "replay/machine.hpp"

/// A replay for people: what its letters and words mean.
namespace replay {

namespace detail {

struct word {
    char code;
    std::string_view meaning;
};
inline constexpr word words[] = {
    {'E', "pcim_enable_device()"},
    {'e', "pci_enable_device()"},
    {'d', "pci_disable_device()"},
    {'B', "pci_set_master()"},
    {'A', "allocates that many vectors, by pcim_alloc_irq_vectors() where a patch has it"},
    {'a', "allocates that many vectors, by pci_alloc_irq_vectors()"},
    {'i', "allocates up to that many vectors, of any kind, INTx too"},
    {'F', "pci_free_irq_vectors()"},
    {'I', "pci_irq_vector() for each vector"},
    {'Q', "devm_request_irq() on each vector"},
    {'V', "devm_free_irq() on each vector"},
    {'q', "request_irq() on each vector"},
    {'f', "free_irq() on each vector"},
    {'M', "sets is_msi_managed"},
    {'m', "clears is_msi_managed"},
    {'G', "opens a devres group"},
    {'g', "closes the devres group"},
    {'R', "releases the devres group"},
    {'r', "removes the devres group"},
    {'K', "devm_add_action() of a marker"},
    {'T', "fires every vector"},
    {'P', "looks at the state"},
    {'X', "fails with -EIO"},
};

[[nodiscard]] constexpr std::string_view meaning_of(char code) noexcept {
    const auto* const found = std::ranges::find(words, code, &word::code);
    return found == std::ranges::end(words) ? std::string_view() : found->meaning;
}
static_assert(std::ranges::all_of(codes, [](char code) { return !meaning_of(code).empty(); }));

[[nodiscard]] constexpr std::string_view meaning_of(lm::warning_kind kind) noexcept {
    switch (kind) {
        using enum lm::warning_kind;
    case rpe: return "remove_proc_entry: a vector goes, a handler is on it, and its record leaks";
    case msi_data: return "the MSI data goes, and vectors are in it";
    case double_enable: return "MSI or MSI-X is enabled already";
    case already_free: return "free_irq of a handler that is not there";
    case already_disabled: return "one pci_disable_device too many";
    case irq_domain: return "an interrupt domain goes, and vectors are in it";
    case devres_warn: return "no such node, action or group";
    case msi_shutdown: return "MSI is enabled, and there is no descriptor of it";
    case other: break;
    }
    return "another WARNING";
}

inline void explain(std::ostream& to, std::string_view phase, const std::vector<operation>& operations) {
    constexpr std::size_t phase_width = 8, code_width = 7;
    for (const operation& each : operations) {
        std::string line = "  " + std::string(phase);
        line.append(2 + phase_width - line.size(), ' ').append(1, each.code);
        if (operand_of(each.code) != nullptr && (each.number != 0 || operand_of(each.code)->needed))
            line += std::to_string(each.number);
        line.append(std::max<std::size_t>(2 + phase_width + code_width, line.size() + 1) - line.size(), ' ');
        to << line.append(meaning_of(each.code)) << '\n';
        phase = "";
    }
}

}  // namespace detail

/// Writes what the program does, call by call, and what becomes of it.
inline void explain(std::ostream& to, const program& what, const lm::kernel_version& version,
                    const lm::patch_version& patch, device_kind kind, const outcome& of) {
    to << what.text << ", on Linux " << version.name
       << (patch.name == std::string_view("none") ? "" : " with patch " + std::string(patch.name)) << ", on "
       << name_of(kind) << '\n';
    for (const driver& each : what.drivers) {
        detail::explain(to, "probe", each.probe);
        detail::explain(to, "remove", each.remove);
    }
    const auto answer = [](const std::optional<int>& value) { return value ? std::to_string(*value) : "nothing"; };
    to << "  probe says " << answer(of.probe) << "; after all, " << of.after.vectors_live << " vectors and "
       << of.after.handlers_live << " handlers are left; the next driver's probe says " << answer(of.rebind) << '\n';
    if (!of.oops.empty())
        to << "  the kernel stops in " << of.oops << '\n';
    std::vector<lm::warning_kind> said;
    for (const lm::warning_kind each : of.warnings) {
        if (std::ranges::find(said, each) != said.end())
            continue;
        said.push_back(each);
        to << "  WARNING " << lm::name_of(each) << ", " << std::ranges::count(of.warnings, each)
           << "x: " << detail::meaning_of(each) << '\n';
    }
    if (of.warnings.empty())
        to << "  no warning\n";
}

}  // namespace replay
