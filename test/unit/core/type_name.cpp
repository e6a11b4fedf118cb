// SPDX-License-Identifier: BSL-1.0
#include <devres/core/detail/type_name.hpp>

#include <cstring>
#include <string>

#include "support/catch.hpp"

namespace devres::test {

struct named {};
template <class... T>
struct box {
    struct inner {};
};

}  // namespace devres::test

namespace an_identifier_of_forty_letters_or_so_for_a_room::an_identifier_of_forty_letters_or_so_for_a_room {

struct an_identifier_of_forty_letters_or_so_for_a_type {};

}  // namespace an_identifier_of_forty_letters_or_so_for_a_room::an_identifier_of_forty_letters_or_so_for_a_room

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
    CHECK_THAT(name<const named>(), Catch::Matchers::ContainsSubstring("const") &&
                                        Catch::Matchers::ContainsSubstring("devres::test::named"));
    CHECK_THAT(name<unnamed_room>(), Catch::Matchers::ContainsSubstring("unnamed_room"));
}

TEST_CASE("the name of a template is written without its arguments") {
    CHECK(name<box<>>() == "devres::test::box");
    CHECK(name<box<int>>() == "devres::test::box");
    CHECK(name<box<box<int>, int[3], named>>() == "devres::test::box");
    CHECK(name<box<int>::inner>() == "devres::test::box::inner");
    CHECK_THAT(name<int[3]>(), Catch::Matchers::StartsWith("int"));
}

TEST_CASE("a name that is too long is cut") {
    const std::string cut =
        name<an_identifier_of_forty_letters_or_so_for_a_room::an_identifier_of_forty_letters_or_so_for_a_room::
                 an_identifier_of_forty_letters_or_so_for_a_type>();
    CHECK(cut.size() + 1 == devres::detail::type_name_of<int>::most);
    CHECK(cut.starts_with("an_identifier_of_forty_letters_or_so_for_a_room::an_"));
}

static_assert(type_name<int>.text[0] == 'i', "names are made by the compiler");
