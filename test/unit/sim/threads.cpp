// SPDX-License-Identifier: BSL-1.0
#include <thread>

#include "driver.hpp"
#include "support/catch.hpp"

using namespace test;
namespace reg = devres::pci::registers;

namespace {

/// Raises all vectors of a function on a thread of its own until it is destroyed.
class storm {
public:
    storm(sim::function& f, unsigned vectors)
        : thread_([this, &f, vectors] {
              while (!stop_) {
                  for (unsigned i = 0; i != vectors; ++i)
                      f.raise(i);
                  ++rounds_;
              }
          }) {}
    ~storm() {
        stop_ = true;
        thread_.join();
    }
    void wait(unsigned rounds) const {
        for (const unsigned until = rounds_ + rounds; rounds_ < until;)
            std::this_thread::yield();
    }

private:
    std::atomic<bool> stop_{false};
    std::atomic<unsigned> rounds_{0};
    std::thread thread_;
};

/// What a driver touches without a lock: a handler never runs on two threads at once.
struct plain_counter {
    unsigned calls = 0;
    bool alive = true;
    static irq_return on_irq(void* context, pci::vector_index) noexcept {
        auto& self = *static_cast<plain_counter*>(context);
        if (self.alive)
            ++self.calls;
        return irq_return::handled;
    }
};

}  // namespace

TEST_CASE("interrupts that several threads raise at once are all delivered, one at a time") {
    sim::bus bus;
    driver d(bus, bus.add({.msix_vectors = 1}));
    REQUIRE(d.vectors(1, 1, irq_type::msix));
    plain_counter calls;
    const auto id = bus.register_handler(d.function, 0, {&plain_counter::on_irq, &calls, "plain"}).value();
    const unsigned each = 2000;
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i != 3; ++i)
            threads.emplace_back([&] {
                for (unsigned n = 0; n != each; ++n)
                    d.function.raise(0);
            });
    }
    REQUIRE(bus.unregister_handler(d.function, id));
    CHECK(calls.calls == 3 * each);
}

TEST_CASE("when unregister returns, the handler is not running and will not run") {
    sim::bus bus;
    driver d(bus, bus.add({.msix_vectors = 4}));
    REQUIRE(d.vectors(4, 4, irq_type::msix));
    const storm raising(d.function, 4);
    for (unsigned round = 0; round != 200; ++round) {
        std::unique_ptr<plain_counter> calls[4];
        pci::handler_id ids[4];
        for (unsigned i = 0; i != 4; ++i) {
            calls[i] = std::make_unique<plain_counter>();
            ids[i] = bus.register_handler(d.function, i, {&plain_counter::on_irq, calls[i].get(), "plain"}).value();
        }
        if (round % 16 == 0)
            raising.wait(1);
        for (unsigned i = 4; i-- != 0;) {
            REQUIRE(bus.unregister_handler(d.function, ids[i]));
            calls[i]->alive = false;
            calls[i].reset();
        }
    }
    CHECK(bus.ledger().violations().empty());
}

TEST_CASE("vectors come and go while the device interrupts, without a spurious message") {
    for (const irq_type type : {irq_type::msix, irq_type::msi, irq_type::intx}) {
        CAPTURE(static_cast<unsigned>(type));
        sim::bus bus;
        auto& f = bus.add({.msix_vectors = 8, .msi_vectors = 8, .intx = true, .bar_sizes = {4096}});
        const storm raising(f, 8);
        for (unsigned round = 0; round != 200; ++round) {
            driver d(bus, f);
            auto region = bus.map_bar(f, pci::bar_number(0), "regs").value();
            const auto grant = d.vectors(1, 1 + round % 8, type);
            REQUIRE(grant);
            plain_counter calls[8];
            for (unsigned i = 0; i != grant->count; ++i)
                REQUIRE(bus.register_handler(f, i, {&plain_counter::on_irq, &calls[i], "plain"}));
            bus.write<std::uint32_t>(region, 8, bus.read<std::uint32_t>(region, 0));
            d.config(reg::cache_line_size, 1, round & 0xffU);
            if (round % 16 == 0) {
                raising.wait(1);
                CHECK(bus.ledger().live().size() >= 4);
            }
            bus.unmap_bar(f, region);
            REQUIRE(bus.free_vectors(f));  // with the handlers registered
        }
        INFO(bus.ledger());
        CHECK(bus.ledger().violations().empty());
    }
}

TEST_CASE("interrupts that are masked and unmasked at once are not lost") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 1, .msix_table_bar = 0});
    driver d(bus, f);
    REQUIRE(d.vectors(1, 1, irq_type::msix));
    counter calls;
    d.handler(0, calls);
    auto region = bus.map_bar(f, pci::bar_number(0), "table").value();
    for (unsigned round = 0; round != 300; ++round) {
        const unsigned before = calls.calls;
        bus.write<std::uint32_t>(region, 12, 1);
        std::jthread raising([&] { f.raise(0); });
        bus.write<std::uint32_t>(region, 12, 0);
        raising.join();
        REQUIRE(calls.calls == before + 1);
    }
    bus.unmap_bar(f, region);
}

TEST_CASE("INTx that is lowered and raised again at once is not lost") {
    struct device : sim::device_model {
        std::atomic<unsigned> wanted{0};
        std::atomic<unsigned> served{0};
        sim::function* self = nullptr;
        void attached(sim::function& f) override { self = &f; }
        static irq_return on_irq(void* context, pci::vector_index) noexcept {
            auto& model = *static_cast<device*>(context);
            model.self->lower_intx();
            model.served = model.wanted.load();
            return irq_return::handled;
        }
    } model;
    sim::bus bus;
    driver d(bus, bus.add({.intx = true, .model = &model}));
    REQUIRE(d.vectors(1, 1, irq_type::intx));
    REQUIRE(bus.register_handler(d.function, 0, {&device::on_irq, &model, "level"}));
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i != 3; ++i)
            threads.emplace_back([&] {
                for (unsigned n = 0; n != 1000; ++n) {
                    ++model.wanted;
                    d.function.raise(0);
                }
            });
    }
    REQUIRE(bus.free_vectors(d.function));
    CHECK(model.served == 3000);
}

TEST_CASE("functions of one bus are driven on threads of their own") {
    sim::bus bus;
    std::vector<sim::function*> functions;
    for (unsigned i = 0; i != 3; ++i)
        functions.push_back(&bus.add({.msix_vectors = 16, .bar_sizes = {4096}}));
    {
        std::vector<std::jthread> threads;
        for (sim::function* f : functions)
            threads.emplace_back([&bus, f] {
                for (unsigned round = 0; round != 200; ++round) {
                    driver d(bus, *f);
                    plain_counter calls;
                    if (!d.vectors(16, 16, irq_type::msix) ||
                        !bus.register_handler(*f, 5, {&plain_counter::on_irq, &calls, "plain"}))
                        std::terminate();
                    f->raise(5);
                    void* const block = bus.allocate(64, 8);
                    bus.deallocate(block, 64, 8);
                    if (!bus.free_vectors(*f) || calls.calls != 1)
                        std::terminate();
                }
            });
    }
    INFO(bus.ledger());
    CHECK(bus.ledger().clean());
}

TEST_CASE("a device can be pulled out while everything else goes on") {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 4, .intx = true, .bar_sizes = {4096}});
    const auto before = f.state();
    for (unsigned round = 0; round != 30; ++round) {
        {
            const storm raising(f, 4);
            driver d(bus, f);
            auto region = bus.map_bar(f, pci::bar_number(0), "regs").value();
            REQUIRE(d.vectors(1, 4, irq_type::msix));
            plain_counter calls;
            REQUIRE(bus.register_handler(f, 1, {&plain_counter::on_irq, &calls, "plain"}));
            std::jthread pulling([&] { f.surprise_remove(); });
            for (unsigned i = 0; i != 50; ++i)
                bus.write<std::uint32_t>(region, 8, bus.read<std::uint32_t>(region, 0));
            bus.unmap_bar(f, region);
            REQUIRE(bus.free_vectors(f));
            pulling.join();
        }
        f.insert();
        REQUIRE(difference(before, f.state()) == "");
    }
    INFO(bus.ledger());
    CHECK(bus.ledger().clean());
}

namespace {

/// A handler that stays inside until it is let go.
struct stopping {
    std::atomic<unsigned> entered{0};
    std::atomic<bool> may_leave{false};
    static irq_return on_irq(void* context, pci::vector_index) noexcept {
        auto& self = *static_cast<stopping*>(context);
        ++self.entered;
        self.entered.notify_all();
        self.may_leave.wait(false);
        return irq_return::handled;
    }
};

}  // namespace

TEST_CASE("disabling and synchronizing wait for the call that is running") {
    for (const unsigned how : {0U, 1U, 2U}) {
        sim::bus bus;
        driver d(bus, bus.add({.msix_vectors = 2}));
        REQUIRE(d.vectors(2, 2, irq_type::msix));
        stopping handler;
        counter other;
        const auto id = bus.register_handler(d.function, 0, {&stopping::on_irq, &handler, "stopping"}).value();
        d.handler(1, other);
        std::jthread device([&] { d.function.raise(0); });
        handler.entered.wait(0);
        std::atomic<bool> returned{false};
        std::jthread waiting([&] {
            const auto outcome = how == 0   ? bus.disable_handler(d.function, id)
                                 : how == 1 ? bus.synchronize_handler(d.function, id)
                                            : bus.synchronize_handler(d.function, pci::handler_id::none);
            returned = outcome.has_value();
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        CHECK_FALSE(returned);
        handler.may_leave = true;
        handler.may_leave.notify_all();
        waiting.join();
        CHECK(returned);
        device.join();
        CHECK(handler.entered == 1);
    }
}

TEST_CASE("when synchronize returns, calls that begin later see what was written before, and none that began goes on") {
    struct reader {
        std::atomic<unsigned*> current{nullptr};  // emptied relaxed: it is synchronize that orders that
        std::atomic<unsigned> calls{0};
        static irq_return on_irq(void* context, pci::vector_index) noexcept {
            auto& self = *static_cast<reader*>(context);
            if (unsigned* const now = self.current.load(std::memory_order_acquire))
                ++*now;
            ++self.calls;
            return irq_return::handled;
        }
    };
    sim::bus bus;
    driver d(bus, bus.add({.msix_vectors = 2}));
    REQUIRE(d.vectors(2, 2, irq_type::msix));
    reader r;
    const auto id = bus.register_handler(d.function, 0, {&reader::on_irq, &r, "reader"}).value();
    const storm one(d.function, 1);
    const storm two(d.function, 1);
    for (unsigned round = 0; round != 300; ++round) {
        auto fresh = std::make_unique<unsigned>(0);
        r.current.store(fresh.get(), std::memory_order_release);
        if (round % 16 == 0)
            one.wait(1);
        r.current.store(nullptr, std::memory_order_relaxed);
        REQUIRE(bus.synchronize_handler(d.function, round % 2 == 0 ? id : pci::handler_id::none));
        fresh.reset();
    }
    CHECK(r.calls > 0);
}

TEST_CASE("a message that comes while its handler is disabled and enabled is delivered exactly once, a line at least") {
    for (const bool maskable : {true, false}) {
        for (const irq_type type : {irq_type::msix, irq_type::msi, irq_type::intx}) {
            CAPTURE(static_cast<unsigned>(type), maskable);
            sim::bus bus;
            driver d(bus, bus.add({.msix_vectors = 1, .msi_vectors = 1, .intx = true, .msi_maskable = maskable}));
            REQUIRE(d.vectors(1, 1, type));
            counter calls;
            const auto id = d.handler(0, calls);
            unsigned expected = 0;
            std::atomic<unsigned> asked{0};
            std::atomic<unsigned> raised{0};
            const std::jthread device([&](const std::stop_token& stop) {
                for (unsigned round = 1; round <= 200; ++round) {
                    while (asked < round) {
                        if (stop.stop_requested())
                            return;
                        std::this_thread::yield();
                    }
                    d.function.raise(0);
                    raised = round;
                }
            });
            for (unsigned round = 1; round <= 200; ++round) {
                asked = round;
                REQUIRE(bus.disable_handler(d.function, id));
                const unsigned before = calls.calls;
                if (round % 3 == 0) {
                    while (raised < round)
                        std::this_thread::yield();
                    CHECK(calls.calls == before);
                }
                REQUIRE(bus.enable_handler(d.function, id));
                while (raised < round)
                    std::this_thread::yield();
                ++expected;
                REQUIRE(calls.calls >= expected);
                if (type == irq_type::intx)
                    expected = calls.calls;  // two threads may both have seen the line asserted
                REQUIRE(calls.calls == expected);
            }
        }
    }
}

TEST_CASE("no interrupt is lost between one handler and the next") {
    for (const irq_type type : {irq_type::msix, irq_type::msi, irq_type::intx}) {
        sim::bus bus;
        driver d(bus, bus.add({.msix_vectors = 1, .msi_vectors = 1, .intx = true, .msi_maskable = false}));
        REQUIRE(d.vectors(1, 1, type));
        counter calls;
        for (unsigned round = 1; round <= 200; ++round) {
            std::jthread raising([&] { d.function.raise(0); });
            const auto id = d.handler(0, calls);
            if (round % 2 == 0)
                raising.join();
            REQUIRE(bus.unregister_handler(d.function, id));
            if (round % 2 != 0)
                raising.join();
            const auto last = d.handler(0, calls);
            REQUIRE(bus.unregister_handler(d.function, last));
            REQUIRE(calls.calls >= round);
            if (type != irq_type::intx)
                REQUIRE(calls.calls == round);
        }
    }
}

TEST_CASE("what is raised while vectors are freed leaves no pending bit behind") {
    for (const irq_type type : {irq_type::msix, irq_type::msi}) {
        sim::bus bus;
        driver d(bus, bus.add({.msix_vectors = 2, .msi_vectors = 2}));
        counter calls;
        for (unsigned round = 0; round != 300; ++round) {
            const sim::snapshot before = d.function.state();
            {
                const storm raising(d.function, 2);
                REQUIRE(d.vectors(2, 2, type));
                REQUIRE(bus.unregister_handler(d.function, d.handler(0, calls)));  // masked from here on
                REQUIRE(bus.free_vectors(d.function));
                raising.wait(2);
            }
            REQUIRE(devres::hardware::difference(before, d.function.state()).empty());
        }
    }
}
