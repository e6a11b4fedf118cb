// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A parent binds its child and keeps the binding in its state: the child is unbound while the parent's BAR is there.
#include "support.hpp"

template <class P>
struct parent_driver;
template <class P>
struct window {
    pci::bar_mapping<managed_t, P, parent_driver<P>> registers;
};
template <class P>
inline window<P>* parent_window = nullptr;
struct child_driver {
    static inline int gone = 0;
    template <class Device>
    struct child {
        window<typename Device::platform_type>& up;
    };
    template <class Device>
    static probed<child<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<child<Device>>(dev, *parent_window<typename Device::platform_type>));
        data->up.registers.write32(0, 1);
        return data;
    }
    static void remove(auto& data) noexcept { data.up.registers.write32(0, 0), ++gone; }
};
template <class P>
struct parent_driver {
    struct state : window<P> {
        std::optional<pci::binding<child_driver, P>> child;
        explicit state(const window<P>& w) : window<P>(w) {}
    };
    static probed<state> probe(pci::device<P, parent_driver>& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "parent"));
        DEVRES_TRY(auto data, devm_emplace<state>(dev, window<P>{registers}));
        parent_window<P> = &data.get();
        DEVRES_TRY(data->child, pci::bind<child_driver>(dev.platform(), dev.platform().at("0000:00:02.0")));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    bus.add({});
    MUST(pci::bind<parent_driver<sim::bus>>(bus, function)->unbind());
    MUST(child_driver::gone == 1);
    MUST(clean(bus));
    return 0;
}
