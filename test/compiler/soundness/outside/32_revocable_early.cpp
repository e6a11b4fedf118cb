// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// Access is given where the state is made, before the ring that its users read; another thread reads throughout.
#include "support.hpp"

struct sensor_driver {
    template <class Device>
    struct sensor {
        std::optional<pci::coherent_of<Device>> ring{};
        revocable<sensor> file{};
        [[nodiscard]] int read() const { return *static_cast<volatile const int*>(ring->data()); }
    };
    template <class Device>
    static probed<sensor<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<sensor<Device>>(dev));
        DEVRES_TRY(data->file, devm_revocable(dev, data));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        data->ring.emplace(ring);
        return data;
    }
};

int main() {
    sim::bus bus;
    auto& function = bus.add({});
    for (int i = 0; i != 50; ++i) {
        auto bound = pci::bind<sensor_driver>(bus, function);
        MUST(bound);
        std::atomic<bool> started = false;
        std::thread user([file = bound->state().file, &started] {
            int sum = 0;
            while (const auto data = file.try_access()) {
                sum += data->read();
                started = true;
            }
            if (sum != 0)
                std::abort();
        });
        while (!started)
            std::this_thread::yield();
        const bool gone = bound->unbind().has_value();
        user.join();
        MUST(gone);
    }
    MUST(clean(bus));
    return 0;
}
