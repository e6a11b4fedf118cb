// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/driver.hpp>
#include <devres/pci/platform.hpp>

/// What `bind` says of a type that is not a platform, or not a driver.
namespace devres::pci::detail {

/// A function of platform `P`: anything, for a P that has no functions, so that `binding` can say so.
struct any_function {
    template <class Function>
    any_function(Function&) noexcept;  // NOLINT: implicit, never called
};
template <class P>
struct function_of {
    using reference = any_function;
};
template <class P>
    requires requires { typename P::function_type; }
struct function_of<P> {
    using reference = typename P::function_type&;
};

/// Does not compile: says what `Driver` or `P` lacks first (D007).
template <class Driver, class P>
void say_what_is_missing() noexcept {
    if constexpr (!has_memory<P>)
        static_assert(has_memory<P>, "devres[D007] not a platform: has_memory asks for allocate, deallocate, relax");
    else if constexpr (!has_functions<P>)
        static_assert(has_functions<P>,
                      "devres[D007] not a platform: has_functions asks for function_type, attach, detach, id");
    else if constexpr (!has_power<P>)
        static_assert(has_power<P>,
                      "devres[D007] not a platform: has_power asks for enable, disable, set_master, suspend, resume");
    else if constexpr (!has_config_space<P>)
        static_assert(has_config_space<P>,
                      "devres[D007] not a platform: has_config_space asks for read_config, write_config");
    else if constexpr (!has_bars<P>)
        static_assert(has_bars<P>, "devres[D007] not a platform: has_bars asks for region_type, map_bar, unmap_bar, "
                                   "bar_size, read<T>, write<T>");
    else if constexpr (!has_vectors<P>)
        static_assert(has_vectors<P>, "devres[D007] not a platform: has_vectors asks for hybrid_irq_vectors, "
                                      "allocate_vectors, free_vectors, vector_number");
    else if constexpr (!has_handlers<P>)
        static_assert(has_handlers<P>, "devres[D007] not a platform: has_handlers asks for register_handler, "
                                       "unregister_handler, handler_registered, in_handler");
    else if constexpr (!has_dma<P>)
        static_assert(has_dma<P>, "devres[D007] not a platform: has_dma asks for allocate_dma, free_dma");
    else if constexpr (!has_probe<Driver, P>)
        static_assert(has_probe<Driver, P>, "devres[D007] not a driver: it has no "
                                            "`static result<...> probe(auto& dev, const device_id& id)`");
    else if constexpr (!has_probe_result<Driver, P>)
        static_assert(has_probe_result<Driver, P>,
                      "devres[D007] not a driver: its probe returns neither result<> nor result<managed_ref<State>>");
    else if constexpr (hides_ids<Driver>)
        static_assert(nothing_hidden<Driver>, "devres[D007] not a driver: its ids are private, and would go unread");
    else if constexpr (hides_ownership<Driver>)
        static_assert(nothing_hidden<Driver>, "devres[D007] not a driver: its ownership table is private, or in error, "
                                              "and would go unchecked");
    else
        static_assert(hooks_are_callable<Driver, state_of<Driver, P>>,
                      "devres[D007] not a driver: its remove, suspend and resume take the state that probe makes, as "
                      "State& or managed_ref<State>, or nothing where probe makes none");
}

}  // namespace devres::pci::detail
