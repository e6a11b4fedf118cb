// SPDX-License-Identifier: BSL-1.0
#include <devres/hardware/msix_table.hpp>

#include "support/catch.hpp"

using devres::hardware::interrupt_message;
using devres::hardware::msix_table;

TEST_CASE("a new table is masked and zero") {
    const msix_table table(3);
    for (unsigned i = 0; i != 3; ++i) {
        CHECK(table.masked(i));
        CHECK(table.message(i) == interrupt_message{});
    }
}

TEST_CASE("a programmed entry is what a driver reads in the BAR") {
    msix_table table(4);
    table.program(2, {0x1'fee0'1000, 0x29});
    CHECK(table.message(2) == interrupt_message{0x1'fee0'1000, 0x29});
    CHECK(table.read(2 * 16, 4) == 0xfee0'1000);
    CHECK(table.read(2 * 16 + 4, 4) == 1);
    CHECK(table.read(2 * 16 + 8, 4) == 0x29);
    CHECK(table.read(2 * 16 + 12, 4) == 1);
    table.mask(2, false);
    CHECK(table.read(2 * 16 + 12, 4) == 0);
    CHECK(table.read(2 * 16, 8) == 0x1'fee0'1000);
    CHECK(table.read(3 * 16 + 12, 4) == 1);
}

TEST_CASE("an entry can be written through the BAR, of its control word only the mask") {
    msix_table table(2);
    table.write(16, 8, 0xfee0'2000);
    table.write(24, 4, 0x1234);
    table.write(28, 4, 0xffff'fffe);
    CHECK(table.message(1) == interrupt_message{0xfee0'2000, 0x1234});
    CHECK_FALSE(table.masked(1));
    CHECK(table.read(28, 4) == 0);
    table.write(28, 1, 1);
    CHECK(table.masked(1));
    CHECK(table.masked(0));
}

TEST_CASE("a pending bit is set once, shown in the BAR, and taken once") {
    msix_table table(70);
    table.set_pending(65);
    CHECK(table.read_pending(8, 8) == 2);
    CHECK(table.read_pending(8, 1) == 2);
    CHECK(table.read_pending(0, 8) == 0);
    CHECK(table.take_pending(65));
    CHECK_FALSE(table.take_pending(65));
    CHECK(table.pending_bytes() == 16);
}
