// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/device.hpp>

#include <string>
#include <type_traits>

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
                 "everything managed goes with the device, newest first: handlers, vectors, BARs, enable, data") {
    struct witness {
        function_type* function;
        std::string* log;
        explicit witness(function_type& at, std::string& to) noexcept : function(&at), log(&to) {}
        ~witness() {
            *log = "enabled " + std::to_string(function->enabled) + ", vectors " +
                   std::to_string(function->vectors.count) + ", mapped " + std::to_string(function->mapped[0]);
        }
        irq_return on_irq() noexcept { return irq_return::handled; }
    };
    std::string log;
    const auto data = devm_emplace<witness>(*dev, function, log).value();
    const auto enabled = pcim_enable_device(*dev).value();
    REQUIRE(pcim_iomap_region<0>(enabled, "registers"));
    const auto vectors = pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::msix).value();
    REQUIRE(devm_request_irq<&witness::on_irq>(vectors[0], "witness", data));
    CHECK(clean());
    CHECK(log == "enabled 0, vectors 0, mapped 0");
}

TEST_CASE_METHOD(device_fixture, "a device without resources needs no memory") {
    CHECK(platform.blocks() == 0);
    const auto enabled = pcim_enable_device(*dev).value();
    REQUIRE(pcim_iomap_region<0>(enabled, "registers"));
    CHECK(platform.blocks() == 0);  // the first records are part of the device
}
