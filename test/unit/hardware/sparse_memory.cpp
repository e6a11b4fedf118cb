// SPDX-License-Identifier: BSL-1.0
#include <devres/hardware/sparse_memory.hpp>

#include "support/catch.hpp"

using devres::hardware::sparse_memory;

TEST_CASE("memory that was never written is zero and takes no space") {
    sparse_memory memory(std::uint64_t{1} << 40U);
    CHECK(memory.read(0, 8) == 0);
    CHECK(memory.read((std::uint64_t{1} << 40U) - 8, 8) == 0);
    CHECK(memory.resident() == 0);
}

TEST_CASE("memory keeps what is written to its first and last bytes, in any width") {
    for (const std::uint64_t size : {std::uint64_t{16}, std::uint64_t{4096}, std::uint64_t{2} << 20U,
                                     std::uint64_t{4} << 20U, std::uint64_t{1} << 30U, std::uint64_t{1} << 50U}) {
        CAPTURE(size);
        sparse_memory memory(size);
        memory.write(0, 8, 0x8877'6655'4433'2211);
        memory.write(size - 4, 4, 0xaabb'ccdd);
        CHECK(memory.read(0, 8) == 0x8877'6655'4433'2211);
        CHECK(memory.read(0, 1) == 0x11);
        CHECK(memory.read(2, 2) == 0x4433);
        CHECK(memory.read(4, 4) == 0x8877'6655);
        CHECK(memory.read(size - 2, 2) == 0xaabb);
        CHECK(memory.resident() <= 2 * sparse_memory::page_size);
    }
}

TEST_CASE("cleared memory is zero again") {
    sparse_memory memory(1U << 20U);
    memory.write(0x8000, 4, 7);
    memory.clear();
    CHECK(memory.read(0x8000, 4) == 0);
    CHECK(memory.resident() == 0);
    memory.write(0x8000, 4, 8);
    CHECK(memory.read(0x8000, 4) == 8);
}
