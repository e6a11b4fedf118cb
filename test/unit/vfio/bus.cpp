// SPDX-License-Identifier: BSL-1.0
// Drivers on the whole: what they acquire, what is left of it, and what is left when something fails on the way.
#include <devres/vfio/bus.hpp>

#include <thread>

#include <devres/testing.hpp>

#include "driver.hpp"
#include "fake_kernel.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::test;

static_assert(pci::platform<fake_bus>);
static_assert(pci::platform<vfio::bus>);
static_assert(pci::platform<testing::faulty<vfio::bus>>);
static_assert(pci::platform<testing::traced<vfio::bus>>);

TEST_CASE_METHOD(fake_fixture, "a driver binds, is interrupted, and is unbound with nothing left, again and again") {
    const auto idle = kernel.descriptors.size() + 4;  // the eventfds of the vectors stay
    for (int i = 0; i != 3; ++i) {
        {
            auto bound = pci::bind<everything_driver>(bus, f);
            REQUIRE(bound);
            CHECK(pci::bind<everything_driver>(bus, f).error() == errc::ebusy);
            CHECK(bus.held(f) == std::vector<std::string>{"a driver", "1 enables", "BAR 0", "4 vectors", "4 handlers",
                                                          "1 DMA blocks", "1 DMA mappings"});
            for (unsigned v = 0; v != 4; ++v) {
                REQUIRE(kernel.raise(hardware, VFIO_PCI_MSIX_IRQ_INDEX, v));
                CHECK(poll() == 1);
                CHECK(bound->state().interrupts[v] == 1);
            }
            CHECK(bound->state().all() == 4);
            REQUIRE(bound->suspend());
            REQUIRE(bound->resume());
        }
        CHECK(bus.held(f).empty());
        CHECK(kernel.descriptors.size() == idle);
        CHECK(kernel.memory.empty());
        CHECK(kernel.dma.empty());
        CHECK(kernel.config(hardware, PCI_COMMAND, 2) == 0);
        CHECK(!kernel.raise(hardware, VFIO_PCI_MSIX_IRQ_INDEX, 0));
    }
    CHECK(bus.close(f));
}

TEST_CASE("an open of which any step fails leaves nothing open") {
    for (std::size_t step = 1;; ++step) {
        fake_kernel kernel;
        kernel.add({.sparse = {{.offset = 0, .size = 0x1000}}});
        kernel.failing = {step};
        {
            fake_bus bus(kernel.options(), fake_calls{&kernel});
            const auto opened = bus.open("0000:01:00.0");
            if (kernel.steps.size() < step)
                break;
            CAPTURE(kernel.steps[step - 1]);
            const bool optional = kernel.steps[step - 1] == "read" || kernel.steps[step - 1] == "ioctl 112";
            CHECK((opened.has_value() == false || optional));
            if (!opened) {
                CHECK(!opened.error().text.empty());
                CHECK(kernel.held().find("vfio") == std::string::npos);
                CHECK(kernel.held().find("device") == std::string::npos);
                kernel.failing.clear();
                CHECK(bus.open("0000:01:00.0"));  // and it can be tried again
            }
        }
        CAPTURE(kernel.steps[step - 1]);
        CHECK(kernel.held() == "");
    }
}

TEST_CASE("a driver's life in which any call to the kernel fails leaves nothing held") {
    std::size_t runs = 0;
    for (std::size_t step = 1;; ++step, ++runs) {
        fake_kernel kernel;
        kernel.add({.sparse = {{.offset = 0, .size = 0x1000}, {.offset = 0x3000, .size = 0x1000}}});
        {
            fake_bus bus(kernel.options(), fake_calls{&kernel});
            auto& f = *bus.open("0000:01:00.0").value();
            kernel.steps.clear();
            kernel.failing = {step};
            {
                auto bound = pci::bind<everything_driver>(bus, f);
                if (bound) {
                    (void)bus.trigger(f, 0);
                    (void)bus.poll(0);
                    if (bound->suspend())
                        (void)bound->resume();
                }
            }
            if (kernel.steps.size() < step)
                break;
            CAPTURE(kernel.steps[step - 1]);
            CHECK(bus.held(f).empty());
            CHECK(kernel.memory.empty());
            CHECK((kernel.dma.empty() || kernel.steps[step - 1] == "ioctl 114"));  // the unmapping itself
            kernel.failing.clear();
            CHECK(pci::bind<everything_driver>(bus, f));  // and it works as before
        }
        kernel.dma.clear();
        CHECK(kernel.held() == "");
    }
    CHECK(runs > 30);
}

TEST_CASE("each primitive that a driver calls fails once, and nothing is left") {
    fake_fixture fixture;
    const auto explored = testing::explore_faults(
        fixture.bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<everything_driver>(platform, fixture.f));
            DEVRES_TRY(bound.suspend());
            DEVRES_TRY(bound.resume());
            return {};
        },
        [&](fake_bus& bus) {
            std::string left;
            for (const std::string& line : bus.held(fixture.f))
                left += line + "; ";
            return left + (fixture.kernel.dma.empty() && fixture.kernel.memory.empty() ? "" : "memory");
        },
        testing::fault_depth::pairs);
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 15);
}

TEST_CASE("the device interrupts before and after each primitive, and nothing is left") {
    fake_fixture fixture;
    const auto explored = testing::explore_interrupts(
        fixture.bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<everything_driver>(platform, fixture.f));
            return {};
        },
        [&](fake_bus& bus) {
            for (unsigned v = 0; v != 4; ++v)
                (void)fixture.kernel.raise(fixture.hardware, VFIO_PCI_MSIX_IRQ_INDEX, v);
            (void)bus.poll(0);
        },
        [&](fake_bus& bus) { return bus.held(fixture.f).empty() ? "" : "something is held"; });
    INFO(explored);
    CHECK(explored.clean());
}

TEST_CASE("a driver is bound and unbound while the device interrupts as fast as it can") {
    fake_kernel kernel;
    auto& hardware = kernel.add({});
    fake_bus bus(kernel.options(vfio::delivery::threaded), fake_calls{&kernel});
    auto& f = *bus.open("0000:01:00.0").value();
    std::atomic<bool> done{false};
    std::thread device([&] {
        for (unsigned i = 0; !done; ++i)
            (void)kernel.raise(hardware, VFIO_PCI_MSIX_IRQ_INDEX, i % 4);
    });
    unsigned interrupts = 0;
    for (int i = 0; i != 200; ++i) {
        auto bound = pci::bind<everything_driver>(bus, f);
        REQUIRE(bound);
        while (bound->state().all() == 0)
            std::this_thread::yield();
        interrupts += bound->state().all();
    }
    done = true;
    device.join();
    CHECK(interrupts >= 200);
    CHECK(bus.held(f).empty());
}

TEST_CASE("a device that is unplugged while it interrupts is unbound and closed by its listener") {
    fake_kernel kernel;
    auto& hardware = kernel.add({});
    fake_bus bus(kernel.options(vfio::delivery::threaded), fake_calls{&kernel});
    auto& f = *bus.open("0000:01:00.0").value();
    struct owner {
        fake_bus& bus;
        std::mutex lock = {};  // the caller's lock of the device
        pci::binding<everything_driver, fake_bus> bound = {};
        std::atomic<bool> closed{false};

        static void on_event(void* self, fake_function& function, vfio::function_event) noexcept {
            auto& o = *static_cast<owner*>(self);
            const std::scoped_lock hold(o.lock);
            if (o.bound.unbind() && o.bus.close(function))
                o.closed = true;
        }
    } app{bus};
    {
        const std::scoped_lock hold(app.lock);
        app.bound = pci::bind<everything_driver>(bus, f).value();
    }
    bus.listen(f, &owner::on_event, &app);
    for (unsigned i = 0; i != 1000; ++i) {
        (void)kernel.raise(hardware, VFIO_PCI_MSIX_IRQ_INDEX, i % 4);
        if (i == 500)
            REQUIRE(kernel.raise(hardware, VFIO_PCI_REQ_IRQ_INDEX, 0));
    }
    while (!app.closed)
        std::this_thread::yield();
    CHECK(!app.bound);
    CHECK(kernel.held().find("device") == std::string::npos);
}
