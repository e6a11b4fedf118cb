// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/dma_coherent.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

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
            fill_own_room(dev, 1);
            DEVRES_TRY(dmam_alloc_coherent(enabled, 64));
            return {};
        },
        clean);
    CHECK(clean);
    // enable, the memory for the record and for its place in the list, the shared memory
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

TEST_CASE("a view of shared memory is made full and stays what it is") {
    using view = coherent_of<null_device>;
    STATIC_REQUIRE(std::is_same_v<view, dma_allocation<managed_t, null_platform>>);
    STATIC_REQUIRE(!std::is_default_constructible_v<view>);
    STATIC_REQUIRE(std::is_copy_constructible_v<view>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<view>);
}

TEST_CASE_METHOD(device_fixture, "an enable that has been released gives no memory") {
    group g{*dev};
    const auto gone = pcim_enable_device(*dev).value();
    CHECK(g.release() == 1);
    REQUIRE(pcim_enable_device(*dev));
    CHECK(dmam_alloc_coherent(gone, 64).error() == errc::enoent);
    CHECK(dma_alloc_coherent(gone, 64).error() == errc::enoent);
    CHECK(function.dma_blocks == 0);
}

TEST_CASE("managed memory goes when the device masters the bus no more, and after what runs code") {
    logging_platform platform;
    function_type function;
    {
        device<logging_platform> dev(platform, function);
        const auto enabled = pcim_enable_device(dev).value();
        REQUIRE(pci_set_master(enabled));
        REQUIRE(devm_add_action(dev, [](void* log) { *static_cast<std::string*>(log) += "action "; }, &platform.log));
        REQUIRE(dmam_alloc_coherent(enabled, 64));
        platform.logged();
    }
    CHECK(platform.logged() == "master-off action dma disable ");
}

TEST_CASE_METHOD(device_fixture, "an object that is built on shared memory keeps it from a group that would free it") {
    struct queue {
        coherent_of<null_device> ring;
    };
    const auto enabled = pcim_enable_device(*dev).value();
    group g{*dev};
    const auto ring = dmam_alloc_coherent(enabled, 64).value();
    g.keep();
    const auto data = devm_emplace<queue>(*dev, ring).value();
    CHECK(data->ring.data() == ring.data());
    CHECK(g.release().error() == errc::ebusy);
    CHECK(function.dma_blocks == 1);
    CHECK(clean());
}
