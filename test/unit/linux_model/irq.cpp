// SPDX-License-Identifier: BSL-1.0
#include <devres/linux_model/irq.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <type_traits>

#include <devres/hardware/machine.hpp>

#include "support/catch.hpp"

using namespace devres::linux_model;
using devres::hardware::delivery;
using devres::pci::irq_return;

static_assert(irqf::shared == 0x80);
static_assert(!std::is_copy_constructible_v<irq_core> && !std::is_copy_assignable_v<irq_core>);

namespace {

/// A handler that counts its calls.
struct counter {
    unsigned calls = 0;
    unsigned irq = 0;
    irq_return answer = irq_return::handled;

    static irq_return on_irq(unsigned irq, void* dev_id) {
        auto& self = *static_cast<counter*>(dev_id);
        ++self.calls;
        self.irq = irq;
        return self.answer;
    }
};

/// Interrupts of one function, with a chip that writes down what it is told.
struct interrupts {
    struct recording_chip final : irq_chip {
        std::string told;
        void startup(irq_desc& desc) override { told += '+' + std::to_string(desc.number); }
        void shutdown(irq_desc& desc) override { told += '-' + std::to_string(desc.number); }
        void disable(irq_desc& desc) override { told += '(' + std::to_string(desc.number); }
        void enable(irq_desc& desc) override { told += ')' + std::to_string(desc.number); }
    };

    explicit interrupts(const kernel_version& version = linux_6_1) : core(log, version) {}

    unsigned allocate(unsigned count, unsigned from = 24) { return core.allocate(count, from, chip, function); }
    int request(unsigned irq, counter& handler, unsigned flags = 0, const char* name = "counter") {
        return core.request_irq(static_cast<int>(irq), counter::on_irq, flags, name, &handler);
    }
    bool free_irq(unsigned irq, counter& handler) { return core.free_irq(static_cast<int>(irq), &handler); }
    void free(unsigned irq) { core.free(*core.find(static_cast<int>(irq))); }
    delivery fire(unsigned irq) { return core.find(static_cast<int>(irq))->slot.deliver_edge(); }

    /// The text of all that is in the log, which is forgotten.
    std::string told() {
        std::string out;
        for (const event& each : log.take_events())
            out += each.text + '\n';
        return out;
    }

    devres::hardware::machine machine;
    devres::hardware::function& function = machine.add({});
    event_log log;
    recording_chip chip;
    irq_core core;
};

}  // namespace

TEST_CASE("number 0 is the timer's, and a number is one while it is in use") {
    interrupts irqs;
    REQUIRE(irqs.core.find(0) != nullptr);
    CHECK(irqs.core.find(0)->actions.front().name == "timer");
    CHECK(irqs.core.find(24) == nullptr);
    CHECK(irqs.core.find(-22) == nullptr);
    CHECK(irqs.allocate(1) == 24);
    CHECK(irqs.core.find(24)->number == 24);
    irqs.free(24);
    CHECK(irqs.core.find(24) == nullptr);
    CHECK(irqs.core.find(1) == nullptr);
}

TEST_CASE("the timer does not share its interrupt, nor lose it to a driver") {
    interrupts irqs;
    counter handler;
    CHECK(irqs.request(0, handler, irqf::shared) == -16);
    CHECK_FALSE(irqs.free_irq(0, handler));
    CHECK(irqs.told() == "Flags mismatch irq 0. 00000080 (counter) vs. 00000000 (timer)\n"
                         "Trying to free already-free IRQ 0\n");
}

TEST_CASE("numbers are given out in rows, the lowest that are free") {
    interrupts irqs;
    CHECK(irqs.allocate(4) == 24);
    CHECK(irqs.allocate(2) == 28);
    for (unsigned irq = 24; irq != 28; ++irq)
        irqs.free(irq);
    CHECK(irqs.allocate(3) == 24);
    CHECK(irqs.allocate(2) == 30);
    CHECK(irqs.allocate(1) == 27);
    CHECK(irqs.allocate(1, 10) == 10);
    for (unsigned i = 0; i != 2; ++i) {
        CHECK(irqs.core.find(static_cast<int>(30 + i))->index == i);
        CHECK(irqs.core.find(static_cast<int>(30 + i))->slot.owner == &irqs.function);
    }
}

TEST_CASE("a request needs an interrupt, a handler, and a dev_id if it is shared [1.4 #1]") {
    interrupts irqs;
    counter handler;
    const unsigned irq = irqs.allocate(1);
    CHECK(irqs.core.request_irq(-22, counter::on_irq, 0, "negative", &handler) == -22);
    CHECK(irqs.request(irq + 1, handler) == -22);
    CHECK(irqs.core.request_irq(24, nullptr, 0, "no handler", &handler) == -22);
    CHECK(irqs.core.request_irq(24, counter::on_irq, irqf::shared, "no dev_id", nullptr) == -22);
    CHECK(irqs.core.find(24)->actions.empty());
    CHECK(irqs.request(irq, handler) == 0);
    CHECK(irqs.told().empty());
}

TEST_CASE("handlers share an interrupt if all of them say so, and a line says what does not fit") {
    interrupts irqs;
    counter first;
    counter second;
    const unsigned irq = irqs.allocate(1);
    CHECK(irqs.request(irq, first, 0, "first") == 0);
    CHECK(irqs.request(irq, second, 0, "second") == -16);
    CHECK(irqs.request(irq, second, irqf::shared, "second") == -16);
    CHECK(irqs.free_irq(irq, first));
    CHECK(irqs.request(irq, first, irqf::shared, "first") == 0);
    CHECK(irqs.request(irq, second, 0, "second") == -16);
    CHECK(irqs.told() == "Flags mismatch irq 24. 00000000 (second) vs. 00000000 (first)\n"
                         "Flags mismatch irq 24. 00000080 (second) vs. 00000000 (first)\n"
                         "Flags mismatch irq 24. 00000000 (second) vs. 00000080 (first)\n");
    CHECK(irqs.request(irq, second, irqf::shared, "second") == 0);
    CHECK(irqs.core.find(24)->actions.size() == 2);
}

TEST_CASE("all handlers of an interrupt are called, and it is handled if one of them says so") {
    interrupts irqs;
    counter first{.answer = irq_return::none};
    counter second{.answer = irq_return::none};
    const unsigned irq = irqs.allocate(2) + 1;
    CHECK(irqs.fire(irq) == delivery::no_handler);
    REQUIRE(irqs.request(irq, first, irqf::shared) == 0);
    REQUIRE(irqs.request(irq, second, irqf::shared) == 0);
    CHECK(irqs.fire(irq) == delivery::none);
    first.answer = irq_return::handled;
    CHECK(irqs.fire(irq) == delivery::handled);
    CHECK(first.calls == 2);
    CHECK(second.calls == 2);
    CHECK(first.irq == irq);
    REQUIRE(irqs.free_irq(irq, first));
    CHECK(irqs.fire(irq) == delivery::none);
    CHECK(first.calls == 2);
    CHECK(second.calls == 3);
    REQUIRE(irqs.free_irq(irq, second));
    CHECK(irqs.fire(irq) == delivery::no_handler);
}

TEST_CASE("the hardware is started with the first handler and shut down with the last") {
    interrupts irqs;
    counter first;
    counter second;
    const unsigned irq = irqs.allocate(1);
    irqs.request(irq, first, irqf::shared);
    irqs.request(irq, second, irqf::shared);
    irqs.request(irq, second, 0);  // refused
    CHECK(irqs.chip.told == "+24");
    irqs.free_irq(irq, first);
    CHECK(irqs.chip.told == "+24");
    irqs.free_irq(irq, second);
    CHECK(irqs.chip.told == "+24-24");
    irqs.request(irq, first);
    CHECK(irqs.chip.told == "+24-24+24");
}

TEST_CASE("freeing a handler is silent without the interrupt, and warned of without the handler [1.4 #2]") {
    interrupts irqs;
    counter handler;
    counter other;
    const unsigned irq = irqs.allocate(1);
    irqs.request(irq, handler);
    CHECK_FALSE(irqs.free_irq(irq + 1, handler));
    CHECK_FALSE(irqs.core.free_irq(-22, &handler));
    CHECK(irqs.told().empty());
    CHECK_FALSE(irqs.free_irq(irq, other));
    CHECK(irqs.free_irq(irq, handler));
    CHECK_FALSE(irqs.free_irq(irq, handler));
    for (const event& each : irqs.log.events())
        CHECK(each.warning == warning_kind::already_free);
    CHECK(irqs.told() == "Trying to free already-free IRQ 24\nTrying to free already-free IRQ 24\n");
}

TEST_CASE("an interrupt that goes under its handlers says which it leaks, and they are not called any more [1.4 #5]") {
    interrupts irqs;
    counter handler;
    const unsigned irq = irqs.allocate(1);
    irqs.request(irq, handler, irqf::shared, "first");
    irqs.request(irq, handler, irqf::shared, "second");
    irq_desc& desc = *irqs.core.find(static_cast<int>(irq));
    irqs.free(irq);
    REQUIRE(irqs.log.events().size() == 1);
    CHECK(irqs.log.events().front().warning == warning_kind::rpe);
    CHECK(irqs.told() == "remove_proc_entry: removing non-empty directory 'irq/24', leaking at least 'first'\n");
    CHECK(desc.slot.deliver_edge() == delivery::no_handler);
    CHECK(handler.calls == 0);

    CHECK_FALSE(irqs.free_irq(irq, handler));  // in silence
    CHECK(irqs.told().empty());
    REQUIRE(irqs.allocate(1) == irq);
    CHECK(irqs.core.find(static_cast<int>(irq))->actions.empty());
}

TEST_CASE("up to 5.16 the kernel halts instead") {
    interrupts irqs(linux_5_16);
    counter handler;
    const unsigned irq = irqs.allocate(2);
    irqs.free(irq + 1);
    irqs.request(irq, handler);
    CHECK_THROWS_AS(irqs.free(irq), oops);
    CHECK(irqs.told() == "free_msi_irqs\n");
}

namespace {

/// A handler that does what would wait for itself.
struct from_inside {
    interrupts* irqs;
    void (*act)(interrupts&, from_inside&);
    std::string stopped{};

    static irq_return on_irq(unsigned, void* dev_id) {
        auto& self = *static_cast<from_inside*>(dev_id);
        try {
            self.act(*self.irqs, self);
        } catch (const oops& stop) {  // it cannot leave a handler
            self.stopped = stop.what();
        }
        return irq_return::handled;
    }
};

}  // namespace

TEST_CASE("a handler that frees itself waits for itself [1.4 #2]") {
    interrupts irqs;
    from_inside handler{&irqs, [](interrupts& all, from_inside& self) { all.core.free_irq(24, &self); }};
    irqs.allocate(1);
    irqs.core.request_irq(24, from_inside::on_irq, 0, "self", &handler);
    irqs.fire(24);
    CHECK(handler.stopped == "synchronize_irq");
    CHECK(irqs.told() == "Trying to free IRQ 24 from IRQ context!\nsynchronize_irq\n");
    CHECK(irqs.log.stopped());
}

TEST_CASE("a handler that has its interrupt taken away waits for itself") {
    interrupts irqs;
    from_inside handler{&irqs, [](interrupts& all, from_inside&) { all.free(24); }};
    irqs.allocate(1);
    irqs.core.request_irq(24, from_inside::on_irq, 0, "self", &handler);
    irqs.fire(24);
    CHECK(handler.stopped == "synchronize_irq");
    CHECK(irqs.log.stopped());
}

TEST_CASE("a handler may free another one") {
    interrupts irqs;
    counter other;
    from_inside handler{
        &irqs, [](interrupts& all, from_inside&) { all.core.free_irq(25, all.core.find(25)->actions.front().dev_id); }};
    irqs.allocate(2);
    irqs.core.request_irq(24, from_inside::on_irq, 0, "first", &handler);
    irqs.request(25, other);
    irqs.fire(24);
    CHECK(handler.stopped.empty());
    CHECK(irqs.core.find(25)->actions.empty());
    CHECK(irqs.told().empty());
}

TEST_CASE("freeing a handler, or its interrupt, waits until it does not run") {
    struct slow {
        std::atomic<bool> entered{false};
        std::atomic<bool> may_leave{false};
        static irq_return on_irq(unsigned, void* dev_id) {
            auto& self = *static_cast<slow*>(dev_id);
            self.entered = true;
            self.entered.notify_all();
            self.may_leave.wait(false);
            return irq_return::handled;
        }
    };
    const bool whole_interrupt = GENERATE(false, true);
    interrupts irqs;
    slow handler;
    irqs.allocate(1);
    irqs.core.request_irq(24, slow::on_irq, 0, "slow", &handler);
    irq_desc& desc = *irqs.core.find(24);
    std::thread device([&] { desc.slot.deliver_edge(); });
    handler.entered.wait(false);
    std::atomic<bool> freed{false};
    std::thread driver([&] {
        if (whole_interrupt)
            irqs.free(24);
        else
            irqs.core.free_irq(24, &handler);
        freed = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK_FALSE(freed);
    handler.may_leave = true;
    handler.may_leave.notify_all();
    device.join();
    driver.join();
    CHECK(freed);
}

TEST_CASE("an interrupt is disabled as often as it is enabled again, and what comes meanwhile is held") {
    interrupts irqs;
    counter handler;
    const unsigned irq = irqs.allocate(1);
    const int number = static_cast<int>(irq);
    irqs.request(irq, handler);
    irqs.core.disable_irq(number);
    irqs.core.disable_irq(number);
    CHECK(irqs.core.find(number)->depth == 2);
    CHECK(irqs.fire(irq) == delivery::held);
    CHECK(irqs.fire(irq) == delivery::held);
    irqs.core.enable_irq(number);
    CHECK(handler.calls == 0);
    irqs.core.enable_irq(number);
    CHECK(handler.calls == 1);
    CHECK(irqs.fire(irq) == delivery::handled);
    CHECK(irqs.chip.told == "+24(24)24");
    CHECK(irqs.told().empty());
    irqs.core.enable_irq(number);
    CHECK(irqs.log.events().front().warning == warning_kind::other);
    CHECK(irqs.told() == "Unbalanced enable for IRQ 24\n");
}

TEST_CASE("a disable ends with the last handler, and is of all that share the interrupt") {
    interrupts irqs;
    counter first;
    counter second;
    const unsigned irq = irqs.allocate(1);
    const int number = static_cast<int>(irq);
    irqs.request(irq, first, irqf::shared);
    irqs.core.disable_irq(number);
    irqs.request(irq, second, irqf::shared);
    CHECK(irqs.fire(irq) == delivery::held);
    irqs.free_irq(irq, first);
    CHECK(irqs.fire(irq) == delivery::held);
    irqs.core.enable_irq(number);
    CHECK(first.calls == 0);
    CHECK(second.calls == 1);
    irqs.core.disable_irq(number);
    irqs.free_irq(irq, second);
    CHECK(irqs.core.find(number)->depth == 0);
    CHECK(irqs.fire(irq) == delivery::no_handler);
    irqs.request(irq, first);
    CHECK(irqs.fire(irq) == delivery::handled);
    CHECK(first.calls == 1);
}

TEST_CASE("there is nothing to disable, enable or wait for of an interrupt that is not there") {
    interrupts irqs;
    irqs.core.disable_irq(-22);
    irqs.core.enable_irq(24);
    irqs.core.synchronize_irq(24);
    CHECK(irqs.told().empty());
}

TEST_CASE("a handler that disables its interrupt, or synchronizes with it, waits for itself") {
    const bool disables = GENERATE(false, true);
    interrupts irqs;
    from_inside handler{&irqs, disables ? [](interrupts& all, from_inside&) { all.core.disable_irq(24); }
                                        : [](interrupts& all, from_inside&) { all.core.synchronize_irq(24); }};
    irqs.allocate(1);
    irqs.core.request_irq(24, from_inside::on_irq, 0, "self", &handler);
    irqs.fire(24);
    CHECK(handler.stopped == "synchronize_irq");
}
