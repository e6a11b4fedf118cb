// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <devres/core/ownership.hpp>
#include <devres/pci/types.hpp>

/// What a PCI driver can own, as ownership tables name it.
namespace devres::pci {

template <unsigned Number>
struct bar_tag;

/// The type of `enable`; those of the others are below.
using enable_t = resource<detail::of_library<struct enable_tag>>;
/// The type of the resource of that name, which is built on the enable.
/// @{
template <unsigned Number>
using bar_t = resource<detail::of_library<bar_tag<Number>>, enable_t>;
using any_bar_t = resource<detail::of_library<struct any_bar_tag>, enable_t>;
using dma_coherent_t = resource<detail::of_library<struct dma_coherent_tag>, enable_t>;
using dma_streaming_t = resource<detail::of_library<struct dma_streaming_tag>, enable_t>;
using irq_vectors_t = resource<detail::of_library<struct irq_vectors_tag>, enable_t>;
/// @}

/// What is called at any time, `Self`, until devres has ended it. Managed, it is taken to use everything that its driver acquires,
/// and can still run when remove() has returned: of each line of the table that is unmanaged it says that it keeps off it,
/// `irq_handler.without(minor_number) = managed`, or that the driver sees to it that it does not meet it gone,
/// `irq_handler.guarding(dma_streaming) = managed`. It may say both, of different lines.
template <class Self, class Tag, class... Needs>
struct called_at_any_time : resource<detail::of_library<Tag>, Needs...> {
    static constexpr bool touches_all = true;                         ///< tables ask for it
    using line = apart<Self, detail::kept_off<>, detail::guarded<>>;  ///< a line without anything said

    /// It never uses these.
    template <class... Off>
    [[nodiscard]] constexpr auto without(Off... off) const noexcept {
        return line{}.without(off...);
    }
    /// The driver sees to it that it does not meet these gone.
    template <class... Guarded>
    [[nodiscard]] constexpr auto guarding(Guarded... guarded) const noexcept {
        return line{}.guarding(guarded...);
    }
    /// A line of a table, of what keeps off nothing and is devres's.
    constexpr auto operator=(managed_t owner) const noexcept { return line{} = owner; }  // NOLINT: makes a line
    /// The same of what is the driver's.
    constexpr auto operator=(unmanaged_t owner) const noexcept { return line{} = owner; }  // NOLINT: makes a line
};

/// The type of `irq_handler`.
struct irq_handler_t : called_at_any_time<irq_handler_t, struct irq_handler_tag, irq_vectors_t> {
    using called_at_any_time::operator=;
};
/// The type of `deferred_work`.
struct deferred_work_t : called_at_any_time<deferred_work_t, struct deferred_work_tag> {
    using called_at_any_time::operator=;
};

/// The function being enabled.
inline constexpr enable_t enable;
/// A base address register, requested and mapped.
template <unsigned Number>
    requires(Number < bar_count)
inline constexpr bar_t<Number> bar;
/// Every BAR that has no line of its own; also those whose number the driver knows at run time only.
inline constexpr any_bar_t any_bar;
/// Memory shared with the device.
inline constexpr dma_coherent_t dma_coherent;
/// Memory of the driver's that is mapped for the device.
inline constexpr dma_streaming_t dma_streaming;
/// The function's interrupt vectors.
inline constexpr irq_vectors_t irq_vectors;
inline constexpr irq_handler_t irq_handler;      ///< the handlers on the function's vectors
inline constexpr deferred_work_t deferred_work;  ///< work that is scheduled, and timers

namespace detail {

/// Bit n: the driver's table says that handlers, or what else is called `By` itself, keep off BAR n.
template <class Driver, class By = irq_handler_t>
inline constexpr std::uint8_t kept_off_bars = 0;
template <class Driver, class By>
    requires requires { Driver::ownership; }
inline constexpr std::uint8_t kept_off_bars<Driver, By> = [] {
    using table = detail::table_of<Driver>;
    constexpr auto off = []<unsigned Number>(bar_t<Number>) {
        const bool any = !table::template has<bar_t<Number>> && table::template keeps_off<any_bar_t, By>;
        return any || table::template keeps_off<bar_t<Number>, By> ? 1U << Number : 0U;
    };
    return static_cast<std::uint8_t>(off(bar<0>) | off(bar<1>) | off(bar<2>) | off(bar<3>) | off(bar<4>) | off(bar<5>));
}();

}  // namespace detail
}  // namespace devres::pci
