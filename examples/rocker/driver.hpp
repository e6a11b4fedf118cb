// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include <devres/devres.hpp>

#include "registers.hpp"
#include "test_vector.hpp"
#include "unit.hpp"

/// A driver for the test interface of QEMU's rocker switch, complete and as small as one can be that uses all there
/// is: every MSI-X vector with a handler and a context of its own, and DMA in memory of the driver's.
namespace rocker {

namespace pci = devres::pci;
using devres::errc;
using devres::fail;
using devres::result;

/// The memory that the device works on: pages of its own, as an IOMMU maps pages.
struct alignas(4096) test_buffer {
    std::array<std::byte, 2 * 4096> bytes;
};

/// The driver data. One thread at a time uses it; the handlers are its parts'.
template <class Device>
class device_state final : public unit {
public:
    device_state(const pci::bar_of<Device>& registers, const devres::managed_ref<test_buffer>& buffer,
                 const pci::mapping_of<Device>& mapping,
                 const pci::vectors_of<Device, vectors::of_device>& granted) noexcept
        : registers_(registers), buffer_(buffer), mapping_(mapping), granted_(granted) {}

    /// The device begins from where nothing has been asked of it, and forgets the buffer in the end.
    void start() const noexcept { registers_.write32(registers::control, registers::reset); }
    void stop() const noexcept { registers_.write32(registers::control, registers::reset); }

    [[nodiscard]] unsigned vectors() const noexcept override { return granted_.size(); }
    [[nodiscard]] test_vector& vector(unsigned index) noexcept override { return counters_[index]; }
    [[nodiscard]] std::span<std::byte> buffer() const noexcept override { return buffer_->bytes; }

    [[nodiscard]] std::uint32_t doubled(std::uint32_t value) const noexcept override {
        registers_.write32(registers::test, value);
        return registers_.read32(registers::test);
    }
    [[nodiscard]] std::uint64_t doubled64(std::uint64_t value) const noexcept override {
        write64(registers::test64, value);
        return registers_.read32(registers::test64) | std::uint64_t{registers_.read32(registers::test64 + 4)} << 32U;
    }

    result<> raise(unsigned index) noexcept override {
        if (index >= vectors())
            return fail(errc::einval);
        return wait_for(index, [&] { registers_.write32(registers::test_irq, index); });
    }

    result<> transfer(dma_operation what, std::size_t size) noexcept override {
        if (size > buffer_->bytes.size())
            return fail(errc::einval);
        write64(registers::dma_address, static_cast<std::uint64_t>(mapping_.address()));
        registers_.write32(registers::dma_size, static_cast<std::uint32_t>(size));
        return wait_for(vectors::test,
                        [&] { registers_.write32(registers::dma_control, static_cast<std::uint32_t>(what)); });
    }

private:
    void write64(std::size_t offset, std::uint64_t value) const noexcept {
        registers_.write32(offset, static_cast<std::uint32_t>(value));
        registers_.write32(offset + 4, static_cast<std::uint32_t>(value >> 32U));
    }

    template <class Start>
    result<> wait_for(unsigned index, Start start) noexcept {
        constexpr std::chrono::milliseconds long_enough(2000);
        constexpr std::chrono::milliseconds a_look(20);
        test_vector& vector = counters_[index];
        const std::uint64_t before = vector.received();
        start();
        for (auto waited = std::chrono::milliseconds(0); waited < long_enough; waited += a_look) {
            if (vector.wait_beyond(before, a_look))
                return {};
            if (registers_.read32(registers::test) == registers::all_ones)  // which is no even number
                return fail(errc::enodev);
        }
        return fail(errc::etimedout);
    }

    pci::bar_of<Device> registers_;
    devres::managed_ref<test_buffer> buffer_;
    pci::mapping_of<Device> mapping_;
    pci::vectors_of<Device, vectors::of_device> granted_;
    test_vectors counters_ = one_for_each_vector();
};

struct driver {
    static constexpr pci::device_id ids[] = {{.vendor = vendor, .device = device}};

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::dma_streaming = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler = devres::managed);

    /// Brings the device up, as the tests of it want it: with handlers on all the vectors it has.
    /// @returns the state; `enodev` if the BAR is too small or the device is gone, `enospc` if there are not four
    /// vectors, `ebusy` if BAR 0 is taken, `enomem`
    template <class Device>
    static devres::probed<device_state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0, registers::control + 4>(enabled, "rocker"));
        DEVRES_TRY(auto buffer, devres::devm_emplace<test_buffer>(dev));
        DEVRES_TRY(auto mapping, pci::dmam_map_single(enabled, buffer));
        DEVRES_TRY(auto granted, pci::pcim_alloc_irq_vectors<vectors::of_device>(
                                     enabled, vectors::count(vectors::max_ports), pci::irq_type::msix));

        DEVRES_TRY(auto data, devres::devm_emplace<device_state<Device>>(dev, bar, buffer, mapping, granted));
        for (unsigned i = 0; i != granted.size(); ++i) {
            DEVRES_TRY(pci::devm_request_irq(granted[i], "rocker", data.part(data->vector(i))));
        }
        DEVRES_TRY(devres::devm_start(dev, data));
        return data;
    }
};

}  // namespace rocker
