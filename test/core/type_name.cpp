// SPDX-License-Identifier: BSL-1.0
#include <devres/core/detail/type_name.hpp>

#include <cstring>
#include <string>

#include "support/catch.hpp"

namespace devres::test {

struct named {};
template <class... T>
struct box {};

}  // namespace devres::test

using devres::detail::type_name;
using devres::test::box;
using devres::test::named;

namespace {

struct unnamed_room {};
template <class T>
std::string name() {
    return type_name<T>.text;
}

}  // namespace

TEST_CASE("a type's name is what the compiler writes, without anything around it") {
    CHECK(name<int>() == "int");
    CHECK(name<named>() == "devres::test::named");
    CHECK(name<box<int>>() == "devres::test::box<int>");
    CHECK_THAT(name<const named>(), Catch::Matchers::ContainsSubstring("const") &&
                                        Catch::Matchers::ContainsSubstring("devres::test::named"));
    CHECK_THAT(name<unnamed_room>(), Catch::Matchers::ContainsSubstring("unnamed_room"));
}

TEST_CASE("a name may have brackets of its own") {
    CHECK_THAT(name<int[3]>(), Catch::Matchers::ContainsSubstring("[3]"));
    CHECK_THAT((name<box<int[3], named>>()), Catch::Matchers::ContainsSubstring("named>"));
    CHECK(name<box<box<int>>>().back() == '>');
    CHECK(name<box<>>() == "devres::test::box<>");
}

TEST_CASE("a name that is too long is cut") {
    using longer = box<named, named, named, named>;
    using longest = box<longer, longer, longer, longer>;
    const std::string cut = name<longest>();
    CHECK(cut.size() + 1 == devres::detail::type_name_of<longest>::most);
    CHECK(cut.starts_with("devres::test::box<devres::test::box<"));
}

static_assert(type_name<int>.text[0] == 'i', "names are made by the compiler");
