// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A constructor starts the device, before its handler is there: the vector holds what comes, and the unbind is clean.
#include "support.hpp"

static sim::function* the_function = nullptr;
struct driver {
    template <class Device>
    struct engine {
        pci::bar_of<Device> registers;
        std::atomic<int> done = 0;
        explicit engine(const pci::bar_of<Device>& bar) : registers(bar) {
            registers.write32(0, 1);
            the_function->raise(0U);
        }
        pci::irq_return on_irq() noexcept { return ++done, pci::irq_return::handled; }
    };
    static inline int early = 0;
    template <class Device>
    static probed<engine<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "engine"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<engine<Device>>(dev, registers));
        early = data->done;
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "engine", data));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    the_function = &f;
    auto bound = pci::bind<driver>(bus, f);
    MUST(bound && driver::early == 0 && bound->state().done == 1);
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
