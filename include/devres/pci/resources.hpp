// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <devres/core/ownership.hpp>
#include <devres/pci/types.hpp>

/// What a PCI driver can own, as ownership tables name it.
namespace devres::pci {

template <unsigned Number>
struct bar_tag;

using enable_t = resource<devres::detail::of_library<struct enable_tag>>;
template <unsigned Number>
using bar_t = resource<devres::detail::of_library<bar_tag<Number>>, enable_t>;
using dma_coherent_t = resource<devres::detail::of_library<struct dma_coherent_tag>, enable_t>;
using dma_streaming_t = resource<devres::detail::of_library<struct dma_streaming_tag>, enable_t>;
using irq_vectors_t = resource<devres::detail::of_library<struct irq_vectors_tag>, enable_t>;

/// The handlers on the function's vectors. A managed one is taken to use everything that its driver acquires, and can still
/// run when remove() has returned: of each line of the table that is unmanaged it says that it keeps off it,
/// `irq_handler.without(minor_number) = managed`, or that the driver sees to it that no handler meets it gone,
/// `irq_handler.guarding(dma_streaming) = managed`. It may say both, of different lines.
struct irq_handler_t : resource<devres::detail::of_library<struct irq_handler_tag>, irq_vectors_t> {
    static constexpr bool touches_all = true;
    using line = apart<irq_handler_t, devres::detail::kept_off<>, devres::detail::guarded<>>;

    template <class... Off>
    [[nodiscard]] constexpr auto without(Off... off) const noexcept {
        return line{}.without(off...);
    }
    template <class... Guarded>
    [[nodiscard]] constexpr auto guarding(Guarded... guarded) const noexcept {
        return line{}.guarding(guarded...);
    }
    constexpr auto operator=(managed_t owner) const noexcept { return line{} = owner; }    // NOLINT: makes a line
    constexpr auto operator=(unmanaged_t owner) const noexcept { return line{} = owner; }  // NOLINT: makes a line
};

/// The function being enabled.
inline constexpr enable_t enable;
/// A base address register, requested and mapped.
template <unsigned Number>
    requires(Number < bar_count)
inline constexpr bar_t<Number> bar;
/// Memory shared with the device.
inline constexpr dma_coherent_t dma_coherent;
/// Memory of the driver's that is mapped for the device.
inline constexpr dma_streaming_t dma_streaming;
/// The function's interrupt vectors.
inline constexpr irq_vectors_t irq_vectors;
inline constexpr irq_handler_t irq_handler;

namespace detail {

/// Bit n: the driver's table says that handlers keep off BAR n.
template <class Driver>
inline constexpr std::uint8_t kept_off_bars = 0;
template <class Driver>
    requires requires { Driver::ownership; }
inline constexpr std::uint8_t kept_off_bars<Driver> = [] {
    using table = devres::detail::table_of<Driver>;
    return static_cast<std::uint8_t>(
        (table::template keeps_off<bar_t<0>> ? 1U : 0U) | (table::template keeps_off<bar_t<1>> ? 2U : 0U) |
        (table::template keeps_off<bar_t<2>> ? 4U : 0U) | (table::template keeps_off<bar_t<3>> ? 8U : 0U) |
        (table::template keeps_off<bar_t<4>> ? 16U : 0U) | (table::template keeps_off<bar_t<5>> ? 32U : 0U));
}();

}  // namespace detail
}  // namespace devres::pci
