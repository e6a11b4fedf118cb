// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "hex.hpp"
#include "lifetimes.hpp"
#include "output.hpp"

#include "driver.hpp"
#include "model.hpp"

namespace switchtec {

/// A day in the life of a Switchtec on the simulated bus, written as it happens: what the driver
/// acquires and who owns it, which interrupts it gets, what is released in which order, and what is left.
class demonstration {
public:
    explicit demonstration(examples::output out, devres::testing::trace_clock time = {})
        : out_(std::move(out)), recorder_(std::move(time)) {}

    /// @returns true if the ledger was clean after every chapter, and every answer as it should be.
    [[nodiscard]] bool run() {
        const auto lifetimes = examples::lifetimes_of(everyday());
        stillborn();
        surprise();
        const bool in_order = check("released", examples::released_in_order(lifetimes), "from the outside in");
        out_.summary(std::to_string(lifetimes.size()) + " resources, released " +
                     (in_order ? "from the outside in" : "in a wrong order") + ", ledger " +
                     (good_ ? "clean" : "not clean"));
        return good_;
    }

    /// From bind to unbind, with users and interrupts. @returns what happened
    std::vector<devres::testing::trace_entry> everyday() {
        recorder_.clear();
        chapter("bind: what probe acquires, and for whom");
        auto bound = devres::pci::bind<driver>(traced_, function_);
        if (check("bind says", bound.has_value(), say(bound)))
            use_and_unbind(*bound);
        return recorder_.entries();
    }

    /// The same, and then a probe that fails. @returns what happened
    std::vector<devres::testing::trace_entry> recording() {
        (void)everyday();
        stillborn();
        return recorder_.entries();
    }

private:
    static constexpr std::array<std::byte, 4> question{std::byte{0x01}, std::byte{0x02}, std::byte{0x03},
                                                       std::byte{0x04}};

    template <class Binding>
    void use_and_unbind(Binding& bound) {
        auto opened = bound.state().open();
        describe(bound.state());
        commands(*opened);
        events(*opened);

        chapter("unbind, with a file still open: from the outside in");
        unbind(bound);
        std::array<std::byte, 4> answer{};
        const auto after = opened->command(mrpc_echo, question, answer);
        check("the open file says", after == fail(errc::enodev), say(after));
        opened = fail(errc::enodev);  // closed
        verdict();
    }

    template <class State>
    void describe(State& state) {
        const auto info = state.info();
        std::ostringstream facts;
        facts << "  generation " << static_cast<unsigned>(info.gen) << ", partition " << info.partition << " of "
              << info.partitions << ", " << info.port_count << " ports, events on vector " << info.event_vector
              << ", answers on vector " << info.dma_vector.value_or(0) << ", minor number " << state.minor_number();
        out_.line(facts.str());
        out_.line("  held now, by the books of the bus:");
        for (const std::string& line : bus_.ledger().live())
            out_.line("    " + line);
    }

    template <class File>
    void commands(File& opened) {
        chapter("a command to the firmware, answered by interrupt");
        std::array<std::byte, 4> answer{};
        const auto reply = opened.command(mrpc_echo, question, answer);
        check("echo 01020304 is", reply && !reply->failed, hex(answer));

        chapter("a command that takes too long");
        hardware_.hold();
        (void)opened.write(mrpc_echo, question);
        const auto late = opened.read(answer, std::chrono::milliseconds(10));
        check("after 10 ms its user hears", late == fail(errc::etimedout), say(late));
        hardware_.proceed();
        (void)hardware_.complete();
        const auto next = opened.command(mrpc_echo, question, answer);
        check("the next command is answered", next.has_value(), hex(answer));
    }

    template <class File>
    void events(File& opened) {
        chapter("an event: counted, masked, unmasked");
        const event_control watch{.clear = true, .interrupt = true};
        check("ppu_error is", !!opened.control(event::ppu_error, 0, watch), "unmasked");
        hardware_.fire(event::ppu_error);
        hardware_.fire(event::ppu_error);  // masked by now: only counted
        const auto happened = opened.wait_for_event(std::chrono::milliseconds(0));
        const auto ppu = opened.control(event::ppu_error, 0);
        check("the user sees", happened && happened->events == 1,
              std::to_string(happened ? happened->events : 0) + " event interrupt");
        check("the device has counted", ppu && ppu->count == 2,
              std::to_string(ppu ? ppu->count : 0) + ", and is " + (ppu && ppu->interrupt ? "unmasked" : "masked"));
    }

    /// A probe that fails late: the step is the same as in a run that is only counted, and watched as well.
    void stillborn() {
        chapter("probe fails at its last interrupt handler");
        std::size_t step = 0;
        {
            devres::testing::faulty counting(bus_);
            devres::testing::traced watched(counting, [](const devres::testing::trace_entry&) {});
            (void)devres::pci::bind<driver>(watched, function_);
            for (const std::string& made : counting.steps()) {
                ++step;
                if (made.find("switchtec-dma") != std::string::npos)
                    break;
            }
        }
        devres::testing::faulty failing(bus_, {step});
        devres::testing::traced platform_with_fault(failing, sink(), label);
        const auto bound = devres::pci::bind<driver>(platform_with_fault, function_);
        check("bind says", bound == fail(errc::ebusy), say(bound));
        verdict();
    }

    void surprise() {
        chapter("the device is pulled out while one user waits for an answer and another for an event");
        auto bound = devres::pci::bind<driver>(traced_, function_);
        if (!check("bind says", bound.has_value(), say(bound)))
            return;
        hardware_.hold();
        std::string command_says;
        std::string event_says;
        {
            std::jthread command([&, user = std::move(*bound->state().open())]() mutable {
                (void)user.write(mrpc_echo, {});
                command_says = say(user.read({}, std::chrono::seconds(10)));
            });
            std::jthread waiting([&, user = std::move(*bound->state().open())]() mutable {
                event_says = say(user.wait_for_event(std::chrono::seconds(10)));
            });
            while (!hardware_.in_progress())
                std::this_thread::yield();
            function_.surprise_remove();
            traced_.remark(function_, "pulled out");
            unbind(*bound);
        }
        check("who waited for the answer hears", command_says == "no such device", command_says);
        check("who waited for the event hears", event_says == "no such device", event_says);
        verdict();

        chapter("a new device in the slot, bound and unbound");
        hardware_.proceed();
        function_.insert();
        {
            auto again = devres::pci::bind<driver>(traced_, function_);
            check("bind says", again.has_value(), say(again));
        }
        verdict();
    }

    template <class Binding>
    void unbind(Binding& bound) {
        good_ = bound.unbind().has_value() && good_;
    }

    /// Keeps what happens, and writes it.
    devres::testing::trace_sink sink() {
        return [this, show = examples::trace_to(out_)](const devres::testing::trace_entry& entry) {
            recorder_(entry);
            show(entry);
        };
    }

    void chapter(const char* title) { out_.heading(title); }

    /// Writes down what was found, and remembers if it is wrong.
    bool check(const char* what, bool good, const std::string& found) {
        good_ = out_.check(what, good, found) && good_;
        return good;
    }

    /// What the ledger says, when everything should have been given back.
    void verdict() { good_ = out_.check(bus_.ledger()) && good_; }

    static std::string label(devres::sim::function& of) { return std::string(of.address().text()); }

    template <class T>
    static std::string say(const result<T>& outcome) {
        return outcome ? "ok" : devres::message(outcome.error());
    }

    static std::string hex(const std::array<std::byte, 4>& bytes) {
        std::string out;
        for (const std::byte value : bytes)
            out += examples::hex(static_cast<unsigned>(value), 2);
        return out;
    }

    examples::output out_;
    model hardware_;
    devres::sim::bus bus_;
    devres::sim::function& function_ = bus_.add([this] {
        auto config = hardware_.function();
        config.address = "0000:3a:00.0";
        return config;
    }());
    devres::testing::trace_recorder recorder_;
    devres::testing::traced<devres::sim::bus> traced_{bus_, sink(), label};
    bool good_ = true;
};

/// Shows a Switchtec on the simulated bus. @returns the exit code: 0 if all was clean, 1 if not.
inline int run_switchtec(examples::output out) { return demonstration(std::move(out)).run() ? 0 : 1; }

}  // namespace switchtec
