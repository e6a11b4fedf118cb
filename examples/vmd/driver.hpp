// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <devres/devres.hpp>

#include "child_bus.hpp"
#include "child_drivers.hpp"
#include "child_functions.hpp"
#include "child_interrupts.hpp"
#include "controller.hpp"
#include "discovery.hpp"
#include "registers.hpp"

/// A driver for Intel's Volume Management Device: an endpoint that hides other functions behind its BARs
/// and sends their interrupts as its own. It is written against the guards of devres and knows no platform;
/// what is behind it is a platform again (`child_bus`), on which it binds ordinary drivers.
///
/// # What has to outlive what
/// VMD is started with its children bound, and stopped with each of them unbound, which ends its handlers and
/// waits for them: stop() is the first thing of VMD's unbind, while its own handlers, DMA and BARs work. Then
/// devres ends VMD's handlers; then go the objects that they walk and the child bus, and last VMD's vectors,
/// its BARs and the enable.
///
/// Upstream has the children and the handlers in that order too, but cleans up the SRCU structures of the lists
/// itself, in remove(), while the handlers that walk them are managed and still there. Said as a table, that is
///
///     inline constexpr devres::resource<struct irq_lists_tag> irq_lists;
///     irq_lists = devres::unmanaged,
///     pci::irq_handler = devres::managed
///
/// and it does not compile: D002, see test/compiler/compile_fail/D002/vmd_upstream.cpp. Here the lists are a managed
/// object, and devm_request_irq would take nothing else. Errors in probe, of which upstream leaks the SRCU
/// structures that were set up so far, need no line of code here.
///
/// suspend() frees the handlers and not the vectors, as upstream does; resume() registers new ones. Their age
/// does not matter: handlers end before whatever they use.
namespace vmd {

/// The driver for a machine whose functions behind VMD have drivers among `ChildDrivers`. `Driver` is the
/// type it is bound as.
template <class Driver, class... ChildDrivers>
struct driver_for {
    static constexpr pci::device_id ids[] = {
        {.vendor = 0x8086, .device = 0x201d, .driver_data = feature::membar_shadow_vscap},
        {.vendor = 0x8086,
         .device = 0x28c0,
         .driver_data = feature::membar_shadow | feature::bus_restrictions | feature::can_bypass_remapping},
        {.vendor = 0x8086, .device = 0x467f, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0x4c3d, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0xa77f, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0x7d0b, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0xad0b, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0x9a0b, .driver_data = feature::client},
    };

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,  // the lists that the handlers walk are in it
        instance_id = devres::managed,
        domain_number = devres::managed,
        pci::enable = devres::managed,
        pci::bar<cfgbar> = devres::managed,
        pci::bar<membar1> = devres::managed,  // windows: VMD's handlers call those of children, which have BARs there
        pci::bar<membar2> = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler = devres::managed);

    /// Brings VMD up, and then the functions behind it. If a step fails, those before it are undone. That a child
    /// cannot be brought up is no failure of VMD's.
    /// @returns the state; `enomem` if CFGBAR holds less than a bus or memory is short, `enodev` without MSI-X
    /// or for bus numbers that are not known, `enospc` with too few vectors or too many VMDs, or the
    /// platform's error.
    template <class Device>
    static devres::probed<controller<Device, ChildDrivers...>> probe(Device& dev, const pci::device_id& id) {
        using state = controller<Device, ChildDrivers...>;
        const std::uint64_t features = id.driver_data;
        const devres::memory_hooks& memory = dev.resources().memory();

        DEVRES_TRY(auto instance, devres::devm_emplace<instance_number, instance_id>(dev));
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto cfg, pci::pcim_iomap_region<cfgbar>(enabled, "vmd"));
        if (cfg.size() < bus_ecam_size)
            return fail(errc::enomem);
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(auto window1, pci::pcim_iomap_region<membar1>(enabled, "vmd"));
        DEVRES_TRY(auto window2, pci::pcim_iomap_region<membar2>(enabled, "vmd"));
        DEVRES_TRY(const auto found, find_windows(dev, window1, window2, features));
        DEVRES_TRY(const auto first_bus, find_first_bus(dev, features));
        DEVRES_TRY(auto number, devres::devm_emplace<domain, vmd::domain_number>(dev));
        DEVRES_TRY(auto functions,
                   child_functions<Device>::scan(memory, cfg, number->value(), first_bus, found.windows));

        std::optional<pci::vectors_of<Device>> vectors;
        std::optional<devres::managed_ref<child_interrupts>> interrupts;
        if ((features & feature::can_bypass_remapping) == 0 || found.shifted) {
            const unsigned first_vector = (features & feature::offset_first_vector) != 0 ? 1 : 0;
            DEVRES_TRY(const unsigned table_size, msix_vec_count(dev));
            if (table_size <= first_vector)
                return fail(errc::enospc);
            DEVRES_TRY(auto granted,
                       pci::pcim_alloc_irq_vectors(enabled, first_vector + 1, table_size, pci::irq_type::msix));
            const unsigned count = granted.size();
            DEVRES_TRY(auto made, devres::devm_emplace<child_interrupts>(dev, memory, functions.irqs_wanted(count),
                                                                         count, first_vector));
            vectors.emplace(granted);
            interrupts.emplace(made);
        }

        DEVRES_TRY(auto bus, devres::devm_emplace<child_bus<Device>>(dev, enabled, cfg, window1, window2,
                                                                     std::move(functions), interrupts));
        DEVRES_TRY(auto data, devres::devm_emplace<state>(dev, dev, instance, number, bus, vectors));
        DEVRES_TRY(data->request_handlers());
        DEVRES_TRY(devres::devm_start(dev, data));
        return data;
    }

    /// Frees the handlers; the vectors stay.
    template <class State>
    static result<> suspend(State& data) noexcept {
        DEVRES_TRY(data.suspend_children());
        return data.free_handlers();
    }

    /// Restores what the platform does not know of, and the handlers. After an error, some are missing; VMD
    /// may be suspended and resumed again, or unbound.
    template <class State>
    static result<> resume(State& data) noexcept {
        DEVRES_TRY(data.restore());
        DEVRES_TRY(data.request_handlers());
        return data.resume_children();
    }
};

struct driver : driver_for<driver, nvme::driver, ethernet::driver> {};

}  // namespace vmd
