// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Queues are made anew while a handler that asks for them runs on another thread: nobody disables it meanwhile.
#include "support.hpp"

struct queue {
    std::vector<int> done = std::vector<int>(8, 1);
    ~queue() { std::fill(done.begin(), done.end(), -1); }
};
struct driver {
    struct state {
        managed_ptr<queue> rx;
        devres::group queues;
        std::atomic<bool> wrong = false;
        std::atomic<int> seen = 0;
        pci::irq_return on_irq() noexcept {
            if (const queue* const now = rx.get()) {
                for (const int each : now->done)
                    wrong = wrong || each != 1;
                ++seen;
            }
            return pci::irq_return::handled;
        }
        result<> reconfigure(auto& dev) {
            DEVRES_TRY(queues.release());
            devres::group building{dev};
            DEVRES_TRY(auto made, devm_emplace<queue>(dev));
            building.keep();
            rx = made;
            queues = std::move(building);
            return {};
        }
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "queues", data));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add({.msix_vectors = 1});
    auto bound = pci::bind<driver>(bus, function);
    MUST(bound);
    {
        std::jthread device([&](std::stop_token stop) {
            while (!stop.stop_requested())
                function.raise(0);
        });
        for (int i = 0; i != 300; ++i) {
            MUST(bound->state().reconfigure(bound->dev()));
            for (const int before = bound->state().seen; i % 16 == 0 && bound->state().seen == before;)
                std::this_thread::yield();
        }
    }
    MUST(!bound->state().wrong);
    MUST(bound->unbind());
    MUST(clean(bus));
    return 0;
}
