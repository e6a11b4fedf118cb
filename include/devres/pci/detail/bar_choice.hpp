// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>

#include <devres/core/attributes.hpp>
#include <devres/pci/resources.hpp>

/// How a call says which BAR it means: `<0>(device, name)`, or `(device, bar_number, name)`.
namespace devres::pci::detail {

/// Stands for a number that is not in brackets.
inline constexpr unsigned at_run_time = ~0U;

struct bar_choice {
    unsigned number;
    const char* name;
    std::size_t least;  // bytes that it must have
};

template <unsigned Number, std::size_t Least>
[[nodiscard]] DEVRES_INLINE constexpr bar_choice choose_bar(const char* name) noexcept {
    return {Number, name, Least};
}
template <unsigned, std::size_t, class... Size>
[[nodiscard]] DEVRES_INLINE constexpr bar_choice choose_bar(bar_number bar, const char* name, Size... least) noexcept {
    return {bar.value(), name, (std::size_t{0} + ... + static_cast<std::size_t>(least))};
}

/// Whether the arguments after the device say it in one of the two ways.
template <unsigned Number, std::size_t Least, class... Arguments>
inline constexpr bool chooses_bar = false;
template <unsigned Number, std::size_t Least, class Name>
inline constexpr bool chooses_bar<Number, Least, Name> = Number < bar_count && std::is_convertible_v<Name, const char*>;
template <class Name, class... Size>
inline constexpr bool chooses_bar<at_run_time, 0, bar_number, Name, Size...> =
    std::is_convertible_v<Name, const char*> && sizeof...(Size) <= 1 &&
    (std::is_convertible_v<Size, std::size_t> && ...);

/// Whether a driver's table says who owns a BAR: in the line of its number, or else in that of any.
template <class Driver, unsigned Number, class Owner>
consteval bool owns_bar() noexcept {
    if constexpr (requires { Driver::ownership; }) {
        if constexpr (Number != at_run_time && table_of<Driver>::template has<bar_t<Number>>)
            return table_of<Driver>::template says<bar_t<Number>, Owner>();
        else
            return table_of<Driver>::template says<any_bar_t, Owner>();
    } else {
        return true;
    }
}

}  // namespace devres::pci::detail
