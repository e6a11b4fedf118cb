// SPDX-License-Identifier: BSL-1.0
#include <devres/hardware/dma_space.hpp>

#include <array>
#include <cstring>
#include <string>

#include "support/catch.hpp"

using namespace devres;
using hardware::dma_space;

namespace {

pci::bus_address operator+(pci::bus_address at, std::uint64_t bytes) {
    return static_cast<pci::bus_address>(static_cast<std::uint64_t>(at) + bytes);
}

}  // namespace

TEST_CASE("a DMA block is zeroed, aligned to a page, and shared with the device") {
    dma_space dma;
    const auto block = dma.allocate(100);
    REQUIRE(block);
    CHECK(block->size == 4096);
    CHECK(reinterpret_cast<std::uintptr_t>(block->cpu) % 4096 == 0);
    CHECK(static_cast<std::uint64_t>(block->bus) % 4096 == 0);
    CHECK(static_cast<const char*>(block->cpu)[99] == 0);

    const std::array<char, 21> sent{"twenty bytes, nearly"};
    CHECK(dma.write(block->bus + 3, sent.data(), sent.size()));
    CHECK(std::strcmp(static_cast<const char*>(block->cpu) + 3, sent.data()) == 0);
    std::array<char, 21> received{};
    CHECK(dma.read(block->bus + 3, received.data(), received.size()));
    CHECK(received == sent);
}

TEST_CASE("a device cannot reach beyond a block, before it, or what was freed") {
    dma_space dma;
    const auto first = dma.allocate(4096);
    const auto second = dma.allocate(4096);
    REQUIRE(first);
    REQUIRE(second);
    std::array<char, 8> bytes{};
    CHECK(dma.read(first->bus + 4088, bytes.data(), 8));
    CHECK_FALSE(dma.read(first->bus + 4089, bytes.data(), 8));
    CHECK_FALSE(dma.read(first->bus + 4096, bytes.data(), 1));
    CHECK_FALSE(dma.read(static_cast<pci::bus_address>(8), bytes.data(), 8));
    CHECK_FALSE(dma.read(static_cast<pci::bus_address>(~std::uint64_t{0}), bytes.data(), 8));
    CHECK(dma.free(*first));
    CHECK_FALSE(dma.read(first->bus, bytes.data(), 8));
    CHECK_FALSE(dma.free(*first));
    CHECK(dma.read(second->bus, bytes.data(), 8));
    CHECK(dma.blocks().size() == 1);
}

TEST_CASE("an address that was freed is not given out again at once") {
    dma_space dma;
    const auto first = dma.allocate(1);
    REQUIRE(dma.free(*first));
    CHECK(dma.allocate(1)->bus != first->bus);
}

TEST_CASE("memory that nobody has is refused") {
    dma_space dma;
    CHECK_FALSE(dma.allocate(SIZE_MAX));
    CHECK_FALSE(dma.allocate(SIZE_MAX / 4));
}

TEST_CASE("a device reaches the bytes of the driver's memory that are mapped, and no others") {
    dma_space dma;
    std::array<char, 32> memory{};
    const auto mapping = dma.map(memory.data() + 8, 16);
    REQUIRE(mapping);
    CHECK(mapping->cpu == memory.data() + 8);
    CHECK(mapping->size == 16);
    CHECK(static_cast<std::uint64_t>(mapping->bus) % 4096 ==
          reinterpret_cast<std::uintptr_t>(memory.data() + 8) % 4096);
    CHECK(dma.write(mapping->bus + 15, "x", 1));
    CHECK(memory[23] == 'x');
    CHECK_FALSE(dma.write(mapping->bus + 16, "x", 1));
    char byte = 0;
    CHECK_FALSE(dma.read(static_cast<pci::bus_address>(static_cast<std::uint64_t>(mapping->bus) - 1), &byte, 1));

    const auto again = dma.map(memory.data() + 8, 16);
    const auto block = dma.allocate(4096);
    REQUIRE((again && block));
    CHECK(again->bus != mapping->bus);
    CHECK(static_cast<std::uint64_t>(block->bus) % 4096 == 0);
    CHECK(dma.mappings().size() == 2);
    CHECK(dma.blocks().size() == 1);

    CHECK_FALSE(dma.free(*mapping));
    CHECK_FALSE(dma.unmap(*block));
    CHECK(dma.unmap(*mapping));
    CHECK_FALSE(dma.unmap(*mapping));
    CHECK_FALSE(dma.read(mapping->bus, &byte, 1));
    CHECK(dma.read(again->bus, &byte, 1));
    CHECK(dma.free(*block));
}

TEST_CASE("addresses are within the mask of what they are for") {
    dma_space dma;
    const auto at = [](const auto& got) { return static_cast<std::uint64_t>(got->bus); };
    char byte = 0;
    CHECK(dma.mask(pci::dma_use::streaming) == pci::dma_bit_mask(32));
    CHECK(dma.required_mask() == pci::dma_bit_mask(32));
    REQUIRE(dma.set_mask(pci::dma_use::streaming, 0x1000'0fff));  // one page of addresses
    const auto only = dma.map(reinterpret_cast<void*>(std::uintptr_t{0x5000}), 8);
    CHECK(at(only) == 0x1000'0000);
    CHECK_FALSE(dma.map(&byte, 1));
    const auto block = dma.allocate(8);
    CHECK(at(block) > 0x1000'0fff);
    REQUIRE(dma.unmap(*only));
    CHECK(at(dma.map(reinterpret_cast<void*>(std::uintptr_t{0x5000}), 8)) == 0x1000'0000);
    CHECK_FALSE(dma.set_mask(pci::dma_use::both, 0x1000'0ffe));
    CHECK(dma.mask(pci::dma_use::streaming) == 0x1000'0fff);
    CHECK_FALSE(dma.set_mask(pci::dma_use::both, 0));
    CHECK(dma.set_mask(pci::dma_use::both, pci::dma_bit_mask(64)));
    dma.reset_masks();
    CHECK(dma.mask(pci::dma_use::coherent) == pci::dma_bit_mask(32));
}

TEST_CASE("addresses beyond the first 4 GiB are used when those have no more, and the mask lets them") {
    dma_space dma;
    dma.set_base(pci::bus_address{0xffff'd001});  // two pages, one of them between two blocks
    const auto at = [](const auto& got) { return static_cast<std::uint64_t>(got->bus); };
    const auto low = dma.allocate(1);
    CHECK(at(low) == 0xffff'e000);
    CHECK_FALSE(dma.allocate(1));
    REQUIRE(dma.set_mask(pci::dma_use::coherent, pci::dma_bit_mask(34)));
    CHECK(at(dma.allocate(4096)) == 0x1'0000'0000);
    CHECK(at(dma.allocate(4096)) == 0x1'0000'2000);
    REQUIRE(dma.free(*low));
    CHECK(at(dma.allocate(1)) == 0xffff'e000);
}

TEST_CASE("a device reads what is mapped to it, and writes what is mapped from it") {
    dma_space dma;
    char bytes[8] = "driver";
    const auto to = dma.map(bytes, 8, pci::dma_direction::to_device);
    const auto from = dma.map(bytes, 8, pci::dma_direction::from_device);
    char got[8] = {};
    CHECK(dma.read(to->bus, got, 8));
    CHECK_FALSE(dma.write(to->bus, got, 8));
    CHECK(dma.write(from->bus, got, 8));
    CHECK_FALSE(dma.read(from->bus, got, 8));
    CHECK(dma.sync_for_cpu(*to) == dma_space::synced::done);
}

TEST_CASE("without coherence, bytes move when they are synced, and both sides do not write the same ones") {
    using synced = dma_space::synced;
    dma_space dma;
    char bytes[9] = "01234567";
    const auto mapping = dma.map(bytes, 8, pci::dma_direction::bidirectional, false);
    REQUIRE(mapping);
    const auto device = [&] {
        std::string seen(8, ' ');
        CHECK(dma.read(mapping->bus, seen.data(), 8));
        return seen;
    };
    const auto part = [&](std::size_t offset, std::size_t size) {
        return pci::dma_block{static_cast<char*>(mapping->cpu) + offset, mapping->bus + offset, size};
    };
    CHECK(device() == "01234567");
    CHECK_FALSE(dma.is_stale(mapping->bus, 8));
    bytes[1] = 'a';
    CHECK(device() == "01234567");
    CHECK(dma.is_stale(mapping->bus, 2));
    CHECK_FALSE(dma.is_stale(mapping->bus + 2, 6));
    CHECK(dma.write(mapping->bus + 2, "b", 1));
    CHECK(std::string(bytes) == "0a234567");
    CHECK(dma.sync_for_device(part(0, 2)) == synced::done);
    CHECK(device() == "0ab34567");
    CHECK_FALSE(dma.is_stale(mapping->bus, 8));
    CHECK(dma.sync_for_cpu(part(0, 8)) == synced::done);
    CHECK(std::string(bytes) == "0ab34567");

    bytes[3] = 'c';
    CHECK(dma.write(mapping->bus + 3, "d", 1));
    CHECK(dma.sync_for_device(part(4, 4)) == synced::done);
    SECTION("for the device") {
        CHECK(dma.sync_for_device(part(3, 1)) == synced::clash);
        CHECK(device() == "0abc4567");
    }
    SECTION("for the driver") {
        CHECK(dma.sync_for_cpu(part(3, 1)) == synced::clash);
        CHECK(std::string(bytes) == "0abd4567");
    }
    CHECK(dma.sync_for_cpu(part(3, 6)) == synced::not_mapped);
    CHECK(dma.write(mapping->bus + 7, "z", 1));
    CHECK(dma.unmap(*mapping));
    CHECK(bytes[7] == 'z');
    CHECK(dma.sync_for_device(*mapping) == synced::not_mapped);
    const auto block = dma.allocate(8);
    CHECK(dma.sync_for_device(*block) == synced::not_mapped);
}
