// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enoent
// Views and names that outlive the group that had what they are of.
#include "support.hpp"

struct queue {
    int n = 0;
    void start() noexcept {}
    void stop() noexcept {}
    pci::irq_return on_irq() noexcept { return ++n, pci::irq_return::handled; }
};
struct driver {
    static inline int answers = 0;
    static result<> probe(auto& dev, const pci::device_id&) {
        devres::group all(dev);
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(enabled, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(auto handler, pci::devm_request_irq(vectors[0], "x", data));
        DEVRES_TRY(auto undo, devm_add_action(dev, [](void*) {}, nullptr));
        DEVRES_TRY(all.release());
        const auto wrong = [](const auto& outcome) { answers += !outcome && outcome.error() == errc::enoent; };
        wrong(pci::pci_set_master(enabled));
        wrong(pci::pcim_iomap_region<0>(enabled, "x"));
        wrong(pci::dmam_alloc_coherent(enabled, 4096));
        wrong(pci::pcim_alloc_irq_vectors(enabled, 1, 1, pci::irq_type::msix));
        wrong(pci::devm_request_irq(vectors[0], "x", data));
        wrong(devm_start(dev, data));
        wrong(devm_revocable(dev, data));
        wrong(devm_revocable(dev, vectors));
        wrong(pci::disable_irq(handler));
        wrong(pci::synchronize_irq(handler));
        wrong(pci::devm_free_irq(std::move(handler)));
        wrong(devm_remove_action(dev, undo));
        return {};
    }
};

int main() {
    sim::bus bus;
    MUST(plain<driver>(bus));
    MUST(driver::answers == 12);
    MUST(clean(bus));
    return 0;
}
