// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <expected>
#include <new>
#include <type_traits>

#include <devres/core/detail/stop.hpp>
#include <devres/core/errc.hpp>

/// What stands for `throw` and `try` in the layers that use the standard library, also where a program has no exceptions.
namespace devres::detail {

/// Throws `Exception(why)`. A program without exceptions stops, with `why` as its last line.
template <class Exception, class Text>
[[noreturn, gnu::cold]] void raise(const Text& why) {
#ifdef __cpp_exceptions
    throw Exception(why);
#else
    stop(why.c_str());
#endif
}

/// The result of `act`, or `enomem` where memory runs out. A program without exceptions ends there, in its operator new.
template <class Act>
auto unless_out_of_memory(Act act) noexcept -> std::invoke_result_t<Act> {
#ifdef __cpp_exceptions
    try {
        return act();
    } catch (const std::bad_alloc&) {
        return std::unexpected(typename std::invoke_result_t<Act>::error_type(errc::enomem));
    }
#else
    return act();
#endif
}

}  // namespace devres::detail
