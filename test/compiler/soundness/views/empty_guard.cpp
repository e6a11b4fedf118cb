// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// A guard has an empty state, and remove() uses one that was never filled. Instead: ask it, or make the state from it.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::bar_mapping<unmanaged_t, typename Device::platform_type, driver> extra{};
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id& id) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev));
        if (id.vendor == 0x8086) {
            DEVRES_TRY(data->extra, pci::pci_iomap_region<2>(device, "extra"));
        }
        return data;
    }
    static void remove(auto& data) noexcept {
#ifdef CORRECTED
        if (data.extra)
#endif
            data.extra.write32(0, 0);
    }
};

int main() { return clean_in_storm<driver>(); }
