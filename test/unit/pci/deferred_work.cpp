// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/deferred_work.hpp>

#include <chrono>
#include <optional>
#include <ratio>
#include <string>
#include <vector>

#include <devres/any_platform.hpp>
#include <devres/linux_model.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace std::chrono_literals;

namespace {

/// The natural port of a driver that polls its device: nothing of it is cancelled anywhere.
template <class Device>
struct poller {
    pci::bar_of<Device> registers;
    pci::delayed_work_of<Device> poll = {};
    pci::work_of<Device> bottom = {};
    pci::timer_of<Device> watchdog = {};
    unsigned polls = 0;
    unsigned bottoms = 0;
    unsigned barks = 0;

    void on_poll() noexcept {
        ++polls;
        registers.write32(0, polls);
        pci::schedule_delayed_work(poll, 10ms);
    }
    void on_bottom() noexcept {
        ++bottoms;
        (void)registers.read32(0);
    }
    void on_watchdog() noexcept {
        ++barks;
        pci::schedule_work(bottom);
        pci::mod_timer(watchdog, 1s);
    }
    pci::irq_return on_irq() noexcept { return pci::schedule_work(bottom), pci::irq_return::handled; }
};

struct polling_driver {
    template <class Device>
    static probed<poller<Device>> probe(Device& dev, const pci::device_id&) {
        using state = poller<Device>;
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "poller"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::all));
        DEVRES_TRY(auto data, devm_emplace<state>(dev, registers));
        DEVRES_TRY(data->poll, pci::devm_delayed_work<&state::on_poll>(dev, data));
        DEVRES_TRY(data->bottom, pci::devm_work<&state::on_bottom>(dev, data));
        DEVRES_TRY(data->watchdog, pci::devm_timer<[](auto& of) { of.on_watchdog(); }>(dev, data));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "poller", data));
        pci::schedule_delayed_work(data->poll, 10ms);
        pci::mod_timer(data->watchdog, 1s);
        return data;
    }
};

sim::function_config card() { return {.msix_vectors = 1, .bar_sizes = {4096}}; }

struct everything {
    void run() noexcept { ++calls; }
    unsigned calls = 0;
};

/// A device with one object of its own.
template <class P = sim::bus>
struct with_object {
    pci::device<P> dev;
    managed_ref<everything> object;

    with_object(P& platform, typename P::function_type& f)
        : dev(platform, f), object(devm_emplace<everything>(dev).value()) {}
};

struct keeper {
    template <class Device>
    struct state {
        pci::bar_of<Device> registers;
        void run() noexcept { registers.write32(0, 1); }
    };
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::bar<0> = managed,
                                          pci::deferred_work.without(pci::bar<0>) = managed);
    template <class Device>
    static result<managed_ref<state<Device>>> start(Device& dev) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "keeper"));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, registers));
        DEVRES_TRY(auto work, pci::devm_work<&state<Device>::run>(dev, data));
        pci::schedule_work(work);
        return data;
    }
};

struct claims {
    static constexpr auto ownership = own(driver_data = managed, pci::deferred_work = managed);
};
struct silent {
    static constexpr auto ownership = own(driver_data = managed);
};

}  // namespace

TEST_CASE("work that is scheduled is called when the test says so, and once") {
    sim::bus bus;
    with_object here(bus, bus.add(card()));
    const auto work = pci::devm_work<&everything::run>(here.dev, here.object).value();
    CHECK(work);
    CHECK(bus.run_work() == 0);
    CHECK(pci::schedule_work(work));
    CHECK_FALSE(pci::schedule_work(work));
    CHECK(here.object->calls == 0);
    CHECK(bus.run_work() == 1);
    CHECK(here.object->calls == 1);
    CHECK(bus.run_work() == 0);
}

TEST_CASE("delayed work is due when its delay is over, and a timer goes off by itself when time moves") {
    sim::bus bus;
    with_object here(bus, bus.add(card()));
    const auto work = pci::devm_delayed_work<&everything::run>(here.dev, here.object).value();
    const auto timer = pci::devm_timer<[](everything& of) { of.calls += 10; }>(here.dev, here.object).value();
    CHECK(pci::schedule_delayed_work(work, 20ms));
    CHECK_FALSE(pci::schedule_delayed_work(work, 1ms));
    CHECK_FALSE(pci::mod_timer(timer, 50ms));
    CHECK(pci::mod_timer(timer, 30ms));
    CHECK(bus.advance(19ms) == 0);
    CHECK(bus.run_work() == 0);
    CHECK(bus.advance(1ms) == 0);
    CHECK(bus.run_work() == 1);
    CHECK(bus.advance(1h) == 1);
    CHECK(here.object->calls == 11);

    CHECK_FALSE(pci::mod_delayed_work(work, 20ms));
    CHECK(pci::mod_delayed_work(work, 40ms));
    (void)bus.advance(30ms);
    CHECK(bus.run_work() == 0);
    (void)bus.advance(10ms);
    CHECK(bus.run_work() == 1);
}

TEST_CASE("timers that set themselves again go off each at its time, however far the time is moved") {
    sim::bus bus;
    struct metronome {
        pci::timer_of<pci::device<sim::bus>> slow = {}, fast = {};
        std::string heard = {};
        void on_slow() noexcept { heard += 's', pci::mod_timer(slow, 300ms); }
        void on_fast() noexcept { heard += 'f', pci::mod_timer(fast, 200ms); }
    };
    pci::device dev(bus, bus.add(card()));
    auto data = devm_emplace<metronome>(dev).value();
    data->slow = pci::devm_timer<&metronome::on_slow>(dev, data).value();
    data->fast = pci::devm_timer<&metronome::on_fast>(dev, data).value();
    pci::mod_timer(data->slow, 300ms);
    pci::mod_timer(data->fast, 200ms);
    CHECK(bus.advance(1s) == 8);
    CHECK(data->heard == "fsfsffsf");
    CHECK(pci::timer_delete(data->fast));
    CHECK_FALSE(pci::timer_delete(data->fast));
    CHECK(bus.advance(1s) == 3);
}

TEST_CASE("a timer without a delay goes off with the next tick, so that time goes on") {
    sim::bus bus;
    struct eager {
        pci::timer_of<pci::device<sim::bus>> timer = {};
        unsigned calls = 0;
        void run() noexcept { ++calls, pci::mod_timer(timer, 0ns); }
    };
    pci::device dev(bus, bus.add(card()));
    auto data = devm_emplace<eager>(dev).value();
    data->timer = pci::devm_timer<&eager::run>(dev, data).value();
    pci::mod_timer(data->timer, 0ns);
    CHECK(bus.advance(100ms) == 100);
}

TEST_CASE("cancelled work is not called, and may be scheduled again") {
    sim::bus bus;
    with_object here(bus, bus.add(card()));
    const auto work = pci::devm_work<&everything::run>(here.dev, here.object).value();
    const auto later = pci::devm_delayed_work<&everything::run>(here.dev, here.object).value();
    CHECK_FALSE(pci::cancel_work(work));
    CHECK(pci::cancel_work_sync(work) == false);
    pci::schedule_work(work);
    pci::schedule_delayed_work(later, 1ms);
    CHECK(pci::cancel_work(work));
    CHECK(pci::cancel_delayed_work_sync(later) == true);
    (void)bus.advance(1s);
    CHECK(bus.run_work() == 0);
    CHECK(pci::schedule_work(work));
    CHECK(bus.run_work() == 1);
    pci::schedule_delayed_work(later, 1ms);
    CHECK(pci::cancel_delayed_work(later));
}

TEST_CASE("flushed work is called now, whatever its delay") {
    sim::bus bus;
    with_object here(bus, bus.add(card()));
    const auto work = pci::devm_work<&everything::run>(here.dev, here.object).value();
    const auto later = pci::devm_delayed_work<&everything::run>(here.dev, here.object).value();
    CHECK(pci::flush_work(work) == false);
    pci::schedule_work(work);
    CHECK(pci::flush_work(work) == true);
    pci::schedule_delayed_work(later, 1h);
    CHECK(pci::flush_delayed_work(later) == true);
    CHECK(here.object->calls == 2);
    CHECK(bus.run_work() == 0);
}

TEST_CASE("work is as a handler: it acquires nothing, and does not wait for itself") {
    sim::bus bus;
    struct asking {
        pci::device<sim::bus>* dev;
        pci::work_of<pci::device<sim::bus>> work = {};
        errc enabled{}, cancelled{}, flushed{}, added{};
        void run() noexcept {
            enabled = pci::pci_enable_device(*dev).error();
            cancelled = pci::cancel_work_sync(work).error();
            flushed = pci::flush_work(work).error();
            added = dev->platform().add_work(dev->function(), {.entry = [](void*) noexcept {}}).error();
        }
    };
    pci::device dev(bus, bus.add(card()));
    auto data = devm_emplace<asking>(dev, &dev).value();
    data->work = pci::devm_work<&asking::run>(dev, data).value();
    pci::schedule_work(data->work);
    CHECK(bus.run_work() == 1);
    CHECK(data->enabled == errc::edeadlk);
    CHECK(data->cancelled == errc::edeadlk);
    CHECK(data->flushed == errc::edeadlk);
    CHECK(data->added == errc::edeadlk);
    CHECK(bus.ledger().take_violations().size() == 2);
}

TEST_CASE("a name of nothing is never called, cancelled or flushed") {
    const pci::work_of<pci::device<sim::bus>> work;
    const pci::delayed_work_of<pci::device<sim::bus>> later;
    const pci::timer_of<pci::device<sim::bus>> timer;
    CHECK_FALSE(work);
    CHECK_FALSE(pci::schedule_work(work));
    CHECK_FALSE(pci::schedule_delayed_work(later, 1ms));
    CHECK_FALSE(pci::mod_delayed_work(later, 1ms));
    CHECK_FALSE(pci::mod_timer(timer, 1ms));
    CHECK_FALSE(pci::cancel_work(work));
    CHECK(pci::flush_work(work) == false);
    CHECK(pci::timer_delete_sync(timer) == false);
}

TEST_CASE("the port that cancels nothing is right: what it scheduled ends before anything that it uses") {
    sim::bus bus;
    auto& f = bus.add(card());
    {
        auto bound = pci::bind<polling_driver>(bus, f);
        REQUIRE(bound);
        for (int i = 0; i != 250; ++i) {
            (void)bus.advance(10ms);
            (void)bus.run_work();
        }
        CHECK(bound->state().polls == 250);
        CHECK(bound->state().barks == 2);
        CHECK(bound->state().bottoms == 2);
        f.raise(0);
        (void)bus.advance(10ms);
    }
    CHECK(bus.run_work() == 0);
    CHECK(bus.advance(1h) == 0);
    CHECK(bus.run_work() == 0);
    CHECK(bus.ledger().clean());
}

TEST_CASE("work and timers at every point, interrupts with them: the port that cancels nothing stays right") {
    sim::bus bus;
    auto& f = bus.add(card());
    const auto explored = testing::explore_interrupts(
        bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<polling_driver>(platform, f));
            return bound.unbind();
        },
        [&](sim::bus& at) {
            f.raise(0);
            (void)at.advance(1s);
            (void)at.run_work();
        },
        [](sim::bus& after) { return std::string(after.ledger().clean() ? "" : "not clean"); });
    INFO(explored);
    CHECK(explored.clean());
}

TEST_CASE("every step of a driver with work may fail") {
    sim::bus bus;
    auto& f = bus.add(card());
    const auto explored = testing::explore_faults(
        bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<polling_driver>(platform, f));
            return {};
        },
        [](sim::bus& after) { return std::string(after.ledger().clean() ? "" : "not clean"); });
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.tolerated() == 0);
}

TEST_CASE("work that has been ended is not scheduled any more: by a destructor, a handler's last call, itself") {
    sim::bus bus;
    struct late {
        pci::work_of<pci::device<sim::bus>> work = {};
        bool* scheduled;
        explicit late(bool* of) : scheduled(of) {}
        void run() noexcept {}
        ~late() { *scheduled = pci::schedule_work(work); }
    };
    bool scheduled = true;
    {
        pci::device dev(bus, bus.add(card()));
        auto data = devm_emplace<late>(dev, &scheduled).value();
        data->work = pci::devm_work<&late::run>(dev, data).value();
        CHECK(pci::schedule_work(data->work));
    }
    CHECK_FALSE(scheduled);
    CHECK(bus.run_work() == 0);
}

TEST_CASE("a group ends the work that was made in it, and that of its objects") {
    sim::bus bus;
    pci::device dev(bus, bus.add(card()));
    const auto outer = devm_emplace<everything>(dev).value();
    pci::work_of<pci::device<sim::bus>> work;
    {
        group queues{dev};
        const auto object = devm_emplace<everything>(dev).value();
        work = pci::devm_work<&everything::run>(dev, object).value();
        pci::schedule_work(work);
        CHECK(work);
    }
    CHECK_FALSE(work);
    CHECK_FALSE(pci::schedule_work(work));
    CHECK(bus.run_work() == 0);
    CHECK(outer->calls == 0);
}

TEST_CASE("what is managed is told of, in the order in which it goes, and a schedule that comes too late") {
    sim::bus bus;
    testing::trace_recorder trace;
    testing::traced platform{bus, std::ref(trace)};
    struct late {
        pci::work_of<pci::device<testing::traced<sim::bus>>> work = {};
        void run() noexcept {}
        ~late() { pci::schedule_work(work); }
    };
    {
        pci::device dev(platform, bus.add(card()));
        auto data = devm_emplace<late>(dev).value();
        data->work = pci::devm_work<&late::run>(dev, data).value();
    }
    std::string told;
    for (const auto& line : trace.lines())
        told += line.substr(0, line.find(' ', line.find(' ') + 1)) + '\n';
    CHECK(told == "acquired driver_data\n"
                  "acquired deferred_work\n"
                  "released deferred_work\n"
                  "failed schedule_work\n"
                  "released driver_data\n");
}

TEST_CASE("sim says which work there is, and which BARs it keeps off") {
    sim::bus bus;
    pci::device<sim::bus, keeper> dev(bus, bus.add(card()));
    REQUIRE(keeper::start(dev));
    const auto live = bus.ledger().live();
    CHECK(std::ranges::any_of(live, [](const auto& line) { return line.find("work of \"") != std::string::npos; }));
    CHECK(bus.run_work() == 1);
    const auto wrong = bus.ledger().take_violations();
    REQUIRE(wrong.size() == 1);
    CHECK(wrong[0].kind == sim::violation_kind::bar_kept_off);
}

TEST_CASE("work is the same on the model of Linux, and behind a table of functions") {
    linux_model::kernel linux(linux_model::linux_6_12);
    auto& dev = linux.add(card());
    {
        auto bound = pci::bind<polling_driver>(linux, dev);
        REQUIRE(bound);
        (void)linux.hardware().work().advance(10'000'000);
        CHECK(linux.hardware().work().run() == 1);
        CHECK(bound->state().polls == 1);
    }
    CHECK(linux.hardware().work().advance(10'000'000'000) == 0);
    CHECK(linux.hardware().work().run() == 0);
    CHECK(linux.hardware().ledger().clean());

    sim::bus bus;
    pci::erased platform{bus};
    pci::erased_function f{platform, bus.add(card())};
    auto bound = pci::bind<polling_driver>(f.platform(), f);
    REQUIRE(bound);
    (void)bus.advance(10ms);
    CHECK(bus.run_work() == 1);
    CHECK(bound->unbind());
    CHECK(bus.ledger().clean());
}

TEST_CASE("a platform without work is one, also behind a table of functions") {
    using pci::defers_work;
    STATIC_REQUIRE(!defers_work<test::null_platform>);
    STATIC_REQUIRE(!defers_work<testing::traced<test::null_platform>>);
    STATIC_REQUIRE(defers_work<testing::faulty<testing::interrupting<testing::traced<sim::bus>>>>);
    STATIC_REQUIRE(defers_work<linux_model::kernel> && defers_work<pci::any_platform>);

    test::null_platform nothing;
    test::null_platform::function_type f;
    pci::erased platform{nothing};
    pci::erased_function of{platform, f};
    with_object<pci::any_platform> here(platform, of);
    CHECK(pci::devm_work<&everything::run>(here.dev, here.object).error() == errc::enotsupp);
    CHECK(platform.schedule_work(of, pci::work_id{1}, 0, false).error() == errc::enoent);
    CHECK(platform.cancel_work(of, pci::work_id{1}, true) == false);
    CHECK(platform.flush_work(of, pci::work_id{1}) == false);
    CHECK(platform.remove_work(of, pci::work_id{1}));
}

TEST_CASE("a delay is any length of time") {
    using pci::detail::nanoseconds;
    STATIC_REQUIRE(nanoseconds(5ms) == 5'000'000);
    STATIC_REQUIRE(nanoseconds(2h) == 7'200'000'000'000);
    STATIC_REQUIRE(nanoseconds(-5ms) == 0);
    STATIC_REQUIRE(nanoseconds(std::chrono::duration<double>(0.25)) == 250'000'000);
    STATIC_REQUIRE(nanoseconds(std::chrono::duration<int, std::ratio<1, 60>>(60)) == 999'999'960);
    STATIC_REQUIRE(nanoseconds(std::chrono::duration<long long, std::pico>(5'000)) == 5);
    STATIC_REQUIRE(nanoseconds(std::chrono::hours::max()) == ~std::uint64_t{0});
}

TEST_CASE("a table says that devres owns deferred work, and what it is kept apart from") {
    constexpr auto can = []<class Driver>(Driver) {
        return requires(pci::device<sim::bus, Driver>& dev, managed_ref<everything>& object) {
            pci::devm_work<&everything::run>(dev, object);
        };
    };
    STATIC_REQUIRE(can(claims{}));
    STATIC_REQUIRE(!can(silent{}));
}
