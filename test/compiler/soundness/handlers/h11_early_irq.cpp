// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A handler is requested before a plain pointer that it uses is set. Instead: complete when made, as h11_early_irq_const.
#include "support.hpp"

struct trigger_ops {
    int (*reenable)(int) = nullptr;
};
inline int reenable(int n) { return n + 1; }
inline constexpr trigger_ops ops{&reenable};
struct driver {
    struct state {
        const trigger_ops* trigger = nullptr;
        int n = 0;
        pci::irq_return on_irq() noexcept { return n = trigger->reenable(n), pci::irq_return::handled; }
    };
    static probed<state> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(device, 4, pci::irq_type::msix));
        DEVRES_TRY(pci::pci_set_master(device));
#ifndef CORRECTED
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "adis", data));
        data->trigger = &ops;
#else
        DEVRES_TRY(auto data, devm_emplace<state>(dev, &ops));
        DEVRES_TRY(pci::devm_request_irq(vectors.template get<0>(), "adis", data));
#endif
        return data;
    }
};

int main() { return clean_in_storm<driver>(); }
