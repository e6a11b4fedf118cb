// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A handler on another thread asks a weak reference and uses it, while the device's thread releases what it names.
#include "support.hpp"

struct queue {
    std::vector<std::atomic<int>> done = std::vector<std::atomic<int>>(1);
};
struct nic_driver {
    template <class Device>
    struct nic {
        Device& dev;
        managed_ptr<queue> rx{};
        devres::group queues{};
        std::atomic<int> served = 0;
        explicit nic(Device& of) : dev(of) {}
        pci::irq_return on_irq() noexcept {
            if (rx) {
                ++rx->done[0];
                ++served;
            }
            return pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, dev));
        devres::group queues(dev);
        DEVRES_TRY(data->rx, devm_emplace<queue>(dev));
        queues.keep();
        data->queues = std::move(queues);
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "nic", data));
        DEVRES_TRY(pci::pci_set_master(device));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    for (int i = 0; i != 300; ++i) {
        auto bound = pci::bind<nic_driver>(bus, function);
        MUST(bound);
        auto& nic = bound->state();
        std::atomic<bool> stop = false;
        std::thread interrupts([&] {
            while (!stop)
                function.raise(0U);
        });
        while (nic.served == 0)
            std::this_thread::yield();
        const bool gone = nic.queues.release() == 1U && bound->unbind();
        stop = true;
        interrupts.join();
        MUST(gone);
    }
    MUST(clean(bus));
    return 0;
}
