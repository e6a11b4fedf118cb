// SPDX-License-Identifier: BSL-1.0
// VERDICT: E enoent
// A copy of the enabled view outlives its group; bus mastering would be switched on with nobody to switch it off.
#include "support.hpp"

struct nic_driver {
    template <class Device>
    struct nic {
        Device& dev;
        std::optional<pci::enabled_of<Device>> device{};
        devres::group power{};
        explicit nic(Device& of) : dev(of) {}
        result<> on() {
            devres::group up(dev);
            DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
            device.emplace(enabled);
            up.keep();
            power = std::move(up);
            return {};
        }
    };
    template <class Device>
    static probed<nic<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<nic<Device>>(dev, dev));
        DEVRES_TRY(data->on());
        DEVRES_TRY(data->power.release());  // off until it is opened
        return data;
    }
    static result<> resume(auto& data) noexcept { return pci::pci_set_master(*data.device); }
};

int main() {
    sim::bus bus;
    auto& function = bus.add(card());
    const auto before = function.state();
    auto bound = pci::bind<nic_driver>(bus, function);
    MUST(bound && bound->suspend());
    MUST(bound->resume().error() == errc::enoent);
    MUST(bound->unbind());
    MUST(clean(bus));
    MUST(function.state() == before);
    return 0;
}
