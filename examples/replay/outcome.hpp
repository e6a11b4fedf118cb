// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <devres/linux_model.hpp>

/// What a scenario program runs on, and what becomes of it.
namespace replay {

namespace lm = devres::linux_model;

/// The devices that programs run on, both from QEMU: rocker has 4 MSI-X vectors, edu 1 MSI vector and INTx.
enum class device_kind { rocker, edu };

[[nodiscard]] constexpr unsigned vectors_of(device_kind kind) noexcept { return kind == device_kind::rocker ? 4 : 1; }
[[nodiscard]] constexpr std::string_view name_of(device_kind kind) noexcept {
    return kind == device_kind::rocker ? "rocker" : "edu";
}

/// What is left of drivers.
struct state {
    unsigned vectors_live = 0;
    unsigned handlers_live = 0;
    bool msix_enabled = false;
    bool msi_enabled = false;
    bool is_managed = false;
    bool is_msi_managed = false;
    int enable_cnt = 0;
};

/// What became of a program.
struct outcome {
    std::optional<int> probe;       ///< of the last driver; none if it did not return
    state after;                    ///< the last unbind
    std::string oops;               ///< in which function the kernel stopped; empty if it did not
    std::optional<int> rebind;      ///< of a correct driver, afterwards; none after an oops
    std::vector<lm::event> events;  ///< of the program; their handlers are those of the machine, while it lives
    std::vector<state> states;      ///< that the program reported
    std::vector<lm::warning_kind> warnings;  ///< of the program
};

}  // namespace replay
