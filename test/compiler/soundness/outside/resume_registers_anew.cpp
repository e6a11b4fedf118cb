// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// resume() registers the handlers anew; then an unbind, with an access open on another thread that waits for an interrupt.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::vectors_of<Device> vectors;
        pci::irq_registration<managed_t, typename Device::platform_type, driver> handler{};
        std::atomic<bool> completed = false;
        revocable<state> users{};
        explicit state(const pci::vectors_of<Device>& of) : vectors(of) {}
        pci::irq_return on_irq() noexcept { return completed = true, pci::irq_return::handled; }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, vectors));
        DEVRES_TRY(data->handler, pci::devm_request_irq(vectors[0], "x", data));
        DEVRES_TRY(data->users, devm_revocable(dev, data));
        return data;
    }
    template <class Device>
    static result<> suspend(managed_ref<state<Device>> data) {
        return pci::devm_free_irq(std::move(data->handler));
    }
    template <class Device>
    static result<> resume(managed_ref<state<Device>> data) noexcept {
        DEVRES_TRY(data->handler, pci::devm_request_irq(data->vectors[0], "x", data));
        return {};
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    for (int i = 0; i != 20; ++i) {
        auto bound = pci::bind<driver>(bus, f);
        MUST(bound && bound->suspend() && bound->resume());
        std::atomic<bool> inside = false;
        std::thread user([users = bound->state().users, &inside] {
            const auto open = users.try_access();
            inside = true;
            while (open && !open->completed)
                std::this_thread::yield();
        });
        while (!inside)
            std::this_thread::yield();
        std::thread interrupt([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            f.raise(0U);
        });
        const bool gone = bound->unbind().has_value();
        user.join();
        interrupt.join();
        MUST(gone);
    }
    MUST(clean(bus));
    return 0;
}
