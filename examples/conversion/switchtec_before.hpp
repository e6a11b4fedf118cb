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
        pci::irq_handler(devres::driver_data, pci::bar<0>) = interrupts{});

    template <class P>
    struct state {
        pci::enabled_device<devres::managed_t, P, driver> device;
        pci::bar_mapping<devres::managed_t, P, driver> registers;
        pci::irq_allocation<interrupts, P, driver, 1> vectors;
        pci::irq_registration<interrupts, P, driver> handler;
        std::atomic<std::uint32_t> summary = 0;
        std::atomic<unsigned> events = 0;

        pci::irq_return on_event() noexcept {
            summary = registers.read32(0x00);
            ++events;
            return pci::irq_return::handled;
        }
    };

    template <class P>
    static devres::result<devres::managed_ref<state<P>>> probe(pci::device<P, driver>& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devres::devm_emplace<state<P>>(dev));
        DEVRES_TRY(data->device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(data->device));
        DEVRES_TRY(data->registers, pci::pcim_iomap_region<0>(data->device, "switchtec"));
        const auto types = pci::irq_type::msix | pci::irq_type::msi;
        DEVRES_TRY(data->vectors, pci::pci_alloc_irq_vectors<1>(data->device, 32, types));
        auto event = data->vectors.at(data->registers.read32(0x20));
        if (!event)
            return devres::fail(devres::errc::efault);
        DEVRES_TRY(data->handler, pci::request_irq<&state<P>::on_event>(*event, "switchtec", data));
        return data;
    }

    template <class P>
    static void remove(state<P>& data) noexcept {
        (void)pci::pci_clear_master(data.device);
        (void)pci::free_irq(std::move(data.handler));
        (void)pci::pci_free_irq_vectors(std::move(data.vectors));
    }
};

}  // namespace conversion::switchtec
