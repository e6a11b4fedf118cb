// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>

#include <devres/print.hpp>
#include <devres/testing/exploration.hpp>
#include <devres/testing/primitive.hpp>
#include <devres/testing/trace.hpp>

namespace devres::testing {

/// Its name: `acquired`
inline std::ostream& operator<<(std::ostream& out, trace_step step) { return out << name_of(step); }
/// `managed`, `unmanaged` or `none`
inline std::ostream& operator<<(std::ostream& out, trace_owner owner) {
    return out << (owner == trace_owner::none ? "none" : name_of(owner));
}
/// Its name: `map_bar`
inline std::ostream& operator<<(std::ostream& out, primitive what) { return out << name_of(what); }
/// In words, as `to_string` has it.
inline std::ostream& operator<<(std::ostream& out, const primitive_call& call) { return out << to_string(call); }
/// In one line, behind the function's label if it has one.
inline std::ostream& operator<<(std::ostream& out, const trace_entry& entry) {
    return out << entry.who << (entry.who.empty() ? "" : " ") << to_string(entry);
}
/// An entry a line.
inline std::ostream& operator<<(std::ostream& out, const trace_recorder& trace) {
    const char* separator = "";
    for (const trace_entry& entry : trace.entries()) {
        out << separator << entry;
        separator = "\n";
    }
    return out;
}

}  // namespace devres::testing

DEVRES_FORMATTER(devres::testing::trace_step);
DEVRES_FORMATTER(devres::testing::trace_owner);
DEVRES_FORMATTER(devres::testing::primitive);
DEVRES_FORMATTER(devres::testing::primitive_call);
DEVRES_FORMATTER(devres::testing::trace_entry);
DEVRES_FORMATTER(devres::testing::trace_recorder);
DEVRES_FORMATTER(devres::testing::exploration);
