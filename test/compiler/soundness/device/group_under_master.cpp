// SPDX-License-Identifier: BSL-1.0
// VERDICT: V dma_fault
// A group releases memory that the device still writes to: in a group it is the driver's stop() that quiesces the device.
#include "support.hpp"

static pci::bus_address ring_at{};
struct driver {
    static inline bool stops = false;
    template <class Device>
    struct queue {
        pci::coherent_of<Device> ring;
        void start() noexcept { ring_at = ring.address(); }
        void stop() noexcept {
            if (stops)
                ring_at = {};
        }
    };
    template <class Device>
    static result<> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        devres::group queues(dev);
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        DEVRES_TRY(auto data, devm_emplace<queue<Device>>(dev, ring));
        DEVRES_TRY(devm_start(dev, data));
        DEVRES_TRY(queues.release());
        return {};
    }
};

int main() {
    const auto writes = [](sim::function& f) { device_writes(f, ring_at); };
    sim::bus quiesced, not_quiesced;
    driver::stops = true;
    MUST(stormy<driver>(quiesced, writes));
    MUST(clean(quiesced));
    driver::stops = false;
    MUST(stormy<driver>(not_quiesced, writes));
    MUST(violated(not_quiesced, sim::violation_kind::dma_fault));
    return 0;
}
