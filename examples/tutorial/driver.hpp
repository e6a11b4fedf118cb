// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include <devres/devres.hpp>

#include "engine.hpp"
#include "registers.hpp"

namespace kestrel {

/// What a user has open. It may outlive the device.
template <class Device>
class file {
public:
    explicit file(const devres::revocable<engine<Device>>& of) noexcept : engine_(of) {}

    /// @returns `enodev` once the driver is unbound; otherwise as `engine::checksum`
    [[nodiscard]] result<std::uint32_t> checksum(std::span<const std::byte> bytes,
                                                 std::chrono::milliseconds at_most = std::chrono::seconds(2)) const {
        if (const auto open = engine_.try_access())
            return open->checksum(bytes, at_most);
        return fail(errc::enodev);
    }

private:
    devres::revocable<engine<Device>> engine_;
};

/// The driver data.
template <class Device>
struct card {
    devres::managed_ref<engine<Device>> hardware;
    devres::revocable<engine<Device>> users;

    [[nodiscard]] file<Device> open() const noexcept { return file<Device>(users); }

    /// After a fault.
    result<> restart() noexcept {
        hardware->stop();
        return hardware->start();
    }
};

struct driver {
    static constexpr pci::device_id ids[] = {{.vendor = vendor, .device = device}};

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::dma_coherent = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler = devres::managed);

    template <class Device>
    static devres::probed<card<Device>> probe(Device& dev, const pci::device_id&) {
        using engine_type = engine<Device>;
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0, registers::size>(enabled, "kestrel"));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(enabled, ring_size));
        DEVRES_TRY(auto buffers, pci::dmam_alloc_coherent(enabled, ring_entries * buffer_size));
        DEVRES_TRY(auto granted,
                   pci::pcim_alloc_irq_vectors<vectors::count>(enabled, vectors::count, pci::irq_type::msix));

        DEVRES_TRY(auto hardware, devres::devm_emplace<engine_type>(dev, bar, ring, buffers));
        DEVRES_TRY(
            pci::devm_request_irq<&engine_type::on_done>(granted.template get<vectors::done>(), "kestrel", hardware));
        DEVRES_TRY(pci::devm_request_irq<&engine_type::on_fault>(granted.template get<vectors::fault>(),
                                                                 "kestrel-fault", hardware));
        DEVRES_TRY(devres::devm_start(dev, hardware));

        DEVRES_TRY(auto users, devres::devm_revocable(dev, hardware));
        return devres::devm_emplace<card<Device>>(dev, hardware, users);
    }

    template <class Device>
    static void remove(card<Device>& data) noexcept {
        data.hardware->close();
    }
};

}  // namespace kestrel
