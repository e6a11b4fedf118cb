// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::lab;

TEST_CASE("the devices of the machine are listed, and each can be opened") {
    const auto found = vfio::list_functions();
    REQUIRE(found.size() == 6);
    CHECK(found[0].address == edu);
    CHECK(found[0].driver == "vfio-pci");
    CHECK(found[0].identifier == "1234:11e8");
    vfio::bus bus;
    for (const device& d : devices) {
        CAPTURE(d.name);
        const auto f = bus.open(d.address);
        if (!f)
            FAIL(f.error());
        CHECK((*f)->address() == d.address);
        CHECK((*f)->vector_count(pci::irq_type::msix) == d.msix);
        CHECK((*f)->vector_count(pci::irq_type::msi) == d.msi);
        CHECK((*f)->vector_count(pci::irq_type::intx) == d.intx);
    }
}

TEST_CASE("what keeps a function from being opened is said in one line") {
    const auto refusal = [](pci::address where) {
        vfio::bus bus;
        return bus.open(where).error();
    };
    const auto says = [](const vfio::open_error& error, errc code, const char* words) {
        CHECK(error.code == code);
        CHECK_THAT(error.text, Catch::Matchers::ContainsSubstring(words));
        CHECK(error.text.find('\n') == std::string::npos);
    };
    says(refusal("0000:00:19.0"), errc::enodev, "0000:00:19.0: there is no such PCI function");
    says(refusal("0000:00:1f.0"), errc::enodev, "it has no driver, not vfio-pci; it is not to be taken: a bridge");

    vfio::bus first;
    REQUIRE(first.open(edu));
    says(refusal(edu), errc::ebusy, "another process has /dev/vfio/");
    says(first.open(edu).error(), errc::ebusy, "this bus has it open already");
    CHECK(first.open(rocker4));
}

TEST_CASE("the command that the message of an unbound function gives binds it") {
    const std::string folder = std::string("/sys/bus/pci/devices/") + edu.text().c_str();
    const auto write = [](const std::string& path, const std::string& text) { std::ofstream(path) << text; };
    write(folder + "/driver/unbind", edu.text().c_str());
    {
        vfio::bus bus;
        const auto refused = bus.open(edu);
        CHECK(refused.error().code == errc::enodev);
        CHECK_THAT(refused.error().text,
                   Catch::Matchers::ContainsSubstring("as root: modprobe vfio-pci; echo vfio-pci > "));
        write(folder + "/driver_override", "vfio-pci");
        write("/sys/bus/pci/drivers_probe", edu.text().c_str());
        CHECK(bus.open(edu));
    }
}

TEST_CASE("a user without rights to the group's file is told so, and may use it once root has given it") {
    const unsigned group = vfio::list_functions()[0].group;
    const std::string path = "/dev/vfio/" + std::to_string(group);
    const auto as_user = [&] {
        const pid_t child = ::fork();
        if (child == 0) {
            if (::setgid(1000) != 0 || ::setuid(1000) != 0)
                ::_exit(100);
            vfio::bus bus({.handlers = vfio::delivery::polled});
            const auto f = bus.open(edu);
            if (!f)
                ::_exit(static_cast<int>(f.error().code));
            const auto block = bus.allocate_dma(**f, 4096);
            ::_exit(block ? 0 : 101);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
    };
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    CHECK(as_user() == static_cast<int>(errc::eacces));
    REQUIRE(::chown(path.c_str(), 1000, 1000) == 0);
    CHECK(as_user() == 0);
    CHECK(::chown(path.c_str(), 0, 0) == 0);
}

TEST_CASE("a function is opened by descriptors that were opened by somebody else") {
    const unsigned group = vfio::list_functions()[0].group;
    const auto before = open_files();
    {
        vfio::bus bus;
        const int file = ::open(("/dev/vfio/" + std::to_string(group)).c_str(), O_RDWR | O_CLOEXEC);
        REQUIRE(file >= 0);
        const auto f = bus.open_group(file, edu);
        if (!f)
            FAIL(f.error());
        CHECK(bus.allocate_dma(**f, 4096).has_value());
    }
    CHECK(open_files() == before);
    {
        const int container = ::open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
        const int file = ::open(("/dev/vfio/" + std::to_string(group)).c_str(), O_RDWR | O_CLOEXEC);
        REQUIRE(::ioctl(file, VFIO_GROUP_SET_CONTAINER, &container) == 0);
        REQUIRE(::ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) == 0);
        const int device = ::ioctl(file, VFIO_GROUP_GET_DEVICE_FD, edu.text().c_str());
        REQUIRE(device >= 0);
        vfio::bus bus;
        const auto f = bus.open_device(device, container);
        if (!f)
            FAIL(f.error());
        auto bound = pci::bind<test::everything_driver>(bus, **f);
        REQUIRE(bound);
        CHECK(bus.trigger(**f, 0));
        CHECK(soon([&] { return bound->state().interrupts[0] == 1; }));
        CHECK(bound->unbind());
        CHECK(bus.close(**f));
        ::close(file);
    }
    CHECK(open_files() == before);
}
