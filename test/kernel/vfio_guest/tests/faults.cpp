// SPDX-License-Identifier: BSL-1.0
// Each call to the kernel fails once, on a real one, and so does each primitive: nothing may be left.
#include <devres/testing.hpp>

#include "devices.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::lab;

namespace {

/// The kernel, of which one call fails.
struct counter {
    unsigned calls = 0;
    unsigned failing = 0;  // from 1; 0: none
    bool is_release = false;
};
struct failing_calls : vfio::kernel_calls {
    counter* count = nullptr;

    [[nodiscard]] bool fails() const noexcept {
        if (++count->calls != count->failing)
            return false;
        errno = EIO;
        return true;
    }
    int open(const char* path, int flags) const noexcept { return fails() ? -1 : kernel_calls::open(path, flags); }
    int ioctl(int fd, unsigned long request, void* argument) const noexcept {
        if (!fails())
            return kernel_calls::ioctl(fd, request, argument);
        const bool disable = request == VFIO_DEVICE_SET_IRQS && static_cast<vfio_irq_set*>(argument)->count == 0;
        count->is_release = disable || request == VFIO_IOMMU_UNMAP_DMA;
        return -1;
    }
    int ioctl(int fd, unsigned long request, int argument) const noexcept {
        return fails() ? -1 : kernel_calls::ioctl(fd, request, argument);
    }
    void* map(void* where, std::size_t size, int protection, int flags, int fd, std::uint64_t offset) const noexcept {
        return fails() ? MAP_FAILED : kernel_calls::map(where, size, protection, flags, fd, offset);
    }
    int make_eventfd() const noexcept { return fails() ? -1 : kernel_calls::make_eventfd(); }
    int make_epoll() const noexcept { return fails() ? -1 : kernel_calls::make_epoll(); }
    int epoll_control(int epoll, int operation, int fd, epoll_event* event) const noexcept {
        return operation == EPOLL_CTL_ADD && fails() ? -1 : kernel_calls::epoll_control(epoll, operation, fd, event);
    }
};
using failing_bus = vfio::basic_bus<failing_calls>;

}  // namespace

TEST_CASE("a program in which any call to the kernel fails leaves nothing, and the next one finds all as it was") {
    for (const pci::address where : {edu, rocker4}) {
        CAPTURE(where.text().c_str());
        const auto files = open_files();
        unsigned runs = 0;
        for (unsigned step = 1;; ++step, ++runs) {
            counter count{.failing = step};
            failing_calls calls;
            calls.count = &count;
            {
                failing_bus bus({.handlers = vfio::delivery::polled}, calls);
                if (const auto f = bus.open(where)) {
                    {
                        auto bound = pci::bind<test::everything_driver>(bus, **f);
                        if (bound)
                            (void)bus.trigger(**f, 0);
                        (void)bus.poll(0);
                    }
                    CAPTURE(step);
                    CHECK(bus.held(**f).empty());
                }
            }
            CHECK(open_files() == files);
            if (count.calls < step)
                break;
        }
        CHECK(runs > 40);
        opened again(where);
        CHECK(pci::bind<test::everything_driver>(again.bus, again.f));
    }
}

TEST_CASE("a driver of which any primitive fails leaves nothing") {
    for (const device& d : devices) {
        CAPTURE(d.name);
        opened one(d.address);
        const auto files = open_files();
        const auto explored = testing::explore_faults(
            one.bus,
            [&](auto& platform) -> result<> {
                DEVRES_TRY(auto bound, pci::bind<test::everything_driver>(platform, one.f));
                return {};
            },
            [&](vfio::bus& bus) {
                // Eventfds of vectors stay until the function is closed.
                const bool more = open_files() > files + 2 * (test::everything_driver::max_vectors + 1);
                return !bus.held(one.f).empty() ? "something is held" : more ? "files are open" : "";
            });
        INFO(explored);
        CHECK(explored.clean());
        CHECK(explored.runs.size() > 10);
    }
}

TEST_CASE("a driver is bound and unbound while its device interrupts") {
    opened one(rocker8);
    for (int i = 0; i != 50; ++i) {
        auto bound = pci::bind<test::everything_driver>(one.bus, one.f);
        REQUIRE(bound);
        for (unsigned v = 0; v != 64; ++v)
            CHECK(one.bus.trigger(one.f, v % 8));
        CHECK(soon([&] { return bound->state().all() != 0; }));
        CHECK(bound->state().wrong == 0);
    }
    CHECK(one.bus.held(one.f).empty());
}
