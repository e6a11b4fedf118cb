// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/decorator.hpp>

#include <functional>
#include <string>
#include <vector>

#include <devres/pci/platform_archetype.hpp>
#include <devres/testing.hpp>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;
using test::null_platform;

namespace {

/// Lists the primitives that come by.
template <pci::platform P>
struct listing : decorator<listing<P>, P> {
    using typename decorator<listing<P>, P>::function_type;

    explicit listing(P& inner) : decorator<listing<P>, P>(inner) {}

    template <class Forward>
    std::invoke_result_t<Forward> around(const primitive_call& call, function_type* function,
                                         Forward forward) noexcept {
        seen.push_back(call.what);
        with_function += function != nullptr ? 1U : 0U;
        return forward();
    }

    std::vector<primitive> seen;
    std::size_t with_function = 0;
};

static_assert(pci::platform<listing<pci::platform_archetype>>);
static_assert(pci::platform<traced<traced<null_platform>>>);
static_assert(pci::platform<traced<faulty<null_platform>>>);
static_assert(pci::platform<faulty<traced<interrupting<null_platform>>>>);

template <class P>
concept listens = requires(P& platform, typename P::function_type& function) {
    platform.note(function, resource_event{});
};
static_assert(!listens<faulty<null_platform>>);
static_assert(listens<faulty<traced<null_platform>>>);

struct hybrid_platform : null_platform {
    static constexpr bool hybrid_irq_vectors = true;
};
static_assert(faulty<hybrid_platform>::hybrid_irq_vectors);
static_assert(!faulty<null_platform>::hybrid_irq_vectors);

}  // namespace

TEST_CASE("a decorator passes every primitive on, with its arguments and its answer") {
    null_platform inner;
    null_platform::function_type function;
    listing platform(inner);
    REQUIRE(&platform.inner() == &inner);

    void* const block = platform.allocate(64, 64);
    CHECK(inner.blocks() == 1);
    platform.deallocate(block, 64, 64);
    CHECK(inner.blocks() == 0);
    platform.relax();

    CHECK(platform.attach(function));
    CHECK(platform.attach(function).error() == errc::ebusy);
    CHECK(platform.id(function) == function.identity);
    CHECK(platform.enable(function));
    CHECK(platform.set_master(function, true));
    CHECK(function.master);
    CHECK(platform.suspend(function));
    CHECK(function.suspended);
    CHECK(platform.resume(function));
    CHECK(platform.write_config(function, 4, 2, 0x1234));
    CHECK(*platform.read_config(function, 4, 2) == 0x1234);
    CHECK(platform.read_config(function, 4, 3).error() == errc::einval);

    auto region = platform.map_bar(function, pci::bar_number(2), "registers");
    REQUIRE(region);
    CHECK(platform.map_bar(function, pci::bar_number(2), "again").error() == errc::ebusy);
    CHECK(platform.bar_size(*region) == 4096);
    platform.write<std::uint16_t>(*region, 8, 0xbeef);
    CHECK(platform.read<std::uint16_t>(*region, 8) == 0xbeef);
    platform.unmap_bar(function, *region);
    CHECK(!function.mapped[2]);

    const auto grant = platform.allocate_vectors(function, {.min = 1, .max = 3, .types = pci::irq_type::msix});
    REQUIRE(grant);
    CHECK(grant->count == 3);
    CHECK(platform.vector_number(function, 1) == pci::irq_number(33));
    unsigned calls = 0;
    const auto id = platform.register_handler(function, 1,
                                              {.entry =
                                                   [](void* context, pci::vector_index) noexcept {
                                                       ++*static_cast<unsigned*>(context);
                                                       return pci::irq_return::handled;
                                                   },
                                               .context = &calls,
                                               .name = "handler"});
    REQUIRE(id);
    CHECK(platform.handler_registered(function, *id));
    CHECK(!platform.in_handler(function));
    CHECK(function.fire(1));
    CHECK(calls == 1);
    CHECK(platform.synchronize_handler(function, *id));
    CHECK(platform.enable_handler(function, *id).error() == errc::einval);
    CHECK(platform.disable_handler(function, *id));
    CHECK(!function.fire(1));
    CHECK(platform.enable_handler(function, *id));
    CHECK(calls == 2);
    CHECK(platform.unregister_handler(function, *id));
    CHECK(platform.disable_handler(function, *id).error() == errc::enoent);
    CHECK(!platform.handler_registered(function, *id));
    CHECK(platform.free_vectors(function));

    const auto memory = platform.allocate_dma(function, 100);
    REQUIRE(memory);
    CHECK(memory->size == 100);
    platform.free_dma(function, *memory);
    char buffer[100];
    const auto mapping = platform.map_dma(function, buffer, 100);
    REQUIRE(mapping);
    CHECK(mapping->cpu == buffer);
    CHECK(function.dma_mappings == 1);
    platform.unmap_dma(function, *mapping);
    platform.disable(function);
    platform.detach(function);
    CHECK(function.idle());

    using enum primitive;
    CHECK(platform.seen == std::vector{allocate,
                                       deallocate,
                                       attach,
                                       attach,
                                       enable,
                                       set_master,
                                       suspend,
                                       resume,
                                       write_config,
                                       read_config,
                                       read_config,
                                       map_bar,
                                       map_bar,
                                       write,
                                       read,
                                       unmap_bar,
                                       allocate_vectors,
                                       register_handler,
                                       synchronize_handler,
                                       enable_handler,
                                       disable_handler,
                                       enable_handler,
                                       unregister_handler,
                                       disable_handler,
                                       free_vectors,
                                       allocate_dma,
                                       free_dma,
                                       map_dma,
                                       unmap_dma,
                                       disable,
                                       detach});
    CHECK(platform.with_function == platform.seen.size() - 2);
}
