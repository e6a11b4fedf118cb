// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "output.hpp"

#include "driver.hpp"
#include "exercise.hpp"
#include "model.hpp"

namespace nvme {

/// An NVMe controller on the simulated bus: what the driver acquires, what is released and made again when the count of
/// I/O queues changes, 10,000 blocks written and verified, and what happens when things go wrong.
class demonstration {
public:
    explicit demonstration(examples::output out) : out_(std::move(out)) {}

    /// @returns true if the ledger was clean after every chapter, and every answer as it should be.
    [[nodiscard]] bool run() {
        everyday();
        blocks();
        half_built();
        surprise();
        out_.summary(std::to_string(exercise_plan{}.blocks) + " blocks verified, queues rebuilt, ledger " +
                     (good_ ? "clean" : "not clean"));
        return good_;
    }

private:
    void everyday() {
        out_.heading("bind: the controller, polled, then the group of two I/O queues");
        auto bound = pci::bind<driver>(traced_, function_);
        if (!check("bind says", bound.has_value(), say(bound)))
            return;
        out_.heading("one I/O queue instead: the group is released, and built anew, vectors and all");
        const auto count = bound->state().set_queue_count(1);
        check("set_queue_count(1) says", count == 1U, say(count));
        out_.heading("unbind: the I/O queues while admin commands still work, then the rest");
        unbind(*bound);
        check("the controller was shut down", hardware_.look().shutdowns == 1, "once");
        verdict();
    }

    void blocks() {
        out_.heading("blocks written through some queues, and verified through others");
        const std::string wrong = exercise(bus_, function_,
                                           [this](std::string_view line) { out_.line("  " + std::string(line)); });
        check("what is wrong", wrong.empty(), wrong.empty() ? "nothing" : wrong);
        verdict();
    }

    void half_built() {
        out_.heading("the controller refuses the second of three I/O queues: what was built is taken down");
        auto bound = pci::bind<driver>(bus_, function_);
        if (!check("bind says", bound.has_value(), say(bound)))
            return;
        hardware_.refuse([](queue_id, const command& what) {
            const bool second = what.opcode == static_cast<std::uint8_t>(admin_opcode::create_io_submission_queue) &&
                                (what.cdw10[0] & 0xffffU) == 2;
            return second ? status::invalid_field : status::success;
        });
        const auto refused = bound->state().set_queue_count(3);
        check("set_queue_count(3) says", refused == fail(errc::einval), say(refused));
        check("queues that the controller still has", hardware_.look().completion_queues == 1, "the admin queue");
        hardware_.refuse(nullptr);
        const auto again = bound->state().set_queue_count(3);
        check("another try says", again == 3U, say(again));
        unbind(*bound);
        verdict();
    }

    void surprise() {
        out_.heading("the device is pulled out while a user waits for a block");
        auto bound = pci::bind<driver>(bus_, function_);
        if (!check("bind says", bound.has_value(), say(bound)))
            return;
        hardware_.hold();
        result<> heard;
        {
            const std::jthread user([&heard, queue = bound->state().queue(0).value()] {
                std::array<std::byte, 4096> block{};
                heard = queue.read(0, block);
            });
            while (hardware_.look().waiting == 0)
                std::this_thread::yield();
            function_.surprise_remove();
        }
        check("who waited hears", heard == fail(errc::enodev), say(heard));
        unbind(*bound);
        verdict();
        out_.heading("a new device in the slot");
        hardware_.proceed();
        function_.insert();
        const std::string wrong = exercise(bus_, function_, [](std::string_view) {}, {.blocks = 100});
        check("what is wrong", wrong.empty(), wrong.empty() ? "nothing" : wrong);
        verdict();
    }

    template <class Binding>
    void unbind(Binding& bound) {
        good_ = bound.unbind().has_value() && good_;
    }

    bool check(std::string_view what, bool good, const std::string& found) {
        good_ = out_.check(what, good, found) && good_;
        return good;
    }
    void verdict() { good_ = out_.check(bus_.ledger()) && good_; }

    static std::string label(devres::sim::function& of) { return std::string(of.address().text()); }

    template <class T>
    static std::string say(const result<T>& outcome) {
        return outcome ? "ok" : devres::message(outcome.error());
    }

    examples::output out_;
    model hardware_;
    devres::sim::bus bus_;
    devres::sim::function& function_ = bus_.add(hardware_.function());
    devres::testing::traced<devres::sim::bus> traced_{bus_, examples::trace_to(out_), label};
    bool good_ = true;
};

/// Shows an NVMe controller on the simulated bus. @returns the exit code: 0 if all was clean, 1 if not.
inline int run_nvme(examples::output out) { return demonstration(std::move(out)).run() ? 0 : 1; }

}  // namespace nvme
