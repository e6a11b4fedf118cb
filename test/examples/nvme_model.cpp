// SPDX-License-Identifier: BSL-1.0

// The simulated controller by itself: no driver, just registers and memory.

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "support/catch.hpp"

#include "nvme_bench.hpp"

using namespace devres;
using namespace devres::test;
using nvme::admin_opcode;
using nvme::io_opcode;
using nvme::queue_id;
using nvme::status;
namespace commands = nvme::commands;
namespace registers = nvme::registers;

namespace {

/// One queue of a pair by hand, and its completions.
struct raw_queue {
    pci::dma_block submissions;
    pci::dma_block completions;
    std::uint32_t entries = 4;
    std::uint32_t tail = 0;
    std::uint32_t head = 0;
    bool phase = true;
};

/// A controller, the bus's primitives, and queues by hand.
struct raw_controller : nvme_bench {
    raw_queue admin;
    raw_queue io;
    pci::dma_block data;
    std::array<unsigned, 4> interrupts{};
    std::array<std::pair<raw_controller*, unsigned>, 4> contexts;

    explicit raw_controller(nvme::model_config config = {}) : nvme_bench(config) {
        REQUIRE(bus.attach(function));
        REQUIRE(bus.enable(function));
        REQUIRE(bus.set_master(function, true));
        REQUIRE(bus.allocate_vectors(function, {.min = 4, .max = 4, .types = pci::irq_type::msix}));
        for (unsigned i = 0; i != 4; ++i) {
            contexts[i] = {this, i};
            REQUIRE(bus.register_handler(function, i, {.entry = &count, .context = &contexts[i], .name = "raw"}));
        }
        data = block(16);
        admin.submissions = block(1);
        admin.completions = block(1);
        io.submissions = block(1);
        io.completions = block(1);
    }

    static pci::irq_return count(void* context, pci::vector_index) noexcept {
        const auto& [self, vector] = *static_cast<std::pair<raw_controller*, unsigned>*>(context);
        ++self->interrupts[vector];
        return pci::irq_return::handled;
    }

    pci::dma_block block(std::size_t pages) { return bus.allocate_dma(function, pages * nvme::page_size).value(); }
    std::uint64_t address(const pci::dma_block& of) { return static_cast<std::uint64_t>(of.bus); }

    void write(std::size_t offset, std::uint64_t value, unsigned width = 4) {
        hardware.write(function, pci::bar_number(0), offset, width, value);
    }
    std::uint64_t read(std::size_t offset, unsigned width = 4) {
        return hardware.read(function, pci::bar_number(0), offset, width);
    }

    /// @returns CSTS
    std::uint64_t start() {
        write(registers::aqa, (admin.entries - 1) << 16U | (admin.entries - 1));
        write(registers::asq, address(admin.submissions), 8);
        write(registers::acq, address(admin.completions), 8);
        write(registers::cc, nvme::configuration::entry_sizes | nvme::configuration::enable);
        return read(registers::csts);
    }

    void put(raw_queue& queue, const nvme::command& what) {
        std::memcpy(static_cast<std::byte*>(queue.submissions.cpu) + queue.tail * sizeof(what), &what, sizeof(what));
        queue.tail = (queue.tail + 1) % queue.entries;
    }
    void ring(queue_id id, const raw_queue& queue) {
        write(nvme::submission_doorbell(id, nvme::capabilities(read(registers::cap, 8)).doorbell_stride()), queue.tail);
    }
    /// The next completion, if there is one; `acknowledge` rings the doorbell for it.
    std::optional<nvme::completion> next(queue_id id, raw_queue& queue, bool acknowledge = true) {
        nvme::completion found;
        std::memcpy(&found, static_cast<std::byte*>(queue.completions.cpu) + queue.head * sizeof(found), sizeof(found));
        if (found.phase() != queue.phase)
            return std::nullopt;
        queue.head = (queue.head + 1) % queue.entries;
        queue.phase = queue.head == 0 ? !queue.phase : queue.phase;
        if (acknowledge)
            write(nvme::completion_doorbell(id, nvme::capabilities(read(registers::cap, 8)).doorbell_stride()),
                  queue.head);
        return found;
    }
    nvme::completion execute(queue_id id, raw_queue& queue, const nvme::command& what) {
        put(queue, what);
        ring(id, queue);
        const auto done = next(id, queue);
        REQUIRE(done);
        return *done;
    }
    status admin_status(const nvme::command& what) { return execute(queue_id::admin, admin, what).outcome(); }
    status io_status(const nvme::command& what) { return execute(queue_id{1}, io, what).outcome(); }

    void make_io_queue(unsigned vector = 1) {
        REQUIRE(admin_status(commands::create_completion_queue(queue_id{1}, io.entries, io.completions.bus, vector)) ==
                status::success);
        REQUIRE(admin_status(commands::create_submission_queue(queue_id{1}, io.entries, io.submissions.bus)) ==
                status::success);
    }

    /// A transfer of `blocks` blocks with these PRP entries.
    nvme::command transfer(io_opcode what, std::uint64_t lba, std::uint32_t blocks, std::uint64_t prp1,
                           std::uint64_t prp2 = 0) {
        auto out = commands::transfer(what, nvme::namespace_id{1}, lba, blocks);
        out.prp1 = prp1;
        out.prp2 = prp2;
        return out;
    }
};

}  // namespace

TEST_CASE("a simulated NVMe controller says what it is capable of, and is not ready before it is enabled") {
    raw_controller bench({.max_entries = 128, .doorbell_stride_exponent = 3});
    const nvme::capabilities able(bench.read(registers::cap, 8));
    CHECK(able.value() == (bench.read(registers::cap) | bench.read(registers::cap + 4) << 32U));
    CHECK(able.max_entries() == 128);
    CHECK(able.doorbell_stride() == 32);
    CHECK(able.timeout_ms() == 1000);
    CHECK(able.has_nvm_commands());
    CHECK(able.has_small_pages());
    CHECK(bench.read(registers::vs) == 0x10400);
    CHECK(bench.read(registers::csts) == 0);
    CHECK(bench.start() == nvme::status_bits::ready);
    CHECK(bench.read(registers::asq, 8) == bench.address(bench.admin.submissions));
    bench.write(registers::cc, 0);
    CHECK(bench.read(registers::csts) == 0);
    CHECK(bench.hardware.look().completion_queues == 0);
}

TEST_CASE("a simulated NVMe controller shuts down when it is told to") {
    raw_controller bench;
    bench.start();
    const std::uint64_t running = bench.read(registers::cc);
    bench.write(registers::cc, running | nvme::configuration::shutdown_normal);
    CHECK((bench.read(registers::csts) & nvme::status_bits::shutdown_mask) == nvme::status_bits::shutdown_complete);
    bench.write(registers::cc, 0);
    CHECK(bench.read(registers::csts) == 0);
    CHECK(bench.hardware.look().shutdowns == 1);
}

TEST_CASE("an admin queue that cannot be is fatal") {
    raw_controller bench;
    SECTION("not at the start of a page") {
        bench.admin.submissions.bus = pci::bus_address{bench.address(bench.admin.submissions) + 64};
        CHECK(bench.start() == nvme::status_bits::fatal);
    }
    SECTION("nowhere") {
        bench.admin.completions.bus = pci::bus_address{0};
        CHECK(bench.start() == nvme::status_bits::fatal);
    }
    SECTION("with one entry") {
        bench.admin.entries = 1;
        CHECK(bench.start() == nvme::status_bits::fatal);
    }
    SECTION("where the device reaches no memory: found out at the first command") {
        bench.admin.submissions.bus = pci::bus_address{0x5000};
        CHECK(bench.start() == nvme::status_bits::ready);
        CHECK(bench.bus.ledger().violations().empty());
        bench.write(registers::doorbells, 1);
        CHECK((bench.read(registers::csts) & nvme::status_bits::fatal) != 0);
        CHECK(bench.bus.ledger().violations().size() == 1);
    }
    SECTION("whose completions go nowhere") {
        bench.admin.completions.bus = pci::bus_address{0x5000};
        CHECK(bench.start() == nvme::status_bits::ready);
        bench.put(bench.admin, commands::set_number_of_queues(1));
        bench.ring(queue_id::admin, bench.admin);
        CHECK((bench.read(registers::csts) & nvme::status_bits::fatal) != 0);
    }
}

TEST_CASE("the queues of a simulated NVMe controller wrap around, and the phase of completions alternates") {
    raw_controller bench;
    bench.start();
    for (unsigned i = 0; i != 11; ++i) {
        auto what = commands::set_number_of_queues(8);
        what.id = static_cast<std::uint16_t>(i);
        const auto done = bench.execute(queue_id::admin, bench.admin, what);
        CHECK(done.command_id == i);
        CHECK(done.outcome() == status::success);
        CHECK(commands::granted_queues(done.result) == 8);
        CHECK(done.submission_head == (i + 1) % 4);
        CHECK(done.phase() == (i / 4 % 2 == 0));
        CHECK(bench.interrupts[0] == i + 1);
    }
}

TEST_CASE("a simulated NVMe controller posts nothing into a full completion queue") {
    raw_controller bench;
    bench.start();
    for (unsigned i = 0; i != 3; ++i)
        bench.put(bench.admin, commands::set_number_of_queues(1));
    bench.ring(queue_id::admin, bench.admin);
    for (unsigned i = 0; i != 3; ++i)
        CHECK(bench.next(queue_id::admin, bench.admin, false));
    bench.put(bench.admin, commands::set_number_of_queues(1));
    bench.ring(queue_id::admin, bench.admin);
    CHECK_FALSE(bench.next(queue_id::admin, bench.admin, false));
    bench.write(nvme::completion_doorbell(queue_id::admin, 4), 3);
    CHECK(bench.next(queue_id::admin, bench.admin));
    CHECK(bench.interrupts[0] == 2);  // one for what was posted together
}

TEST_CASE("doorbells that mean nothing are ignored, and counted") {
    raw_controller bench;
    bench.write(registers::doorbells, 1);  // not enabled
    bench.start();
    bench.write(registers::doorbells, 4);
    bench.write(registers::doorbells + 8, 1);
    CHECK(bench.hardware.look().wrong_doorbells == 3);
    CHECK(bench.hardware.look().executed == 0);
}

TEST_CASE("I/O queues are made and deleted in order, and within their limits") {
    raw_controller bench({.msix_vectors = 4, .max_entries = 64, .max_queues = 3});
    bench.start();
    const auto completions = [&](unsigned id, std::uint32_t entries, unsigned vector = 1) {
        return bench.admin_status(
            commands::create_completion_queue(static_cast<queue_id>(id), entries, bench.io.completions.bus, vector));
    };
    const auto submissions = [&](unsigned id, std::uint32_t entries) {
        return bench.admin_status(
            commands::create_submission_queue(static_cast<queue_id>(id), entries, bench.io.submissions.bus));
    };
    const auto remove = [&](admin_opcode which, unsigned id) {
        return bench.admin_status(commands::delete_queue(which, static_cast<queue_id>(id)));
    };
    CHECK(completions(0, 4) == status::invalid_queue_identifier);
    CHECK(completions(4, 4) == status::invalid_queue_identifier);
    CHECK(completions(1, 1) == status::invalid_queue_size);
    CHECK(completions(1, 65) == status::invalid_queue_size);
    CHECK(completions(1, 64, 4) == status::invalid_interrupt_vector);
    CHECK(submissions(1, 4) == status::invalid_completion_queue);
    CHECK(bench.admin_status(commands::set_number_of_queues(64)) == status::success);
    CHECK(completions(1, 64) == status::success);
    CHECK(completions(1, 64) == status::invalid_queue_identifier);
    CHECK(submissions(1, 65) == status::invalid_queue_size);
    CHECK(submissions(1, 4) == status::success);
    CHECK(bench.admin_status(commands::set_number_of_queues(2)) == status::command_sequence_error);
    CHECK(remove(admin_opcode::delete_io_completion_queue, 1) == status::invalid_queue_deletion);
    CHECK(remove(admin_opcode::delete_io_submission_queue, 2) == status::invalid_queue_identifier);
    CHECK(remove(admin_opcode::delete_io_submission_queue, 0) == status::invalid_queue_identifier);
    CHECK(remove(admin_opcode::delete_io_submission_queue, 1) == status::success);
    CHECK(remove(admin_opcode::delete_io_completion_queue, 1) == status::success);
    CHECK(remove(admin_opcode::delete_io_completion_queue, 1) == status::invalid_queue_identifier);

    auto odd = commands::create_completion_queue(queue_id{1}, 4, pci::bus_address{0x1010}, 1);
    CHECK(bench.admin_status(odd) == status::invalid_prp_offset);
    odd = commands::create_completion_queue(queue_id{1}, 4, bench.io.completions.bus, 1);
    odd.cdw10[1] &= ~commands::contiguous;
    CHECK(bench.admin_status(odd) == status::invalid_field);
}

TEST_CASE("admin commands that are not known are refused") {
    raw_controller bench;
    bench.start();
    CHECK(bench.admin_status({.opcode = 0x7f}) == status::invalid_opcode);
    CHECK(bench.admin_status({.opcode = static_cast<std::uint8_t>(admin_opcode::set_features), .cdw10 = {0x55}}) ==
          status::invalid_field);
    CHECK(bench.admin_status(commands::identify(static_cast<nvme::identify_what>(0x77))) == status::invalid_field);
    CHECK(bench.admin_status(commands::identify(nvme::identify_what::of_namespace, nvme::namespace_id{2})) ==
          status::invalid_namespace);
    CHECK(bench.admin_status(commands::identify(nvme::identify_what::of_controller)) == status::data_transfer_error);
}

TEST_CASE("blocks are read and written with one page, two, a list, and a list that goes on in another") {
    raw_controller bench({.max_transfer = 0});
    bench.start();
    bench.make_io_queue();
    const std::uint64_t at = bench.address(bench.data);
    auto* const bytes = static_cast<std::byte*>(bench.data.cpu);
    const auto pattern = some_bytes(4 * nvme::page_size);
    auto lists = bench.block(2);
    auto* const list = static_cast<std::uint64_t*>(lists.cpu);
    const std::uint64_t list_at = bench.address(lists);

    const auto round_trip = [&](std::uint32_t blocks, std::uint64_t offset, std::uint64_t prp2) {
        std::memset(bytes, 0, 16 * nvme::page_size);
        std::memcpy(bytes + offset, pattern.data(), std::size_t{blocks} * 512);
        CHECK(bench.io_status(bench.transfer(io_opcode::write, 100, blocks, at + offset, prp2)) == status::success);
        std::memset(bytes, 0, 16 * nvme::page_size);
        CHECK(bench.io_status(bench.transfer(io_opcode::read, 100, blocks, at + offset, prp2)) == status::success);
        return std::memcmp(bytes + offset, pattern.data(), std::size_t{blocks} * 512) == 0;
    };
    CHECK(round_trip(1, 0, 0));
    CHECK(round_trip(8, 0, 0));
    CHECK(round_trip(8, 512, at + nvme::page_size));
    CHECK(round_trip(16, 0, at + nvme::page_size));
    for (unsigned i = 0; i != 4; ++i)
        list[i] = at + (i + 1) * nvme::page_size;
    CHECK(round_trip(17, 0, list_at));
    CHECK(round_trip(32, 1024, list_at));
    list[511] = list_at + nvme::page_size;  // the last of its page: where the list goes on
    for (unsigned i = 0; i != 3; ++i)
        list[512 + i] = at + (i + 1) * nvme::page_size;
    CHECK(round_trip(32, 0, list_at + 511 * 8));
    list[511] = at + nvme::page_size;
    CHECK(round_trip(16, 0, at + nvme::page_size));

    list[0] = at + 512;
    CHECK(bench.io_status(bench.transfer(io_opcode::read, 0, 24, at, list_at)) == status::invalid_prp_offset);
    CHECK(bench.io_status(bench.transfer(io_opcode::read, 0, 16, at, at + 512)) == status::invalid_prp_offset);
    CHECK(bench.io_status(bench.transfer(io_opcode::read, 0, 24, at, list_at + 4)) == status::invalid_prp_offset);
    CHECK(bench.io_status(bench.transfer(io_opcode::read, 0, 1, at + 2)) == status::invalid_prp_offset);
    CHECK(bench.bus.ledger().violations().empty());
    CHECK(bench.io_status(bench.transfer(io_opcode::read, 0, 1, 0x6000)) == status::data_transfer_error);
    CHECK(bench.bus.ledger().violations().size() == 1);
}

TEST_CASE("I/O commands that cannot be executed are refused") {
    raw_controller bench({.max_transfer = 1, .blocks = 100});
    bench.start();
    bench.make_io_queue();
    const std::uint64_t at = bench.address(bench.data);
    CHECK(bench.io_status(bench.transfer(io_opcode::read, 99, 1, at)) == status::success);
    CHECK(bench.io_status(bench.transfer(io_opcode::read, 100, 1, at)) == status::lba_out_of_range);
    CHECK(bench.io_status(bench.transfer(io_opcode::write, 99, 2, at)) == status::lba_out_of_range);
    CHECK(bench.io_status(bench.transfer(io_opcode::write, ~std::uint64_t{0}, 2, at)) == status::lba_out_of_range);
    CHECK(bench.io_status(bench.transfer(io_opcode::read, 0, 17, at, at)) == status::invalid_field);
    CHECK(bench.io_status(commands::flush(nvme::namespace_id{1})) == status::success);
    CHECK(bench.io_status(commands::flush(nvme::namespace_id::all)) == status::success);
    CHECK(bench.io_status(commands::flush(nvme::namespace_id{2})) == status::invalid_namespace);
    CHECK(bench.io_status({.opcode = 0x55}) == status::invalid_opcode);
}

TEST_CASE("a completion queue interrupts with its own vector, or not at all") {
    raw_controller bench;
    bench.start();
    SECTION("its own") {
        bench.make_io_queue(3);
        CHECK(bench.io_status(commands::flush(nvme::namespace_id{1})) == status::success);
        CHECK(bench.interrupts == std::array<unsigned, 4>{2, 0, 0, 1});
    }
    SECTION("not at all") {
        auto quiet = commands::create_completion_queue(queue_id{1}, 4, bench.io.completions.bus, 3);
        quiet.cdw10[1] &= ~commands::with_interrupt;
        CHECK(bench.admin_status(quiet) == status::success);
        CHECK(bench.admin_status(commands::create_submission_queue(queue_id{1}, 4, bench.io.submissions.bus)) ==
              status::success);
        CHECK(bench.io_status(commands::flush(nvme::namespace_id{1})) == status::success);
        CHECK(bench.interrupts == std::array<unsigned, 4>{2, 0, 0, 0});
    }
    SECTION("lost") {
        bench.make_io_queue();
        bench.hardware.lose_interrupts(true);
        CHECK(bench.io_status(commands::flush(nvme::namespace_id{1})) == status::success);
        CHECK(bench.interrupts == std::array<unsigned, 4>{2, 0, 0, 0});
    }
}

TEST_CASE("commands are held, and a controller that has crashed or is disabled executes none") {
    raw_controller bench;
    bench.start();
    bench.make_io_queue();
    bench.hardware.hold();
    bench.put(bench.io, commands::flush(nvme::namespace_id{1}));
    bench.ring(queue_id{1}, bench.io);
    CHECK(bench.hardware.look().waiting == 1);
    CHECK(bench.admin_status(commands::identify(nvme::identify_what::of_namespace)) == status::invalid_namespace);
    SECTION("until they are not") {
        bench.hardware.proceed();
        CHECK(bench.next(queue_id{1}, bench.io));
        CHECK(bench.hardware.look().waiting == 0);
    }
    SECTION("crashed") {
        bench.hardware.crash();
        bench.hardware.proceed();
        CHECK_FALSE(bench.next(queue_id{1}, bench.io));
        CHECK((bench.read(registers::csts) & nvme::status_bits::fatal) != 0);
    }
    SECTION("disabled") {
        bench.write(registers::cc, 0);
        bench.hardware.proceed();
        CHECK_FALSE(bench.next(queue_id{1}, bench.io));
        CHECK(bench.hardware.look().submission_queues == 0);
    }
}
