// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <devres/devres.hpp>

#include "controller.hpp"
#include "driver.hpp"

namespace nvme {

/// What to exercise a controller with.
struct exercise_plan {
    std::uint64_t blocks = 10'000;                ///< written and verified; all there are, if there are fewer
    std::uint64_t first = 0;                      ///< from which block on
    std::vector<unsigned> queue_counts{4, 2, 8};  ///< what is written through the first is verified through all
    std::uint64_t seed = 1;                       ///< another one, other data
};

/// Data that tells where it belongs: no two blocks have the same, nor two seeds.
class pattern {
public:
    pattern(std::uint64_t seed, std::uint32_t block_size) : seed_(seed), block_size_(block_size) {}

    void fill(std::uint64_t lba, std::span<std::byte> blocks) const {
        for (std::size_t at = 0; at != blocks.size(); at += 8) {
            const std::uint64_t word = value(lba + at / block_size_, at % block_size_);
            std::memcpy(blocks.data() + at, &word, 8);
        }
    }
    /// How many blocks are as `fill` makes them, from the first on.
    [[nodiscard]] std::uint64_t count_right(std::uint64_t lba, std::span<const std::byte> blocks) const {
        for (std::size_t at = 0; at != blocks.size(); at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, blocks.data() + at, 8);
            if (word != value(lba + at / block_size_, at % block_size_))
                return at / block_size_;
        }
        return blocks.size() / block_size_;
    }

private:
    [[nodiscard]] std::uint64_t value(std::uint64_t lba, std::size_t at) const {
        std::uint64_t x = seed_ * 0x9e37'79b9'7f4a'7c15 + lba * 0xbf58'476d'1ce4'e5b9 + at;
        x = (x ^ x >> 29U) * 0x94d0'49bb'1331'11eb;
        return x ^ x >> 32U;
    }

    std::uint64_t seed_;
    std::uint32_t block_size_;
};

/// Writes or verifies blocks through all queues of a controller at once, with a thread for each queue.
/// @returns what was wrong, the first that was; nothing if all is well
template <class Device>
[[nodiscard]] std::string move_blocks(const controller<Device>& of, io_opcode what, const exercise_plan& plan) {
    const identification& info = of.info();
    const unsigned queues = of.queue_count();
    const std::uint64_t end = std::min(plan.first + plan.blocks, info.blocks);
    const std::uint64_t at_a_time = std::max<std::uint64_t>(1, 3 * info.max_transfer / 2 / info.block_size);
    const pattern data(plan.seed, info.block_size);
    std::vector<std::string> wrong(queues);
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i != queues; ++i) {
            threads.emplace_back([&, i] {
                const auto queue = of.queue(i);
                std::vector<std::byte> buffer(static_cast<std::size_t>(at_a_time) * info.block_size);
                for (std::uint64_t lba = plan.first + i * at_a_time; queue && lba < end; lba += queues * at_a_time) {
                    const auto count = std::min(at_a_time, end - lba);
                    const auto part = std::span(buffer).first(static_cast<std::size_t>(count) * info.block_size);
                    result<> done;
                    if (what == io_opcode::write) {
                        data.fill(lba, part);
                        done = queue->write(lba, part);
                    } else {
                        std::ranges::fill(part, std::byte{0});
                        done = queue->read(lba, part);
                    }
                    const std::string where = " (queue " + std::to_string(i + 1) + ", block ";
                    if (!done)
                        wrong[i] = devres::message(done.error()) + where + std::to_string(lba) + ')';
                    else if (const auto right = data.count_right(lba, part); right != count)
                        wrong[i] = "wrong data" + where + std::to_string(lba + right) + ')';
                    if (!wrong[i].empty())
                        return;
                }
                if (!queue || !queue->flush())
                    wrong[i] = "queue " + std::to_string(i + 1) + " cannot be flushed";
            });
        }
    }
    for (const std::string& each : wrong) {
        if (!each.empty())
            return each;
    }
    return {};
}

/// Binds the driver to a controller on any platform, writes blocks through all I/O queues and verifies them through
/// others, as many as the plan says, and unbinds, which shuts the controller down. What was in those blocks is lost.
/// `report(line)` is told what is found.
/// @returns what was wrong, the first that was; nothing if all is well
template <devres::pci::platform P, class Report>
[[nodiscard]] std::string exercise(P& platform, typename P::function_type& function, Report report,
                                   const exercise_plan& plan = {}) {
    const auto failed = [](const char* what, errc why) { return std::string(what) + ": " + devres::message(why); };
    auto bound = pci::bind<driver>(platform, function);
    if (!bound)
        return failed("bind", bound.error());
    auto& nvme = bound->state();
    const identification& info = nvme.info();
    report(std::string(info.model_number.data()) + ", serial number " + info.serial_number.data() + ", " +
           std::to_string(info.blocks) + " blocks of " + std::to_string(info.block_size) + " bytes, " +
           std::to_string(info.max_queues) + " I/O queues at most");
    const std::string blocks = std::to_string(std::min(plan.first + plan.blocks, info.blocks) - plan.first) +
                               " blocks ";

    bool written = false;
    for (const unsigned count : plan.queue_counts) {
        const auto old = nvme.queue(0);
        const auto made = nvme.set_queue_count(count);
        if (!made)
            return failed("set_queue_count", made.error());
        if (*made != std::min(count, info.max_queues))
            return std::to_string(count) + " I/O queues asked for, " + std::to_string(*made) + " made";
        if (old && old->flush() != fail(errc::enodev))
            return "the handle of a queue that has gone does not say so";
        const std::string through = "through " + std::to_string(*made) + (*made == 1 ? " queue" : " queues");
        if (!written) {
            if (std::string wrong = move_blocks(nvme, io_opcode::write, plan); !wrong.empty())
                return "write: " + wrong;
            report(blocks + "written " + through);
            written = true;
        }
        if (std::string wrong = move_blocks(nvme, io_opcode::read, plan); !wrong.empty())
            return "read: " + wrong;
        std::uint64_t interrupts = 0;
        for (unsigned i = 0; i != *made; ++i) {
            const auto queue = nvme.queue(i);
            const auto counted = queue ? queue->count() : fail(queue.error());
            if (!counted || counted->interrupts == 0 || counted->strays != 0)
                return "queue " + std::to_string(i + 1) + ": completions without an interrupt, or without a command";
            interrupts += counted->interrupts;
        }
        report(blocks + "verified " + through + ", " + std::to_string(interrupts) + " interrupts");
    }
    if (const auto ended = nvme.set_queue_count(0); !ended)
        return failed("set_queue_count(0)", ended.error());
    if (const auto unbound = bound->unbind(); !unbound)
        return failed("unbind", unbound.error());
    report("shut down and unbound");
    return {};
}

}  // namespace nvme
