// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "support/catch.hpp"

#include "switchtec_bench.hpp"

using namespace devres;
using namespace devres::test;
using switchtec::event;
using switchtec::mrpc_echo;

TEST_CASE("who waits for an answer or an event wakes when the device goes") {
    switchtec_bench bench({.dma_version = GENERATE(0U, 1U)});
    const bool surprise = GENERATE(false, true);
    bench.hardware.hold();
    {
        auto binding = bench.bind();
        std::latch ready(3);
        std::atomic<unsigned> enodev = 0;
        std::vector<std::jthread> users;
        for (int i = 0; i != 3; ++i) {
            users.emplace_back([&, i, file = binding->state().open().value()]() mutable {
                if (i != 0)
                    (void)file.write(mrpc_echo, {});
                ready.count_down();
                const errc why = i == 0 ? file.wait_for_event(long_enough).error() : file.read({}, long_enough).error();
                enodev += why == errc::enodev ? 1U : 0U;
            });
        }
        ready.wait();
        std::this_thread::sleep_for(briefly);
        if (surprise)
            bench.function.surprise_remove();
        const auto start = switchtec::clock::now();
        CHECK(binding->unbind());
        users.clear();
        CHECK(switchtec::clock::now() - start < long_enough / 2);
        CHECK(enodev == 3);
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("users, interrupts and the end of the device on threads of their own") {
    switchtec_bench bench({.dma_version = GENERATE(0U, 1U)});
    const bool surprise = GENERATE(false, true);
    for (int round = 0; round != 3; ++round) {
        {
            auto binding = bench.bind();
            REQUIRE(binding);
            std::atomic<bool> over = false;
            std::atomic<unsigned> answers = 0;
            std::atomic<unsigned> wrong = 0;
            std::vector<std::jthread> threads;
            for (unsigned i = 0; i != 3; ++i) {  // commands, each with its own answer
                threads.emplace_back([&, i, node = binding->state().device_node()] {
                    for (unsigned n = i;; n += 3) {
                        auto file = switchtec::open(node);
                        if (!file)
                            return;
                        std::array<std::byte, 64> output{};
                        const auto question = bytes_from<64>(n);
                        file->set_timeout(n % 16 == 0 ? 0ms : std::chrono::milliseconds(long_enough));
                        const auto reply = file->command(mrpc_echo, question, output);
                        if (reply) {
                            ++answers;
                            wrong += output == inverted(question) ? 0U : 1U;
                        } else if (reply.error() != errc::etimedout) {
                            wrong += reply.error() == errc::enodev ? 0U : 1U;
                            if (reply.error() == errc::enodev)
                                return;
                        }
                    }
                });
            }
            threads.emplace_back([&, file = binding->state().open().value()]() mutable {  // events
                const auto unmask = [&] {
                    return file.control(event::ppu_error, 0, {.clear = true, .interrupt = true});
                };
                while (unmask() && (file.wait_for_event(1ms) || file.poll())) {}
            });
            threads.emplace_back(
                [&] {  // the device, which leaves a slow handler time to end: a storm would keep it for ever
                    while (!over) {
                        const unsigned so_far = answers;
                        bench.hardware.fire(event::ppu_error);
                        bench.hardware.fire(event::link_state, 8);
                        bench.function.raise(0);
                        bench.function.raise(1);
                        const auto soon = switchtec::clock::now() + 5ms;
                        while (!over && answers == so_far && switchtec::clock::now() < soon)
                            std::this_thread::yield();
                    }
                });
            while (answers < 100)
                std::this_thread::yield();
            if (surprise)
                bench.function.surprise_remove();
            CHECK(binding->unbind());
            over = true;
            threads.clear();
            CHECK(wrong == 0);
        }
        CHECK(bench.left_behind() == "");
        if (surprise)
            bench.function.insert();
    }
}
