// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A group releases a queue whose handler is outside of it: the handler ends first, and a weak reference answers nothing.
#include "support.hpp"

struct queue {
    std::vector<int> done{0};
    pci::irq_return on_irq() noexcept { return ++done[0], pci::irq_return::handled; }
};
struct nic_driver {
    template <class Device>
    struct nic {
        pci::enabled_of<Device> device;
        managed_ptr<queue> rx{};
        devres::group queues{};
        explicit nic(const pci::enabled_of<Device>& of) : device(of) {}
        pci::irq_return on_irq() noexcept {
            return rx ? ++rx->done[0], pci::irq_return::handled : pci::irq_return::none;
        }
        result<managed_ref<queue>> set_up() {
            DEVRES_TRY(queues.release());
            devres::group building(device.dev());
            DEVRES_TRY(auto made, devm_emplace<queue>(device.dev()));
            DEVRES_TRY(pci::pcim_iomap_region<0>(device, "doorbells"));
            rx = made;
            building.keep();
            queues = std::move(building);
            return made;
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, device));
        DEVRES_TRY(auto rx, data->set_up());
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 2, 2, pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "nic", data));
        DEVRES_TRY(pci::devm_request_irq(vectors[1], "rx", rx));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    testing::interrupting platform{bus, [&](const testing::interrupt_point&) { all_vectors(function); }};
    auto bound = pci::bind<nic_driver>(platform, function);
    MUST(bound);
    all_vectors(function);
    MUST(bound->state().queues.release() == 3U);
    MUST(!bound->state().rx);
    all_vectors(function);
    MUST(bound->state().set_up());
    all_vectors(function);
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
