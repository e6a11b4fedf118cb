// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include <devres/devres.hpp>

/// The switchtec driver, reduced to who frees what: an event handler, on the vector that the device names, that reads
/// registers. docs/conversion.md converts it; the other side of the conversion is in the file beside this one.
namespace conversion::switchtec {

namespace pci = devres::pci;
using interrupts = devres::unmanaged_t;  // who frees the vectors, and the handlers on them

struct driver {
    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::irq_vectors = interrupts{},
        pci::irq_handler = interrupts{});

    template <class Device>
    struct state {
        pci::enabled_of<Device> device;
        pci::bar_of<Device> registers;
        pci::irq_allocation<interrupts, typename Device::platform_type, driver, 1> vectors;
        pci::irq_registration<interrupts, typename Device::platform_type, driver> handler{};
        std::atomic<std::uint32_t> summary = 0;
        std::atomic<unsigned> events = 0;

        pci::irq_return on_irq() noexcept {
            summary = registers.read32(0x00);
            ++events;
            return pci::irq_return::handled;
        }
    };

    template <class Device>
    static devres::probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "switchtec"));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
        DEVRES_TRY(auto vectors, pci::pci_alloc_irq_vectors<1>(device, 32, types));
        DEVRES_TRY(auto data, devres::devm_emplace<state<Device>>(dev, device, registers, std::move(vectors)));
        auto event = data->vectors.at(registers.read32(0x20));
        if (!event)
            return devres::fail(devres::errc::efault);
        DEVRES_TRY(data->handler, pci::request_irq(*event, "switchtec", data));
        return data;
    }

    template <class Device>
    static void remove(state<Device>& data) noexcept {
        (void)pci::pci_clear_master(data.device);
        (void)pci::free_irq(std::move(data.handler));
        (void)pci::pci_free_irq_vectors(std::move(data.vectors));
    }
};

}  // namespace conversion::switchtec
