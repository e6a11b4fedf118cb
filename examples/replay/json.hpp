// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "replay/machine.hpp"

/// What a replay prints: a JSON object a line (test/kernel/README.md).
namespace replay {

using json = nlohmann::ordered_json;

inline void put(json& out, const state& of) {
    out["vectors_live"] = of.vectors_live;
    out["handlers_live"] = of.handlers_live;
    out["msix_enabled"] = of.msix_enabled;
    out["msi_enabled"] = of.msi_enabled;
    out["is_managed"] = of.is_managed;
    out["is_msi_managed"] = of.is_msi_managed;
    out["enable_cnt"] = of.enable_cnt;
}

[[nodiscard]] inline json to_json(const lm::event& of, const outcome& from, const program& what, std::size_t& driver) {
    json out{{"event", lm::name_of(of.kind)}};
    switch (of.kind) {
    case lm::event_kind::bind: out["driver"] = what.drivers[driver++].text; break;
    case lm::event_kind::probe:
    case lm::event_kind::alloc: out["result"] = of.value; break;
    case lm::event_kind::add:
    case lm::event_kind::remove:
    case lm::event_kind::release: out["node"] = of.text; break;
    case lm::event_kind::free: out["vectors"] = of.value; break;
    case lm::event_kind::request:
        out["vector"] = machine::vector_of(of);
        out["result"] = of.value;
        break;
    case lm::event_kind::free_irq:
        out["vector"] = machine::vector_of(of);
        out["found"] = of.value != 0;
        break;
    case lm::event_kind::fire:
        out["vector"] = machine::vector_of(of);
        out["handled"] = of.value;
        break;
    case lm::event_kind::state: put(out, from.states[static_cast<std::size_t>(of.value)]); break;
    case lm::event_kind::warning:
        out["kind"] = lm::name_of(of.warning);
        out["text"] = of.text;
        break;
    case lm::event_kind::message: out["text"] = of.text; break;
    case lm::event_kind::oops: out["function"] = of.text; break;
    case lm::event_kind::unbind:
    case lm::event_kind::unbound: break;
    }
    return out;
}

/// The line for each event, in order.
inline void print_events(std::ostream& to, const program& what, const outcome& of) {
    std::size_t driver = 0;
    for (const lm::event& each : of.events)
        to << to_json(each, of, what, driver) << '\n';
}

/// The line that sums a program up.
inline void print_summary(std::ostream& to, const program& what, const lm::kernel_version& version,
                          const lm::patch_version& patch, device_kind kind, const outcome& of) {
    const auto or_null = [](const std::optional<int>& value) { return value ? json(*value) : json(); };
    json out{{"program", what.text},
             {"kernel", version.name},
             {"patch", patch.name},
             {"device", name_of(kind)},
             {"probe", or_null(of.probe)}};
    out["warnings"] = json::array();
    for (const lm::warning_kind each : of.warnings)
        out["warnings"].push_back(lm::name_of(each));
    put(out, of.after);
    out["oops"] = of.oops.empty() ? json() : json(of.oops);
    out["rebind"] = or_null(of.rebind);
    to << out << '\n';
}

}  // namespace replay
