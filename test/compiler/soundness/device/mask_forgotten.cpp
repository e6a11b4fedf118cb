// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enomem
// A driver sets no DMA mask, on a machine whose addresses are all above 4 GiB.
#include "support.hpp"

struct driver {
    static inline errc answer{};
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        const auto ring = pci::dmam_alloc_coherent(device, 4096);
        answer = ring ? errc{} : ring.error();
        return {};
    }
};

int main() {
    sim::bus bus;
    bus.set_dma_base(pci::bus_address{0x1'0000'0000});
    MUST(plain<driver>(bus));
    MUST(driver::answer == errc::enomem);
    MUST(clean(bus));
    return 0;
}
