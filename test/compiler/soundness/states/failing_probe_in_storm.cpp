// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// probe fails after each of its steps, while the device interrupts and writes to its ring whenever it may.
#include "support.hpp"

static pci::bus_address ring_at{};
struct driver {
    static inline int fails_at = 0;
    static inline int step = 0;
    static result<> go_on() { return ++step == fails_at ? fail(errc::eio) : result<>(); }
    template <class Device>
    struct state {
        std::optional<pci::coherent_of<Device>> ring{};
        std::optional<managed_ref<std::vector<int>>> younger{};
        pci::irq_registration<unmanaged_t, typename Device::platform_type, driver> second{};
        std::vector<int> log{0};
        pci::irq_return on_irq() noexcept {
            if (ring)
                log.at(0) += *static_cast<int*>(ring->data());
            if (younger)
                (*younger)->at(0) += 1;
            return pci::irq_return::handled;
        }
        void start() noexcept {}
        void stop() noexcept { log.at(0) += younger ? (*younger)->at(0) : 0; }
        ~state() {
            if (ring)
                *static_cast<int*>(ring->data()) = log.at(0);
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        step = 0;
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        DEVRES_TRY(go_on());
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(go_on());
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 2, 4, pci::irq_type::msix));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        DEVRES_TRY(data->second, pci::request_irq(vectors[1], "y", *data));
        DEVRES_TRY(go_on());
        DEVRES_TRY(devm_start(dev, data));
        DEVRES_TRY(go_on());
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        ring_at = ring.address();
        data->ring.emplace(ring);
        DEVRES_TRY(go_on());
        DEVRES_TRY(auto younger, devm_emplace<std::vector<int>>(dev, 4U));
        data->younger.emplace(younger);
        DEVRES_TRY(go_on());
        return data;
    }
};

int main() {
    for (driver::fails_at = 1; driver::fails_at != 8; ++driver::fails_at) {
        sim::bus bus;
        ring_at = {};
        auto& f = bus.add(card());
        const auto before = f.state();
        testing::interrupting platform{bus, [&](const testing::interrupt_point&) {
                                           if (!bus.in_handler(f)) {
                                               all_vectors(f);
                                               device_writes(f, ring_at);
                                           }
                                       }};
        {
            const auto bound = pci::bind<driver>(platform, f);
            MUST(bound.has_value() == (driver::fails_at == 7));
        }
        MUST(clean(bus));
        MUST(f.state() == before);
    }
    return 0;
}
