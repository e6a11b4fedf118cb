// SPDX-License-Identifier: BSL-1.0
// VERDICT: V acquired_inside_handler
// A handler acquires, releases a group, releases an action and asks for the unbind: each is refused, and nothing waits.
#include "support.hpp"

struct driver {
    using device = pci::device<sim::bus, driver>;
    struct state {
        device& dev;
        pci::enabled_of<device> enabled;
        devres::group g{};
        action undo{};
        int refused = 0;
        static inline std::function<result<>()> unbind;
        state(device& of, const pci::enabled_of<device>& e) : dev(of), enabled(e) {}
        pci::irq_return on_irq() noexcept {
            const auto wrong = [&](const auto& outcome) { refused += !outcome && outcome.error() == errc::edeadlk; };
            wrong(pci::pcim_iomap_region<0>(enabled, "x"));
            wrong(pci::dmam_alloc_coherent(enabled, 64));
            wrong(devm_emplace<int>(dev, 1));
            wrong(devm_add_action(dev, [](void*) {}, nullptr));
            wrong(devm_release_action(dev, undo));
            wrong(g.release());
            wrong(unbind());
            return pci::irq_return::handled;
        }
    };
    static probed<state> probe(device& dev, const pci::device_id&) {
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(enabled, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state>(dev, dev, enabled));
        devres::group g(dev);
        DEVRES_TRY(data->undo, devm_add_action(dev, [](void*) {}, nullptr));
        g.keep();
        data->g = std::move(g);
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& f = bus.add(card());
    auto bound = pci::bind<driver>(bus, f);
    MUST(bound);
    driver::state::unbind = [&] { return bound->unbind(); };
    f.raise(0U);
    MUST(bound->state().refused == 7);
    MUST(bound->unbind());
    driver::state::unbind = nullptr;
    MUST(violated(bus, sim::violation_kind::acquired_inside_handler));
    return 0;
}
