// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/dma_streaming.hpp>

#include <array>
#include <string>
#include <type_traits>
#include <utility>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

using ring = std::array<char, 64>;

template <class Enabled, class Memory>
constexpr bool can_map_managed = requires(const Enabled& enabled, Memory& memory) { dmam_map_single(enabled, memory); };
template <class Enabled, class Memory>
constexpr bool can_map_managed_bytes = requires(const Enabled& enabled, Memory& memory) {
    dmam_map_single(enabled, memory, 64);
};
template <class Enabled>
constexpr bool can_map_unmanaged = requires(const Enabled& enabled, void* memory) {
    dma_map_single(enabled, memory, 1);
};

struct owns_managed_mapping {
    static constexpr auto ownership = own(driver_data = managed, enable = managed, dma_streaming = managed);
};
struct owns_unmanaged_mapping {
    static constexpr auto ownership = own(driver_data = managed, enable = managed, dma_streaming = unmanaged);
};
template <class Owner, class Driver = void>
using enabled_by = enabled_device<Owner, null_platform, Driver>;

}  // namespace

TEST_CASE("D004 and D005: memory is mapped as the ownership table says, from an enable of the same owner") {
    using object = managed_ref<ring>;
    STATIC_REQUIRE(can_map_managed<enabled_by<managed_t, owns_managed_mapping>, object>);
    STATIC_REQUIRE(!can_map_unmanaged<enabled_by<managed_t, owns_managed_mapping>>);
    STATIC_REQUIRE(can_map_unmanaged<enabled_by<managed_t, owns_unmanaged_mapping>>);
    STATIC_REQUIRE(!can_map_managed<enabled_by<managed_t, owns_unmanaged_mapping>, object>);
    STATIC_REQUIRE(can_map_managed<enabled_by<managed_t>, object>);
    STATIC_REQUIRE(!can_map_managed<enabled_by<unmanaged_t>, object>);
    STATIC_REQUIRE(can_map_unmanaged<enabled_by<unmanaged_t>>);
}

TEST_CASE("D002: only memory that devres owns can be mapped managed") {
    using enabled = enabled_by<managed_t>;
    STATIC_REQUIRE(can_map_managed<enabled, managed_ref<ring>>);
    STATIC_REQUIRE(can_map_managed<enabled, const managed_ref<ring>>);
    STATIC_REQUIRE(!can_map_managed<enabled, ring>);
    STATIC_REQUIRE(!can_map_managed<enabled, ring*>);
    STATIC_REQUIRE(!can_map_managed<enabled, void*>);
    STATIC_REQUIRE(!can_map_managed_bytes<enabled, void*>);
    STATIC_REQUIRE(can_map_managed_bytes<enabled, managed_ref<ring>>);
}

TEST_CASE_METHOD(device_fixture, "a mapping is of the memory it was made for") {
    const auto enabled = pcim_enable_device(*dev).value();
    const auto object = devm_emplace<ring>(*dev).value();
    const auto whole = dmam_map_single(enabled, object).value();
    CHECK(whole.data() == &object.get());
    CHECK(whole.size() == sizeof(ring));
    CHECK(whole.address() != bus_address{});
    CHECK(dmam_map_single(enabled, object, 16).value().size() == 16);
    CHECK(function.dma_mappings == 2);
    ring local{};
    const auto of_driver = dma_map_single(enabled, local.data(), 8).value();
    CHECK(of_driver.data() == local.data());
    CHECK(of_driver.size() == 8);
    CHECK(function.dma_mappings == 3);
}

TEST_CASE_METHOD(device_fixture, "no memory, none of it, or more than the object has cannot be mapped") {
    const auto enabled = pcim_enable_device(*dev).value();
    const auto object = devm_emplace<ring>(*dev).value();
    CHECK(dma_map_single(enabled, nullptr, 8).error() == errc::einval);
    CHECK(dma_map_single(enabled, &object.get(), 0).error() == errc::einval);
    CHECK(dmam_map_single(enabled, object, 0).error() == errc::einval);
    CHECK(dmam_map_single(enabled, object, sizeof(ring) + 1).error() == errc::einval);
    CHECK(function.dma_mappings == 0);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "a managed mapping goes with its group, an unmanaged one with its guard") {
    const auto enabled = pcim_enable_device(*dev).value();
    const auto object = devm_emplace<ring>(*dev).value();
    group g{*dev};
    REQUIRE(dmam_map_single(enabled, object));
    {
        ring local{};
        const auto mapping = dma_map_single(enabled, local.data(), local.size()).value();
        CHECK(function.dma_mappings == 2);
    }
    CHECK(function.dma_mappings == 1);
    CHECK(g.release() == 1);
    CHECK(function.dma_mappings == 0);
    REQUIRE(dmam_map_single(enabled, object));
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture,
                 "a managed mapping ends before the object that it maps, whatever releases the object") {
    struct watching {
        function_type* function;
        bool* still_mapped;
        char memory[32] = {};
        ~watching() { *still_mapped = function->dma_mappings != 0; }
    };
    const auto enabled = pcim_enable_device(*dev).value();
    bool still_mapped = true;
    group g{*dev};
    const auto object = devm_emplace<watching>(*dev, &function, &still_mapped).value();
    g.keep();
    REQUIRE(dmam_map_single(enabled, object.member(&watching::memory)));  // of a part, after the group
    CHECK(function.dma_mappings == 1);
    CHECK(g.release() == 2);
    CHECK(!still_mapped);
    CHECK(function.dma_mappings == 0);
    CHECK(clean());
}

TEST_CASE("a managed mapping that cannot be had or recorded leaves nothing") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            DEVRES_TRY(const auto object, devm_emplace<ring>(dev));
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            fill_own_room(dev, 2, 1);  // the object is larger than a block of the device's own
            DEVRES_TRY(dmam_map_single(enabled, object));
            return {};
        },
        clean);
    CHECK(clean);
    // the object, enable, the memory for the record and for its place in the list, the mapping
    CHECK(errors == std::vector{errc::enomem, errc::eio, errc::enomem, errc::enomem, errc::enomem});
}

TEST_CASE("an unmanaged mapping that cannot be had leaves nothing") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            ring memory{};
            DEVRES_TRY(const auto enabled, pci_enable_device(dev));
            DEVRES_TRY(const auto mapping, dma_map_single(enabled, memory.data(), memory.size()));
            return {};
        },
        clean);
    CHECK(clean);
    CHECK(errors == std::vector{errc::eio, errc::enomem});
}

TEST_CASE("D011: plain bytes are mapped, also a part of an object that is none") {
    struct state {
        std::string name;
        ring buffer;
    };
    using enabled = enabled_by<managed_t>;
    STATIC_REQUIRE(!can_map_managed<enabled, managed_ref<std::string>>);
    STATIC_REQUIRE(!can_map_managed<enabled, managed_ref<state>>);
    STATIC_REQUIRE(can_map_managed<enabled, decltype(std::declval<managed_ref<state>>().member(&state::buffer))>);
    STATIC_REQUIRE(can_map_managed<enabled, managed_ref<char[128]>>);
}

TEST_CASE("a view of a mapping is made full and stays what it is") {
    using view = mapping_of<null_device>;
    STATIC_REQUIRE(std::is_same_v<view, dma_mapping<managed_t, null_platform>>);
    STATIC_REQUIRE(!std::is_default_constructible_v<view>);
    STATIC_REQUIRE(std::is_copy_constructible_v<view>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<view>);
}

TEST_CASE_METHOD(device_fixture, "a part of an object is mapped by its name") {
    struct state {
        std::string name;
        ring buffers[2];
    };
    const auto enabled = pcim_enable_device(*dev).value();
    const auto data = devm_emplace<state>(*dev).value();
    const auto mapping = dmam_map_single(enabled, data.part(data->buffers[1])).value();
    CHECK(mapping.data() == &data->buffers[1]);
    CHECK(mapping.size() == sizeof(ring));
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "what has gone, or is another device's, is not mapped") {
    device_fixture other;
    const auto foreign = devm_emplace<ring>(*other.dev).value();
    const auto enabled = pcim_enable_device(*dev).value();
    group g{*dev};
    const auto gone = devm_emplace<ring>(*dev).value();
    const auto no_longer = pcim_enable_device(*dev).value();
    CHECK(g.release() == 2);
    const auto there = devm_emplace<ring>(*dev).value();
    char own[8] = {};
    CHECK(dmam_map_single(enabled, gone).error() == errc::enoent);
    CHECK(dmam_map_single(enabled, foreign).error() == errc::einval);
    CHECK(dmam_map_single(no_longer, there).error() == errc::enoent);
    CHECK(dma_map_single(no_longer, own, 8).error() == errc::enoent);
    CHECK(function.dma_mappings == 0);
    CHECK(dmam_map_single(enabled, there));
}

TEST_CASE("at the unbind a mapping goes before the object, and when the device masters the bus no more") {
    logging_platform platform;
    function_type function;
    struct state {
        std::string* log;
        char buffer[16] = {};
        explicit state(std::string& to) noexcept : log(&to) {}
        state(const state&) = delete;
        state& operator=(const state&) = delete;
        ~state() { *log += "object "; }
    };
    std::string expected;
    {
        device<logging_platform> dev(platform, function);
        const auto enabled = pcim_enable_device(dev).value();
        REQUIRE(pci_set_master(enabled));
        SECTION("of an object with a destructor") {
            const auto older = devm_emplace<state>(dev, platform.log).value();
            const auto data = devm_emplace<state>(dev, platform.log).value();
            REQUIRE(dmam_map_single(enabled, data.member(&state::buffer)));
            REQUIRE(dmam_map_single(enabled, older.member(&state::buffer)));
            expected = "master-off mapping mapping object object disable ";
        }
        SECTION("of an object without one") {
            const auto bytes = devm_emplace<ring>(dev).value();
            REQUIRE(devm_emplace<state>(dev, platform.log));
            REQUIRE(devm_emplace<state>(dev, platform.log));
            REQUIRE(dmam_map_single(enabled, bytes));
            REQUIRE(dmam_map_single(enabled, bytes));
            expected = "master-off object object mapping mapping disable ";
        }
        platform.logged();
    }
    CHECK(platform.logged() == expected);
    CHECK(function.idle());
}
