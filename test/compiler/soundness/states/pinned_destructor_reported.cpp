// SPDX-License-Identifier: BSL-1.0
// VERDICT: V used_after_unmap
// As pinned_destructor, with a BAR: sim reports it.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        std::optional<pci::bar_of<Device>> registers;
        ~state() {
            if (registers)
                registers->write32(0, 0);
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));  // a clock
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "x"));
        data->registers.emplace(registers);
        return data;
    }
};

int main() {
    sim::bus bus;
    MUST(plain<driver>(bus));
    MUST(violated(bus, sim::violation_kind::used_after_unmap));
    return 0;
}
