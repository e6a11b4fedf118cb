// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <devres/linux_model.hpp>
#include <devres/pci/platform_archetype.hpp>
#include <devres/testing.hpp>

#include "support/catch.hpp"

#include "nvme/demo.hpp"
#include "nvme/exercise.hpp"
#include "nvme_bench.hpp"

using namespace devres;
using namespace devres::test;
using namespace std::chrono_literals;
using nvme::admin_opcode;
using nvme::status;

static_assert(pci::driver_on<nvme::driver, pci::platform_archetype>);
static_assert(nvme::queue_layout{}.valid() && !nvme::queue_layout{.entries = 4, .slots = 4}.valid());
static_assert(!nvme::queue_layout{.transfer = 100}.valid());

namespace {

constexpr auto nothing_said = [](std::string_view) {};

/// Binds, writes and reads through both queues, makes other ones, and unbinds: what all the explorations do.
constexpr auto use = [](auto& platform, sim::function& function) -> result<> {
    DEVRES_TRY(auto bound, pci::bind<small_nvme_driver>(platform, function));
    auto& nvme = bound.state();
    const auto written = some_bytes(2 * nvme::page_size);
    std::vector<std::byte> read(written.size());
    DEVRES_TRY(const auto first, nvme.queue(0));
    DEVRES_TRY(first.write(7, written));
    DEVRES_TRY(const auto second, nvme.queue(1));
    DEVRES_TRY(second.read(7, read));
    if (read != written)
        return fail(errc::ebadmsg);
    if (!nvme.set_queue_count(1)) {  // once more, upon a fault
        DEVRES_TRY(nvme.set_queue_count(1));
    }
    DEVRES_TRY(const auto other, nvme.queue(0));
    DEVRES_TRY(other.read(7, read));
    return read == written ? bound.unbind() : fail(errc::ebadmsg);
};

/// A refusal of one opcode of the admin queue.
auto refusing(admin_opcode which, status with) {
    return [=](nvme::queue_id queue, const nvme::command& what) {
        return queue == nvme::queue_id::admin && what.opcode == static_cast<std::uint8_t>(which) ? with
                                                                                                 : status::success;
    };
}

}  // namespace

TEST_CASE("the NVMe driver finds out what it drives") {
    nvme_bench bench({.max_queues = 5, .max_transfer = 2, .blocks = 4321, .block_size_exponent = 12});
    auto bound = bench.bind();
    REQUIRE(bound);
    const nvme::identification& info = bound->state().info();
    CHECK(std::string(info.model_number.data()) == "simulated NVMe controller");
    CHECK(std::string(info.serial_number.data()) == "devres-1");
    CHECK(std::string(info.firmware.data()) == "1.0");
    CHECK(info.version == 0x10400);
    CHECK(info.nsid == nvme::namespace_id{1});
    CHECK(info.blocks == 4321);
    CHECK(info.block_size == 4096);
    CHECK(info.max_queues == 5);
    CHECK(info.max_transfer == 4 * nvme::page_size);
    CHECK(bound->state().queue_count() == 2);
    CHECK(bound->state().queue(2).error() == errc::einval);
}

TEST_CASE("the NVMe driver passes its exercise on controllers of every kind") {
    const auto config = GENERATE(values<nvme::model_config>({
        {},
        {.doorbell_stride_exponent = 2},
        {.max_entries = 2},
        {.msix_vectors = 3, .max_queues = 2},
        {.max_queues = 1},
        {.max_transfer = 0},
        {.max_transfer = 1, .block_size_exponent = 12},
    }));
    nvme_bench bench(config);
    std::vector<std::string> said;
    for (const std::uint64_t seed : {1U, 2U}) {
        CHECK(nvme::exercise(bench.bus, bench.function, [&](std::string_view line) { said.emplace_back(line); },
                             {.blocks = 1500, .first = 3, .queue_counts = {2, 1, 2}, .seed = seed}) == "");
        CHECK(bench.left_behind() == "");
    }
    CHECK(bench.hardware.look().shutdowns == 2);
    CHECK(said.size() == 12);
}

TEST_CASE("the NVMe driver verifies 10000 blocks, through four queues, two and eight") {
    nvme_bench bench;
    CHECK(nvme::exercise(bench.bus, bench.function, nothing_said) == "");
    CHECK(bench.left_behind() == "");
}

TEST_CASE("the NVMe driver passes its exercise on Linux, and leaves nothing behind") {
    linux_model::kernel kernel(linux_model::linux_6_12);
    nvme::model hardware;
    linux_model::pci_dev& dev = kernel.add(hardware.function());
    CHECK(nvme::exercise(kernel, dev, nothing_said, {.blocks = 500, .queue_counts = {1, 3}}) == "");
    CHECK(kernel.hardware().ledger().clean());
    CHECK(dev.enable_cnt == 0);
    CHECK_FALSE(dev.msix_enabled);
    CHECK_FALSE(hardware.look().enabled);
}

TEST_CASE("blocks of every number are read back as they were written, and not one more") {
    nvme_bench bench;
    auto bound = bench.bind();
    REQUIRE(bound);
    const auto queue = bound->state().queue(0).value();
    const std::size_t most = bound->state().info().max_transfer;
    for (const std::size_t size : {std::size_t{512}, nvme::page_size, nvme::page_size + 512, 2 * nvme::page_size,
                                   2 * nvme::page_size + 512, most, most + 512, 3 * most - 512}) {
        const auto before = some_bytes(size + 1024, 7);
        REQUIRE(queue.write(99, before));
        const auto written = some_bytes(size, 8);
        REQUIRE(queue.write(100, written));
        std::vector<std::byte> read(size + 1024);
        REQUIRE(queue.read(99, read));
        CHECK(std::vector(read.begin(), read.begin() + 512) == std::vector(before.begin(), before.begin() + 512));
        CHECK(std::vector(read.begin() + 512, read.end() - 512) == written);
        CHECK(std::vector(read.end() - 512, read.end()) == std::vector(before.end() - 512, before.end()));
    }
    CHECK(queue.flush());
    CHECK(queue.write(0, {}));
}

TEST_CASE("what users of an NVMe controller ask for that there is not, they are refused") {
    nvme_bench bench({.blocks = 1000});
    auto bound = bench.bind();
    REQUIRE(bound);
    auto queue = bound->state().queue(1).value();
    std::vector<std::byte> bytes(1024);
    CHECK(queue.read(0, std::span(bytes).first(100)).error() == errc::einval);
    CHECK(queue.read(999, bytes).error() == errc::erange);
    CHECK(queue.write(~std::uint64_t{0}, bytes).error() == errc::erange);
    CHECK(queue.read(998, bytes));
    CHECK(bound->state().set_queue_count(65).error() == errc::einval);
    CHECK(queue.read(998, bytes));  // it changed nothing
    bench.hardware.refuse([](nvme::queue_id id, const nvme::command&) {
        return id == nvme::queue_id::admin ? status::success : status{0x281};  // an unrecovered read error
    });
    CHECK(queue.read(0, bytes).error() == errc::eio);
    bench.hardware.refuse(nullptr);
    CHECK(queue.read(0, bytes));
}

TEST_CASE("every status is an error of its own kind") {
    CHECK(nvme::to_result(status::success));
    CHECK(nvme::to_result(status::invalid_opcode).error() == errc::eopnotsupp);
    CHECK(nvme::to_result(status::lba_out_of_range).error() == errc::erange);
    CHECK(nvme::to_result(status::capacity_exceeded).error() == errc::enospc);
    CHECK(nvme::to_result(status::abort_queue_deleted).error() == errc::ecanceled);
    CHECK(nvme::to_result(status::command_sequence_error).error() == errc::eproto);
    CHECK(nvme::to_result(status::invalid_interrupt_vector).error() == errc::einval);
    CHECK(nvme::to_result(status::data_transfer_error).error() == errc::eio);
}

TEST_CASE("one to eight I/O queues are made and made again, each with a vector of its own") {
    nvme_bench bench;
    auto bound = bench.bind();
    REQUIRE(bound);
    auto& nvme = bound->state();
    const auto written = some_bytes(4096);
    REQUIRE(nvme.queue(0)->write(5, written));
    for (const unsigned count : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 8U, 1U, 7U, 0U, 2U, 6U, 3U}) {
        const auto old = nvme.queue(0);
        CHECK(nvme.set_queue_count(count) == count);
        CHECK(nvme.queue_count() == count);
        if (old)
            CHECK(old->flush().error() == errc::enodev);
        CHECK(bench.hardware.look().submission_queues == count + 1);
        CHECK(bench.hardware.look().completion_queues == count + 1);
        for (unsigned i = 0; i != count; ++i) {
            std::vector<std::byte> read(4096);
            CHECK(nvme.queue(i)->read(5, read));
            CHECK(read == written);
            CHECK(nvme.queue(i)->count()->completed == 1);
            CHECK(nvme.queue(i)->count()->interrupts == 1);
        }
        std::ostringstream held;
        for (const std::string& line : bench.bus.ledger().live())
            held << line << '\n';
        const std::string vectors = std::to_string(count + 1) + " MSI-X vectors";
        CHECK((held.str().find(vectors) != std::string::npos) == (count != 0));
    }
    CHECK(bound->unbind());
    CHECK(bench.left_behind() == "");
}

TEST_CASE("there are as many I/O queues as the device has vectors and queues for") {
    CHECK(nvme_bench({.msix_vectors = 4}).bind()->state().set_queue_count(8) == 3U);
    CHECK(nvme_bench({.max_queues = 3}).bind()->state().set_queue_count(8) == 3U);
    nvme_bench bench({.msix_vectors = 1});
    CHECK(bench.bind().error() == errc::enospc);
    CHECK(bench.left_behind() == "");
}

TEST_CASE("the NVMe driver's resources go from the outside in, and a group with another count comes anew") {
    nvme_bench bench;
    testing::trace_recorder trace;
    testing::traced platform{bench.bus, std::ref(trace)};
    {
        auto bound = pci::bind<small_nvme_driver>(platform, bench.function);
        REQUIRE(bound);
        REQUIRE(bound->state().set_queue_count(1) == 1U);
    }
    std::vector<std::string> lines;
    for (const std::string& line : trace.lines()) {
        if (!line.starts_with("interrupt"))
            lines.push_back(line);
    }
    CHECK(lines == std::vector<std::string>{
                       "attached",
                       "acquired enable managed",
                       "called set_master on",
                       "acquired bar 0 managed \"nvme\"",
                       "acquired driver_data managed \"nvme::transport\"",
                       "acquired dma_coherent managed",
                       "acquired driver_data managed \"nvme::admin_queue\"",
                       "acquired irq_vectors managed 1 vector",
                       "acquired start managed \"nvme::admin_queue\"",
                       "released irq_vectors managed 1 vector",
                       "acquired driver_data managed \"nvme::controller\"",
                       "acquired irq_vectors managed 3 vectors",
                       "acquired irq_handler 0 managed \"nvme-admin\"",
                       "acquired dma_coherent managed",
                       "acquired driver_data managed \"nvme::io_queue_pair\"",
                       "acquired irq_handler 1 managed \"nvme-io\"",
                       "acquired start managed \"nvme::io_queue_pair\"",
                       "acquired dma_coherent managed",
                       "acquired driver_data managed \"nvme::io_queue_pair\"",
                       "acquired irq_handler 2 managed \"nvme-io\"",
                       "acquired start managed \"nvme::io_queue_pair\"",
                       "released start managed \"nvme::io_queue_pair\"",
                       "released start managed \"nvme::io_queue_pair\"",
                       "released irq_handler 2 managed \"nvme-io\"",
                       "released irq_handler 1 managed \"nvme-io\"",
                       "released irq_handler 0 managed \"nvme-admin\"",
                       "released driver_data managed \"nvme::io_queue_pair\"",
                       "released driver_data managed \"nvme::io_queue_pair\"",
                       "released dma_coherent managed",
                       "released dma_coherent managed",
                       "released irq_vectors managed 3 vectors",
                       "acquired irq_vectors managed 2 vectors",
                       "acquired irq_handler 0 managed \"nvme-admin\"",
                       "acquired dma_coherent managed",
                       "acquired driver_data managed \"nvme::io_queue_pair\"",
                       "acquired irq_handler 1 managed \"nvme-io\"",
                       "acquired start managed \"nvme::io_queue_pair\"",
                       "released start managed \"nvme::io_queue_pair\"",
                       "released start managed \"nvme::admin_queue\"",
                       "released irq_handler 1 managed \"nvme-io\"",
                       "released irq_handler 0 managed \"nvme-admin\"",
                       "called set_master off",
                       "released driver_data managed \"nvme::io_queue_pair\"",
                       "released driver_data managed \"nvme::controller\"",
                       "released driver_data managed \"nvme::admin_queue\"",
                       "released dma_coherent managed",
                       "released irq_vectors managed 2 vectors",
                       "released dma_coherent managed",
                       "released driver_data managed \"nvme::transport\"",
                       "released bar 0 managed \"nvme\"",
                       "released enable managed",
                       "detached",
                   });
}

TEST_CASE("a fault at any step of the NVMe driver's life, or at any two, leaves nothing behind") {
    nvme_bench bench({.msix_vectors = 4});
    const auto explored = testing::explore_faults(
        bench.bus, [&](auto& platform) { return use(platform, bench.function); },
        [&](sim::bus&) { return bench.left_behind(); }, testing::fault_depth::pairs);
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 50);
    const auto survived = std::ranges::count_if(explored.runs, [](const auto& run) {
        return run.outcome.has_value() && !run.what.ends_with("set_master off");  // the disable does it, too
    });
    CHECK(survived > 5);  // those of the second set_queue_count, which is made again
    CHECK(survived < 15);
}

TEST_CASE("an interrupt at any point of the NVMe driver's life does no harm") {
    nvme_bench bench({.msix_vectors = 4});
    const auto explored = testing::explore_interrupts(
        bench.bus, [&](auto& platform) { return use(platform, bench.function); },
        [&](sim::bus&) {
            for (unsigned i = 0; i != 3; ++i)
                bench.function.raise(i);
        },
        [&](sim::bus&) { return bench.left_behind(); });
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 200);
    for (const auto& run : explored.runs) {
        INFO(run.what << ": " << run.complaint);
        CHECK((run.reached && run.outcome && run.complaint.empty()));
    }
}

TEST_CASE("a fault or an interrupt at any point of an NVMe controller's sleep leaves nothing behind") {
    nvme_bench bench({.msix_vectors = 4});
    const auto sleep = [&](auto& platform) -> result<> {
        DEVRES_TRY(auto bound, pci::bind<small_nvme_driver>(platform, bench.function));
        DEVRES_TRY(bound.suspend());
        DEVRES_TRY(bound.resume());
        DEVRES_TRY(const auto queue, bound.state().queue(1));
        DEVRES_TRY(queue.flush());
        return bound.unbind();
    };
    const auto nothing_left = [&](sim::bus&) { return bench.left_behind(); };
    const auto faults = testing::explore_faults(bench.bus, sleep, nothing_left);
    INFO(faults);
    CHECK(faults.clean());
    const auto interrupts = testing::explore_interrupts(
        bench.bus, sleep,
        [&](sim::bus&) {
            for (unsigned i = 0; i != 3; ++i)
                bench.function.raise(i);
        },
        nothing_left);
    INFO(interrupts);
    CHECK(interrupts.clean());
    for (const auto& run : interrupts.runs) {
        INFO(run.what << ": " << run.complaint);
        CHECK((run.reached && run.outcome && run.complaint.empty()));
    }
}

TEST_CASE("whichever command a controller refuses or does not answer, nothing is left behind") {
    const bool answers = GENERATE(true, false);
    std::set<errc> errors;
    bool reached = true;
    for (unsigned n = 0; reached; ++n) {
        nvme_bench bench({.msix_vectors = 4});
        unsigned count = 0;
        reached = false;
        bench.hardware.refuse([&](nvme::queue_id, const nvme::command&) -> std::optional<status> {
            if (count++ != n)
                return status::success;
            reached = true;
            return answers ? std::optional(status::invalid_field) : std::nullopt;
        });
        {
            auto bound = bench.bind<small_nvme_driver>();
            if (bound) {
                auto queue = bound->state().queue(0);
                if (queue) {
                    queue->set_timeout(30ms);
                    if (const auto flushed = queue->flush(); !flushed)
                        errors.insert(flushed.error());
                }
                if (const auto made = bound->state().set_queue_count(1); !made)
                    errors.insert(made.error());
            } else {
                errors.insert(bound.error());
            }
        }
        CHECK(bench.left_behind() == "");
    }
    CHECK(errors.contains(answers ? errc::einval : errc::etimedout));
    CHECK(errors.contains(errc::eio));  // of one that was stopped, because it did not let go of a queue
}

TEST_CASE("an NVMe controller that sleeps is shut down, and has its queues again when it wakes") {
    nvme_bench bench;
    const auto written = some_bytes(4096);
    std::vector<std::byte> read(written.size());
    {
        auto bound = bench.bind<small_nvme_driver>();
        REQUIRE(bound);
        const auto queue = bound->state().queue(0).value();
        REQUIRE(queue.write(3, written));
        for (unsigned round = 1; round != 4; ++round) {
            REQUIRE(bound->suspend());
            CHECK(bench.hardware.look().shutdowns == round);
            CHECK_FALSE(bench.hardware.look().enabled);
            auto impatient = queue;
            impatient.set_timeout(15ms);
            CHECK(impatient.flush().error() == errc::etimedout);  // it waits, and does not look at the device
            REQUIRE(bound->resume());
            CHECK(bench.hardware.look().submission_queues == 3);
            CHECK(queue.read(3, read));
            CHECK(read == written);
        }
        CHECK(bound->state().set_queue_count(1) == 1U);
        REQUIRE(bound->suspend());
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("an NVMe controller that fails when it wakes says so, and is unbound as any other") {
    nvme_bench bench;
    {
        auto bound = bench.bind<small_nvme_driver>();
        REQUIRE(bound);
        const auto queue = bound->state().queue(0).value();
        REQUIRE(bound->suspend());
        bench.hardware.refuse(refusing(admin_opcode::create_io_submission_queue, status::invalid_field));
        CHECK(bound->resume().error() == errc::einval);
        bench.hardware.refuse(nullptr);
        auto impatient = queue;
        impatient.set_timeout(15ms);
        CHECK(impatient.flush().error() == errc::etimedout);
        CHECK(bound->state().set_queue_count(2) == 2U);
        CHECK(bound->state().queue(1)->flush());
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("after a failed set_queue_count there are no queues, and another try may succeed") {
    nvme_bench bench;
    auto bound = bench.bind();
    REQUIRE(bound);
    auto& nvme = bound->state();
    bench.hardware.refuse(refusing(admin_opcode::create_io_submission_queue, status::invalid_queue_identifier));
    CHECK(nvme.set_queue_count(4).error() == errc::einval);
    CHECK(nvme.queue_count() == 0);
    CHECK(bench.hardware.look().completion_queues == 1);
    bench.hardware.refuse(nullptr);
    CHECK(nvme.set_queue_count(4) == 4U);
    CHECK(nvme.queue(3)->flush());
}

TEST_CASE("a command that takes too long is given up, and its place with it until it is done") {
    nvme_bench bench;
    {
        auto bound = bench.bind<small_nvme_driver>();
        REQUIRE(bound);
        const auto queue = bound->state().queue(0).value();
        auto impatient = queue;
        impatient.set_timeout(5ms);
        bench.hardware.hold();
        CHECK(impatient.flush().error() == errc::etimedout);
        CHECK(impatient.flush().error() == errc::etimedout);  // the only place is taken
        CHECK(bench.hardware.look().waiting == 1);
        bench.hardware.proceed();
        CHECK(queue.flush());
        CHECK(queue.count()->strays == 0);
        bench.hardware.hold();
        CHECK(impatient.flush().error() == errc::etimedout);
        CHECK(bound->unbind());  // with a command that nobody waits for
        CHECK(queue.flush().error() == errc::enodev);
        CHECK(queue.count().error() == errc::enodev);
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("a controller that crashes says so to everybody, and is stopped") {
    nvme_bench bench;
    {
        auto bound = bench.bind<small_nvme_driver>();
        REQUIRE(bound);
        {
            const auto queue = bound->state().queue(0).value();
            bench.hardware.crash();
            CHECK(queue.flush().error() == errc::eio);
            CHECK(queue.flush().error() == errc::eio);
        }
        CHECK(bound->state().set_queue_count(2).error() == errc::eio);
        CHECK_FALSE(bench.hardware.look().enabled);
    }
    CHECK(bench.left_behind() == "");
    CHECK(bench.bind());
}

TEST_CASE("the NVMe driver refuses a device that it cannot drive, and leaves it as it was") {
    struct odd_model : nvme::model {
        std::uint64_t cap_and = ~std::uint64_t{0};
        std::uint64_t cap_or = 0;
        using nvme::model::model;
        std::uint64_t read(sim::function& self, pci::bar_number bar, std::uint64_t offset, unsigned width) override {
            const std::uint64_t value = nvme::model::read(self, bar, offset, width);
            const unsigned shift = offset == nvme::registers::cap + 4 ? 32 : 0;
            return offset <= nvme::registers::cap + 4 ? (value & cap_and >> shift) | cap_or >> shift : value;
        }
    };
    const auto bind = [](std::uint64_t cap_and, std::uint64_t cap_or, auto change) {
        odd_model hardware;
        hardware.cap_and = cap_and;
        hardware.cap_or = cap_or;
        sim::bus bus;
        auto config = hardware.function();
        change(config);
        auto& function = bus.add(config);
        const auto before = function.state();
        const errc why = pci::bind<nvme::driver>(bus, function).error();
        CHECK(bus.ledger().clean());
        CHECK(sim::difference(before, function.state()) == "");
        return why;
    };
    constexpr std::uint64_t all = ~std::uint64_t{0};
    const auto as_it_is = [](sim::function_config&) {};
    CHECK(bind(~(std::uint64_t{1} << 37U), 0, as_it_is) == errc::eopnotsupp);
    CHECK(bind(all, std::uint64_t{1} << 48U, as_it_is) == errc::eopnotsupp);
    CHECK(bind(all, 0, [](sim::function_config& config) { config.bar_sizes[0] = 0x1000; }) == errc::enodev);
    CHECK(bind(all, 0, [](sim::function_config& config) { config.class_code = 0x010601; }) == errc::enodev);
    nvme_bench wide({.max_transfer = 1, .block_size_exponent = 14});
    CHECK(wide.bind().error() == errc::eopnotsupp);
    CHECK(wide.left_behind() == "");
}

TEST_CASE("a controller that is pulled out is noticed before it is unbound, and a new one is as good") {
    nvme_bench bench;
    {
        auto bound = bench.bind();
        REQUIRE(bound);
        {
            const auto queue = bound->state().queue(0).value();
            bench.function.surprise_remove();
            CHECK(queue.flush().error() == errc::enodev);
        }
        CHECK(bound->state().set_queue_count(1).error() == errc::enodev);
    }
    CHECK(bench.left_behind() == "");
    CHECK(bench.bind().error() == errc::enodev);
    bench.function.insert();
    CHECK(nvme::exercise(bench.bus, bench.function, nothing_said, {.blocks = 200}) == "");
    CHECK(bench.left_behind() == "");
}

TEST_CASE("the NVMe exercise says what is wrong, and unbinds") {
    nvme_bench bench;
    const auto exercise = [&] {
        return nvme::exercise(bench.bus, bench.function, nothing_said, {.blocks = 300, .queue_counts = {2}});
    };
    bench.hardware.refuse([](nvme::queue_id id, const nvme::command& what) {
        return id == nvme::queue_id{2} && what.opcode == 2 ? status{0x281} : status::success;
    });
    CHECK(exercise() == "read: input/output error (queue 2, block 96)");
    bench.hardware.refuse(refusing(admin_opcode::identify, status::invalid_field));
    CHECK(exercise() == "bind: invalid argument");
    bench.hardware.refuse(nullptr);
    CHECK(bench.left_behind() == "");
    CHECK(exercise() == "");
}

TEST_CASE("the pattern of an exercise tells which block is wrong") {
    const nvme::pattern one(1, 512);
    std::vector<std::byte> blocks(4 * 512);
    one.fill(10, blocks);
    CHECK(one.count_right(10, blocks) == 4);
    CHECK(one.count_right(11, blocks) == 0);
    CHECK(nvme::pattern(2, 512).count_right(10, blocks) == 0);
    blocks[2 * 512 + 100] ^= std::byte{1};
    CHECK(one.count_right(10, blocks) == 2);
}

TEST_CASE("the NVMe demonstration is clean") {
    std::ostringstream out;
    CHECK(nvme::run_nvme(out) == 0);
    CHECK(out.str().find("WRONG") == std::string::npos);
}
