// SPDX-License-Identifier: BSL-1.0
#include <devres/core/managed_array.hpp>

#include <cstdint>
#include <string_view>
#include <type_traits>

#include <devres/core/group.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

using namespace devres;
using devres::test::core_device, devres::test::last_words;

namespace {

struct descriptor {
    std::uint64_t address = 7;
    std::uint32_t length = 0;
};
struct alignas(256) page {
    unsigned char bytes[256];
};
struct owner {
    ~owner() {}
};

template <class T>
constexpr bool can_allocate = requires(core_device& dev) { devm_kcalloc<T>(dev, 1); };

static_assert(!std::is_default_constructible_v<managed_array<int>>);
static_assert(!std::is_copy_assignable_v<managed_array<int>>);
static_assert(!std::is_trivially_copyable_v<managed_array<int>>);

}  // namespace

TEST_CASE("as many elements as are known at run time, made like objects") {
    core_device dev;
    const auto ring = devm_kcalloc<descriptor>(dev, 3).value();
    REQUIRE(ring.size() == 3);
    for (const descriptor& one : ring)
        CHECK((one.address == 7 && one.length == 0));
    ring[2].length = 5;
    CHECK(ring.element(2)->length == 5);
    CHECK(ring.end() - ring.begin() == 3);
    const auto zeroes = devm_kcalloc<unsigned char>(dev, 1000).value();
    for (const unsigned char one : zeroes)
        CHECK(one == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(devm_kcalloc<page>(dev, 2).value().data()) % 256 == 0);
}

TEST_CASE("a copy of memory, and of a text with its end") {
    core_device dev;
    const std::uint32_t from[] = {1, 2, 3};
    CHECK(devm_kmemdup(dev, from, 3).value()[2] == 3);
    const auto name = devm_kstrdup(dev, "eth0").value();
    STATIC_REQUIRE(std::is_same_v<decltype(name.data()), const char*>);
    CHECK(name.size() == 5);
    CHECK(std::string_view(name.data()) == "eth0");
    CHECK(devm_kstrdup(dev, "").value().size() == 1);
}

TEST_CASE("memory of no size, of nothing or of more than there can be is none") {
    core_device dev;
    CHECK(devm_kcalloc<int>(dev, 0).error() == errc::einval);
    CHECK(devm_kmemdup<int>(dev, nullptr, 1).error() == errc::einval);
    CHECK(devm_kstrdup(dev, nullptr).error() == errc::einval);
    CHECK(devm_kcalloc<std::uint64_t>(dev, ~std::size_t{0} / 8).error() == errc::enomem);
    CHECK(dev.memory.blocks == 0);
}

TEST_CASE("memory goes with its group, and not under an object that is made from it") {
    core_device dev;
    struct user {
        managed_array<int> memory;
    };
    group g{dev};
    REQUIRE(devm_kcalloc<int>(dev, 4));
    CHECK(g.release() == 1);
    group h{dev};
    const auto memory = devm_kcalloc<int>(dev, 4).value();
    h.keep();
    REQUIRE(devm_emplace<user>(dev, memory));
    CHECK(h.release().error() == errc::ebusy);
}

TEST_CASE("memory that cannot be had or recorded leaves nothing") {
    for (const std::size_t allowed : {0U, 1U}) {  // its memory, its place in the list
        core_device dev;
        for (std::size_t i = 0; i != list::inline_records; ++i)
            REQUIRE(dev.resources().add([](void*) {}, nullptr));
        dev.memory.allowance = allowed;
        CHECK(devm_kcalloc<int>(dev, 100).error() == errc::enomem);
        CHECK(dev.memory.blocks == 0);
    }
}

TEST_CASE("D012: elements are plain values") {
    STATIC_REQUIRE(can_allocate<descriptor>);
    STATIC_REQUIRE(!can_allocate<owner>);
    STATIC_REQUIRE(!can_allocate<int&>);
}

TEST_CASE("an element that is not there stops the program") {
    core_device dev;
    const auto memory = devm_kcalloc<int>(dev, 1).value();
    CHECK(last_words([&] { (void)memory.element(1); }) == "devres: managed_array::element: there are not so many\n");
}
