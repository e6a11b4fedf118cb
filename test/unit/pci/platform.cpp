// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/platform.hpp>

#include <devres/pci/bind.hpp>
#include <devres/pci/platform_archetype.hpp>

#include "support/catch.hpp"
#include "support/null_platform.hpp"

using namespace devres;
using namespace devres::pci;

namespace {

using archetype = platform_archetype;

// One primitive changed at a time: each sub-concept sees its own, and no other does.
struct no_relax : archetype {
    void relax() = delete;
};
struct throwing_allocate : archetype {
    void* allocate(std::size_t size, std::size_t alignment);
};
struct void_attach : archetype {
    void attach(function_type&) noexcept;
};
struct throwing_disable : archetype {
    void disable(function_type&);
};
struct narrow_config : archetype {
    result<std::uint16_t> read_config(function_type&, unsigned offset, unsigned width) noexcept;
};
struct sizeless_bar : archetype {
    void bar_size(const region_type&) noexcept;
};
struct count_only_vectors : archetype {
    result<unsigned> allocate_vectors(function_type&, const vector_request&) noexcept;
};
struct void_free_vectors : archetype {
    void free_vectors(function_type&) noexcept;
};
struct void_unregister : archetype {
    void unregister_handler(function_type&, handler_id) noexcept;
};
struct no_synchronize : archetype {
    void synchronize_handler() noexcept;
};
struct void_disable_handler : archetype {
    void disable_handler(function_type&, handler_id) noexcept;
};
struct throwing_enable_handler : archetype {
    result<> enable_handler(function_type&, handler_id);
};
struct no_dma : archetype {
    void free_dma() noexcept;
};
struct empty {};

template <class P>
constexpr int missing = !has_memory<P> + !has_functions<P> + !has_power<P> + !has_config_space<P> + !has_bars<P> +
                        !has_vectors<P> + !has_handlers<P> + !has_dma<P>;

/// A driver for the archetype: everything the library has compiles on it.
struct archetype_driver {
    struct state {
        irq_return on_irq() noexcept { return irq_return::handled; }
    };
    static result<managed_ref<state>> probe(auto& dev, const device_id&) { return devm_emplace<state>(dev); }
};

}  // namespace

TEST_CASE("the archetype and the null platform are platforms, with all their parts") {
    STATIC_REQUIRE(platform<archetype>);
    STATIC_REQUIRE(missing<archetype> == 0);
    STATIC_REQUIRE(platform<test::null_platform>);
}

TEST_CASE("a type that lacks a primitive is no platform, and one sub-concept says so") {
    STATIC_REQUIRE((!has_memory<no_relax> && missing<no_relax> == 1));
    STATIC_REQUIRE((!has_memory<throwing_allocate> && missing<throwing_allocate> == 1));
    STATIC_REQUIRE((!has_functions<void_attach> && missing<void_attach> == 1));
    STATIC_REQUIRE((!has_power<throwing_disable> && missing<throwing_disable> == 1));
    STATIC_REQUIRE((!has_config_space<narrow_config> && missing<narrow_config> == 1));
    STATIC_REQUIRE((!has_bars<sizeless_bar> && missing<sizeless_bar> == 1));
    STATIC_REQUIRE((!has_vectors<count_only_vectors> && missing<count_only_vectors> == 1));
    STATIC_REQUIRE((!has_vectors<void_free_vectors> && missing<void_free_vectors> == 1));
    STATIC_REQUIRE((!has_handlers<void_unregister> && missing<void_unregister> == 1));
    STATIC_REQUIRE((!has_handlers<no_synchronize> && missing<no_synchronize> == 1));
    STATIC_REQUIRE((!has_handlers<void_disable_handler> && missing<void_disable_handler> == 1));
    STATIC_REQUIRE((!has_handlers<throwing_enable_handler> && missing<throwing_enable_handler> == 1));
    STATIC_REQUIRE((!has_dma<no_dma> && missing<no_dma> == 1));
    STATIC_REQUIRE(missing<empty> == 8);
    STATIC_REQUIRE(!platform<no_relax>);
    STATIC_REQUIRE(!platform<empty>);
    STATIC_REQUIRE(!platform<int>);
}

TEST_CASE("a driver for the archetype is a driver") {
    STATIC_REQUIRE(driver_on<archetype_driver, archetype>);
    STATIC_REQUIRE(!driver_on<empty, archetype>);
}
