// SPDX-License-Identifier: BSL-1.0
#include <devres/vfio/detail/bus_dma.hpp>

#include <algorithm>

#include "fake_kernel.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::test;

namespace {

std::uint64_t value(pci::bus_address address) { return static_cast<std::uint64_t>(address); }

}  // namespace

TEST_CASE_METHOD(fake_fixture, "memory for DMA is zeroed pages, mapped where the device finds them") {
    const auto block = bus.allocate_dma(f, 5000).value();
    CHECK(block.size == 8192);
    CHECK(reinterpret_cast<std::uintptr_t>(block.cpu) % 4096 == 0);
    const auto* const bytes = static_cast<const char*>(block.cpu);
    CHECK(std::all_of(bytes, bytes + block.size, [](char byte) { return byte == 0; }));
    const auto& mapped = kernel.dma.at(value(block.bus));
    CHECK(mapped.vaddr == reinterpret_cast<std::uintptr_t>(block.cpu));
    CHECK(mapped.size == 8192);
    CHECK(mapped.flags == (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE));
    CHECK(bus.held(f) == std::vector<std::string>{"1 DMA blocks"});
    bus.free_dma(f, block);
    CHECK(kernel.dma.empty());
    CHECK(kernel.memory.empty());
    CHECK(bus.held(f).empty());
    CHECK(bus.allocate_dma(f, ~std::size_t{0}).error() == errc::enomem);
}

TEST_CASE_METHOD(fake_fixture, "memory of the driver's is mapped by the page, as often as it is asked for") {
    alignas(4096) static char memory[3 * 4096];
    const auto mapping = bus.map_dma(f, memory + 4000, 200).value();  // the end of one page and the start of the next
    CHECK(mapping.cpu == memory + 4000);
    CHECK(mapping.size == 200);
    CHECK(value(mapping.bus) % 4096 == 4000);
    const auto& pages = kernel.dma.at(value(mapping.bus) - 4000);
    CHECK(pages.vaddr == reinterpret_cast<std::uintptr_t>(memory));
    CHECK(pages.size == 8192);
    const auto again = bus.map_dma(f, memory + 4096, 4096).value();
    CHECK(value(again.bus) % 4096 == 0);
    CHECK(kernel.dma.size() == 2);
    bus.unmap_dma(f, mapping);
    bus.unmap_dma(f, again);
    CHECK(kernel.dma.empty());
}

TEST_CASE_METHOD(fake_fixture, "memory beyond the limit is refused, and nothing is left") {
    kernel.ioctl_errors[VFIO_IOMMU_MAP_DMA] = ENOMEM;
    char byte = 0;
    CHECK(bus.allocate_dma(f, 4096).error() == errc::enomem);
    CHECK(bus.map_dma(f, &byte, 1).error() == errc::enomem);
    CHECK(kernel.memory.empty());
    CHECK(bus.held(f).empty());
}

TEST_CASE_METHOD(fake_fixture, "addresses are within the function's DMA masks, which are of 32 bits for each driver") {
    const auto mask = [](unsigned bits) { return pci::dma_bit_mask(bits); };
    char byte = 0;
    CHECK(bus.required_dma_mask(f) == mask(32));
    CHECK(bus.set_dma_mask(f, pci::dma_use::both, mask(20)).error() == errc::eio);  // the first address is 1 MiB
    REQUIRE(bus.set_dma_mask(f, pci::dma_use::streaming, 0x10'0fff));
    const auto mapping = bus.map_dma(f, &byte, 1).value();
    CHECK(value(mapping.bus) / 4096 == 0x100);
    CHECK(bus.map_dma(f, &byte, 1).error() == errc::enomem);
    const auto block = bus.allocate_dma(f, 1).value();
    CHECK(value(block.bus) == 0x10'1000);
    REQUIRE(bus.set_dma_mask(f, pci::dma_use::coherent, 0x10'1fff));
    CHECK(bus.allocate_dma(f, 1).error() == errc::enomem);
    bus.free_dma(f, block);
    bus.unmap_dma(f, mapping);
    bus.detach(f);
    REQUIRE(bus.attach(f));
    bus.free_dma(f, bus.allocate_dma(f, 4096).value());
    bus.free_dma(f, bus.allocate_dma(f, 4096).value());
    CHECK(kernel.dma.empty());
}

TEST_CASE_METHOD(fake_fixture, "the IOMMU lets the device do what the direction of a mapping says") {
    static_assert(pci::has_dma_directions<std::remove_reference_t<decltype(bus)>>);
    char bytes[8] = {};
    const auto flags = [&](pci::dma_direction direction) {
        const auto mapping = bus.map_dma(f, bytes, sizeof(bytes), direction).value();
        const auto found = kernel.dma.begin()->second.flags;
        bus.sync_dma_for_cpu(f, mapping, direction);
        bus.sync_dma_for_device(f, mapping, direction);
        bus.unmap_dma(f, mapping, direction);
        return found;
    };
    CHECK(flags(pci::dma_direction::to_device) == VFIO_DMA_MAP_FLAG_READ);
    CHECK(flags(pci::dma_direction::from_device) == VFIO_DMA_MAP_FLAG_WRITE);
    CHECK(flags(pci::dma_direction::bidirectional) == (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE));
    CHECK(kernel.dma.empty());
}
