// SPDX-License-Identifier: BSL-1.0
#include "erased.hpp"

#include <cstdlib>

#include <devres/any_platform.hpp>

#include "../opaque/platform.hpp"
#include "paths.h"
#include "seven.hpp"

namespace devres::benchmarks {

namespace {

using namespace devres::pci;

/// The calls of opaque.h, each behind a function of its own, as most primitives of a platform are.
struct called_platform : opaque_platform {
    [[gnu::noinline]] result<> enable(function_type& f) noexcept { return opaque_platform::enable(f); }
    [[gnu::noinline]] void disable(function_type& f) noexcept { opaque_platform::disable(f); }
    [[gnu::noinline]] result<> set_master(function_type& f, bool on) noexcept {
        return opaque_platform::set_master(f, on);
    }
    [[gnu::noinline]] result<vector_grant> allocate_vectors(function_type& f, const vector_request& request) noexcept {
        return opaque_platform::allocate_vectors(f, request);
    }
    [[gnu::noinline]] result<> free_vectors(function_type& f) noexcept { return opaque_platform::free_vectors(f); }
    [[gnu::noinline]] result<handler_id> register_handler(function_type& f, vector_index vector,
                                                          const irq_action& action) noexcept {
        return opaque_platform::register_handler(f, vector, action);
    }
    [[gnu::noinline]] result<> unregister_handler(function_type& f, handler_id id) noexcept {
        return opaque_platform::unregister_handler(f, id);
    }
    [[gnu::noinline]] result<dma_block> allocate_dma(function_type& f, std::size_t size) noexcept {
        return opaque_platform::allocate_dma(f, size);
    }
    template <class T>
    [[gnu::noinline]] void write(const region_type& region, std::size_t offset, T value) noexcept {
        opaque_platform::write(region, offset, value);
    }
};

/// And a BAR in memory.
struct mapped_platform : opaque_platform {
    static inline std::uint32_t registers[16];

    template <class T>
    T read(const region_type&, std::size_t offset) noexcept {
        return *reinterpret_cast<const volatile T*>(reinterpret_cast<const char*>(registers) + offset);
    }
    register_window direct_registers(const region_type&) noexcept {
        return {.base = reinterpret_cast<std::byte*>(registers), .begin = 0, .length = sizeof(registers)};
    }
};

/// A platform, its function and a mapped BAR as a driver has them: known to be no particular ones.
template <class P>
struct direct_side {
    P platform;
    typename P::region_type region{};
    opaque_function& function = *reinterpret_cast<opaque_function*>(this);
};
template <class P>
struct erased_side {
    P inner;
    erased<P> known{inner};
    erased_function<P> known_function{known, *reinterpret_cast<opaque_function*>(this)};
    any_platform& platform = known;
    any_function& function = known_function;
    any_region region = *known.map_bar(known_function, bar_number(0), "bar");
};

template <class T>
T& unknown(T& object) noexcept {
    T* pointer = &object;
    asm volatile("" : "+r"(pointer) : : "memory");
    return *pointer;
}
template <class T>
void use(T answer) noexcept {
    asm volatile("" : : "r,m"(answer) : "memory");
}
/// Whether it succeeded is what a driver looks at.
template <class T>
void use(const result<T>& answer) noexcept {
    use(answer.has_value());
}

template <template <class> class Side, class P, class Call>
void repeat(unsigned count, Call call) noexcept {
    static Side<P> side;
    auto& here = unknown(side);
    auto& platform = unknown(here.platform);
    auto& function = unknown(here.function);
    for (unsigned i = 0; i != count; ++i)
        call(platform, function, here.region);
}

constexpr auto enable = [](auto& p, auto& f, auto&) { use(p.enable(f)); };
constexpr auto disable = [](auto& p, auto& f, auto&) { p.disable(f); };
constexpr auto set_master = [](auto& p, auto& f, auto&) { use(p.set_master(f, true)); };
constexpr auto allocate_vectors = [](auto& p, auto& f, auto&) {
    const vector_request request{.min = 1, .max = 1, .types = irq_type::msix};
    use(p.allocate_vectors(f, request));
};
constexpr auto free_vectors = [](auto& p, auto& f, auto&) { use(p.free_vectors(f)); };
constexpr auto register_handler = [](auto& p, auto& f, auto&) {
    const irq_action action{.name = "handler"};
    use(p.register_handler(f, vector_index(0), action));
};
constexpr auto unregister_handler = [](auto& p, auto& f, auto&) { use(p.unregister_handler(f, handler_id{1})); };
constexpr auto allocate_dma = [](auto& p, auto& f, auto&) { use(p.allocate_dma(f, 4096)); };
constexpr auto write32 = [](auto& p, auto&, auto& region) { p.template write<std::uint32_t>(region, 8, 1); };
constexpr auto read32 = [](auto& p, auto&, auto& region) { use(p.template read<std::uint32_t>(region, 8)); };

template <auto Call, class P = called_platform>
void direct(unsigned count) {
    repeat<direct_side, P>(count, Call);
}
template <auto Call, class P = called_platform>
void indirect(unsigned count) {
    repeat<erased_side, P>(count, Call);
}

constinit const driver_entry<> seven_entry = compiled<seven_driver>("seven");

}  // namespace

const std::vector<erased_path> erased_paths{
    {"primitive: enable", &direct<enable>, &indirect<enable>},
    {"primitive: disable", &direct<disable>, &indirect<disable>},
    {"primitive: set_master", &direct<set_master>, &indirect<set_master>},
    {"primitive: allocate_vectors", &direct<allocate_vectors>, &indirect<allocate_vectors>},
    {"primitive: free_vectors", &direct<free_vectors>, &indirect<free_vectors>},
    {"primitive: register_handler", &direct<register_handler>, &indirect<register_handler>},
    {"primitive: unregister_handler", &direct<unregister_handler>, &indirect<unregister_handler>},
    {"primitive: allocate_dma", &direct<allocate_dma>, &indirect<allocate_dma>},
    {"primitive: write", &direct<write32>, &indirect<write32>},
    {"primitive: read, in memory", &direct<read32, mapped_platform>, &indirect<read32, mapped_platform>},
};

void compiled_driver(unsigned) {
    static opaque_platform platform;
    if (!seven_entry.bind(platform, *reinterpret_cast<opaque_function*>(&platform)))
        std::abort();
}

}  // namespace devres::benchmarks
