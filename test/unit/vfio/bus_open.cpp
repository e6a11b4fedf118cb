// SPDX-License-Identifier: BSL-1.0
#include <devres/vfio/detail/bus_open.hpp>

#include "fake_kernel.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::test;
using Catch::Matchers::ContainsSubstring;

namespace {

/// What a bus says of a function of the kernel, which it must not open.
vfio::open_error refusal(fake_kernel& kernel, pci::address where = "0000:01:00.0") {
    fake_bus bus(kernel.options(), fake_calls{&kernel});
    auto opened = bus.open(where);
    REQUIRE(!opened);
    CHECK(opened.error().text.find('\n') == std::string::npos);
    CHECK(opened.error().text.starts_with(where.text().c_str()));
    return opened.error();
}

}  // namespace

TEST_CASE("a function is opened by its address, and closed with all that belongs to it") {
    fake_kernel kernel;
    kernel.add({});
    {
        fake_bus bus(kernel.options(), fake_calls{&kernel});
        auto opened = bus.open("0000:01:00.0");
        REQUIRE(opened);
        fake_function& f = **opened;
        CHECK(f.address() == pci::address("0000:01:00.0"));
        CHECK(bus.id(f) == pci::device_id{.vendor = 0x1b36,
                                          .device = 0x0010,
                                          .subsystem_vendor = 0x1af4,
                                          .subsystem_device = 0x1100,
                                          .class_code = 0x010802});
        CHECK(f.vector_count(pci::irq_type::msix) == 4);
        CHECK(f.vector_count(pci::irq_type::msi) == 2);
        CHECK(f.vector_count(pci::irq_type::intx) == 1);
        CHECK(f.can_reset());
        CHECK(f.file_descriptor() >= 0);
        CHECK(kernel.attached == std::set{7U});
        REQUIRE(bus.enable(f));
        REQUIRE(bus.map_bar(f, pci::bar_number(0), "registers"));
        REQUIRE(bus.allocate_vectors(f, {.min = 1, .max = 4, .types = pci::irq_type::all}));
        CHECK(bus.open("0000:01:00.0").error().code == errc::ebusy);
        CHECK(bus.close(f));
        CHECK(kernel.held().find("device") == std::string::npos);
        CHECK(kernel.memory.empty());
        CHECK(bus.open("0000:01:00.0"));
    }
    CHECK(kernel.held() == "");
}

TEST_CASE("functions share a group, and groups a container") {
    fake_kernel kernel;
    kernel.add({});
    kernel.add({.address = "0000:01:00.1"});
    kernel.add({.address = "0000:02:00.0", .group = 8});
    {
        fake_bus bus(kernel.options(), fake_calls{&kernel});
        auto& first = *bus.open("0000:01:00.0").value();
        auto& second = *bus.open("0000:01:00.1").value();
        REQUIRE(bus.open("0000:02:00.0"));
        const auto count = [&](const std::string& what) {
            return std::count_if(kernel.descriptors.begin(), kernel.descriptors.end(),
                                 [&](const auto& each) { return each.second == what; });
        };
        CHECK(count("/vfio/vfio") == 1);
        CHECK(count("/vfio/7") == 1);
        CHECK(count("/vfio/8") == 1);
        CHECK(bus.close(first));
        CHECK(count("/vfio/7") == 1);
        CHECK(bus.close(second));
        CHECK(count("/vfio/7") == 0);
        CHECK(count("/vfio/vfio") == 1);
    }
    CHECK(kernel.held() == "");
}

TEST_CASE("what keeps a function from being opened is said in one line, with what to do about it") {
    fake_kernel kernel;
    const auto refused = [&](errc code, const char* words) {
        const auto error = refusal(kernel);
        CHECK(error.code == code);
        CHECK_THAT(error.text, ContainsSubstring(words));
        CHECK(kernel.held() == "");
    };
    SECTION("a wrong address") {
        kernel.add({});
        const auto error = refusal(kernel, "0000:09:00.0");
        CHECK(error.code == errc::enodev);
        CHECK(error.text == "0000:09:00.0: there is no such PCI function; `lspci -D` lists those there are");
    }
    SECTION("another driver") {
        kernel.add({.driver = "e1000e"});
        const auto error = refusal(kernel);
        const std::string device = kernel.root + "/sys/bus/pci/devices/0000:01:00.0";
        CHECK(error.code == errc::ebusy);
        CHECK(error.text ==
              "0000:01:00.0: it is bound to e1000e, not vfio-pci; as root: modprobe vfio-pci; echo vfio-pci > " +
                  device + "/driver_override; echo 0000:01:00.0 > " + device + "/driver/unbind; echo 0000:01:00.0 > " +
                  kernel.root + "/sys/bus/pci/drivers_probe");
    }
    SECTION("no driver") {
        kernel.add({.driver = ""});
        refused(errc::enodev, "it has no driver, not vfio-pci; as root: ");
    }
    SECTION("no IOMMU") {
        kernel.add({.group = 0});
        refused(errc::enodev, "it is in no IOMMU group; ");
    }
    SECTION("no permission") {
        kernel.add({});
        kernel.open_errors["/dev/vfio/7"] = EACCES;
        refused(errc::eacces, "/dev/vfio/7; as root: chown USER ");
    }
    SECTION("no permission to make containers") {
        kernel.add({});
        kernel.open_errors["/dev/vfio/vfio"] = EACCES;
        refused(errc::eacces, "/dev/vfio/vfio; as root: chown USER ");
    }
    SECTION("a busy group") {
        kernel.add({});
        kernel.open_errors["/dev/vfio/7"] = EBUSY;
        refused(errc::ebusy, "another process has ");
    }
    SECTION("no module") {
        kernel.add({});
        kernel.open_errors["/dev/vfio/vfio"] = ENOENT;
        refused(errc::enoent, "as root: modprobe vfio");
    }
    SECTION("a group that is not viable") {
        kernel.add({});
        kernel.add({.address = "0000:01:00.1", .driver = "nvme"});
        kernel.add({.address = "0000:01:00.2", .driver = ""});
        kernel.viable = false;
        refused(errc::ebusy,
                "its IOMMU group 7 is not viable, because other drivers have functions of it: 0000:01:00.1 "
                "(nvme); as root: modprobe vfio-pci; ");
    }
    SECTION("no interrupt remapping") {
        kernel.add({});
        kernel.ioctl_errors[VFIO_SET_IOMMU] = EPERM;
        refused(errc::eperm, "allow_unsafe_interrupts");
    }
}

TEST_CASE("a function is opened by a group's descriptor, which stays the caller's if that fails") {
    fake_kernel kernel;
    kernel.add({});
    const fake_calls calls{&kernel};
    const int group = calls.open((kernel.root + "/dev/vfio/7").c_str(), O_RDWR);
    {
        fake_bus bus(kernel.options(), calls);
        CHECK(!bus.open_group(group, "0000:09:00.0"));
        kernel.ioctl_errors[VFIO_DEVICE_GET_INFO] = EIO;
        CHECK(!bus.open_group(group, "0000:01:00.0"));
        kernel.ioctl_errors.clear();
        CHECK(kernel.held() == "/vfio/7; ");
        CHECK(kernel.attached.empty());
        REQUIRE(bus.open_group(group, "0000:01:00.0"));
    }
    CHECK(kernel.held() == "");
}

TEST_CASE("a function is opened by its own descriptor, and reaches memory if its container is there") {
    fake_kernel kernel;
    auto& hardware = kernel.add({});
    const fake_calls calls{&kernel};
    const bool with_container = GENERATE(false, true);
    const int device = kernel.open_device(hardware);
    std::optional<int> container;
    if (with_container)
        container = calls.open((kernel.root + "/dev/vfio/vfio").c_str(), O_RDWR);
    {
        fake_bus bus(kernel.options(), calls);
        kernel.ioctl_errors[VFIO_DEVICE_GET_INFO] = EIO;
        CHECK(!bus.open_device(device, container));
        kernel.ioctl_errors.clear();
        CHECK(kernel.held() != "");
        auto opened = bus.open_device(device, container);
        REQUIRE(opened);
        CHECK((*opened)->address() == pci::address());
        auto block = bus.allocate_dma(**opened, 64);
        CHECK(block.has_value() == with_container);
        if (block)
            bus.free_dma(**opened, *block);
        else
            CHECK(block.error() == errc::enotsupp);
        REQUIRE(bus.enable(**opened));
        REQUIRE(bus.allocate_vectors(**opened, {.min = 1, .max = 1, .types = pci::irq_type::msix}));
        CHECK(bus.vector_number(**opened, 0).value() != 0);
    }
    CHECK(kernel.held() == "");
}

TEST_CASE("the functions that are bound to vfio-pci are listed in the order of their addresses") {
    fake_kernel kernel;
    kernel.add({.address = "0000:03:00.0", .group = 9, .driver = "mlx5_vfio_pci"});
    kernel.add({.address = "0000:02:00.0", .driver = "nvme"});
    kernel.add({});
    const auto found = vfio::list_functions(kernel.root + "/sys");
    REQUIRE(found.size() == 2);
    CHECK(found[0].address == pci::address("0000:01:00.0"));
    CHECK(found[0].driver == "vfio-pci");
    CHECK(found[0].group == 7);
    CHECK(found[0].identifier == "1b36:0010");
    CHECK(found[1].address == pci::address("0000:03:00.0"));
    CHECK(vfio::list_functions("/nowhere").empty());
}

TEST_CASE_METHOD(fake_fixture, "the kernel asks for a device: nothing more is acquired, and the listener is told") {
    struct told {
        fake_bus& bus;
        std::vector<vfio::function_event> events = {};
        bool in_handler = true;

        static void on_event(void* self, fake_function& f, vfio::function_event what) noexcept {
            auto& t = *static_cast<told*>(self);
            t.events.push_back(what);
            t.in_handler = t.bus.in_handler(f);
        }
    } listener{bus};
    using enum vfio::function_event;
    bus.listen(f, &told::on_event, &listener);
    CHECK(poll() == 0);
    REQUIRE(kernel.raise(hardware, VFIO_PCI_ERR_IRQ_INDEX, 0));
    CHECK(poll() == 1);
    CHECK(listener.events == std::vector{error});
    CHECK(f.error_reported());
    CHECK(bus.attach(f));
    bus.detach(f);

    REQUIRE(kernel.raise(hardware, VFIO_PCI_REQ_IRQ_INDEX, 0));
    CHECK(poll() == 1);
    CHECK(listener.events == std::vector{error, unplug_requested});
    CHECK(!listener.in_handler);
    CHECK(f.unplug_requested());
    CHECK(bus.attach(f).error() == errc::enodev);
    CHECK(bus.enable(f).error() == errc::enodev);
    CHECK(bus.allocate_vectors(f, {.types = pci::irq_type::all}).error() == errc::enodev);

    told late{bus};
    bus.listen(f, &told::on_event, &late);
    CHECK(late.events == std::vector{error, unplug_requested});
    bus.listen(f, nullptr, nullptr);
    REQUIRE(kernel.raise(hardware, VFIO_PCI_REQ_IRQ_INDEX, 0));  // as it does every few seconds
    CHECK(poll() == 1);
    CHECK(late.events.size() == 2);
}

TEST_CASE_METHOD(fake_fixture, "the listener may close the function") {
    bus.listen(
        f,
        [](void* self, fake_function& gone, vfio::function_event) noexcept {
            (void)static_cast<fake_bus*>(self)->close(gone);
        },
        &bus);
    REQUIRE(kernel.raise(hardware, VFIO_PCI_REQ_IRQ_INDEX, 0));
    CHECK(poll() == 1);
    CHECK(kernel.held().find("device") == std::string::npos);
    CHECK(poll() == 0);
}

TEST_CASE_METHOD(fake_fixture, "a function that a driver has is not closed") {
    REQUIRE(bus.attach(f));
    CHECK(bus.close(f).error() == errc::ebusy);
    bus.detach(f);
    CHECK(bus.close(f));
}
