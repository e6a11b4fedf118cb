// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A view is copied into a callback that a subsystem keeps (a LED, a sensor, an open file). Instead: a revocable of the view.
#include "support.hpp"

std::function<std::uint32_t()> temperature;
struct sensor_driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "sensor"));
#ifndef CORRECTED
        temperature = [registers] { return registers.read32(0); };
#else
        DEVRES_TRY(auto shown, devm_revocable(dev, registers));
        temperature = [shown] {
            const auto open = shown.try_access();
            return open ? open->read32(0) : ~0U;
        };
#endif
        return {};
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    {
        auto bound = pci::bind<sensor_driver>(bus, function);
        MUST(bound && temperature() == 0);
    }
    MUST(temperature() == ~0U);
    temperature = nullptr;
    MUST(clean(bus));
    return 0;
}
