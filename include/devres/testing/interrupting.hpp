// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include <devres/pci/platform_archetype.hpp>
#include <devres/testing/decorator.hpp>

namespace devres::testing {

/// A moment just before or just after a primitive: where an interrupt may arrive.
struct interrupt_point {
    std::size_t number = 0;  ///< from 1; odd: before a primitive, even: after it
    primitive_call call{};   ///< which primitive

    [[nodiscard]] bool before() const noexcept { return number % 2 == 1; }  ///< not after it
};

/// The point in words: `point 8: after register_handler vector 2 "switchtec-event"`.
[[nodiscard]] inline std::string to_string(const interrupt_point& point) {
    return "point " + std::to_string(point.number) + (point.before() ? ": before " : ": after ") +
           to_string(point.call);
}

/// A platform that calls a function of the test before and after every primitive, BAR accesses and memory
/// included, for it to make the device interrupt just there.
///
/// Points are made on the thread that made this platform, and only by primitives that the driver calls
/// itself: while the test's function runs, and inside a handler that a primitive ran, no more points are made.
/// So a scenario that does the same each time has the same points each time. The function may raise
/// interrupts; it must not throw.
///
/// Example:
/// @code
/// testing::interrupting platform{bus, [&](const testing::interrupt_point&) { function.raise(0); }};
/// auto binding = pci::bind<driver>(platform, function);
/// @endcode
template <pci::platform P>
class interrupting : public decorator<interrupting<P>, P> {
public:
    using typename decorator<interrupting<P>, P>::function_type;

    /// Calls `hook` at every point of `inner`, which must outlive this platform.
    [[nodiscard]] interrupting(P& inner, std::function<void(const interrupt_point&)> hook)
        : decorator<interrupting<P>, P>(inner), hook_(std::move(hook)) {}

    /// How many points there have been.
    [[nodiscard]] std::size_t points() const noexcept { return points_; }

private:
    friend decorator<interrupting<P>, P>;

    struct inside {
        bool& flag;
        explicit inside(bool& of) noexcept : flag(of) { flag = true; }
        inside(const inside&) = delete;
        inside& operator=(const inside&) = delete;
        ~inside() { flag = false; }
    };

    template <class Forward>
    std::invoke_result_t<Forward> around(const primitive_call& call, function_type*, Forward forward) noexcept {
        if (std::this_thread::get_id() != thread_ || inside_)
            return forward();
        const inside no_more_points(inside_);
        point(call);
        if constexpr (std::is_void_v<std::invoke_result_t<Forward>>) {
            forward();
            point(call);
        } else {
            auto outcome = forward();
            point(call);
            return outcome;
        }
    }

    void point(const primitive_call& call) noexcept { hook_(interrupt_point{.number = ++points_, .call = call}); }

    std::function<void(const interrupt_point&)> hook_;
    std::thread::id thread_ = std::this_thread::get_id();
    bool inside_ = false;
    std::size_t points_ = 0;
};

static_assert(pci::platform<interrupting<pci::platform_archetype>>);

}  // namespace devres::testing
