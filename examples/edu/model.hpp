// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

#include <devres/sim.hpp>

/// QEMU's educational device on the simulated bus: one MSI vector or INTx, and registers that raise and acknowledge it.
namespace edu {

inline constexpr std::uint16_t vendor = 0x1234;
inline constexpr std::uint16_t device = 0x11e8;

/// Registers in BAR 0, 32 bits each.
namespace registers {
inline constexpr std::size_t identification = 0x00;
inline constexpr std::size_t irq_status = 0x24;
inline constexpr std::size_t irq_raise = 0x60;        ///< sets bits of irq_status, and interrupts if one is set
inline constexpr std::size_t irq_acknowledge = 0x64;  ///< clears them, and takes INTx back if none is left
}  // namespace registers

class model : public devres::sim::device_model {
public:
    [[nodiscard]] std::uint64_t read(devres::sim::function&, devres::pci::bar_number, std::uint64_t offset,
                                     unsigned) override {
        switch (offset) {
        case registers::identification: return 0x0100'00ed;
        case registers::irq_status: return status_.load();
        default: return 0;
        }
    }

    void write(devres::sim::function& self, devres::pci::bar_number, std::uint64_t offset, unsigned,
               std::uint64_t value) override {
        const auto bits = static_cast<std::uint32_t>(value);
        if (offset == registers::irq_raise) {
            if ((status_.fetch_or(bits) | bits) != 0)
                self.raise(0U);
        } else if (offset == registers::irq_acknowledge) {
            if ((status_.fetch_and(~bits) & ~bits) == 0)
                self.lower_intx();
        }
    }

    void reset(devres::sim::function&) override { status_.store(0); }

private:
    std::atomic<std::uint32_t> status_{0};
};

[[nodiscard]] inline devres::sim::function_config config(devres::sim::device_model& model) {
    return {.vendor = vendor,
            .device = device,
            .class_code = 0x00ff00,
            .revision = 0x10,
            .msi_vectors = 1,
            .intx = true,
            .bar_sizes = {0x10'0000},
            .model = &model,
            .msi_maskable = false,
            .power_management = false,
            .pcie = false};
}

}  // namespace edu
