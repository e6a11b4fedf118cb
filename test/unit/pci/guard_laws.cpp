// SPDX-License-Identifier: BSL-1.0
// The laws of every guard: it moves, it releases exactly once, what was moved from is empty and does nothing.
#include <cerrno>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <devres/pci/dma_pool.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

// Each law is tried on a "kind": what makes a guard for one of two independent resources, and whether it is held.

template <class Guard>
struct on_two_devices {
    using guard = Guard;

    device_fixture first;
    device_fixture second;

    device_fixture& at(int which) { return which == 0 ? first : second; }
};

struct enabled_kind : on_two_devices<enabled_device<unmanaged_t, null_platform>> {
    guard make(int which) { return pci_enable_device(*at(which).dev).value(); }
    bool held(int which) { return at(which).function.enabled == 1; }
};

struct bar_kind : on_two_devices<bar_mapping<unmanaged_t, null_platform>> {
    guard make(int which) {
        return pci_iomap_region<2>(pcim_enable_device(*at(which).dev).value(), "registers").value();
    }
    bool held(int which) { return at(which).function.mapped[2]; }
};

struct dma_kind : on_two_devices<dma_allocation<unmanaged_t, null_platform>> {
    guard make(int which) { return dma_alloc_coherent(pcim_enable_device(*at(which).dev).value(), 4096).value(); }
    bool held(int which) { return at(which).function.dma_blocks == 1; }
};

struct mapping_kind : on_two_devices<dma_mapping<unmanaged_t, null_platform>> {
    char memory[64] = {};

    guard make(int which) { return dma_map_single(pcim_enable_device(*at(which).dev).value(), memory, 64).value(); }
    bool held(int which) { return at(which).function.dma_mappings == 1; }
};

struct page_kind : on_two_devices<dma_mapping<unmanaged_t, null_platform>> {
    char memory[64] = {};

    guard make(int which) {
        return dma_map_page(pcim_enable_device(*at(which).dev).value(), memory, 8, 8, dma_direction::to_device).value();
    }
    bool held(int which) { return at(which).function.dma_mappings == 1; }
};

struct sg_kind : on_two_devices<dma_sg_mapping<unmanaged_t, null_platform, void, pci::detail::listed_pieces>> {
    char memory[2][64] = {};
    scatterlist list[2] = {{memory[0], 64}, {memory[1], 64}};

    guard make(int which) {
        return dma_map_sg(pcim_enable_device(*at(which).dev).value(), list, 2, dma_direction::to_device).value();
    }
    bool held(int which) { return at(which).function.dma_mappings == 2; }
};

struct pool_kind : on_two_devices<dma_pool<unmanaged_t, null_platform>> {
    guard make(int which) {
        auto pool = dma_pool_create(pcim_enable_device(*at(which).dev).value(), "law", 64).value();
        (void)dma_pool_alloc(pool).value();
        return pool;
    }
    bool held(int which) { return at(which).function.dma_blocks == 1; }
};

struct element_kind : on_two_devices<dma_pool_element<null_platform>> {
    guard make(int which) {  // the last of its pool
        return dma_pool_alloc(dma_pool_create(pcim_enable_device(*at(which).dev).value(), "law", 64).value()).value();
    }
    bool held(int which) { return at(which).function.dma_blocks == 1; }
};

struct vectors_kind : on_two_devices<irq_allocation<unmanaged_t, null_platform>> {
    guard make(int which) {
        return pci_alloc_irq_vectors(pcim_enable_device(*at(which).dev).value(), 1, 4, irq_type::msix).value();
    }
    bool held(int which) { return at(which).function.vectors.count == 4; }
};

struct known_vectors_kind : on_two_devices<irq_allocation<unmanaged_t, null_platform, void, 2>> {
    guard make(int which) {
        return pci_alloc_irq_vectors<2>(pcim_enable_device(*at(which).dev).value(), 4, irq_type::msix).value();
    }
    bool held(int which) { return at(which).function.vectors.count == 4; }
};

struct registration_kind : on_two_devices<irq_registration<unmanaged_t, null_platform>> {
    counter context;
    std::optional<irq_allocation<managed_t, null_platform>> vectors[2];

    guard make(int which) {
        auto& at_which = vectors[which];
        if (!at_which)
            at_which.emplace(
                pcim_alloc_irq_vectors(pcim_enable_device(*at(which).dev).value(), 1, 4, irq_type::msix).value());
        return request_irq<&counter::on_irq>((*at_which)[1], "law", context).value();
    }
    bool held(int which) {
        const unsigned before = context.interrupts;
        return at(which).function.fire(1) && context.interrupts == before + 1;
    }
};

struct own_registration_kind : on_two_devices<irq_registration<unmanaged_t, null_platform>> {
    counter context;
    std::optional<irq_allocation<unmanaged_t, null_platform>> vectors[2];

    guard make(int which) {
        auto& at_which = vectors[which];
        if (!at_which)
            at_which = pci_alloc_irq_vectors(pcim_enable_device(*at(which).dev).value(), 1, 4, irq_type::msix).value();
        return request_irq((*at_which)[1], "law", context).value();
    }
    bool held(int which) { return at(which).function.fire(1); }
};
struct group_kind {
    using guard = group;
    list lists[2];
    int live[2] = {};

    guard make(int which) {
        group g{lists[which]};
        ++live[which];
        (void)lists[which].add([](void* count) { --*static_cast<int*>(count); }, &live[which]).value();
        return g;
    }
    bool held(int which) { return live[which] == 1; }
};

struct stateful_driver {
    static result<managed_ref<counter>> probe(auto& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<counter>(dev));
        DEVRES_TRY(pcim_enable_device(dev));
        return data;
    }
};
struct binding_kind : on_two_devices<binding<stateful_driver, null_platform>> {
    guard make(int which) { return bind<stateful_driver>(at(which).platform, at(which).function).value(); }
    bool held(int which) { return at(which).function.attached && at(which).function.enabled == 1; }
};

struct open_access_kind {
    using guard = revocable<int>::access;
    device_fixture device[2];
    std::optional<revocable<int>> files[2];
    bool revoked = false;

    guard make(int which) {
        if (!files[which])
            files[which] = devm_revocable(*device[which].dev, devm_emplace<int>(*device[which].dev, 7).value()).value();
        return files[which]->try_access();
    }
};

template <class Kind>
constexpr bool counts = requires(Kind& kind) { kind.held(0); };

/// A guard, whether or not it knows what it holds; accesses are looked at through the guard only.
template <class Kind>
bool held(Kind& kind, int which) {
    return kind.held(which);
}

}  // namespace

#define GUARD_KINDS                                                                                                    \
    enabled_kind, bar_kind, dma_kind, mapping_kind, page_kind, sg_kind, pool_kind, element_kind, vectors_kind,         \
        known_vectors_kind, registration_kind, own_registration_kind, group_kind, binding_kind

TEMPLATE_TEST_CASE("a guard is moved, not copied, and says by an explicit bool whether it owns", "", GUARD_KINDS,
                   open_access_kind) {
    using guard = typename TestType::guard;
    STATIC_REQUIRE(!std::is_copy_constructible_v<guard>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<guard>);
    STATIC_REQUIRE(std::is_nothrow_move_constructible_v<guard>);
    STATIC_REQUIRE(std::is_nothrow_move_assignable_v<guard>);
    STATIC_REQUIRE(std::is_nothrow_destructible_v<guard>);
    STATIC_REQUIRE(std::is_constructible_v<bool, guard>);
    STATIC_REQUIRE(!std::is_convertible_v<guard, bool>);
    STATIC_REQUIRE(!std::is_convertible_v<guard, int>);
}

TEMPLATE_TEST_CASE("a guard that is made empty owns nothing", "", GUARD_KINDS) {
    typename TestType::guard guard;
    CHECK(!guard);
    auto moved = std::move(guard);
    CHECK(!moved);
    guard = std::move(moved);
    CHECK(!guard);
}

TEMPLATE_TEST_CASE("a guard releases once, when it dies", "", GUARD_KINDS) {
    TestType kind;
    {
        const auto guard = kind.make(0);
        CHECK(guard);
        CHECK(held(kind, 0));
    }
    CHECK(!held(kind, 0));
    {
        const auto again = kind.make(0);  // what was released can be acquired again
        CHECK(held(kind, 0));
    }
    CHECK(!held(kind, 0));
}

TEMPLATE_TEST_CASE("a guard that is moved hands over what it owns", "", GUARD_KINDS) {
    TestType kind;
    {
        auto guard = kind.make(0);
        {
            auto moved = std::move(guard);
            CHECK(moved);
            CHECK(!guard);  // NOLINT: what moved-from is, is the question
            CHECK(held(kind, 0));
            const auto further = std::move(moved);
            CHECK(further);
            CHECK(!moved);  // NOLINT
            CHECK(held(kind, 0));
        }
        CHECK(!held(kind, 0));
        CHECK(!guard);
    }
    CHECK(!held(kind, 0));
}

TEMPLATE_TEST_CASE("a guard that is empty takes over by assignment", "", GUARD_KINDS) {
    TestType kind;
    typename TestType::guard guard;
    {
        auto source = kind.make(0);
        guard = std::move(source);
        CHECK(!source);  // NOLINT
    }
    CHECK(guard);
    CHECK(held(kind, 0));
    guard = typename TestType::guard();
    CHECK(!guard);
    CHECK(!held(kind, 0));
}

TEMPLATE_TEST_CASE("a guard that owns something releases it before it takes over by assignment", "", GUARD_KINDS) {
    TestType kind;
    {
        auto guard = kind.make(0);
        auto source = kind.make(1);
        guard = std::move(source);
        CHECK(!held(kind, 0));
        CHECK(held(kind, 1));
        CHECK(guard);
        CHECK(!source);  // NOLINT
        source = std::move(guard);
        CHECK(source);
        CHECK(held(kind, 1));
    }
    CHECK(!held(kind, 1));
}

TEMPLATE_TEST_CASE("a guard that is moved to itself keeps what it owns", "", GUARD_KINDS, open_access_kind) {
    TestType kind;
    auto guard = kind.make(0);
    auto& alias = guard;
    guard = std::move(alias);
    CHECK(guard);
    if constexpr (counts<TestType>)
        CHECK(held(kind, 0));
}

TEMPLATE_TEST_CASE("a guard that is empty may be moved to itself", "", GUARD_KINDS) {
    typename TestType::guard guard;
    auto& alias = guard;
    guard = std::move(alias);
    CHECK(!guard);
}

TEMPLATE_TEST_CASE("guards can be swapped and kept in an optional", "", GUARD_KINDS) {
    TestType kind;
    {
        auto a = kind.make(0);
        auto b = kind.make(1);
        std::swap(a, b);
        CHECK(held(kind, 0));
        CHECK(held(kind, 1));
        std::optional<typename TestType::guard> optional = std::move(a);  // of 1
        CHECK(!a);                                                        // NOLINT
        optional.reset();
        CHECK(held(kind, 0));
        CHECK(!held(kind, 1));
    }
    CHECK(!held(kind, 0));
}

TEMPLATE_TEST_CASE("errno is kept when a guard dies or is assigned to", "", GUARD_KINDS) {
    TestType kind;
    CHECK(keeps_errno([&] {
        auto guard = kind.make(0);
        guard = kind.make(1);
        errno = ENOTTY;
    }));
}

TEMPLATE_TEST_CASE("an unmanaged token is as small as its handle and its device", "", enabled_kind, bar_kind, dma_kind,
                   mapping_kind, page_kind, sg_kind, pool_kind, element_kind, vectors_kind, known_vectors_kind,
                   registration_kind, binding_kind) {
    using guard = typename TestType::guard;
    constexpr std::size_t handle = std::is_same_v<TestType, enabled_kind> || std::is_same_v<TestType, binding_kind> ? 0
                                   : std::is_same_v<TestType, bar_kind> ? sizeof(null_platform::region_type)
                                   : std::is_same_v<TestType, registration_kind>
                                       ? sizeof(devres::pci::detail::registered_handler)
                                   : std::is_same_v<TestType, dma_kind> || std::is_same_v<TestType, mapping_kind> ||
                                           std::is_same_v<TestType, page_kind>
                                       ? sizeof(dma_block)
                                   : std::is_same_v<TestType, sg_kind> ? sizeof(devres::pci::detail::listed_pieces)
                                   : std::is_same_v<TestType, element_kind>
                                       ? sizeof(devres::pci::detail::pool_pages<null_platform>::element)
                                       : sizeof(void*);
    STATIC_REQUIRE(sizeof(guard) == sizeof(void*) + handle);
}

TEMPLATE_TEST_CASE("what devres owns is named by views: made full, copied at will, not assigned, trivially destroyed",
                   "", (enabled_device<managed_t, null_platform>), (bar_mapping<managed_t, null_platform>),
                   (dma_allocation<managed_t, null_platform>), (dma_mapping<managed_t, null_platform>),
                   (sg_mapping_of<null_device, 2>), (dma_pool<managed_t, null_platform>),
                   (irq_allocation<managed_t, null_platform>), (irq_allocation<managed_t, null_platform, void, 2>),
                   (irq_vector<managed_t, null_platform>), managed_ref<int>) {
    STATIC_REQUIRE(!std::is_default_constructible_v<TestType>);
    STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<TestType>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<TestType>);
    STATIC_REQUIRE(!std::is_move_assignable_v<TestType>);
    STATIC_REQUIRE(std::is_trivially_destructible_v<TestType>);
    STATIC_REQUIRE(!std::is_trivially_copyable_v<TestType>);  // a name is not bytes: D011 sees it inside a structure
}

TEMPLATE_TEST_CASE("what may outlive what it names is a weak name: empty or not, copied and assigned at will", "",
                   (irq_registration<managed_t, null_platform>), action, managed_ptr<int>, revocable<int>) {
    STATIC_REQUIRE(std::is_nothrow_default_constructible_v<TestType>);
    STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<TestType>);
    STATIC_REQUIRE(std::is_nothrow_copy_assignable_v<TestType>);
    if constexpr (std::is_constructible_v<bool, TestType>) {
        CHECK(!TestType());
        STATIC_REQUIRE(!std::is_convertible_v<TestType, bool>);
    }
}

TEST_CASE("an access that is moved is closed once") {
    open_access_kind kind;
    {
        auto first = kind.make(0);
        auto second = std::move(first);
        CHECK(!first);  // NOLINT
        second = kind.make(1);
        first = std::move(second);
        CHECK(first);
        CHECK(!second);  // NOLINT
    }
    kind.device[0].dev.reset();  // would wait for ever if an access were still counted
    kind.device[1].dev.reset();
    CHECK(!kind.files[0]->try_access());
    CHECK(!kind.files[1]->try_access());
}

TEST_CASE("an access keeps errno when it is closed") {
    open_access_kind kind;
    CHECK(keeps_errno([&] {
        const auto access = kind.make(0);
        errno = ENOTTY;
    }));
}
