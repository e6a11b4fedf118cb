// SPDX-License-Identifier: BSL-1.0
#include <devres/hardware/config_space.hpp>

#include <vector>

#include "support/catch.hpp"

using devres::hardware::config_space;

TEST_CASE("a register keeps its read-only bits whatever is written") {
    config_space config;
    config.load(std::vector<std::uint8_t>{0x86, 0x80, 0x10, 0x20});
    config.writable(2, 1, 0x0f);
    const auto change = config.write(0, 4, 0xffff'ffff);
    CHECK(change.before == 0x2010'8086);
    CHECK(change.after == 0x201f'8086);
    CHECK(config.read(0, 2) == 0x8086);
    CHECK(config.read(2, 1) == 0x1f);
}

TEST_CASE("a write of one byte leaves the others alone") {
    config_space config;
    config.writable(8, 4, ~0U);
    config.write(8, 4, 0x4433'2211);
    config.write(9, 1, 0xaa);
    config.write(10, 2, 0xccbb);
    CHECK(config.read(8, 4) == 0xccbb'aa11);
}

TEST_CASE("a bit that is cleared by one is cleared by one, and not by zero") {
    config_space config;
    config.set(6, 2, 0xf900);
    config.cleared_by_one(6, 2, 0xf900);
    config.write(6, 2, 0);
    CHECK(config.read(6, 2) == 0xf900);
    config.write(6, 2, 0x8000);
    CHECK(config.read(6, 2) == 0x7900);
}

TEST_CASE("configuration space is read and written in aligned units of 1, 2 and 4 bytes up to 4 KiB") {
    CHECK(config_space::valid(0, 4));
    CHECK(config_space::valid(0xfff, 1));
    CHECK(config_space::valid(0xffc, 4));
    CHECK_FALSE(config_space::valid(2, 4));
    CHECK_FALSE(config_space::valid(1, 2));
    CHECK_FALSE(config_space::valid(0, 8));
    CHECK_FALSE(config_space::valid(0, 3));
    CHECK_FALSE(config_space::valid(0, 0));
    CHECK_FALSE(config_space::valid(4096, 1));
    CHECK_FALSE(config_space::valid(~0U, 1));
}

TEST_CASE("reset brings everything back, restore only what is writable") {
    config_space config;
    config.load(std::vector<std::uint8_t>{1, 2, 3, 4});
    config.writable(0, 1, 0xff);
    const auto saved = config.first_registers();
    config.write(0, 1, 9);
    config.set(2, 1, 9);
    config.restore(saved);
    CHECK(config.read(0, 4) == 0x0409'0201);
    config.reset();
    CHECK(config.read(0, 4) == 0x0403'0201);
}

TEST_CASE("what is beyond the first 256 bytes is read-only") {
    config_space config;
    config.set(0x100, 4, 0x0001'0003);
    config.write(0x100, 4, 0);
    CHECK(config.read(0x100, 4) == 0x0001'0003);
}
