// SPDX-License-Identifier: BSL-1.0
// VERDICT: V dma_not_synced
// A command is changed while it is mapped, and not handed over: the device reads the old one, where it does not see the cache.
#include "support.hpp"

struct driver {
    static result<> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto command, devm_emplace<std::uint32_t>(dev, 1U));
        DEVRES_TRY(auto mapped, pci::dmam_map_single(device, command, 4, pci::dma_direction::to_device));
        *command = 2;
        std::uint32_t read = 0;
        return dev.function().dma_read(mapped.address(), &read, 4) && read == 1 ? result<>() : fail(errc::eio);
    }
};

int main() {
    sim::bus bus;
    bus.set_coherent(false);
    MUST(plain<driver>(bus));
    MUST(violated(bus, sim::violation_kind::dma_not_synced));
    return 0;
}
