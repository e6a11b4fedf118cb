// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstring>

#include "devices.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::lab;

namespace {

std::vector<std::uint32_t> configuration(opened& one) {
    std::vector<std::uint32_t> words;
    for (unsigned at = 0; at != 256; at += 4)
        words.push_back(*one.bus.read_config(one.f, at, 4));
    return words;
}

/// edu's DMA engine: memory to the device's buffer, or back.
struct edu_dma {
    vfio::bus& bus;
    vfio::region& bar;

    bool run(std::uint64_t source, std::uint64_t target, std::uint64_t size, bool to_memory) const {
        bus.write<std::uint64_t>(bar, 0x80, source);
        bus.write<std::uint64_t>(bar, 0x88, target);
        bus.write<std::uint64_t>(bar, 0x90, size);
        bus.write<std::uint64_t>(bar, 0x98, to_memory ? 3 : 1);
        return soon([&] { return (bus.read<std::uint64_t>(bar, 0x98) & 1U) == 0; });
    }
    static constexpr std::uint64_t buffer = 0x40000;
};

}  // namespace

TEST_CASE("a function is after a driver what it was before, and a second one finds it so") {
    for (const device& d : devices) {
        CAPTURE(d.name);
        opened one(d.address);
        const auto before = configuration(one);
        for (int i = 0; i != 2; ++i) {
            {
                auto bound = pci::bind<test::everything_driver>(one.bus, one.f);
                REQUIRE(bound);
                CHECK(one.bus.trigger(one.f, 0));
                CHECK(soon([&] { return bound->state().interrupts[0] != 0; }));
                CHECK(bound->state().wrong == 0);
            }
            CHECK(one.bus.held(one.f).empty());
            CHECK(configuration(one) == before);
        }
    }
}

TEST_CASE("registers are read and written in memory, and around an MSI-X table too") {
    opened one(edu);
    REQUIRE(one.bus.enable(one.f));
    auto bar = one.bus.map_bar(one.f, pci::bar_number(0), "edu").value();
    CHECK(one.bus.bar_size(bar) == 0x100000);
    CHECK(one.bus.read<std::uint32_t>(bar, 0) == 0x010000ed);
    one.bus.write<std::uint32_t>(bar, 4, 0x12345678);
    CHECK(one.bus.read<std::uint32_t>(bar, 4) == ~0x12345678U);
    one.bus.unmap_bar(one.f, bar);
    one.bus.disable(one.f);

    opened two(nvme);
    REQUIRE(two.bus.enable(two.f));
    auto registers = two.bus.map_bar(two.f, pci::bar_number(0), "nvme").value();
    CHECK((two.bus.read<std::uint32_t>(registers, 8) & 0xff'ffffU) != 0xff'ffffU);  // VS
    const std::size_t table = *two.bus.read_config(two.f, 0x40 + 4, 4) & ~7U;
    CAPTURE(table);
    for (std::size_t at = 0; at != 65 * 16; at += 16) {  // the kernel's: reads as all ones, and writes are dropped
        CHECK(two.bus.read<std::uint32_t>(registers, 0x2000 + at) == 0xffff'ffff);
        two.bus.write<std::uint32_t>(registers, 0x2000 + at, 0);
    }
    two.bus.unmap_bar(two.f, registers);
    two.bus.disable(two.f);
}

TEST_CASE("a device reaches the memory that is mapped for it, and none that is not") {
    opened one(edu);
    REQUIRE(one.bus.enable(one.f));
    REQUIRE(one.bus.set_master(one.f, true));
    auto bar = one.bus.map_bar(one.f, pci::bar_number(0), "edu").value();
    const edu_dma dma{one.bus, bar};
    const auto address = [](const pci::dma_block& block) { return static_cast<std::uint64_t>(block.bus); };

    const auto block = one.bus.allocate_dma(one.f, 4096).value();
    alignas(64) std::array<char, 5000> own{};
    const auto mapping = one.bus.map_dma(one.f, own.data() + 100, 64).value();
    std::strcpy(static_cast<char*>(block.cpu), "there and back");
    REQUIRE(dma.run(address(block), edu_dma::buffer, 64, false));
    REQUIRE(dma.run(edu_dma::buffer, address(mapping), 64, true));
    CHECK(std::string(own.data() + 100) == "there and back");

    one.bus.unmap_dma(one.f, mapping);
    std::memset(own.data(), 0, own.size());
    REQUIRE(dma.run(edu_dma::buffer, address(mapping), 64, true));  // the IOMMU lets it write nowhere
    CHECK(own[100] == 0);
    one.bus.free_dma(one.f, block);
    one.bus.unmap_bar(one.f, bar);
    one.bus.disable(one.f);
    CHECK(one.bus.held(one.f).empty());
}

TEST_CASE("memory for DMA comes and goes a thousand times") {
    opened one(rocker4);
    std::size_t before = 0;
    for (int i = 0; i != 1000; ++i) {
        const auto block = one.bus.allocate_dma(one.f, 8192);
        REQUIRE(block);
        if (i == 0)
            before = mappings();
        one.bus.free_dma(one.f, *block);
        REQUIRE(mappings() < before);
    }
    CHECK(one.bus.held(one.f).empty());
}

TEST_CASE("a device that was put to sleep and woken interrupts as before") {
    for (const device& d : {devices[3], devices[4]}) {  // those with power management
        CAPTURE(d.name);
        opened one(d.address);
        const auto before = configuration(one);
        {
            auto bound = pci::bind<test::everything_driver>(one.bus, one.f);
            REQUIRE(bound);
            const auto awake = configuration(one);
            REQUIRE(bound->suspend());
            REQUIRE(bound->resume());
            CHECK(configuration(one) == awake);
            CHECK(one.bus.trigger(one.f, 1));
            CHECK(soon([&] { return bound->state().interrupts[1] == 1; }));
        }
        CHECK(configuration(one) == before);
    }
    opened one(devices[0].address);
    CHECK(one.bus.suspend(one.f).error() == errc::enotsupp);
}

TEST_CASE("after D3hot the hardware itself interrupts again") {
    opened one(e1000e);
    REQUIRE(one.bus.enable(one.f));
    REQUIRE(one.bus.set_master(one.f, true));
    REQUIRE(one.bus.allocate_vectors(one.f, {.min = 5, .max = 5, .types = pci::irq_type::msix}));
    std::atomic<unsigned> calls{0};
    const pci::irq_action count = {.entry =
                                       [](void* of, pci::vector_index) noexcept {
                                           ++*static_cast<std::atomic<unsigned>*>(of);
                                           return pci::irq_return::handled;
                                       },
                                   .context = &calls};
    REQUIRE(one.bus.register_handler(one.f, 3, count));
    auto bar = one.bus.map_bar(one.f, pci::bar_number(0), "registers").value();
    const auto status = one.bus.read<std::uint32_t>(bar, 8);
    REQUIRE(one.bus.suspend(one.f));
    REQUIRE(one.bus.resume(one.f));
    CHECK(one.bus.read<std::uint32_t>(bar, 8) == status);  // as mapped before
    CHECK(fire(one.bus, bar, e1000e, 3));
    CHECK(soon([&] { return calls == 1; }));
    one.bus.unmap_bar(one.f, bar);
    REQUIRE(one.bus.free_vectors(one.f));
    one.bus.disable(one.f);
}

TEST_CASE("a device is reset where it can be") {
    for (const device& d : devices) {
        CAPTURE(d.name);
        opened one(d.address);
        const auto done = one.bus.reset(one.f);
        CHECK(done.has_value() == one.f.can_reset());
    }
}
