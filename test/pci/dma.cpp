// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/dma.hpp>

#include <algorithm>
#include <cstdint>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

template <class Enabled>
constexpr bool can_alloc_managed = requires(const Enabled& enabled) { dmam_alloc_coherent(enabled, 64); };
template <class Enabled>
constexpr bool can_alloc_unmanaged = requires(const Enabled& enabled) { dma_alloc_coherent(enabled, 64); };

struct owns_managed_dma {
    static constexpr auto ownership = own(enable = managed, dma_coherent = managed);
};
struct owns_unmanaged_dma {
    static constexpr auto ownership = own(enable = managed, dma_coherent = unmanaged);
};
template <class Owner, class Driver = void>
using enabled_by = enabled_device<Owner, null_platform, Driver>;

}  // namespace

TEST_CASE("D004 and D005: shared memory is allocated as the ownership table says, from an enable of the same owner") {
    STATIC_REQUIRE(can_alloc_managed<enabled_by<managed_t, owns_managed_dma>>);
    STATIC_REQUIRE(!can_alloc_unmanaged<enabled_by<managed_t, owns_managed_dma>>);
    STATIC_REQUIRE(can_alloc_unmanaged<enabled_by<managed_t, owns_unmanaged_dma>>);
    STATIC_REQUIRE(!can_alloc_managed<enabled_by<managed_t, owns_unmanaged_dma>>);
    STATIC_REQUIRE(can_alloc_managed<enabled_by<managed_t>>);
    STATIC_REQUIRE(!can_alloc_managed<enabled_by<unmanaged_t>>);
    STATIC_REQUIRE(can_alloc_unmanaged<enabled_by<unmanaged_t>>);
}

TEST_CASE_METHOD(device_fixture, "shared memory is zeroed, page-aligned, and has an address for either side") {
    const auto enabled = pcim_enable_device(*dev).value();
    const auto good = [](const auto& memory) {
        const auto* const bytes = static_cast<const unsigned char*>(memory.data());
        CHECK(memory.size() == 8192);
        CHECK(std::all_of(bytes, bytes + memory.size(), [](unsigned char byte) { return byte == 0; }));
        CHECK(reinterpret_cast<std::uintptr_t>(bytes) % 4096 == 0);
        CHECK(memory.address() != bus_address{});
    };
    good(dmam_alloc_coherent(enabled, 8192).value());
    CHECK(function.dma_blocks == 1);
    good(dma_alloc_coherent(enabled, 8192).value());
    CHECK(function.dma_blocks == 1);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "managed memory goes with its group, unmanaged memory with its guard") {
    const auto enabled = pcim_enable_device(*dev).value();
    group g{*dev};
    REQUIRE(dmam_alloc_coherent(enabled, 64));
    REQUIRE(dmam_alloc_coherent(enabled, 64));
    auto ring = dma_alloc_coherent(enabled, 64).value();
    CHECK(function.dma_blocks == 3);
    CHECK(g.release() == 2);
    CHECK(function.dma_blocks == 1);
    ring = dma_alloc_coherent(enabled, 128).value();
    CHECK(function.dma_blocks == 1);
    CHECK(ring.size() == 128);
    const auto moved = std::move(ring);
    CHECK(moved.data() != nullptr);
    CHECK(ring.data() == nullptr);  // NOLINT: what is left of it, is the question
    CHECK(ring.size() == 0);
}

TEST_CASE("memory that cannot be had or recorded leaves nothing") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            fill_inline_records(dev, 1);
            DEVRES_TRY(dmam_alloc_coherent(enabled, 64));
            return {};
        },
        clean);
    CHECK(clean);
    // enable, the memory for the record, the shared memory, the memory for the list
    CHECK(errors == std::vector{errc::eio, errc::enomem, errc::enomem, errc::enomem});
}

TEST_CASE("unmanaged memory that cannot be had leaves nothing") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            DEVRES_TRY(const auto enabled, pci_enable_device(dev));
            DEVRES_TRY(const auto memory, dma_alloc_coherent(enabled, 64));
            return {};
        },
        clean);
    CHECK(clean);
    CHECK(errors == std::vector{errc::eio, errc::enomem});
}
