// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/threaded_irq.hpp>

#include <string>

#include <devres/any_platform.hpp>
#include <devres/linux_model.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

sim::function_config card() { return {.msix_vectors = 2, .bar_sizes = {4096}}; }

struct halves {
    unsigned hards = 0, threads = 0;
    pci::irq_return said = pci::irq_return::wake_thread;
    pci::irq_return on_hard() noexcept { return ++hards, said; }
    pci::irq_return on_thread(pci::vector_index) noexcept { return ++threads, pci::irq_return::handled; }
};

/// A device with vectors and an object.
template <class P = sim::bus>
struct with_vectors {
    pci::device<P> dev;
    managed_ref<halves> object;
    pci::irq_allocation<managed_t, P> vectors;

    explicit with_vectors(P& platform, typename P::function_type& f, pci::irq_types types = pci::irq_type::msix)
        : dev(platform, f), object(devm_emplace<halves>(dev).value()), vectors([&] {
              auto device = pci::pcim_enable_device(dev).value();
              REQUIRE(pci::pci_set_master(device));
              return pci::pcim_alloc_irq_vectors(device, 1, 2, types).value();
          }()) {}

    auto request() {
        return pci::devm_request_threaded_irq<&halves::on_hard, &halves::on_thread>(vectors[0], "halves", object);
    }
};

struct threaded_driver {
    template <class Device>
    struct state {
        pci::bar_of<Device> registers;
        pci::irq_return on_irq() noexcept {
            (void)registers.read32(0);
            return pci::irq_return::wake_thread;
        }
        pci::irq_return on_thread() noexcept {
            registers.write32(0, 1);
            return pci::irq_return::handled;
        }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        using state_type = state<Device>;
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "threaded"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 2, 2, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state_type>(dev, registers));
        DEVRES_TRY((
            pci::devm_request_threaded_irq<&state_type::on_irq, &state_type::on_thread>(vectors[0], "threaded", data)));
        DEVRES_TRY((pci::devm_request_threaded_irq<nullptr, &state_type::on_thread>(vectors[1], "threaded", data)));
        return data;
    }
};

}  // namespace

TEST_CASE("the first half wakes the thread, and the vector is held until the thread has run") {
    sim::bus bus;
    auto& f = bus.add(card());
    with_vectors here(bus, f);
    const auto handler = here.request().value();
    CHECK(handler);
    f.raise(0);
    f.raise(0);
    f.raise(0);
    CHECK(here.object->hards == 1);
    CHECK(here.object->threads == 0);
    CHECK(bus.run_work() == 1);
    CHECK(here.object->threads == 1);
    CHECK(here.object->hards == 2);  // what came meanwhile
    CHECK(bus.run_work() == 1);
    CHECK(here.object->threads == 2);
    CHECK(here.object->hards == 2);
    here.object->said = pci::irq_return::handled;
    f.raise(0);
    CHECK(here.object->hards == 3);
    CHECK(bus.run_work() == 0);
}

TEST_CASE("a line that stays asserted is quiet while the thread has not run") {
    sim::bus bus;
    struct level : sim::device_model {
        std::uint64_t read(sim::function&, pci::bar_number, std::uint64_t, unsigned) override { return 0; }
        void write(sim::function&, pci::bar_number, std::uint64_t, unsigned, std::uint64_t) override {}
    } model;
    auto& f = bus.add({.intx = true, .bar_sizes = {4096}, .model = &model});
    with_vectors here(bus, f, pci::irq_type::intx);
    REQUIRE(here.request());
    f.raise(0);
    CHECK(here.object->hards == 1);
    f.lower_intx();
    CHECK(bus.run_work() == 1);
    CHECK(here.object->hards == 1);
    CHECK(here.object->threads == 1);
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("without a first half every interrupt wakes the thread") {
    sim::bus bus;
    auto& f = bus.add(card());
    with_vectors here(bus, f);
    REQUIRE((pci::devm_request_threaded_irq<nullptr, &halves::on_thread>(here.vectors[1], "halves", here.object)));
    f.raise(1);
    CHECK(here.object->threads == 0);
    CHECK(bus.run_work() == 1);
    CHECK(here.object->threads == 1);
}

TEST_CASE("a handler and its thread end together, early, with a group, and at the unbind") {
    sim::bus bus;
    auto& f = bus.add(card());
    {
        with_vectors here(bus, f);
        auto handler = here.request().value();
        f.raise(0);
        CHECK(pci::devm_free_irq(std::move(handler)));
        CHECK(bus.run_work() == 0);
        CHECK(here.object->threads == 0);
        handler = here.request().value();
        f.raise(0);
        CHECK(bus.run_work() == 1);
        CHECK(pci::devm_free_irq(std::move(handler)));
        {
            group inner{here.dev};
            handler = here.request().value();
            f.raise(0);
        }
        CHECK_FALSE(handler);
        CHECK(bus.run_work() == 0);
        CHECK(here.request());
        f.raise(0);
    }
    CHECK(bus.run_work() == 0);
    CHECK(bus.ledger().clean());
}

TEST_CASE("a handler of the driver's own has a thread that ends with it") {
    sim::bus bus;
    auto& f = bus.add(card());
    {
        with_vectors here(bus, f);
        auto handler = pci::request_threaded_irq<&halves::on_hard, &halves::on_thread>(here.vectors[0], "halves",
                                                                                       here.object)
                           .value();
        f.raise(0);
        CHECK(bus.run_work() == 1);
        CHECK(pci::free_irq(std::move(handler)));
        f.raise(0);
        CHECK(bus.run_work() == 0);
        CHECK(here.object->threads == 1);
        handler = pci::request_threaded_irq<&halves::on_hard, &halves::on_thread>(here.vectors[0], "halves",
                                                                                  here.object)
                      .value();
    }
    CHECK(bus.ledger().clean());

    halves plain;
    pci::irq_registration<unmanaged_t, sim::bus> handler;
    {
        pci::device dev(bus, f);
        auto device = pci::pci_enable_device(dev).value();
        REQUIRE(pci::pci_set_master(device));
        auto vectors = pci::pci_alloc_irq_vectors(device, 1, 2, pci::irq_type::msix).value();
        handler = pci::request_threaded_irq<&halves::on_hard, &halves::on_thread>(vectors[0], "plain", plain).value();
        f.raise(0);
        CHECK(bus.run_work() == 1);
        CHECK(plain.threads == 1);
        CHECK(handler);
        handler = {};
        handler = pci::request_threaded_irq<&halves::on_hard, &halves::on_thread>(vectors[0], "plain", plain).value();
        f.raise(0);
        CHECK(pci::pci_free_irq_vectors(std::move(vectors)));
        CHECK_FALSE(handler);
        handler = {};
        CHECK(bus.run_work() == 0);
    }
    CHECK(bus.ledger().clean());
}

TEST_CASE("a handler that is disabled is not woken by its thread") {
    sim::bus bus;
    auto& f = bus.add(card());
    with_vectors here(bus, f);
    const auto handler = here.request().value();
    f.raise(0);
    REQUIRE(pci::disable_irq(handler));  // waits for the thread
    CHECK(here.object->threads == 1);
    CHECK(bus.run_work() == 0);
    f.raise(0);
    CHECK(here.object->hards == 1);
    REQUIRE(pci::enable_irq(handler));
    CHECK(here.object->hards == 2);
    CHECK(pci::synchronize_irq(handler));
    CHECK(here.object->threads == 2);
    CHECK(pci::enable_irq(handler).error() == errc::einval);
}

TEST_CASE("a handler disables itself, and whoever it left that to enables it") {
    sim::bus bus;
    struct quiet {
        pci::registration_of<pci::device<sim::bus>> handler = {};
        unsigned calls = 0;
        errc waited{};
        pci::irq_return on_irq() noexcept {
            ++calls;
            waited = pci::disable_irq(handler).error();
            (void)pci::disable_irq_nosync(handler);
            return pci::irq_return::handled;
        }
    };
    auto& f = bus.add(card());
    pci::device dev(bus, f);
    auto device = pci::pcim_enable_device(dev).value();
    REQUIRE(pci::pci_set_master(device));
    auto vectors = pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix).value();
    auto data = devm_emplace<quiet>(dev).value();
    data->handler = pci::devm_request_irq(vectors[0], "quiet", data).value();
    f.raise(0);
    f.raise(0);
    CHECK(data->calls == 1);
    CHECK(data->waited == errc::edeadlk);
    CHECK(pci::enable_irq(data->handler));
    CHECK(data->calls == 2);
    CHECK(pci::disable_irq_nosync(pci::registration_of<pci::device<sim::bus>>()).error() == errc::enoent);
}

TEST_CASE("a handler that is requested with no_autoen is called from the first enable on, with what came before") {
    sim::bus bus;
    auto& f = bus.add(card());
    with_vectors here(bus, f);
    here.object->said = pci::irq_return::handled;
    const auto plain = pci::devm_request_irq<&halves::on_hard>(here.vectors[0], "plain", here.object, pci::no_autoen)
                           .value();
    const auto threaded = pci::devm_request_threaded_irq<nullptr, &halves::on_thread>(here.vectors[1], "threaded",
                                                                                      here.object, pci::no_autoen)
                              .value();
    f.raise(0);
    f.raise(1);
    CHECK(bus.run_work() == 0);
    CHECK(here.object->hards == 0);
    CHECK(pci::enable_irq(plain));
    CHECK(here.object->hards == 1);
    CHECK(pci::enable_irq(plain).error() == errc::einval);
    CHECK(pci::enable_irq(threaded));
    CHECK(bus.run_work() == 1);
    CHECK(here.object->threads == 1);
}

TEST_CASE("a guard holds a handler's interrupts for as long as it lives") {
    sim::bus bus;
    auto& f = bus.add(card());
    with_vectors here(bus, f);
    here.object->said = pci::irq_return::handled;
    auto handler = pci::devm_request_irq<&halves::on_hard>(here.vectors[0], "held", here.object).value();
    {
        auto quiet = pci::disable_irq_guard(handler).value();
        CHECK(quiet);
        f.raise(0);
        auto moved = std::move(quiet);
        CHECK(here.object->hards == 0);
        const auto twice = pci::disable_irq_guard(handler).value();
        moved = {};
        CHECK(here.object->hards == 0);
    }
    CHECK(here.object->hards == 1);
    auto late = pci::disable_irq_guard(handler).value();
    CHECK(pci::devm_free_irq(std::move(handler)));
    late = {};
    CHECK(pci::disable_irq_guard(pci::registration_of<pci::device<sim::bus>>()).error() == errc::enoent);
}

TEST_CASE("interrupts and threads at every point, and every step failing, of a driver with threads") {
    sim::bus bus;
    auto& f = bus.add(card());
    const auto clean = [](sim::bus& after) { return std::string(after.ledger().clean() ? "" : "not clean"); };
    const auto scenario = [&](auto& platform) -> result<> {
        DEVRES_TRY(auto bound, pci::bind<threaded_driver>(platform, f));
        return bound.unbind();
    };
    const auto interrupted = testing::explore_interrupts(
        bus, scenario,
        [&](sim::bus& at) {
            f.raise(0);
            f.raise(1);
            (void)at.run_work();
        },
        clean);
    INFO(interrupted);
    CHECK(interrupted.clean());
    const auto faulted = testing::explore_faults(bus, scenario, clean, testing::fault_depth::pairs);
    INFO(faulted);
    CHECK(faulted.clean());
}

TEST_CASE("threads are the same on the model of Linux, behind a table of functions, and where they are watched") {
    linux_model::kernel linux(linux_model::linux_6_12);
    auto& dev = linux.add(card());
    {
        auto bound = pci::bind<threaded_driver>(linux, dev);
        REQUIRE(bound);
        dev.hardware.raise(0);
        dev.hardware.raise(1);
        CHECK(linux.hardware().work().run() == 2);
        dev.hardware.raise(1);
        CHECK(linux.hardware().work().run() == 1);
    }
    CHECK(linux.hardware().ledger().clean());

    sim::bus bus;
    testing::trace_recorder trace;
    testing::traced watched{bus, std::ref(trace)};
    pci::erased platform{watched};
    pci::erased_function f{platform, bus.add(card())};
    auto bound = pci::bind<threaded_driver>(f.platform(), f);
    REQUIRE(bound);
    f.inner().raise(0);
    CHECK(bus.run_work() == 1);
    f.inner().raise(0);
    CHECK(bus.run_work() == 1);
    CHECK(bound->unbind());
    CHECK(bus.ledger().clean());
    CHECK(trace.lines().back() == "detached");
}

TEST_CASE("a platform without threads has no threaded handlers") {
    STATIC_REQUIRE(!pci::holds_handlers<test::null_platform>);
    STATIC_REQUIRE(pci::holds_handlers<testing::traced<sim::bus>>);
    test::null_platform nothing;
    test::null_platform::function_type f;
    pci::erased platform{nothing};
    pci::erased_function of{platform, f};
    with_vectors<pci::any_platform> here(platform, of);
    CHECK(here.request().error() == errc::enotsupp);
    CHECK(platform.hold_handler(of, pci::handler_id{1}).error() == errc::enotsupp);
}
