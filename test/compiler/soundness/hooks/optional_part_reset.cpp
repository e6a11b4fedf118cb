// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A handler's context is a part of a managed object that is itself in an optional, which remove() empties. Instead: leave it.
#include "support.hpp"

struct channel {
    std::vector<int> done{0};
    pci::irq_return on_irq() noexcept { return ++done[0], pci::irq_return::handled; }
};
struct driver {
    struct state {
        std::optional<channel> ch;
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state>(dev, channel{}));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data.part(*data->ch)));
        return data;
    }
#ifndef CORRECTED
    static void remove(state& data) noexcept { data.ch.reset(); }
#endif
};

int main() { return clean_in_storm<driver>(); }
