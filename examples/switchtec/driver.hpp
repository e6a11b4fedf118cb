// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include <devres/devres.hpp>

#include "device_number.hpp"
#include "endpoint.hpp"
#include "file.hpp"
#include "partition.hpp"

/// A driver for Microchip Switchtec management endpoints: firmware commands (MRPC) that complete by interrupt,
/// event interrupts with counters, link changes, and files that outlive the device. It is written against the
/// guards of devres and knows no platform.
///
/// Here is the driver proper: its ownership table, probe and remove. What it drives is in the headers beside it, which
/// are plain C++: `partition`, what there is to be found out before; `endpoint`, the device as its users and interrupts
/// see it; `file`, a user's handle; `device_number`, a resource that devres knows nothing of.
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
///   data while the handlers can still be called with it. Here a managed handler is taken to use all that the table
///   names, so what is not managed has to be named as what it keeps off (D002), and `devm_request_irq` takes a
///   `managed_ref`, which only `devm_emplace` makes. README.md has upstream's table, and what the compiler says to it.
/// * There, the driver holds a reference to the PCI device that every failed probe leaks. Here it needs none:
///   the device outlives all that is acquired from it, and files hold a `revocable` instead.
/// * There, work that a handler scheduled can run when the data is gone. Here work is done in handlers, which
///   devres waits for, and in accesses of files, which it waits for as well.
namespace switchtec {

/// The module parameters.
struct parameters {
    unsigned nirqs = 32;             ///< how many vectors to ask for at most; at least 4
    bool use_dma_mrpc = true;        ///< where the firmware can
    unsigned mrpc_timeout_ms = 500;  ///< how long a command may take, unless its user says otherwise
};

/// The resource of `device_number` in the ownership table.
inline constexpr devres::resource<struct minor_number_tag> minor_number;

template <class Device>
using endpoint_of = endpoint<pci::bar_of<Device>, pci::coherent_of<Device>>;

/// The driver data: how users come to the endpoint, and the device's number. Its functions are for the device's thread.
template <class Device>
class device_state {
public:
    device_state(const devres::managed_ref<endpoint_of<Device>>& device, const node<endpoint_of<Device>>& access,
                 device_number number, std::chrono::milliseconds timeout) noexcept
        : device_(device), node_(access), minor_(std::move(number)), timeout_(timeout) {}

    [[nodiscard]] const partition_info& info() const noexcept { return device_->info(); }
    /// For opening files. It may be copied and kept.
    [[nodiscard]] const node<endpoint_of<Device>>& device_node() const noexcept { return node_; }
    /// Opens a file.
    [[nodiscard]] result<file<endpoint_of<Device>>> open() const noexcept {
        auto opened = switchtec::open(node_);
        if (opened)
            opened->set_timeout(timeout_);
        return opened;
    }
    [[nodiscard]] unsigned minor_number() const noexcept { return minor_.number(); }

    /// Turns the users away, those who wait included, and gives the number back.
    void close() noexcept {
        device_->close();
        minor_ = {};
    }

private:
    devres::managed_ref<endpoint_of<Device>> device_;
    node<endpoint_of<Device>> node_;
    device_number minor_;  // the driver's
    std::chrono::milliseconds timeout_;
};

/// The driver with other module parameters than the usual.
template <parameters Module>
struct configured_driver {
    /// Switchtec functions: management endpoints (memory controllers) and those with a bridge (NTB) beside it.
    static constexpr auto ids = [] {
        constexpr std::uint16_t models[] = {
            0x8531, 0x8532, 0x8533, 0x8534, 0x8535, 0x8536, 0x8541, 0x8542, 0x8543, 0x8544, 0x8545, 0x8546,  // gen3
            0x8551, 0x8552, 0x8553, 0x8554, 0x8555, 0x8556, 0x8561, 0x8562, 0x8563, 0x8564, 0x8565, 0x8566,
            0x8571, 0x8572, 0x8573, 0x8574, 0x8575, 0x8576, 0x4000, 0x4084, 0x4068, 0x4052, 0x4036, 0x4028,
            0x4100, 0x4184, 0x4168, 0x4152, 0x4136, 0x4128,                                                  // gen4
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
        pci::irq_handler.without(minor_number) = devres::managed,
        minor_number = devres::unmanaged);

    /// Brings a device up: the endpoint with its handlers and its start, then users' access to it and the driver data.
    /// If a step fails, those before it are undone: what devres owns by the list, the minor number by its guard.
    /// @returns the state; `enospc` if there is no minor number or no vector, `eopnotsupp` for a generation that is not
    /// known, `efault` if the device wants to interrupt with a vector it was not given, `ebusy` if BAR 0 is taken,
    /// `enomem`, `enodev` if the device goes meanwhile.
    template <class Device>
    static devres::probed<device_state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto number, device_number::take());
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0, gas::size>(enabled, "switchtec"));
        DEVRES_TRY(auto info, identify(registers));
        std::optional<pci::coherent_of<Device>> answers;
        if (Module.use_dma_mrpc && offers_dma_mrpc(registers)) {
            DEVRES_TRY(auto memory, pci::dmam_alloc_coherent(enabled, sizeof(gas::mrpc::dma_output)));
            answers.emplace(memory);
            info.dma_vector = registers.read32(gas::mrpc::dma_vector);
        }
        // More than are used here: the spare ones are for the NTB client of the same function.
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(enabled, std::max(Module.nirqs, 4U),
                                                                pci::irq_type::msix | pci::irq_type::msi |
                                                                    pci::irq_type::virtual_entries));
        info.vectors = vectors.size();
        if (info.event_vector >= info.vectors || info.dma_vector.value_or(0) >= info.vectors)
            return fail(errc::efault);

        DEVRES_TRY(auto device, devres::devm_emplace<endpoint_of<Device>>(dev, registers, info, answers));
        DEVRES_TRY(pci::devm_request_irq(vectors[info.event_vector], "switchtec", device));
        if (info.dma_vector) {
            DEVRES_TRY(pci::devm_request_irq<[](auto& e) { return e.on_dma_mrpc(); }>(vectors[*info.dma_vector],
                                                                                      "switchtec-dma", device));
        }
        DEVRES_TRY(devres::devm_start(dev, device));

        DEVRES_TRY(auto access, devres::devm_revocable(dev, device));
        return devres::devm_emplace<device_state<Device>>(dev, device, access, std::move(number),
                                                          std::chrono::milliseconds(Module.mrpc_timeout_ms));
    }

    /// Turns the users away, so that devres need not wait for them, and frees what is the driver's own. devres has the
    /// endpoint stopped.
    template <class Device>
    static void remove(device_state<Device>& data) noexcept {
        data.close();
    }
};

struct driver : configured_driver<parameters{}> {};

}  // namespace switchtec
