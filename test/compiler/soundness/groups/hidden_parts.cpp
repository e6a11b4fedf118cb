// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// What an object is built on hides in a struct, so that a group that releases it is not refused. Instead: hand over the parts
// one by one, and the group's release is ebusy.
#include "support.hpp"

struct driver {
    template <class Device>
    struct parts {
        pci::coherent_of<Device> ring;
        pci::bar_of<Device> registers;
    };
    template <class Device>
    struct state {
        parts<Device> with;
        explicit state(const parts<Device>& of) : with(of) {}
        state(const pci::coherent_of<Device>& ring, const pci::bar_of<Device>& registers) : with{ring, registers} {}
        ~state() { *static_cast<int*>(with.ring.data()) = 0; }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        devres::group transport(dev);
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "x"));
        transport.keep();
#ifndef CORRECTED
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, parts<Device>{ring, registers}));
        DEVRES_TRY(transport.release());
#else
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, ring, registers));
        if (transport.release() || transport.release().error() != errc::ebusy)
            return fail(errc::eio);
#endif
        return data;
    }
};

int main() { return clean_in_storm<driver>(); }
