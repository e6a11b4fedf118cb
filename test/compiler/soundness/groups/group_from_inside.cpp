// SPDX-License-Identifier: BSL-1.0
// VERDICT: E ebusy
// A member of an object releases the group that the object's own parts are in.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::coherent_of<Device> ring;
        devres::group transport{};
        explicit state(const pci::coherent_of<Device>& r) : ring(r) {}
        result<std::size_t> down() { return transport.release(); }
        ~state() { *static_cast<int*>(ring.data()) = 0; }
    };
    static inline result<std::size_t> answer{0U};
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        devres::group transport(dev);
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        transport.keep();
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, ring));
        data->transport = std::move(transport);
        answer = data->down();
        return data;
    }
};

int main() {
    MUST(clean_in_storm<driver>() == 0);
    MUST(driver::answer.error() == errc::ebusy);
    return 0;
}
