// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include <devres/linux_model.hpp>

#include "support/catch.hpp"

namespace devres::test {

/// What a test that holds for all of them runs with, one after the other.
inline const linux_model::kernel_version& any_kernel() {
    using namespace linux_model;
    return *GENERATE(&linux_5_16, &linux_6_1, &linux_6_12, &linux_6_18);
}

/// The texts of the warnings and lines since this was asked last.
inline std::string said(linux_model::event_log& log) {
    std::string out;
    for (const linux_model::event& each : log.take_events()) {
        if (each.kind == linux_model::event_kind::warning || each.kind == linux_model::event_kind::message)
            out += each.text + '\n';
    }
    return out;
}

}  // namespace devres::test
