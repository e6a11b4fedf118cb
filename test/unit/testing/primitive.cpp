// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/primitive.hpp>

#include "support/catch.hpp"

using namespace devres::testing;

TEST_CASE("a primitive has the name it has in the platform concept") {
    CHECK(name_of(primitive::attach) == "attach");
    CHECK(name_of(primitive::write) == "write");
    CHECK(name_of(primitive::allocate_vectors) == "allocate_vectors");
    CHECK(name_of(primitive::unregister_handler) == "unregister_handler");
    CHECK(name_of(primitive::synchronize_handler) == "synchronize_handler");
    CHECK(name_of(primitive::disable_handler) == "disable_handler");
    CHECK(name_of(primitive::enable_handler) == "enable_handler");
    CHECK(name_of(primitive::add_work) == "add_work");
    CHECK(name_of(primitive::remove_work) == "remove_work");
    CHECK(name_of(primitive::allocate_dma) == "allocate_dma");
    CHECK(name_of(primitive::deallocate) == "deallocate");
}

TEST_CASE(
    "a primitive either acquires or does and may fail, or releases, or is a BAR access or a sync, or holds a handler back or schedules "
    "work") {
    STATIC_REQUIRE(is_fallible(primitive::attach));
    STATIC_REQUIRE(is_fallible(primitive::set_master));
    STATIC_REQUIRE(is_fallible(primitive::allocate));
    STATIC_REQUIRE(!is_fallible(primitive::read));
    STATIC_REQUIRE(!is_release(primitive::read));
    for (const primitive what : {primitive::synchronize_handler, primitive::disable_handler, primitive::enable_handler,
                                 primitive::schedule_work, primitive::cancel_work, primitive::flush_work,
                                 primitive::sync_dma_for_cpu, primitive::sync_dma_for_device}) {
        CHECK_FALSE(is_fallible(what));
        CHECK_FALSE(is_release(what));
    }
    STATIC_REQUIRE(is_release(primitive::free_vectors));
    STATIC_REQUIRE(!is_fallible(primitive::free_vectors));
    STATIC_REQUIRE(is_fallible(primitive::add_work));
    STATIC_REQUIRE(is_release(primitive::remove_work));
}

TEST_CASE("a call is put in words with what tells it from others of its kind") {
    CHECK(to_string({.what = primitive::enable}) == "enable");
    CHECK(to_string({.what = primitive::set_master, .number = 1}) == "set_master on");
    CHECK(to_string({.what = primitive::read_config, .offset = 0x34, .size = 1}) == "read_config 0x34, 1 bytes");
    CHECK(to_string({.what = primitive::map_bar, .number = 2, .name = "large"}) == "map_bar 2 \"large\"");
    CHECK(to_string({.what = primitive::write, .number = 4, .offset = 0, .size = 4}) == "write bar 4 + 0x0, 4 bytes");
    CHECK(to_string({.what = primitive::allocate_vectors, .number = 1, .size = 32}) == "allocate_vectors 1 to 32");
    CHECK(to_string({.what = primitive::register_handler, .number = 2, .name = "switchtec-event"}) ==
          "register_handler vector 2 \"switchtec-event\"");
    CHECK(to_string({.what = primitive::set_dma_mask, .number = 1, .size = 64}) == "set_dma_mask streaming, 64 bits");
    CHECK(to_string({.what = primitive::set_dma_mask, .number = 3, .size = 32}) == "set_dma_mask 32 bits");
    CHECK(to_string({.what = primitive::allocate, .size = 1016}) == "allocate 1016 bytes");
}
