// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <utility>

#include <devres/devres.hpp>

/// The VMD driver, reduced to who frees what: a handler on every vector, each of which walks a list of child
/// interrupts; suspend() frees the handlers, but not the vectors, and resume() requests them again.
/// docs/conversion.md converts it; the other side of the conversion is in the file beside this one.
namespace conversion::vmd {

namespace pci = devres::pci;
using interrupts = devres::unmanaged_t;  // who frees the vectors, and the handlers on them

/// What the handlers walk, one for each vector: upstream a list of child interrupts under SRCU, here a count.
inline constexpr devres::resource<struct irq_lists_tag> irq_lists;
struct lists {
    static constexpr unsigned most = 33;
    std::array<std::atomic<unsigned>, most> delivered{};

    pci::irq_return on_irq(pci::vector_index vector) noexcept {
        ++delivered[vector.value()];
        return pci::irq_return::handled;
    }
};

struct driver {
    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        irq_lists = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::irq_vectors = interrupts{},
        pci::irq_handler = interrupts{});

    template <class Device>
    struct controller {
        devres::managed_ref<lists> irqs;
        pci::irq_allocation<interrupts, typename Device::platform_type, driver> vectors;
        std::array<pci::irq_registration<interrupts, typename Device::platform_type, driver>, lists::most> handlers{};
    };

    template <class Device>
    static devres::probed<controller<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY((pci::pcim_iomap_region<0, 0x100000>(device, "vmd")));
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix;
        DEVRES_TRY(auto vectors, pci::pci_alloc_irq_vectors(device, 1, lists::most, types));
        DEVRES_TRY(auto irqs, devres::devm_emplace<lists, irq_lists>(dev));
        DEVRES_TRY(auto data, devres::devm_emplace<controller<Device>>(dev, irqs, std::move(vectors)));
        DEVRES_TRY(resume(*data));
        return data;
    }

    static void remove(auto& data) noexcept {
        suspend(data);  // the handlers go first
        (void)pci::pci_free_irq_vectors(std::move(data.vectors));
    }

    template <class Device>
    static void suspend(controller<Device>& data) noexcept {
        for (auto& handler : data.handlers)
            (void)pci::free_irq(std::move(handler));
    }

    template <class Device>
    static devres::result<> resume(controller<Device>& data) noexcept {
        for (unsigned i = 0; i != data.vectors.size(); ++i) {
            DEVRES_TRY(data.handlers[i], pci::request_irq(data.vectors[i], "vmd", data.irqs));
        }
        return {};
    }
};

}  // namespace conversion::vmd
