// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

#include <devres/sim.hpp>

namespace test {

using namespace devres;
using pci::irq_return;
using pci::irq_type;
using sim::violation_kind;

/// Counts calls; what it answers can be chosen.
struct counter {
    std::atomic<unsigned> calls{0};
    std::atomic<unsigned> last{~0U};
    irq_return answer = irq_return::handled;

    static irq_return on_irq(void* context, pci::vector_index vector) noexcept {
        auto& self = *static_cast<counter*>(context);
        self.last = vector.value();
        ++self.calls;
        return self.answer;
    }
    [[nodiscard]] pci::irq_action action(const char* name = "counter") noexcept { return {&on_irq, this, name}; }
};

/// A driver by hand: the function attached, enabled and bus master, all of it given back at the end.
struct driver {
    sim::bus& bus;
    sim::function& function;

    driver(sim::bus& on, sim::function& of) : bus(on), function(of) {
        if (!bus.attach(function) || !bus.enable(function) || !bus.set_master(function, true))
            throw std::runtime_error("the function could not be taken");
    }
    driver(const driver&) = delete;
    driver& operator=(const driver&) = delete;
    ~driver() {
        (void)bus.free_vectors(function);
        bus.disable(function);
        bus.detach(function);
    }

    result<pci::vector_grant> vectors(unsigned min, unsigned max, pci::irq_types types,
                                      const pci::irq_affinity* affinity = nullptr) {
        return bus.allocate_vectors(function, {min, max, types, affinity});
    }
    pci::handler_id handler(unsigned vector, counter& calls, const char* name = "counter") {
        return bus.register_handler(function, vector, calls.action(name)).value();
    }
    void config(unsigned offset, unsigned width, std::uint32_t value) {
        (void)bus.write_config(function, offset, width, value);
    }
    [[nodiscard]] std::uint32_t config(unsigned offset, unsigned width) {
        return bus.read_config(function, offset, width).value();
    }
    /// The offset of a capability, found as a driver does.
    [[nodiscard]] unsigned capability(unsigned id) {
        for (unsigned at = config(pci::registers::capabilities, 1); at != 0; at = config(at + 1, 1)) {
            if (config(at, 1) == id)
                return at;
        }
        return 0;
    }
};

/// The kinds of the violations so far, which are forgotten.
inline std::vector<violation_kind> kinds(sim::bus& bus) {
    std::vector<violation_kind> out;
    for (const sim::violation& wrong : bus.ledger().take_violations())
        out.push_back(wrong.kind);
    return out;
}

inline std::vector<violation_kind> only(violation_kind kind) { return {kind}; }

}  // namespace test
