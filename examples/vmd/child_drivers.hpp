// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <devres/devres.hpp>

#include "child_registers.hpp"

/// Two drivers for functions that happen to be behind a VMD. Nothing in them says so: they are drivers for
/// any platform.
namespace vmd {

namespace nvme {

/// An NVMe controller reduced to what interrupts: queues that complete commands, and a count in memory of
/// how many.
template <class Device>
class controller {
public:
    /// Without vectors, the queues have to be polled.
    controller(const pci::bar_of<Device>& registers, const pci::coherent_of<Device>& completions, unsigned queues,
               unsigned vectors) noexcept
        : registers_(registers), completions_(completions), queues_(queues), vectors_(vectors) {}

    [[nodiscard]] unsigned queues() const noexcept { return queues_; }
    /// 0 if the queues have to be polled.
    [[nodiscard]] unsigned vectors() const noexcept { return vectors_; }

    /// Gives the device `commands` more on a queue; they complete later.
    void submit(unsigned queue, std::uint32_t commands) noexcept {
        const std::uint32_t tail = tails_[queue].fetch_add(commands, std::memory_order_relaxed) + commands;
        registers_.write32(registers::doorbell(queue), tail);
    }
    /// Looks for completed commands, as the interrupt handler does. @returns whether there were any
    bool poll(unsigned queue) noexcept {
        const auto* const line = reinterpret_cast<std::uint32_t*>(static_cast<std::byte*>(completions_.data()) +
                                                                  queue * registers::completion_stride);
        const std::uint32_t now = __atomic_load_n(line, __ATOMIC_ACQUIRE);
        return completed_[queue].exchange(now, std::memory_order_acq_rel) != now;
    }
    /// How many commands of a queue have completed, as far as was looked.
    [[nodiscard]] std::uint32_t completed(unsigned queue) const noexcept {
        return completed_[queue].load(std::memory_order_acquire);
    }
    /// How often a vector's handler was called, and how often there was something for it.
    [[nodiscard]] unsigned calls(unsigned vector) const noexcept { return calls_[vector]; }
    [[nodiscard]] unsigned handled(unsigned vector) const noexcept { return handled_[vector]; }

    pci::irq_return on_irq(pci::vector_index vector) noexcept {
        ++calls_[vector.value()];
        bool any = false;
        for (unsigned queue = vector.value(); queue < queues_; queue += vectors_)
            any |= poll(queue);
        if (!any)
            return pci::irq_return::none;
        ++handled_[vector.value()];
        return pci::irq_return::handled;
    }

    /// Tells the device what it needs to know. It forgets in D3.
    void start() const noexcept {
        registers_.write64(registers::completions, static_cast<std::uint64_t>(completions_.address()));
        for (unsigned queue = 0; queue != queues_; ++queue)
            registers_.write32(registers::queue_vector(queue), vectors_ == 0 ? 0 : queue % vectors_);
        registers_.write32(registers::control, registers::enable);
    }
    void stop() const noexcept { registers_.write32(registers::control, 0); }

private:
    pci::bar_of<Device> registers_;
    pci::coherent_of<Device> completions_;
    unsigned queues_;
    unsigned vectors_;
    std::array<std::atomic<std::uint32_t>, registers::max_queues> tails_{};
    std::array<std::atomic<std::uint32_t>, registers::max_queues> completed_{};
    std::array<std::atomic<unsigned>, registers::max_queues> calls_{};
    std::array<std::atomic<unsigned>, registers::max_queues> handled_{};
};

struct driver {
    static constexpr pci::device_id ids[] = {{.class_code = 0x010802, .class_mask = 0xffffff}};

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::dma_coherent = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler = devres::managed);

    /// @returns the controller; where its interrupts cannot be had, one whose queues are polled.
    template <class Device>
    static devres::probed<controller<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(enabled, "nvme"));
        const unsigned queues = (registers.read32(registers::capabilities) & registers::queue_mask) + 1;
        if (queues > registers::max_queues)
            return fail(errc::enodev);
        DEVRES_TRY(auto completions, pci::dmam_alloc_coherent(enabled, queues * registers::completion_stride));
        const auto vectors = pci::pcim_alloc_irq_vectors(enabled, 1, queues, pci::irq_type::msix);
        if (!vectors && vectors.error() != errc::enotsupp)
            return fail(vectors.error());
        const unsigned interrupts = vectors ? vectors->size() : 0;
        DEVRES_TRY(auto data,
                   devres::devm_emplace<controller<Device>>(dev, registers, completions, queues, interrupts));
        for (unsigned i = 0; i != interrupts; ++i) {
            DEVRES_TRY(pci::devm_request_irq((*vectors)[i], "nvme", data));
        }
        DEVRES_TRY(devres::devm_start(dev, data));
        return data;
    }
};

}  // namespace nvme

namespace ethernet {

/// A network port reduced to its causes of interrupts: bits that its handlers clear by writing them back.
template <class Device>
class port {
public:
    port(const pci::bar_of<Device>& registers, unsigned vectors) noexcept : registers_(registers), vectors_(vectors) {}

    [[nodiscard]] unsigned calls() const noexcept { return calls_; }
    [[nodiscard]] unsigned link_changes() const noexcept { return link_changes_; }
    [[nodiscard]] unsigned received() const noexcept { return received_; }

    pci::irq_return on_irq() noexcept {
        ++calls_;
        const std::uint32_t cause = registers_.read32(registers::cause);
        if (cause == 0 || cause == 0xffff'ffff)
            return pci::irq_return::none;
        registers_.write32(registers::cause, cause);
        if ((cause & registers::link_changed) != 0)
            ++link_changes_;
        if ((cause & registers::frame_received) != 0)
            ++received_;
        return pci::irq_return::handled;
    }

    void start() const noexcept {
        registers_.write32(registers::vectors, vectors_);
        registers_.write32(registers::cause, ~0U);  // of before
        registers_.write32(registers::mask, 0);
    }
    void stop() const noexcept { registers_.write32(registers::mask, ~0U); }

private:
    pci::bar_of<Device> registers_;
    unsigned vectors_;
    std::atomic<unsigned> calls_{0};
    std::atomic<unsigned> link_changes_{0};
    std::atomic<unsigned> received_{0};
};

struct driver {
    static constexpr pci::device_id ids[] = {{.class_code = 0x020000, .class_mask = 0xffffff}};

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler = devres::managed);

    template <class Device>
    static devres::probed<port<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(enabled, "ethernet"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors<1>(enabled, 2, pci::irq_type::all));
        DEVRES_TRY(auto data, devres::devm_emplace<port<Device>>(dev, registers, vectors.size()));
        for (unsigned i = 0; i != vectors.size(); ++i) {
            DEVRES_TRY(pci::devm_request_irq(vectors[i], "ethernet", data));
        }
        DEVRES_TRY(devres::devm_start(dev, data));
        return data;
    }
};

}  // namespace ethernet

}  // namespace vmd
