// SPDX-License-Identifier: BSL-1.0
// VERDICT: R D012
// The destructor of the state stops the hardware and the queue; as the state was made first, both would have gone.
#include "support.hpp"

struct queue {
    std::vector<int> pending{1, 2, 3};
    void cancel() { pending.clear(); }
};
struct nic_driver {
#ifndef CORRECTED
    template <class Device>
    struct nic {
        pci::bar_of<Device> registers;
        std::optional<managed_ref<queue>> rx;
        ~nic() {
            registers.write32(0, 0);
            (*rx)->cancel();
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(data->registers, pci::pcim_iomap_region<0>(device, "nic"));
        DEVRES_TRY(auto rx, devm_emplace<queue>(dev));
        data->rx.emplace(rx);
        return data;
    }
#else
    template <class Device>
    struct nic {
        pci::bar_of<Device> registers;
        managed_ref<queue> rx;
        managed_ptr<queue> younger{};
        nic(const pci::bar_of<Device>& bar, const managed_ref<queue>& of) : registers(bar), rx(of) {}
        ~nic() {
            registers.write32(0, 0);
            rx->cancel();
            if (younger)
                younger->cancel();
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "nic"));
        DEVRES_TRY(auto rx, devm_emplace<queue>(dev));
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, registers, rx));
        DEVRES_TRY(data->younger, devm_emplace<queue>(dev));
        return data;
    }
#endif
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<nic_driver>(bus, bus.add(card()));
    MUST(bound && bound->unbind());
    MUST(clean(bus));
    return 0;
}
