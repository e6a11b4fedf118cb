// SPDX-License-Identifier: BSL-1.0
// VERDICT: E einval
// Parts, vectors, objects and actions of one device are given to the calls of another, bound to the same driver.
#include "support.hpp"

struct queue {
    int n = 0;
    void start() noexcept {}
    void stop() noexcept {}
    pci::irq_return on_irq() noexcept { return ++n, pci::irq_return::handled; }
};
struct driver {
    using device = pci::device<sim::bus, driver>;
    struct kept {
        pci::enabled_of<device> enabled;
        pci::vectors_of<device> vectors;
        managed_ref<queue> object;
        action undo;
    };
    static inline std::optional<kept> first;
    static inline int answers = 0;
    static probed<queue> probe(device& dev, const pci::device_id&) {
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(enabled, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(auto undo, devm_add_action(dev, [](void*) {}, nullptr));
        if (!first) {
            first.emplace(kept{enabled, vectors, data, undo});
            return data;
        }
        const auto wrong = [](const auto& outcome) { answers += !outcome && outcome.error() == errc::einval; };
        wrong(devm_start(dev, first->object));
        wrong(devm_revocable(dev, first->object));
        wrong(devm_revocable(dev, first->vectors));
        wrong(devm_emplace<std::optional<managed_ref<queue>>>(dev, first->object));
        wrong(pci::dmam_map_single(enabled, first->object.member(&queue::n)));
        wrong(pci::devm_request_irq(vectors[0], "x", first->object));
        wrong(pci::devm_request_irq(first->vectors[0], "x", data));
        wrong(pci::request_irq(vectors[0], "x", first->object));
        wrong(devm_release_action(dev, first->undo));
        wrong(devm_remove_action(dev, first->undo));
        return first->object;  // and this
    }
};

int main() {
    sim::bus bus;
    auto one = pci::bind<driver>(bus, bus.add(card()));
    auto two = pci::bind<driver>(bus, bus.add(card()));
    MUST(one && !two && two.error() == errc::einval && driver::answers == 10);
    MUST(one->unbind());
    MUST(clean(bus));
    return 0;
}
