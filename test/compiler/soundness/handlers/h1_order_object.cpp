// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A handler uses an object that is made after it, and copes with its absence.
#include "support.hpp"

struct client {
    std::vector<int> queue = std::vector<int>(8);
};
struct driver {
    struct state {
        std::optional<managed_ref<client>> cl;
        pci::irq_return on_irq() noexcept {
            if (!cl)
                return pci::irq_return::none;
            return (*cl)->queue[0]++, pci::irq_return::handled;
        }
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, pci::irq_type::msix));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "adsp", data));
        DEVRES_TRY(auto cl, devm_emplace<client>(dev));
        data->cl.emplace(cl);
        return data;
    }
};

int main() { return clean_in_storm<driver>(); }
