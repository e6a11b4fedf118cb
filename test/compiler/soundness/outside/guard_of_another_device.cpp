// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A guard of one device is kept in the state of another, which is unbound later. Instead: it goes with its own device.
#include "support.hpp"

struct port_driver;
using port_bar = pci::bar_mapping<unmanaged_t, sim::bus, port_driver>;
struct hub {
    port_bar of_port{};
};
struct hub_driver {
    static inline hub* the_hub = nullptr;
    static probed<hub> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<hub>(dev));
        the_hub = &data.get();
        return data;
    }
};
struct port_driver {
    static result<> probe(pci::device<sim::bus, port_driver>& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(hub_driver::the_hub->of_port, pci::pci_iomap_region<0>(device, "port"));
        return {};
    }
#ifdef CORRECTED
    static void remove() noexcept { hub_driver::the_hub->of_port = {}; }
#endif
};

int main() {
    sim::bus bus;
    auto& f0 = bus.add({});
    auto& f1 = bus.add(card());
    auto parent = pci::bind<hub_driver>(bus, f0);
    auto port = pci::bind<port_driver>(bus, f1);
    MUST(parent && port);
    MUST(port->unbind() && parent->unbind());
    MUST(clean(bus));
    return 0;
}
