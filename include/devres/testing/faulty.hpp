// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <devres/pci/platform_archetype.hpp>
#include <devres/testing/decorator.hpp>

namespace devres::testing {

/// The steps of a run that are to fail, counted from 1: `{}` none, `{7}` one, `{3, 9}` two.
using fault_steps = std::set<std::size_t>;

/// A platform whose n-th fallible primitive fails, for a driver's error paths.
///
/// Steps are the calls of `attach`, `enable`, `set_master`, `suspend`, `resume`, `read_config`, `write_config`,
/// `map_bar`, `allocate_vectors`, `register_handler`, `add_work`, `set_dma_mask`, `allocate_dma`, `map_dma` and of the memory hook
/// `allocate`, in the order they are made. A step that is to fail does not reach the platform underneath and so leaves nothing
/// behind; `allocate` then answers null and the others what `fail_with` says. Release primitives never fail, and neither
/// does switching bus mastering off.
///
/// Example:
/// @code
/// testing::faulty platform{bus, {7}};
/// CHECK(!pci::bind<driver>(platform, bus.at("0000:3a:00.0")));
/// INFO(platform.steps().at(6));  // step 7: register_handler vector 2 "switchtec-event"
/// @endcode
template <pci::platform P>
class faulty : public decorator<faulty<P>, P> {
public:
    using typename decorator<faulty<P>, P>::function_type;

    /// Fails the steps `failing` on `inner`, which must outlive this platform.
    [[nodiscard]] explicit faulty(P& inner, fault_steps failing = {})
        : decorator<faulty<P>, P>(inner), failing_(std::move(failing)) {}

    /// Says with what a primitive fails from now on. At first: attach and map_bar and register_handler
    /// `ebusy`, allocate_vectors `enospc`, add_work, allocate_dma and map_dma `enomem`, all others `eio`.
    void fail_with(primitive what, errc error) {
        const std::lock_guard lock(mutex_);
        errors_[static_cast<std::size_t>(what)] = error;
    }

    /// Starts counting again at step 1, with other steps that are to fail.
    void restart(fault_steps failing) {
        const std::lock_guard lock(mutex_);
        failing_ = std::move(failing);
        steps_.clear();
        injected_.clear();
        releases_ = 0;
    }

    /// The steps made so far, in words; step n is at n - 1.
    [[nodiscard]] std::vector<std::string> steps() const {
        const std::lock_guard lock(mutex_);
        return steps_;
    }
    /// The steps that have failed, those of `failing` that were reached.
    [[nodiscard]] fault_steps injected() const {
        const std::lock_guard lock(mutex_);
        return injected_;
    }
    /// How many release primitives have been called.
    [[nodiscard]] std::size_t releases() const {
        const std::lock_guard lock(mutex_);
        return releases_;
    }

private:
    friend decorator<faulty<P>, P>;

    template <class Forward>
    std::invoke_result_t<Forward> around(const primitive_call& call, function_type*, Forward forward) noexcept {
        using outcome = std::invoke_result_t<Forward>;
        const std::optional<errc> fault = count(call);
        if constexpr (std::is_same_v<outcome, void*>) {
            if (fault)
                return nullptr;
        } else if constexpr (std::is_constructible_v<outcome, std::unexpected<errc>>) {
            if (fault)
                return fail(*fault);
        }
        return forward();
    }

    std::optional<errc> count(const primitive_call& call) noexcept {
        if (!is_fallible(call) && !is_release(call))
            return {};
        const std::lock_guard lock(mutex_);
        if (is_release(call)) {
            ++releases_;
            return {};
        }
        const std::size_t number = steps_.size() + 1;
        steps_.push_back("step " + std::to_string(number) + ": " + to_string(call));
        if (!failing_.contains(number))
            return {};
        injected_.insert(number);
        return errors_[static_cast<std::size_t>(call.what)];
    }

    static std::array<errc, primitive_count> natural_errors() noexcept {
        std::array<errc, primitive_count> errors;
        errors.fill(errc::eio);
        const auto set = [&](primitive what, errc error) { errors[static_cast<std::size_t>(what)] = error; };
        set(primitive::attach, errc::ebusy);
        set(primitive::map_bar, errc::ebusy);
        set(primitive::register_handler, errc::ebusy);
        set(primitive::allocate_vectors, errc::enospc);
        set(primitive::add_work, errc::enomem);
        set(primitive::allocate_dma, errc::enomem);
        set(primitive::map_dma, errc::enomem);
        return errors;
    }

    mutable std::mutex mutex_;
    fault_steps failing_;
    fault_steps injected_;
    std::vector<std::string> steps_;
    std::size_t releases_ = 0;
    std::array<errc, primitive_count> errors_ = natural_errors();
};

static_assert(pci::platform<faulty<pci::platform_archetype>>);

}  // namespace devres::testing
