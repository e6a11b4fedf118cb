// SPDX-License-Identifier: BSL-1.0
#include <devres/vfio/event_loop.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "support/catch.hpp"

using namespace devres;
using namespace devres::vfio;

namespace {

using loop_type = event_loop<kernel_calls>;

/// Four eventfds in a loop.
struct eventfds {
    std::unique_ptr<event_sources> sources = std::make_unique<event_sources>(4);
    std::array<vfio::detail::file<kernel_calls>, 4> fds;

    explicit eventfds(loop_type& loop) {
        REQUIRE(loop.open());
        for (unsigned i = 0; i != 4; ++i) {
            fds[i] = {kernel_calls{}, kernel_calls{}.make_eventfd()};
            at(i).index = i;
            at(i).owner = this;
            REQUIRE(loop.add(at(i), fds[i].get()));
        }
    }
    event_source& at(unsigned i) { return sources->each[i]; }
    void signal(unsigned i, eventfd_t count = 1) { REQUIRE(::eventfd_write(fds[i].get(), count) == 0); }
};

struct counts {
    std::array<std::atomic<unsigned>, 4> calls{};
    static pci::irq_return on_event(void* self, pci::vector_index index) noexcept {
        ++static_cast<counts*>(self)->calls[index.value()];
        return pci::irq_return::handled;
    }
};

template <class Condition>
bool soon(Condition condition) {
    for (int i = 0; i != 5000; ++i) {
        if (condition())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

}  // namespace

TEST_CASE("each signal reaches the function of its own source, with its index") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    counts seen;
    for (unsigned i = 0; i != 4; ++i)
        loop.arm(events.at(i), &counts::on_event, &seen);
    for (unsigned i = 0; i != 4; ++i) {
        for (unsigned n = 0; n <= i; ++n) {
            events.signal(i);
            CHECK(loop.poll(0) == 1U);
        }
    }
    CHECK(loop.poll(0) == 0U);
    for (unsigned i = 0; i != 4; ++i)
        CHECK(seen.calls[i] == i + 1);
}

TEST_CASE("signals that come before a wait are one call, as are those of many sources one wait") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    counts seen;
    for (unsigned i = 0; i != 4; ++i)
        loop.arm(events.at(i), &counts::on_event, &seen);
    for (unsigned n = 0; n != 5; ++n) {
        for (unsigned i = 0; i != 4; ++i)
            events.signal(i);
    }
    CHECK(loop.poll(0) == 4U);
    CHECK(loop.poll(0) == 0U);
}

TEST_CASE("a counter near its end still signals") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    counts seen;
    loop.arm(events.at(0), &counts::on_event, &seen);
    events.signal(0, ~eventfd_t{0} - 2);
    CHECK(loop.poll(0) == 1U);
    events.signal(0);
    CHECK(loop.poll(0) == 1U);
}

TEST_CASE("a source that is not armed holds its signals as one until it is, whether the loop has seen them or not") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    counts seen;
    const bool polled = GENERATE(false, true);
    events.signal(0, 3);
    events.signal(0);
    if (polled)
        CHECK(loop.poll(0) == 0U);
    CHECK(loop.arm(events.at(0), &counts::on_event, &seen) == polled);
    CHECK(loop.poll(0) == 1U);
    CHECK(loop.poll(0) == 0U);
    events.signal(0);
    CHECK(loop.poll(0) == 1U);
    loop.disarm(events.at(0));
    CHECK(!loop.rearm(events.at(0)));
    CHECK(loop.poll(0) == 0U);
    loop.disarm(events.at(0));
    events.signal(0);
    if (polled)
        CHECK(loop.poll(0) == 0U);
    CHECK(loop.rearm(events.at(0)) == polled);
    CHECK(loop.poll(0) == 1U);
    CHECK(seen.calls[0] == 3);
}

TEST_CASE("signals that are held can be forgotten, and then reach nobody") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    counts seen;
    const bool polled = GENERATE(false, true);
    events.signal(0);
    if (polled)
        CHECK(loop.poll(0) == 0U);
    loop.forget(events.at(0));
    CHECK(!loop.arm(events.at(0), &counts::on_event, &seen));
    CHECK(loop.poll(0) == 0U);
    events.signal(0);
    CHECK(loop.poll(0) == 1U);
}

TEST_CASE("an event that comes between one function and the next is the next one's") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    struct swap {
        loop_type& loop;
        eventfds& events;
        counts seen;

        static pci::irq_return on_event(void* self, pci::vector_index) noexcept {
            auto& s = *static_cast<swap*>(self);
            s.loop.disarm(s.events.at(1));  // whose event is in the same batch
            return pci::irq_return::handled;
        }
    } swapping{loop, events, {}};
    counts before;
    loop.arm(events.at(0), &swap::on_event, &swapping);
    loop.arm(events.at(1), &counts::on_event, &before);
    events.signal(0);
    events.signal(1);
    CHECK(loop.poll(0) == 1U);
    CHECK(loop.arm(events.at(1), &counts::on_event, &swapping.seen));
    CHECK(loop.poll(0) == 1U);
    CHECK(before.calls[1] == 0);
    CHECK(swapping.seen.calls[1] == 1);
}

TEST_CASE("an event of a former life that the wait brought along does not reach the next function") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    struct swap {
        loop_type& loop;
        eventfds& events;
        counts seen;
        bool signal_again;

        // Runs first; source 1's event is in the same batch.
        static pci::irq_return on_event(void* self, pci::vector_index) noexcept {
            auto& s = *static_cast<swap*>(self);
            s.loop.disarm(s.events.at(1));
            s.loop.forget(s.events.at(1));
            s.loop.arm(s.events.at(1), &counts::on_event, &s.seen);
            if (s.signal_again)
                s.events.signal(1);
            return pci::irq_return::handled;
        }
    };
    const bool signal_again = GENERATE(false, true);
    swap swapping{loop, events, {}, signal_again};
    counts before;
    loop.arm(events.at(0), &swap::on_event, &swapping);
    loop.arm(events.at(1), &counts::on_event, &before);
    events.signal(0);
    events.signal(1);
    CHECK(loop.poll(0) == (signal_again ? 2U : 1U));
    while (loop.poll(0) != 0U) {}
    CHECK(before.calls[1] == 0);
    CHECK((swapping.seen.calls[1] != 0) == signal_again);
}

TEST_CASE("polling is refused from inside a function, and while a thread waits") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    struct polls {
        loop_type& loop;
        event_source& source;
        errc inner{};
        bool inside = false, inside_other = true;

        static pci::irq_return on_event(void* self, pci::vector_index) noexcept {
            auto& p = *static_cast<polls*>(self);
            p.inner = p.loop.poll(0).error();
            p.inside = p.loop.inside(p.source);
            p.inside_other = p.loop.inside_one_of(&p);
            return pci::irq_return::handled;
        }
    } polling{loop, events.at(2)};
    loop.arm(events.at(2), &polls::on_event, &polling);
    CHECK(!loop.inside(events.at(2)));
    events.signal(2);
    CHECK(loop.poll(0) == 1U);
    CHECK(polling.inner == errc::edeadlk);
    CHECK(polling.inside);
    CHECK(!polling.inside_other);
    CHECK(!loop.inside_one_of(&events));

    REQUIRE(loop.start());
    CHECK(soon([&] { return loop.poll(0) == fail(errc::ebusy); }));
    loop.stop();
    CHECK(loop.poll(0) == 0U);
}

TEST_CASE("disarming waits for a function that runs on the loop's thread") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    struct slow {
        std::atomic<bool> started{false}, released{false}, ended{false};
        static pci::irq_return on_event(void* self, pci::vector_index) noexcept {
            auto& s = *static_cast<slow*>(self);
            s.started = true;
            while (!s.released)
                std::this_thread::yield();
            s.ended = true;
            return pci::irq_return::handled;
        }
    } running;
    REQUIRE(loop.start());
    loop.arm(events.at(3), &slow::on_event, &running);
    events.signal(3);
    REQUIRE(soon([&] { return running.started.load(); }));
    loop.disarm(events.at(0));  // another one is not waited for
    std::thread release([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        running.released = true;
    });
    loop.disarm(events.at(3));
    CHECK(running.ended);
    release.join();
}

TEST_CASE("sources that were removed are kept until the wait is over that may have seen them") {
    loop_type loop{kernel_calls{}};
    auto events = std::make_unique<eventfds>(loop);
    REQUIRE(loop.start());
    counts seen;
    for (int i = 0; i != 200; ++i) {
        for (unsigned n = 0; n != 4; ++n) {
            loop.arm(events->at(n), &counts::on_event, &seen);
            events->signal(n);
        }
        for (unsigned n = 0; n != 4; ++n) {
            loop.disarm(events->at(n));
            loop.remove(events->at(n));
        }
        loop.retire(std::move(events->sources));
        events = std::make_unique<eventfds>(loop);
    }
    loop.stop();
}

TEST_CASE("a thread of signals and one that arms and disarms: nothing is called after its end, nothing is lost") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    REQUIRE(loop.start());
    std::atomic<bool> done{false};
    std::thread device([&] {
        for (unsigned i = 0; !done; ++i)
            events.signal(i % 4);
    });
    struct checked {
        std::atomic<bool> alive{false};
        std::atomic<unsigned> calls{0}, wrong{0};
        static pci::irq_return on_event(void* self, pci::vector_index) noexcept {
            auto& c = *static_cast<checked*>(self);
            ++c.calls;
            c.wrong += c.alive ? 0U : 1U;
            return pci::irq_return::handled;
        }
    } state;
    for (int i = 0; i != 300; ++i) {
        state.alive = true;
        const unsigned before = state.calls;
        loop.arm(events.at(1), &checked::on_event, &state);
        CHECK(soon([&] { return state.calls != before; }));
        loop.disarm(events.at(1));
        state.alive = false;
    }
    done = true;
    device.join();
    loop.stop();
    CHECK(state.wrong == 0);
}

TEST_CASE(
    "a signal that comes while a source is disarmed and armed again is one call, on whichever thread it is held") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    REQUIRE(loop.start());
    counts seen;
    loop.arm(events.at(1), &counts::on_event, &seen);
    for (unsigned i = 1; i != 500; ++i) {
        const std::jthread device([&] { events.signal(1); });
        loop.disarm(events.at(1));
        loop.rearm(events.at(1));
        REQUIRE(soon([&] { return seen.calls[1] == i; }));
    }
    loop.disarm(events.at(1));
    const unsigned last = seen.calls[1];
    events.signal(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(seen.calls[1] == last);
    loop.rearm(events.at(1));
    CHECK(soon([&] { return seen.calls[1] == last + 1; }));
    loop.stop();
}

TEST_CASE("what waits for a function does not wait for its next call") {
    loop_type loop{kernel_calls{}};
    eventfds events(loop);
    REQUIRE(loop.start());
    std::atomic<bool> done{false};
    struct reader {
        std::atomic<unsigned*> current{nullptr};
        std::atomic<unsigned> calls{0};
        static pci::irq_return on_event(void* self, pci::vector_index) noexcept {
            auto& r = *static_cast<reader*>(self);
            if (unsigned* const now = r.current.load(std::memory_order_acquire))
                ++*now;
            ++r.calls;
            return pci::irq_return::handled;
        }
    } state;
    loop.arm(events.at(1), &reader::on_event, &state);
    std::thread device([&] {
        while (!done)
            events.signal(1);
    });
    for (int i = 0; i != 500; ++i) {
        auto fresh = std::make_unique<unsigned>(0);
        state.current.store(fresh.get(), std::memory_order_release);
        if (i % 16 == 0)
            CHECK(soon([&, before = state.calls.load()] { return state.calls != before; }));
        state.current.store(nullptr, std::memory_order_relaxed);
        loop.wait_for(events.at(1));
        fresh.reset();
    }
    done = true;
    device.join();
    loop.stop();
}
