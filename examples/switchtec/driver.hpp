// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include <devres/devres.hpp>

#include "device_number.hpp"
#include "endpoint.hpp"
#include "file.hpp"

/// A driver for Microchip Switchtec management endpoints: firmware commands (MRPC) that complete by interrupt,
/// event interrupts with counters, link changes, and files that outlive the device. It is written against the
/// guards of devres and knows no platform.
///
/// Here is the driver proper: its ownership table, probe and remove. What it drives is in the headers beside it,
/// which are plain C++: `endpoint`, the device as its users and interrupts see it; `file`, a user's handle;
/// `device_number`, a resource that devres knows nothing of.
///
/// # Threads
/// Interrupt handlers run on any thread, also on one that is just accessing a register of this device. So the
/// driver has one lock, `endpoint::lock_`, and never holds it across a register access. What must not be done
/// twice at a time (acknowledging events, feeding the command registers) is a pass of work, made by the first
/// thread that asks for one; a thread that finds a pass under way leaves a mark, upon which it is made again
/// (class `single_worker`). A handler never waits.
///
/// # What cannot go wrong here, though it can upstream
/// * There, the handlers are managed and the driver data is not: remove() and every late error path free the
///   data while the handlers can still be called with it. Here the table says `irq_handler(driver_data) =
///   managed`, which needs driver_data to be managed as well (D002), and `devm_request_irq` takes a
///   `managed_ref`, which only `devm_emplace` makes: the data goes last. README.md has
///   upstream's table, and what the compiler says to it.
/// * There, the driver holds a reference to the PCI device that every failed probe leaks. Here it needs none:
///   the device outlives all that is acquired from it, and files hold a `revocable` instead.
/// * There, work that a handler scheduled can run when the data is gone. Here work is done in handlers, which
///   devres waits for, and in accesses of files, which it waits for as well.
namespace switchtec {

/// The module parameters.
struct parameters {
    unsigned nirqs = 32;              ///< how many vectors to ask for at most; at least 4
    bool use_dma_mrpc = true;         ///< where the firmware can
    unsigned mrpc_timeout_ms = 500;   ///< how long a command may take, unless its user says otherwise
};

/// The resource of `device_number` in the ownership table.
inline constexpr devres::resource<struct minor_number_tag> minor_number;

/// The driver data: an endpoint, and what it stands on.
template <class P, class Driver>
class device_state final : public endpoint {
    friend Driver;
    template <parameters>
    friend struct configured_driver;

public:
    /// For opening files. It may be copied and kept.
    [[nodiscard]] const node& device_node() const noexcept { return *node_; }
    /// Opens a file: the device's node is there once probe has succeeded.
    [[nodiscard]] result<file> open() const noexcept {
        auto opened = file::open(*node_);
        if (opened)
            opened->set_timeout(timeout_);
        return opened;
    }
    [[nodiscard]] unsigned minor_number() const noexcept { return minor_.number(); }

private:
    [[nodiscard]] std::uint32_t read32(std::size_t offset) const noexcept override { return registers_->read32(offset); }
    void write32(std::size_t offset, std::uint32_t value) const noexcept override {
        registers_->write32(offset, value);
    }

    // Views: devres owns what they show, and frees it before this object.
    std::optional<pci::enabled_device<devres::managed_t, P, Driver>> enabled_;
    std::optional<pci::bar_mapping<devres::managed_t, P, Driver>> registers_;
    std::optional<node> node_;
    file::milliseconds timeout_{};
    device_number minor_;  // ours, freed in remove()
};

/// The driver with other module parameters than the usual.
template <parameters Module>
struct configured_driver {
    /// Switchtec functions: management endpoints (memory controllers) and those with a bridge (NTB) beside it.
    static constexpr auto ids = [] {
        constexpr std::uint16_t models[] = {
            0x8531, 0x8532, 0x8533, 0x8534, 0x8535, 0x8536, 0x8541, 0x8542, 0x8543, 0x8544, 0x8545, 0x8546,  // gen3
            0x8551, 0x8552, 0x8553, 0x8554, 0x8555, 0x8556, 0x8561, 0x8562, 0x8563, 0x8564, 0x8565, 0x8566,
            0x8571, 0x8572, 0x8573, 0x8574, 0x8575, 0x8576,
            0x4000, 0x4084, 0x4068, 0x4052, 0x4036, 0x4028, 0x4100, 0x4184, 0x4168, 0x4152, 0x4136, 0x4128,  // gen4
            0x5000, 0x5084, 0x5068, 0x5052, 0x5036, 0x5028, 0x5100, 0x5184, 0x5168, 0x5152, 0x5136, 0x5128,  // gen5
        };
        std::array<pci::device_id, 2 * std::size(models)> all{};
        std::size_t n = 0;
        for (const std::uint16_t model : models) {
            for (const std::uint32_t class_code : {0x058000U, 0x068000U})
                all[n++] = {.vendor = 0x11f8, .device = model, .class_code = class_code, .class_mask = 0xffff00};
        }
        return all;
    }();

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::dma_coherent = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler(devres::driver_data, pci::bar<0>, pci::dma_coherent) = devres::managed,
        minor_number = devres::unmanaged);

    /// Brings a device up. If a step fails, those before it are undone, newest first: what devres owns by the
    /// list, the minor number by its guard.
    /// @returns the state; `enospc` if there is no minor number or no vector, `eopnotsupp` for a generation that
    /// is not known, `efault` if the device wants to interrupt with a vector it was not given, `ebusy` if BAR 0
    /// is taken, `enomem`, `enodev` if the device goes meanwhile.
    template <class P, class Driver>
    static result<devres::managed_ref<device_state<P, Driver>>> probe(pci::device<P, Driver>& dev,
                                                                      const pci::device_id&) {
        using state = device_state<P, Driver>;
        DEVRES_TRY(auto data, devres::devm_emplace<state>(dev));  // first, so that it goes last
        DEVRES_TRY(auto number, device_number::take());

        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        data->enabled_ = enabled;
        DEVRES_TRY(data->registers_, pci::pcim_iomap_region<0>(enabled, "switchtec"));
        if (data->registers_->size() < gas::size)
            return fail(errc::enodev);
        DEVRES_TRY(data->identify());

        if (Module.use_dma_mrpc && data->offers_dma_mrpc()) {
            DEVRES_TRY(auto memory, pci::dmam_alloc_coherent(enabled, sizeof(gas::mrpc::dma_output)));
            data->dma_ = static_cast<gas::mrpc::dma_output*>(memory.data());
            data->dma_address_ = memory.address();
        }

        // More than are used here: the spare ones are for the NTB client of the same function.
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(
            enabled, std::max(Module.nirqs, 4U),
            pci::irq_type::msix | pci::irq_type::msi | pci::irq_type::virtual_entries));
        data->info_.vectors = vectors.size();
        data->info_.event_vector = data->event_vector();
        auto event_vector = vectors.at(data->info_.event_vector);
        if (!event_vector)
            return fail(errc::efault);
        DEVRES_TRY(pci::devm_request_irq<&endpoint::on_event>(*event_vector, "switchtec", data));
        if (data->dma_ != nullptr) {
            data->info_.dma_vector = data->read32(gas::mrpc::dma_vector);
            auto dma_vector = vectors.at(*data->info_.dma_vector);
            if (!dma_vector)
                return fail(errc::efault);
            DEVRES_TRY(pci::devm_request_irq<&endpoint::on_dma_mrpc>(*dma_vector, "switchtec-dma", data));
        }

        // The last record, so that the first thing devres does is to wait for the files' open accesses.
        DEVRES_TRY(data->node_, devres::devm_revocable(dev, devres::managed_ref<endpoint>(data)));
        data->timeout_ = file::milliseconds(Module.mrpc_timeout_ms);
        data->minor_ = std::move(number);
        data->start();
        return data;
    }

    /// Turns the users away, so that devres need not wait for them, quiets the device, and frees what is the
    /// driver's own.
    template <class P, class Driver>
    static void remove(device_state<P, Driver>& data) noexcept {
        data.stop();
        (void)pci::pci_clear_master(*data.enabled_);
        data.minor_ = {};
    }
};

struct driver : configured_driver<parameters{}> {};

}  // namespace switchtec
