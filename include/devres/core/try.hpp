// SPDX-License-Identifier: BSL-1.0
#pragma once

// So that a diagnostic inside DEVRES_TRY(...) shows the driver's line, not the macro's insides.
#pragma GCC system_header

#include <concepts>
#include <type_traits>

#include <devres/core/rule.hpp>

namespace devres::detail {

/// What nobody keeps may be nothing, a managed view, a number: guards are move-only.
template <class Value, int Keeps>
concept kept = rule<Keeps != 0 || std::is_void_v<Value> || std::is_copy_constructible_v<Value>,
                    text{"devres[D009] a guard is dropped at once: keep it with DEVRES_TRY(auto guard, ...)"}>;

/// Whether there is no value; `Keeps` is 0 if nobody keeps the value.
template <int Keeps, class Result>
    requires kept<typename Result::value_type, Keeps>
constexpr bool failed(const Result& outcome) noexcept {
    return !outcome;
}

}  // namespace devres::detail

#define DEVRES_TRY_NAME_2(line) devres_try_##line
#define DEVRES_TRY_NAME_1(line) DEVRES_TRY_NAME_2(line)
#define DEVRES_TRY_NAME DEVRES_TRY_NAME_1(__LINE__)

/// `DEVRES_TRY(auto x, expr);` declares x with the value of `expr`, a `result`; on an error, it returns that error from the
/// enclosing function, whose guards then release what they hold, newest first. `DEVRES_TRY(expr);` is the same where there
/// is no value to keep: a guard that nobody would keep does not compile (D009). What stands first may also be something
/// to assign to. The enclosing function returns a `result` of any type.
///
/// Two statements of standard C++: one TRY on a line, and braces after an `if` or a `for`. Where `expr` has commas outside
/// of parentheses, in template arguments, the first form takes it as it is and the second in parentheses.
///
/// Example:
/// @code
/// DEVRES_TRY(auto device, pcim_enable_device(dev));
/// DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(device, 1, 32, irq_type::msix | irq_type::msi));
/// DEVRES_TRY(devm_request_irq(vectors[0], "state", data));
/// @endcode
// clang-format off: the text of a rule is in line 19 of clang's answer only as long as this is one macro
#define DEVRES_TRY(first, ...)                                                                                      \
    auto&& DEVRES_TRY_NAME = __VA_OPT__(__VA_ARGS__; if (!DEVRES_TRY_NAME) [[unlikely]]                              \
        return ::devres::fail(DEVRES_TRY_NAME.error());) first                                                       \
        __VA_OPT__(= *static_cast<decltype(DEVRES_TRY_NAME)&&>(DEVRES_TRY_NAME));                                    \
    if (::devres::detail::failed<0 __VA_OPT__(+ 1)>(DEVRES_TRY_NAME)) [[unlikely]]                                   \
        return ::devres::fail(DEVRES_TRY_NAME.error())
// clang-format on
