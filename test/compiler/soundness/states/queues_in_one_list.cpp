// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Several queues, each an object with DMA memory, a handler and a teardown command that the older admin queue carries out by
// its own memory and interrupt; suspended and woken, then unbound.
#include "support.hpp"

static sim::function* the_function = nullptr;
struct driver {
    template <class Device>
    struct admin {
        pci::coherent_of<Device> ring;
        std::atomic<int> completions = 0;
        pci::irq_return on_irq() noexcept { return ++completions, pci::irq_return::handled; }
        bool command() noexcept {
            const int before = completions;
            *static_cast<std::uint32_t*>(ring.data()) += 1;
            the_function->raise(0U);
            return completions == before + 1;
        }
        void start() noexcept {}
        void stop() noexcept { failed += !command(); }
    };
    template <class Device>
    struct queue {
        managed_ref<admin<Device>> by;
        pci::coherent_of<Device> ring;
        pci::irq_return on_irq() noexcept {
            return ++*static_cast<std::uint32_t*>(ring.data()), pci::irq_return::handled;
        }
        result<> start() noexcept { return by->command() ? result<>() : fail(errc::eio); }
        void stop() noexcept { failed += !by->command(); }
    };
    static inline int failed = 0;
    template <class Device>
    static probed<admin<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 4, 4, pci::irq_type::msix));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        DEVRES_TRY(auto data, devm_emplace<admin<Device>>(dev, ring));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "admin", data));
        DEVRES_TRY(devm_start(dev, data));
        for (unsigned i = 1; i != 4; ++i) {
            DEVRES_TRY(auto memory, pci::dmam_alloc_coherent(device, 4096));
            DEVRES_TRY(auto made, devm_emplace<queue<Device>>(dev, data, memory));
            DEVRES_TRY(pci::devm_request_irq(vectors[i], "queue", made));
            DEVRES_TRY(devm_start(dev, made));
        }
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    the_function = &f;
    auto bound = pci::bind<driver>(bus, f);
    MUST(bound);
    all_vectors(f);
    MUST(bound->suspend() && bound->resume());
    all_vectors(f);
    MUST(bound->unbind());
    MUST(driver::failed == 0);
    MUST(clean(bus));
    return 0;
}
