// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <devres/sim.hpp>

/// The test interface of QEMU's rocker switch, as a device on the simulated bus: MSI-X, and registers that raise a vector.
namespace rocker {

inline constexpr std::uint16_t vendor = 0x1b36;
inline constexpr std::uint16_t device = 0x0006;

/// Registers in BAR 0, 32 bits each.
namespace registers {
inline constexpr std::size_t test = 0x10;      ///< what is written reads back doubled
inline constexpr std::size_t test_irq = 0x20;  ///< raises the vector that is written
}  // namespace registers

class model : public devres::sim::device_model {
public:
    [[nodiscard]] std::uint64_t read(devres::sim::function&, devres::pci::bar_number bar, std::uint64_t offset,
                                     unsigned) override {
        return bar.value() == 0 && offset == registers::test ? std::uint64_t{test_} * 2 : 0;
    }

    void write(devres::sim::function& self, devres::pci::bar_number bar, std::uint64_t offset, unsigned,
               std::uint64_t value) override {
        if (bar.value() != 0)
            return;
        if (offset == registers::test)
            test_ = static_cast<std::uint32_t>(value);
        else if (offset == registers::test_irq)
            self.raise(static_cast<unsigned>(value));
    }

    void reset(devres::sim::function&) override { test_ = 0; }

private:
    std::uint32_t test_ = 0;
};

/// A rocker with `ports` ports: two vectors, and one for each port and direction.
[[nodiscard]] inline devres::sim::function_config config(devres::sim::device_model& model, unsigned ports = 1) {
    return {.vendor = vendor,
            .device = device,
            .class_code = 0x028000,
            .msix_vectors = 2 + 2 * ports,
            .bar_sizes = {0x2000},
            .model = &model,
            .msix_table_bar = 1,
            .power_management = false,
            .pcie = false};
}

}  // namespace rocker
