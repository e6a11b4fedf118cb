// SPDX-License-Identifier: BSL-1.0
#include <devres/vfio/detail/loop_work.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include <devres/devres.hpp>

#include "fake_kernel.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::test;
using namespace devres::vfio;
using namespace std::chrono_literals;

namespace {

using loop_type = event_loop<kernel_calls>;
constexpr std::uint64_t ms = 1'000'000;

/// Work in a loop that counts its calls, and does something.
struct counted {
    loop_type& loop;
    std::function<void()> act;
    std::atomic<unsigned> calls = 0;
    pci::work_id id;

    explicit counted(
        loop_type& in, std::function<void()> does = [] {})
        : loop(in), act(std::move(does)), id(in.add_work(this, {.entry = &run, .context = this}).value()) {}
    ~counted() { (void)loop.remove_work(id); }
    static void run(void* self) noexcept {
        auto& of = *static_cast<counted*>(self);
        ++of.calls;
        of.act();
    }
    result<bool> schedule(std::uint64_t after = 0, bool again = false) { return loop.schedule_work(id, after, again); }
};

template <class Condition>
bool soon(Condition condition) {
    for (int i = 0; i != 5000 && !condition(); ++i)
        std::this_thread::sleep_for(1ms);
    return condition();
}

}  // namespace

TEST_CASE("work is called by who polls, once, when it is due") {
    loop_type loop{kernel_calls{}};
    REQUIRE(loop.open());
    counted soon_due(loop), later(loop);
    CHECK(soon_due.schedule() == false);
    CHECK(soon_due.schedule() == true);
    CHECK(later.schedule(20 * ms) == false);
    CHECK(loop.poll(0) == 1U);
    CHECK(soon_due.calls == 1);
    CHECK(later.calls == 0);
    const auto before = std::chrono::steady_clock::now();
    CHECK(loop.poll(5000) == 1U);
    CHECK(std::chrono::steady_clock::now() - before < 4s);
    CHECK(later.calls == 1);
    CHECK(loop.poll(0) == 0U);
}

TEST_CASE("a wait that has begun ends in time for work that is scheduled meanwhile") {
    loop_type loop{kernel_calls{}};
    REQUIRE(loop.open());
    REQUIRE(loop.start());
    counted work(loop);
    CHECK(work.schedule() == false);
    CHECK(soon([&] { return work.calls == 1; }));
    CHECK(work.schedule(10 * ms) == false);
    CHECK(work.schedule(5 * ms, true) == true);
    CHECK(soon([&] { return work.calls == 2; }));
}

TEST_CASE("work that schedules itself is called again and again, until it is removed") {
    loop_type loop{kernel_calls{}};
    REQUIRE(loop.open());
    REQUIRE(loop.start());
    {
        counted* self = nullptr;
        counted work(loop, [&] { (void)self->schedule(); });
        self = &work;
        (void)work.schedule();
        CHECK(soon([&] { return work.calls > 100; }));
        CHECK(loop.remove_work(work.id));
        const unsigned calls = work.calls;
        CHECK(work.schedule().error() == errc::enoent);
        std::this_thread::sleep_for(5ms);
        CHECK(work.calls == calls);
    }
    CHECK(loop.count_work_of(nullptr) == 0);
}

TEST_CASE("cancelling waits for work that runs, and keeps it from scheduling itself; it may be scheduled later") {
    loop_type loop{kernel_calls{}};
    REQUIRE(loop.open());
    REQUIRE(loop.start());
    counted* self = nullptr;
    counted work(loop, [&] {
        std::this_thread::sleep_for(2ms);
        (void)self->schedule();
    });
    self = &work;
    for (int i = 0; i != 20; ++i) {
        const unsigned before = work.calls;
        (void)work.schedule();
        CHECK(soon([&] { return work.calls != before; }));
        CHECK(loop.cancel_work(work.id, true));
        const unsigned calls = work.calls;
        std::this_thread::sleep_for(3ms);
        CHECK(work.calls == calls);
    }
}

TEST_CASE("flushed work is called at once: by the thread of the loop, or here if nobody polls") {
    for (const bool threaded : {false, true}) {
        loop_type loop{kernel_calls{}};
        REQUIRE(loop.open());
        if (threaded)
            REQUIRE(loop.start());
        counted work(loop);
        CHECK(loop.flush_work(work.id) == false);
        (void)work.schedule(3'600'000 * ms);
        CHECK(loop.flush_work(work.id) == true);
        CHECK(work.calls == 1);
    }
}

TEST_CASE("work does not wait for itself, nor flush in the loop") {
    loop_type loop{kernel_calls{}};
    REQUIRE(loop.open());
    counted* self = nullptr;
    errc cancelled{}, flushed{}, removed{};
    bool inside = false, other = true;
    counted work(loop, [&] {
        cancelled = loop.cancel_work(self->id, true).error();
        flushed = loop.flush_work(self->id).error();
        removed = loop.remove_work(self->id).error();
        inside = loop.inside_one_of(self);
        other = loop.inside_one_of(&other);
    });
    self = &work;
    (void)work.schedule();
    CHECK(loop.poll(0) == 1U);
    CHECK(cancelled == errc::edeadlk);
    CHECK(flushed == errc::edeadlk);
    CHECK(removed == errc::edeadlk);
    CHECK(inside);
    CHECK_FALSE(other);
    CHECK(loop.count_work_of(&work) == 1);
}

TEST_CASE("threads that schedule, cancel and flush meet the loop without a race") {
    loop_type loop{kernel_calls{}};
    REQUIRE(loop.open());
    REQUIRE(loop.start());
    counted work(loop);
    std::thread others[3];
    for (int i = 0; i != 3; ++i)
        others[i] = std::thread([&, i] {
            for (int round = 0; round != 200; ++round) {
                (void)work.schedule(i == 0 ? 0 : ms / 10, i == 1);
                if (i == 1)
                    (void)loop.cancel_work(work.id, round % 2 == 0);
                else if (i == 2)
                    (void)loop.flush_work(work.id);
                loop.wait_for_work_of(&work);
            }
        });
    for (auto& each : others)
        each.join();
    CHECK(loop.flush_work(work.id));
}

namespace {

struct poller {
    pci::work_of<pci::device<fake_bus>> work = {};
    pci::timer_of<pci::device<fake_bus>> timer = {};
    std::atomic<unsigned> calls = 0;
    void run() noexcept { ++calls, pci::schedule_work(work); }
    void on_timer() noexcept { ++calls, pci::mod_timer(timer, 1ms); }
};

}  // namespace

TEST_CASE_METHOD(fake_fixture, "on a bus, work that nobody cancels ends with its device") {
    {
        pci::device dev(bus, f);
        auto data = devm_emplace<poller>(dev).value();
        data->work = pci::devm_work<&poller::run>(dev, data).value();
        data->timer = pci::devm_timer<&poller::on_timer>(dev, data).value();
        CHECK(bus.held(f).size() == 1);
        pci::schedule_work(data->work);
        pci::mod_timer(data->timer, 1ms);
        for (int i = 0; i != 100 && data->calls < 20; ++i)
            (void)bus.poll(1);
        CHECK(soon([&] { return data->calls >= 20; }));
    }
    CHECK(bus.held(f).empty());
}

namespace {

struct halves {
    fake_fixture& of;
    unsigned hards = 0, threads = 0;
    bool masked = true;
    pci::irq_return on_hard() noexcept { return ++hards, pci::irq_return::wake_thread; }
    pci::irq_return on_thread() noexcept {
        ++threads;
        masked = masked && of.hardware.intx_masked;
        if (threads == 3)
            of.kernel.assert_intx(of.hardware, false);
        return pci::irq_return::handled;
    }
};

}  // namespace

TEST_CASE_METHOD(fake_fixture,
                 "INTx stays masked until the thread of its handler has run, and comes again if asserted") {
    {
        pci::device dev(bus, f);
        auto device = pci::pcim_enable_device(dev).value();
        auto vectors = pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::intx).value();
        auto data = devm_emplace<halves>(dev, *this).value();
        const auto handler =
            pci::devm_request_threaded_irq<&halves::on_hard, &halves::on_thread>(vectors[0], "halves", data).value();
        kernel.assert_intx(hardware, true);
        while (poll() != 0) {}
        CHECK(data->hards == 3);
        CHECK(data->threads == 3);
        CHECK(data->masked);
        CHECK(!hardware.intx_masked);

        kernel.assert_intx(hardware, true);
        CHECK(pci::disable_irq(handler));
        while (poll() != 0) {}
        CHECK(data->hards == 3);
        CHECK(pci::enable_irq(handler));
        CHECK(poll() != 0);
        CHECK(data->hards == 4);
    }
    CHECK(bus.held(f).empty());
}
