// SPDX-License-Identifier: BSL-1.0
// VERDICT: E einval
// The handler of a port has the hub's object as its context; both are unbound on threads of their own.
#include "support.hpp"

struct hub {
    std::atomic<int> interrupts = 0;
    pci::irq_return on_irq() noexcept { return ++interrupts, pci::irq_return::handled; }
};
std::optional<managed_ref<hub>> the_hub;
struct hub_driver {
    static probed<hub> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<hub>(dev));
        the_hub.emplace(data);
        return data;
    }
    static void remove(hub&) noexcept { the_hub.reset(); }
};
struct port_driver {
    static inline errc answer{};
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        const auto requested = pci::devm_request_irq(vectors[0], "port", *the_hub);
        answer = requested ? errc{} : requested.error();
        return {};
    }
};

int main() {
    sim::bus bus;
    auto& f0 = bus.add({});
    auto& f1 = bus.add(card());
    for (int i = 0; i != 50; ++i) {
        auto parent = pci::bind<hub_driver>(bus, f0);
        auto port = pci::bind<port_driver>(bus, f1);
        MUST(parent && port && port_driver::answer == errc::einval);
        std::atomic<int> ready = 0;
        const auto together = [&] {
            ++ready;
            while (ready != 2)
                std::this_thread::yield();
        };
        bool gone = false;
        std::thread other([&] {
            together();
            gone = port->unbind().has_value();
        });
        together();
        const bool parent_gone = parent->unbind().has_value();
        other.join();
        MUST(gone && parent_gone);
    }
    MUST(clean(bus));
    return 0;
}
