// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include <devres/devres.hpp>

namespace lspci {

namespace pci = devres::pci;
namespace reg = devres::pci::registers;

/// What the generic driver keeps of a function: its vectors, and how often each has fired.
template <class Device>
class generic_state {
public:
    /// An MSI-X table has no more.
    static constexpr unsigned max_vectors = pci::registers::msix::size + 1;

    /// A function that does not interrupt has no vectors.
    generic_state(Device& dev, const std::optional<pci::vectors_of<Device>>& vectors) noexcept
        : dev_(dev), vectors_(vectors) {}

    /// How many vectors the driver has, and of which type; 0 for a function that does not interrupt.
    [[nodiscard]] unsigned vectors() const noexcept { return vectors_ ? vectors_->size() : 0; }
    [[nodiscard]] pci::irq_type type() const noexcept { return vectors_ ? vectors_->type() : pci::irq_type::intx; }
    /// How often a vector has fired; `vector` is below `vectors()`.
    [[nodiscard]] unsigned interrupts(pci::vector_index vector) const noexcept { return interrupts_[vector.value()]; }

    pci::irq_return on_irq(pci::vector_index vector) noexcept {
        ++interrupts_[vector.value()];
        return pci::irq_return::handled;
    }

    /// INTx is a level, which the device holds until a driver that knows the device has served it. This one
    /// does not: it cuts the function off the line, as uio_pci_generic does. Interrupts of others on the same
    /// line are not ours.
    pci::irq_return on_line() noexcept {
        const auto status = pci_read_config_word(dev_, reg::status);
        const auto command = pci_read_config_word(dev_, reg::command);
        if (!status || !command || (*status & reg::status_bits::interrupt) == 0 || (*command & intx_disable) != 0)
            return pci::irq_return::none;
        (void)pci_write_config_word(dev_, reg::command, static_cast<std::uint16_t>(*command | intx_disable));
        ++interrupts_[0];
        return pci::irq_return::handled;
    }

    /// Undoes what on_line did.
    void reconnect() noexcept {
        const auto command = pci_read_config_word(dev_, reg::command);
        if (command && (*command & intx_disable) != 0)
            (void)pci_write_config_word(dev_, reg::command, static_cast<std::uint16_t>(*command & ~intx_disable));
    }

private:
    static constexpr unsigned intx_disable = reg::command_bits::intx_disable;

    Device& dev_;
    std::optional<pci::vectors_of<Device>> vectors_;
    std::array<std::atomic<unsigned>, max_vectors> interrupts_{};
};

/// A driver for any function: enables it, takes every vector that it offers and counts what arrives on each.
/// A function that cannot interrupt is served too, with no vectors.
struct generic_driver {
    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler = devres::managed);

    template <class Device>
    static devres::probed<generic_state<Device>> probe(Device& dev, const pci::device_id&) {
        using state = generic_state<Device>;
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const bool interrupts, can_interrupt(dev));
        std::optional<pci::vectors_of<Device>> vectors;
        if (interrupts) {
            DEVRES_TRY(pci_set_master(enabled));  // messages are writes to memory
            DEVRES_TRY(const auto granted, pcim_alloc_irq_vectors(enabled, 1, state::max_vectors, pci::irq_type::all));
            vectors.emplace(granted);
        }
        DEVRES_TRY(const auto data, devres::devm_emplace<state>(dev, dev, vectors));
        for (unsigned i = 0; i != data->vectors(); ++i) {
            if (data->type() == pci::irq_type::intx) {
                DEVRES_TRY(pci::devm_request_irq<&state::on_line>((*vectors)[i], "generic", data));
            } else {
                DEVRES_TRY(pci::devm_request_irq((*vectors)[i], "generic", data));
            }
        }
        return data;
    }

    template <class Device>
    static void remove(generic_state<Device>& data) noexcept {
        if (data.vectors() != 0 && data.type() == pci::irq_type::intx)
            data.reconnect();
    }

private:
    /// Whether the function has an interrupt pin, MSI or MSI-X.
    template <class Device>
    static devres::result<bool> can_interrupt(const Device& dev) noexcept {
        DEVRES_TRY(const unsigned pin, pci_read_config_byte(dev, reg::interrupt_pin));
        if (pin != 0)
            return true;
        DEVRES_TRY(const unsigned msi, pci_find_capability(dev, reg::capability_id::msi));
        DEVRES_TRY(const unsigned msix, pci_find_capability(dev, reg::capability_id::msix));
        return msi != 0 || msix != 0;
    }
};

}  // namespace lspci
