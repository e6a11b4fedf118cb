// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enoent
// init() of an object releases the group that one of its parts is in.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::coherent_of<Device> ring;
        devres::group& building;
        result<> init() noexcept {
            (void)building.release();
            return {};
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        devres::group building(dev);
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        return devm_emplace<state<Device>>(dev, ring, building);
    }
};

int main() {
    sim::bus bus;
    MUST(plain<driver>(bus).error() == errc::enoent);
    MUST(clean(bus));
    return 0;
}
