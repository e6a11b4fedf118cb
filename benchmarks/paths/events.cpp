// SPDX-License-Identifier: BSL-1.0

// From eventfds that are ready to their handlers: the loop of the vfio platform, and the usual one, which is told of a
// level and reads each eventfd. No device is needed: a device's interrupt is a write to an eventfd.

#include <cstdlib>
#include <memory>

#include <devres/vfio.hpp>

#include "paths.hpp"

namespace devres::benchmarks {
namespace {

constexpr unsigned most = 64;

pci::irq_return count_event(void* context, pci::vector_index) noexcept {
    ++*static_cast<unsigned*>(context);
    return pci::irq_return::handled;
}

void check(bool holds) {
    if (!holds)
        std::abort();
}

struct edge {
    edge() {
        check(bool(loop.open()));
        for (unsigned i = 0; i != most; ++i) {
            check(bool(loop.add(sources.each[i], kernel.make_eventfd())));
            loop.arm(sources.each[i], count_event, &handled);
        }
    }

    vfio::kernel_calls kernel;
    vfio::event_loop<vfio::kernel_calls> loop{kernel};
    vfio::event_sources sources{most};
    unsigned handled = 0;
};

struct level {
    level() {
        for (source& each : sources) {
            each = {.entry = count_event, .context = &handled, .fd = kernel.make_eventfd()};
            epoll_event event{.events = EPOLLIN, .data = {.ptr = &each}};
            check(kernel.epoll_control(epoll, EPOLL_CTL_ADD, each.fd, &event) == 0);
        }
    }

    struct source {
        pci::irq_entry entry = nullptr;
        void* context = nullptr;
        int fd = -1;
    };
    vfio::kernel_calls kernel;
    int epoll = kernel.make_epoll();
    source sources[most];
    epoll_event events[most]{};
    unsigned handled = 0;
};

}  // namespace

void edge_events(unsigned count) {
    static edge here;
    here.handled = 0;
    for (unsigned i = 0; i != count; ++i)
        check(::eventfd_write(here.sources.each[i].fd, 1) == 0);
    check(here.loop.poll(0) == count && here.handled == count);
}

void level_events(unsigned count) {
    static level here;
    here.handled = 0;
    for (unsigned i = 0; i != count; ++i)
        check(::eventfd_write(here.sources[i].fd, 1) == 0);
    const int ready = here.kernel.epoll_wait(here.epoll, here.events, most, 0);
    for (int i = 0; i < ready; ++i) {
        const auto& source = *static_cast<level::source*>(here.events[i].data.ptr);
        eventfd_t signals = 0;
        check(::eventfd_read(source.fd, &signals) == 0);
        (void)source.entry(source.context, pci::vector_index(static_cast<unsigned>(&source - here.sources)));
    }
    check(here.handled == count);
}

}  // namespace devres::benchmarks
