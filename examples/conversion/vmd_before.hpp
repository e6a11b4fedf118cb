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
        pci::irq_handler(irq_lists) = interrupts{});

    template <class P>
    struct controller {
        devres::managed_ref<lists> irqs;
        pci::irq_allocation<interrupts, P, driver> vectors{};
        std::array<pci::irq_registration<interrupts, P, driver>, lists::most> handlers{};

        explicit controller(devres::managed_ref<lists> made) noexcept : irqs(made) {}
    };

    template <class P>
    static devres::result<devres::managed_ref<controller<P>>> probe(pci::device<P, driver>& dev,
                                                                    const pci::device_id&) {
        DEVRES_TRY(auto irqs, devres::devm_emplace<lists>(dev));
        DEVRES_TRY(auto data, devres::devm_emplace<controller<P>>(dev, irqs));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto cfg, pci::pcim_iomap_region<0>(device, "vmd"));
        if (cfg.size() < 0x100000)
            return devres::fail(devres::errc::enomem);
        DEVRES_TRY(pci::pci_set_master(device));
        const auto types = pci::irq_type::msix;
        DEVRES_TRY(data->vectors, pci::pci_alloc_irq_vectors(device, 1, lists::most, types));
        for (unsigned i = 0; i != data->vectors.size(); ++i) {
            DEVRES_TRY(data->handlers[i], pci::request_irq<&lists::on_irq>(data->vectors[i], "vmd", irqs));
        }
        return data;
    }

    static void remove(auto& data) noexcept {
        suspend(data);  // the handlers go first
        (void)pci::pci_free_irq_vectors(std::move(data.vectors));
    }

    template <class P>
    static void suspend(controller<P>& data) noexcept {
        for (auto& handler : data.handlers)
            (void)pci::free_irq(std::move(handler));
    }

    template <class P>
    static devres::result<> resume(controller<P>& data) noexcept {
        for (unsigned i = 0; i != data.vectors.size(); ++i) {
            DEVRES_TRY(data.handlers[i], pci::request_irq<&lists::on_irq>(data.vectors[i], "vmd", data.irqs));
        }
        return {};
    }
};

}  // namespace conversion::vmd
