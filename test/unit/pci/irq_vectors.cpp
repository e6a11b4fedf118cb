// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/irq_vectors.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

#include "pci/fixture.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

constexpr auto msix_or_msi = irq_type::msix | irq_type::msi;

struct fixture : device_fixture {
    enabled_device<managed_t, null_platform> enable() { return pcim_enable_device(*dev).value(); }
};

template <class Allocation>
constexpr bool can_free = requires(Allocation allocation) { pci_free_irq_vectors(std::move(allocation)); };
template <class Allocation>
constexpr bool can_free_lvalue = requires(Allocation& allocation) { pci_free_irq_vectors(allocation); };
template <class Enabled>
constexpr bool can_alloc_managed = requires(const Enabled& enabled) {
    pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all);
};
template <class Enabled>
constexpr bool can_alloc_managed_known = requires(const Enabled& enabled) {
    pcim_alloc_irq_vectors<2>(enabled, 4, irq_type::all);
};
template <class Enabled>
constexpr bool can_alloc_managed_spread = requires(const Enabled& enabled, const irq_affinity& affinity) {
    pcim_alloc_irq_vectors_affinity(enabled, 1, 4, irq_type::all, affinity);
};
template <class Enabled>
constexpr bool can_alloc_unmanaged = requires(const Enabled& enabled) {
    pci_alloc_irq_vectors(enabled, 1, 4, irq_type::all);
};
template <class Enabled>
constexpr bool can_alloc_unmanaged_spread = requires(const Enabled& enabled, const irq_affinity& affinity) {
    pci_alloc_irq_vectors_affinity(enabled, 1, 4, irq_type::all, affinity);
};
template <class Allocation, unsigned Index>
constexpr bool can_get = requires(const Allocation& allocation) { allocation.template get<Index>(); };

struct hybrid_platform : null_platform {
    static constexpr bool hybrid_irq_vectors = true;
};
struct owns_managed_vectors {
    static constexpr auto ownership = own(enable = managed, irq_vectors = managed);
};
struct owns_unmanaged_vectors {
    static constexpr auto ownership = own(enable = managed, irq_vectors = unmanaged);
};
struct owns_none {
    static constexpr auto ownership = own(enable = managed);
};

template <class Owner, class Driver = void, class P = null_platform>
using enabled_by = enabled_device<Owner, P, Driver>;
template <class Owner, unsigned Min = 0, class Driver = void>
using allocation_of = irq_allocation<Owner, null_platform, Driver, Min>;

}  // namespace

TEST_CASE("D001: vectors are freed by hand only where the driver owns them") {
    STATIC_REQUIRE(!can_free<allocation_of<managed_t>>);
    STATIC_REQUIRE(can_free<allocation_of<unmanaged_t>>);
    STATIC_REQUIRE(!can_free<allocation_of<managed_t, 2>>);
    STATIC_REQUIRE(can_free<allocation_of<unmanaged_t, 2>>);
    STATIC_REQUIRE(!can_free_lvalue<allocation_of<unmanaged_t>>);
}

TEST_CASE("D003: a platform with hybrid vectors refuses unmanaged ones on a managed device") {
    STATIC_REQUIRE(!can_alloc_unmanaged<enabled_by<managed_t, void, hybrid_platform>>);
    STATIC_REQUIRE(can_alloc_unmanaged<enabled_by<unmanaged_t, void, hybrid_platform>>);
    STATIC_REQUIRE(!can_alloc_unmanaged_spread<enabled_by<managed_t, void, hybrid_platform>>);
    STATIC_REQUIRE(can_alloc_unmanaged_spread<enabled_by<unmanaged_t, void, hybrid_platform>>);
    STATIC_REQUIRE(can_alloc_managed<enabled_by<managed_t, void, hybrid_platform>>);
    STATIC_REQUIRE(can_alloc_unmanaged<enabled_by<managed_t>>);
}

TEST_CASE("D004: vectors are allocated as the ownership table says") {
    STATIC_REQUIRE(can_alloc_managed<enabled_by<managed_t, owns_managed_vectors>>);
    STATIC_REQUIRE(can_alloc_managed_known<enabled_by<managed_t, owns_managed_vectors>>);
    STATIC_REQUIRE(can_alloc_managed_spread<enabled_by<managed_t, owns_managed_vectors>>);
    STATIC_REQUIRE(!can_alloc_unmanaged<enabled_by<managed_t, owns_managed_vectors>>);
    STATIC_REQUIRE(!can_alloc_unmanaged_spread<enabled_by<managed_t, owns_managed_vectors>>);
    STATIC_REQUIRE(can_alloc_unmanaged<enabled_by<managed_t, owns_unmanaged_vectors>>);
    STATIC_REQUIRE(!can_alloc_managed<enabled_by<managed_t, owns_unmanaged_vectors>>);
    STATIC_REQUIRE(!can_alloc_managed_known<enabled_by<managed_t, owns_unmanaged_vectors>>);
    STATIC_REQUIRE(!can_alloc_managed<enabled_by<managed_t, owns_none>>);
    STATIC_REQUIRE(!can_alloc_unmanaged<enabled_by<managed_t, owns_none>>);
}

TEST_CASE("D005: managed vectors need a managed enable") {
    STATIC_REQUIRE(can_alloc_managed<enabled_by<managed_t>>);
    STATIC_REQUIRE(!can_alloc_managed<enabled_by<unmanaged_t>>);
    STATIC_REQUIRE(!can_alloc_managed_known<enabled_by<unmanaged_t>>);
    STATIC_REQUIRE(!can_alloc_managed_spread<enabled_by<unmanaged_t>>);
    STATIC_REQUIRE(can_alloc_unmanaged<enabled_by<unmanaged_t>>);
}

TEST_CASE("D006: get<I> is there for the vectors that the allocation cannot have fewer than") {
    STATIC_REQUIRE(can_get<allocation_of<managed_t, 2>, 0>);
    STATIC_REQUIRE(can_get<allocation_of<managed_t, 2>, 1>);
    STATIC_REQUIRE(!can_get<allocation_of<managed_t, 2>, 2>);
    STATIC_REQUIRE(!can_get<allocation_of<managed_t>, 0>);
    STATIC_REQUIRE(can_get<allocation_of<unmanaged_t, 1>, 0>);
    STATIC_REQUIRE(!can_get<allocation_of<unmanaged_t, 1>, 1>);
}

TEST_CASE("a vector is indexed by an unsigned, and its token keeps the owner") {
    using allocation = allocation_of<managed_t>;
    STATIC_REQUIRE(std::same_as<decltype(std::declval<const allocation&>()[0U]), irq_vector<managed_t, null_platform>>);
    STATIC_REQUIRE(
        std::same_as<decltype(std::declval<const allocation&>().at(0U)), result<irq_vector<managed_t, null_platform>>>);
}

TEST_CASE_METHOD(fixture, "an allocation says how many vectors it has, of what type, and gives each") {
    const auto vectors = pcim_alloc_irq_vectors(enable(), 1, 32, irq_type::all).value();
    CHECK(vectors.size() == 8);
    CHECK(vectors.type() == irq_type::msix);
    for (unsigned i = 0; i != vectors.size(); ++i) {
        CHECK(vectors[i].index() == vector_index(i));
        CHECK(vectors[i].number() == irq_number(32 + i));
        CHECK(vectors.at(i).value().index() == vector_index(i));
        CHECK(&vectors[i].dev() == &*dev);
    }
    CHECK(vectors.at(8).error() == errc::einval);
    CHECK(vectors.at(~0U).error() == errc::einval);
}

TEST_CASE_METHOD(fixture, "an allocation with a known minimum gives those vectors without a check") {
    const auto vectors = pcim_alloc_irq_vectors<3>(enable(), 4, irq_type::msix).value();
    CHECK(vectors.get<0>().index() == vector_index(0));
    CHECK(vectors.get<2>().index() == vector_index(2));
    CHECK(vectors.size() == 4);
}

TEST_CASE_METHOD(fixture, "a request for no vectors, or for fewer than the minimum, never reaches the platform") {
    const auto enabled = enable();
    function.vectors.count = 7;  // the platform would answer ebusy
    CHECK(pcim_alloc_irq_vectors(enabled, 0, 4, irq_type::all).error() == errc::einval);
    CHECK(pcim_alloc_irq_vectors(enabled, 0, 0, irq_type::all).error() == errc::einval);
    CHECK(pcim_alloc_irq_vectors(enabled, 5, 4, irq_type::all).error() == errc::erange);
    CHECK(pcim_alloc_irq_vectors<5>(enabled, 4, irq_type::all).error() == errc::erange);
    CHECK(pci_alloc_irq_vectors(enabled, 0, 4, irq_type::all).error() == errc::einval);
    CHECK(pci_alloc_irq_vectors(enabled, 5, 4, irq_type::all).error() == errc::erange);
    CHECK(pcim_alloc_irq_vectors_affinity(enabled, 0, 4, irq_type::all, {}).error() == errc::einval);
    CHECK(pcim_alloc_irq_vectors_affinity(enabled, 5, 4, irq_type::all, {}).error() == errc::erange);
    CHECK(pci_alloc_irq_vectors_affinity(enabled, 0, 4, irq_type::all, {}).error() == errc::einval);
    CHECK(pci_alloc_irq_vectors_affinity(enabled, 5, 4, irq_type::all, {}).error() == errc::erange);
    function.vectors.count = 0;
}

TEST_CASE_METHOD(fixture, "the platform's error is passed on, and nothing is left") {
    const auto enabled = enable();
    const std::size_t blocks = platform.blocks();
    CHECK(pcim_alloc_irq_vectors(enabled, 9, 9, irq_type::all).error() == errc::enospc);
    CHECK(pci_alloc_irq_vectors(enabled, 9, 9, irq_type::all).error() == errc::enospc);
    CHECK(pcim_alloc_irq_vectors(enabled, 1, 9, irq_types()).error() == errc::enospc);
    CHECK(function.vectors.count == 0);
    CHECK(platform.blocks() == blocks);
    CHECK(pcim_alloc_irq_vectors(enabled, 8, 9, irq_type::all));
}

TEST_CASE_METHOD(fixture, "a second live allocation is refused, whoever owns the first, INTx included") {
    const auto enabled = enable();
    const auto second_is_refused = [&] {
        CHECK(pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::all).error() == errc::ebusy);
        CHECK(pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::intx).error() == errc::ebusy);
        CHECK(pci_alloc_irq_vectors(enabled, 1, 1, irq_type::intx).error() == errc::ebusy);
        CHECK(pcim_alloc_irq_vectors_affinity(enabled, 1, 1, irq_type::all, {}).error() == errc::ebusy);
    };
    SECTION("unmanaged MSI-X") {
        auto vectors = pci_alloc_irq_vectors(enabled, 1, 4, msix_or_msi).value();
        second_is_refused();
        CHECK(vectors.size() == 4);
        REQUIRE(pci_free_irq_vectors(std::move(vectors)));
        CHECK(pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::intx));
    }
    SECTION("managed MSI-X") {
        const auto vectors = pcim_alloc_irq_vectors(enabled, 1, 4, msix_or_msi).value();
        second_is_refused();
        CHECK(function.vectors.count == vectors.size());
    }
    SECTION("managed INTx") {
        REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::intx).value().type() == irq_type::intx);
        second_is_refused();
    }
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "unmanaged vectors are freed when the guard dies or by hand, and can be had again") {
    const auto enabled = enable();
    for (int round = 0; round != 3; ++round) {
        auto vectors = pci_alloc_irq_vectors(enabled, 1, 4, msix_or_msi).value();
        CHECK(function.vectors.count == 4);
        if (round == 1) {
            REQUIRE(pci_free_irq_vectors(std::move(vectors)));
            CHECK(function.vectors.count == 0);
            CHECK(!vectors);  // NOLINT: what is left of it, is the question
            CHECK(vectors.size() == 0);
            CHECK(vectors.at(0).error() == errc::einval);
            CHECK(pci_free_irq_vectors(std::move(vectors)));  // nothing more to free
        }
    }
    CHECK(function.vectors.count == 0);
}

TEST_CASE_METHOD(fixture, "unmanaged vectors take no memory and leave no record") {
    const auto enabled = enable();
    fill_own_room(*dev, 1);
    const std::size_t blocks = platform.blocks();
    const auto vectors = pci_alloc_irq_vectors(enabled, 1, 8, msix_or_msi).value();
    CHECK(platform.blocks() == blocks);
}

TEST_CASE_METHOD(fixture, "managed vectors are freed at unbind, before the device is disabled") {
    REQUIRE(pcim_alloc_irq_vectors(enable(), 1, 4, msix_or_msi));
    CHECK(function.vectors.count == 4);
    CHECK(clean());
}

TEST_CASE("vectors that cannot be had or recorded leave nothing") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            fill_own_room(dev, 1);
            DEVRES_TRY(pcim_alloc_irq_vectors(enabled, 1, 4, msix_or_msi));
            return {};
        },
        clean);
    CHECK(clean);
    // enable, the memory for the record and for its place in the list, the vectors
    CHECK(errors == std::vector{errc::eio, errc::enomem, errc::enomem, errc::enospc});
}

TEST_CASE_METHOD(fixture, "P08: vectors that are allocated in a group are freed with the group, and can be had again") {
    const auto enabled = enable();
    group g{*dev};
    REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 4, msix_or_msi));
    g.keep();
    CHECK(g.release() == 1);
    CHECK(function.vectors.count == 0);
    CHECK(pcim_alloc_irq_vectors(enabled, 1, 4, msix_or_msi));
    CHECK(clean());
}

TEST_CASE_METHOD(fixture,
                 "P09: a group owns its vectors also if an attempt failed, or an allocation ended, before it") {
    const auto enabled = enable();
    SECTION("an attempt that failed") { CHECK(!pcim_alloc_irq_vectors(enabled, 9, 9, irq_type::all)); }
    SECTION("an unmanaged allocation that ended") { (void)pci_alloc_irq_vectors(enabled, 1, 4, irq_type::all).value(); }
    SECTION("a managed allocation that ended") {
        group before{*dev};
        REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
    }
    group g{*dev};
    REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
    g.keep();
    CHECK(g.release() == 1);
    CHECK(function.vectors.count == 0);
}

TEST_CASE_METHOD(fixture, "vectors that were allocated before a group is opened are not its own") {
    const auto enabled = enable();
    REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
    group g{*dev};
    CHECK(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all).error() == errc::ebusy);
    CHECK(g.release() == 0);
    CHECK(function.vectors.count == 4);
}

TEST_CASE_METHOD(fixture, "an enable that a group releases takes the vectors with it that were allocated outside") {
    group g{*dev};
    const auto enabled = enable();
    g.keep();
    REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
    CHECK(g.release() == 2);
    CHECK(function.vectors.count == 0);
    CHECK(function.enabled == 0);
    CHECK(dev->resources().empty());
}

TEST_CASE_METHOD(fixture, "of two enables, the one that a group releases leaves the vectors alone") {
    const auto enabled = enable();
    REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
    group g{*dev};
    enable();
    CHECK(g.release() == 1);
    CHECK(function.enabled == 1);
    CHECK(function.vectors.count == 4);
}

TEST_CASE_METHOD(fixture, "spread vectors hand their affinity to the platform, others none") {
    struct watching : null_platform {
        bool spread = false;
        unsigned pre_vectors = 0;
        result<vector_grant> allocate_vectors(function_type& f, const vector_request& request) noexcept {
            spread = request.affinity != nullptr;
            if (spread)
                pre_vectors = request.affinity->pre_vectors;
            return null_platform::allocate_vectors(f, request);
        }
    };
    watching watched;
    device<watching> other(watched, function);
    const auto enabled = pcim_enable_device(other).value();
    {
        const auto vectors = pci_alloc_irq_vectors_affinity(enabled, 2, 4, irq_type::msix, {.pre_vectors = 2}).value();
        CHECK(vectors.size() == 4);
        CHECK(watched.spread);
        CHECK(watched.pre_vectors == 2);
    }
    { const auto vectors = pci_alloc_irq_vectors(enabled, 2, 4, irq_type::msix).value(); }
    CHECK(!watched.spread);
    CHECK(pcim_alloc_irq_vectors_affinity(enabled, 1, 4, irq_type::msix, {.pre_vectors = 1}));
    CHECK(watched.pre_vectors == 1);
}

TEST_CASE_METHOD(fixture, "vectors cannot be freed from inside one of their handlers, and are kept then") {
    struct freeing {
        irq_allocation<unmanaged_t, null_platform>* vectors;
        result<> freed;
        irq_return on_irq() noexcept {
            freed = pci_free_irq_vectors(std::move(*vectors));
            return irq_return::handled;
        }
    };
    auto vectors = pci_alloc_irq_vectors(enable(), 1, 4, msix_or_msi).value();
    freeing context{&vectors, {}};
    const auto handler = request_irq<&freeing::on_irq>(vectors[0], "freeing", context).value();
    CHECK(function.fire(0));
    CHECK(context.freed.error() == errc::edeadlk);
    CHECK(vectors);
    CHECK(vectors.size() == 4);
    CHECK(handler);
    CHECK(pci_free_irq_vectors(std::move(vectors)));
    CHECK(!handler);
}

TEST_CASE("views of vectors are made full and stay what they are") {
    using view = vectors_of<null_device, 2>;
    STATIC_REQUIRE(std::same_as<view, allocation_of<managed_t, 2>>);
    STATIC_REQUIRE(!std::is_default_constructible_v<view>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<view>);
    STATIC_REQUIRE(!std::is_default_constructible_v<irq_vector<managed_t, null_platform>>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<irq_vector<managed_t, null_platform>>);
    STATIC_REQUIRE(!std::is_default_constructible_v<irq_vector<unmanaged_t, null_platform>>);
    STATIC_REQUIRE(!std::is_constructible_v<irq_vector<managed_t, null_platform>, null_device&, vector_index>);
}

TEST_CASE_METHOD(fixture, "an enable that has been released gives no vectors") {
    group g{*dev};
    const auto gone = enable();
    CHECK(g.release() == 1);
    enable();
    CHECK(pcim_alloc_irq_vectors(gone, 1, 4, irq_type::all).error() == errc::enoent);
    CHECK(pci_alloc_irq_vectors(gone, 1, 4, irq_type::all).error() == errc::enoent);
    CHECK(pcim_alloc_irq_vectors_affinity(gone, 1, 4, irq_type::all, {}).error() == errc::enoent);
    CHECK(function.vectors.count == 0);
}

TEST_CASE_METHOD(fixture, "a vector that there is not stops the program, and says why") {
    using Catch::Matchers::ContainsSubstring;
    const auto vectors = pcim_alloc_irq_vectors(enable(), 1, 4, irq_type::msix).value();
    CHECK_THAT(last_words([&] { (void)vectors[4]; }), ContainsSubstring("devres: irq_allocation[i]"));
    const allocation_of<unmanaged_t, 1> nothing;
    CHECK_THAT(last_words([&] { (void)nothing.get<0>(); }), ContainsSubstring("devres: irq_allocation::get"));
    CHECK_THAT(last_words([&] { (void)nothing[0]; }), ContainsSubstring("devres: irq_allocation[i]"));
}

TEST_CASE_METHOD(fixture, "a guard of vectors that dies inside a handler on them stops the program, and says why") {
    struct dropping {
        irq_allocation<unmanaged_t, null_platform>* vectors;
        irq_return on_irq() noexcept {
            *vectors = {};
            return irq_return::handled;
        }
    };
    auto vectors = pci_alloc_irq_vectors(enable(), 1, 4, msix_or_msi).value();
    dropping context{&vectors};
    const auto handler = request_irq(vectors[0], "dropping", context).value();
    CHECK_THAT(last_words([&] { function.fire(0); }),
               Catch::Matchers::ContainsSubstring("devres: a guard dies inside a handler of its device"));
}

TEST_CASE_METHOD(
    fixture, "an object that is built on vectors, or on one of them, keeps them from a group that would free them") {
    struct by_all {
        vectors_of<null_device> vectors;
    };
    struct by_one {
        irq_vector<managed_t, null_platform> vector;
    };
    const auto enabled = enable();
    group g{*dev};
    const auto vectors = pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::msix).value();
    g.keep();
    group users{*dev};
    SECTION("all") { CHECK(devm_emplace<by_all>(*dev, vectors).value()->vectors.size() == 4); }
    SECTION("one") { CHECK(devm_emplace<by_one>(*dev, vectors[2]).value()->vector.index() == vector_index(2)); }
    CHECK(g.release().error() == errc::ebusy);
    CHECK(function.vectors.count == 4);
    CHECK(users.release() == 1);
    CHECK(g.release() == 1);
    CHECK(function.vectors.count == 0);
}
