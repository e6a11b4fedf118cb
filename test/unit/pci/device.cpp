// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/device.hpp>

#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

static_assert(!std::is_copy_constructible_v<null_device> && !std::is_move_constructible_v<null_device>);
static_assert(!std::is_copy_assignable_v<null_device> && !std::is_move_assignable_v<null_device>);
static_assert(std::is_same_v<null_device::driver_type, void>);

TEST_CASE_METHOD(device_fixture, "a device knows its platform, its function and what the function is") {
    CHECK(&dev->platform() == &platform);
    CHECK(&dev->function() == &function);
    CHECK(dev->id() == function.identity);
    CHECK(dev->resources().empty());
    CHECK(dev->resources().memory().context == &platform);
}

TEST_CASE_METHOD(device_fixture,
                 "a destructor finds the device enabled and all of its parts, but no handler and no mastering") {
    struct witness {
        function_type* function;
        std::string* log;
        explicit witness(function_type& at, std::string& to) noexcept : function(&at), log(&to) {}
        witness(const witness&) = delete;
        witness& operator=(const witness&) = delete;
        ~witness() {
            *log = "enabled " + std::to_string(function->enabled) + ", master " + std::to_string(function->master) +
                   ", vectors " + std::to_string(function->vectors.count) + ", mapped " +
                   std::to_string(function->mapped[0]) + ", handled " + std::to_string(function->fire(0));
        }
        irq_return on_irq() noexcept { return irq_return::handled; }
    };
    std::string log;
    SECTION("whether it is older than they are") {
        const auto data = devm_emplace<witness>(*dev, function, log).value();
        const auto enabled = pcim_enable_device(*dev).value();
        REQUIRE(pci_set_master(enabled));
        REQUIRE(pcim_iomap_region<0>(enabled, "registers"));
        const auto vectors = pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::msix).value();
        REQUIRE(devm_request_irq<&witness::on_irq>(vectors[0], "witness", data));
    }
    SECTION("or younger") {
        const auto enabled = pcim_enable_device(*dev).value();
        REQUIRE(pci_set_master(enabled));
        REQUIRE(pcim_iomap_region<0>(enabled, "registers"));
        const auto vectors = pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::msix).value();
        const auto data = devm_emplace<witness>(*dev, function, log).value();
        REQUIRE(devm_request_irq(vectors[0], "witness", data));
    }
    CHECK(clean());
    CHECK(log == "enabled 1, master 0, vectors 4, mapped 1, handled 0");
}

TEST_CASE(
    "what is left to a device goes from the outside in: stop, handlers, vectors of its own, mastering, objects, matter") {
    struct engine {
        std::string* log;
        explicit engine(std::string& to) noexcept : log(&to) {}
        engine(const engine&) = delete;
        engine& operator=(const engine&) = delete;
        ~engine() { *log += "object "; }
        void start() noexcept { *log += "start "; }
        void stop() noexcept { *log += "stop "; }
        irq_return on_irq() noexcept { return irq_return::handled; }
    };
    logging_platform platform;
    function_type function;
    std::optional<device<logging_platform>> dev(std::in_place, platform, function);
    const auto enabled = pcim_enable_device(*dev).value();
    REQUIRE(pci_set_master(enabled));
    const auto data = devm_emplace<engine>(*dev, platform.log).value();
    REQUIRE(pcim_iomap_region<0>(enabled, "registers"));
    REQUIRE(dmam_alloc_coherent(enabled, 64));
    SECTION("with managed vectors") {
        const auto vectors = pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::msix).value();
        REQUIRE(devm_request_irq(vectors[0], "engine", data));
        REQUIRE(devm_start(*dev, data));
        platform.logged();
        dev.reset();
        CHECK(platform.logged() == "stop handler master-off object vectors dma bar0 disable ");
    }
    SECTION("with vectors of the driver's own that it has left behind") {
        alignas(std::max_align_t) static std::byte forgotten[sizeof(irq_allocation<unmanaged_t, logging_platform>)];
        auto vectors = pci_alloc_irq_vectors(enabled, 1, 4, irq_type::msix).value();
        REQUIRE(devm_start(*dev, data));
        ::new (forgotten) irq_allocation<unmanaged_t, logging_platform>(std::move(vectors));  // and never destroyed
        platform.logged();
        dev.reset();
        CHECK(platform.logged() == "stop vectors master-off object dma bar0 disable ");
    }
    CHECK(function.idle());
    CHECK(platform.blocks() == 0);
}

TEST_CASE_METHOD(device_fixture, "a device without resources needs no memory") {
    CHECK(platform.blocks() == 0);
    const auto enabled = pcim_enable_device(*dev).value();
    REQUIRE(pcim_iomap_region<0>(enabled, "registers"));
    CHECK(platform.blocks() == 0);  // the first records are part of the device
}
