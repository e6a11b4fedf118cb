// SPDX-License-Identifier: BSL-1.0
// What is opened by its own file and an iommufd, where the system's headers know of them: by groups where they do not.
#include <devres/vfio/detail/iommu.hpp>

#include "driver.hpp"
#include "fake_kernel.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::test;

TEST_CASE("a function with a file of its own is opened by that where it is preferred, and works as by its group") {
    fake_kernel kernel;
    kernel.add({.file = "vfio0"});
    kernel.add({.address = "0000:02:00.0", .group = 8, .file = "vfio1"});
    auto options = kernel.options();
    options.prefer_iommufd = true;
    {
        fake_bus bus(options, fake_calls{&kernel});
        auto& f = *bus.open("0000:01:00.0").value();
        REQUIRE(bus.open("0000:02:00.0"));
        const bool by_file = kernel.held().find("/iommu; ") != std::string::npos;
        CHECK(by_file == (DEVRES_VFIO_HAS_IOMMUFD == 1));
        CHECK(kernel.attached.empty() == by_file);
        {
            auto bound = pci::bind<everything_driver>(bus, f);
            REQUIRE(bound);
            CHECK(kernel.dma.size() == 2);
            if (by_file)
                CHECK(kernel.dma.begin()->first >= 0x20'0000);  // the ranges are the address space's
        }
        CHECK(kernel.dma.empty());
        CHECK(bus.close(f));
        CHECK(bus.open("0000:01:00.0"));
    }
    CHECK(kernel.held() == "");
}

TEST_CASE("a function whose group has no file is opened by its own, if the headers know how") {
    fake_kernel kernel;
    kernel.add({.file = "vfio0"});
    std::filesystem::remove(kernel.root + "/dev/vfio/7");
    fake_bus bus(kernel.options(), fake_calls{&kernel});
    CHECK(bus.open("0000:01:00.0").has_value() == (DEVRES_VFIO_HAS_IOMMUFD == 1));
}

TEST_CASE("a kernel that names a function's own file in sysfs and makes none is used by groups") {
    fake_kernel kernel;
    kernel.add({.file = "vfio0"});
    std::filesystem::remove(kernel.root + "/dev/vfio/devices/vfio0");
    auto options = kernel.options();
    options.prefer_iommufd = true;
    fake_bus bus(options, fake_calls{&kernel});
    CHECK(bus.open("0000:01:00.0"));
    CHECK(kernel.attached == std::set{7U});
}

TEST_CASE("an open by a function's own file of which any step fails leaves nothing open") {
    for (std::size_t step = 1;; ++step) {
        fake_kernel kernel;
        kernel.add({.file = "vfio0"});
        kernel.failing = {step};
        auto options = kernel.options();
        options.prefer_iommufd = true;
        {
            fake_bus bus(options, fake_calls{&kernel});
            const auto opened = bus.open("0000:01:00.0");
            if (kernel.steps.size() < step)
                break;
            if (!opened) {
                CHECK(kernel.held().find("iommu") == std::string::npos);
                CHECK(kernel.held().find("device") == std::string::npos);
            }
        }
        CHECK(kernel.held() == "");
    }
}
