// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <cstddef>
#include <latch>
#include <thread>
#include <vector>

#include "support/catch.hpp"

#include "nvme/exercise.hpp"
#include "nvme_bench.hpp"

using namespace devres;
using namespace devres::test;
using namespace std::chrono_literals;

namespace {

/// What users of a controller have come to know, on all their threads.
struct experience {
    std::atomic<unsigned> done = 0;
    std::atomic<unsigned> gone = 0;   // their queue has gone
    std::atomic<unsigned> wrong = 0;  // another error, or wrong data

    void wait_for_more_than(unsigned commands) const {
        while (done < commands)
            std::this_thread::yield();
    }
};

/// Writes and reads blocks of its own until `over`, or until there are no queues any more; takes another queue whenever
/// its own has gone.
template <class Device>
void use(const nvme::controller<Device>& of, unsigned number, const std::atomic<bool>& over, experience& found) {
    const std::uint64_t lba = 1000 * number;
    for (unsigned n = 0; !over; ++n) {
        auto queue = of.queue(n % 3);
        if (!queue) {
            std::this_thread::yield();
            continue;
        }
        queue->set_timeout(20s);
        const auto written = some_bytes(512 * (1 + n % 20), number * 100 + n);
        std::vector<std::byte> read(written.size());
        auto moved = queue->write(lba, written);
        if (moved)
            moved = queue->read(lba, read);
        if (moved && read == written)
            ++found.done;
        else if (!moved && moved.error() == errc::enodev)
            ++found.gone;
        else
            ++found.wrong;
    }
}

}  // namespace

TEST_CASE("users of an NVMe controller share its queues, while the count of queues changes under them") {
    nvme_bench bench;
    {
        auto bound = bench.bind();
        REQUIRE(bound);
        auto& nvme = bound->state();
        experience found;
        std::atomic<bool> over = false;
        std::vector<std::jthread> users;
        for (unsigned i = 0; i != 4; ++i)
            users.emplace_back([&, i] { use(nvme, i, over, found); });
        for (const unsigned count : {1U, 3U, 2U, 8U, 1U, 4U, 0U, 2U, 5U, 3U}) {
            CHECK(nvme.set_queue_count(count) == count);
            if (count != 0)
                found.wait_for_more_than(found.done + 5);
        }
        over = true;
        users.clear();
        CHECK(found.wrong == 0);
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("users of an NVMe controller that sleeps and wakes wait for it, and miss nothing") {
    nvme_bench bench;
    {
        auto bound = bench.bind();
        REQUIRE(bound);
        experience found;
        std::atomic<bool> over = false;
        std::vector<std::jthread> users;
        for (unsigned i = 0; i != 4; ++i)
            users.emplace_back([&, i] { use(bound->state(), i, over, found); });
        for (unsigned round = 0; round != 10; ++round) {
            found.wait_for_more_than(found.done + 5);
            CHECK(bound->suspend());
            std::this_thread::sleep_for(15ms);  // long enough for a look at the device, if anybody dared
            CHECK(bound->resume());
        }
        found.wait_for_more_than(found.done + 5);
        over = true;
        users.clear();
        CHECK(found.gone == 0);
        CHECK(found.wrong == 0);
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("a command that is on its way when an NVMe controller falls asleep is waited for, or canceled") {
    nvme_bench bench;
    {
        auto bound = bench.bind<small_nvme_driver>();
        REQUIRE(bound);
        bench.hardware.hold();
        const bool late = GENERATE(false, true);
        result<> heard;
        {
            const std::jthread user([&, queue = bound->state().queue(0).value()] { heard = queue.flush(); });
            while (bench.hardware.look().waiting == 0)
                std::this_thread::yield();
            std::jthread device;
            if (!late)
                device = std::jthread([&] { bench.hardware.proceed(); });
            CHECK(bound->suspend());
        }
        CHECK(heard == (late ? result<>(fail(errc::ecanceled)) : result<>()));
        bench.hardware.proceed();
        CHECK(bound->resume());
        CHECK(bound->state().queue(0)->flush());
        CHECK(bound->state().queue(0)->count()->strays == 0);
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("who reads and writes when an NVMe controller goes hears that it is gone") {
    nvme_bench bench;
    const bool surprise = GENERATE(false, true);
    for (int round = 0; round != 3; ++round) {
        {
            auto bound = bench.bind();
            REQUIRE(bound);
            experience found;
            std::vector<std::jthread> users;
            for (unsigned i = 0; i != 3; ++i) {
                users.emplace_back([&, queue = bound->state().queue(i % 2).value()] {
                    std::vector<std::byte> bytes(20 * 512);
                    for (;;) {
                        const auto moved = queue.read(0, bytes);
                        if (!moved) {
                            (moved.error() == errc::enodev ? found.gone : found.wrong) += 1;
                            return;
                        }
                        ++found.done;
                    }
                });
            }
            found.wait_for_more_than(20);
            if (surprise)
                bench.function.surprise_remove();
            CHECK(bound->unbind());
            users.clear();
            CHECK(found.gone == 3);
            CHECK(found.wrong == 0);
        }
        CHECK(bench.left_behind() == "");
        if (surprise)
            bench.function.insert();
    }
}

TEST_CASE("who waits for an answer of an NVMe controller wakes when it goes") {
    nvme_bench bench;
    const bool surprise = GENERATE(false, true);
    bench.hardware.hold();
    {
        auto bound = bench.bind<small_nvme_driver>();
        REQUIRE(bound);
        std::latch ready(3);
        std::atomic<unsigned> gone = 0;
        std::vector<std::jthread> users;
        for (unsigned i = 0; i != 3; ++i) {  // the third has no place, and waits for one
            users.emplace_back([&, queue = bound->state().queue(0).value()] {
                ready.count_down();
                gone += queue.flush() == fail(errc::enodev) ? 1U : 0U;
            });
        }
        ready.wait();
        while (bench.hardware.look().waiting == 0)
            std::this_thread::yield();
        const auto start = nvme::clock::now();
        if (surprise) {
            bench.function.surprise_remove();
            users.clear();  // before anybody unbinds
        }
        CHECK(bound->unbind());
        users.clear();
        CHECK(nvme::clock::now() - start < 5s);
        CHECK(gone == 3);
    }
    CHECK(bench.left_behind() == "");
}

TEST_CASE("interrupts from everywhere do not disturb users of an NVMe controller") {
    nvme_bench bench;
    {
        auto bound = bench.bind();
        REQUIRE(bound);
        experience found;
        std::atomic<bool> over = false;
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i != 2; ++i)
            threads.emplace_back([&, i] { use(bound->state(), i, over, found); });
        threads.emplace_back([&] {
            while (!over) {
                for (unsigned i = 0; i != 3; ++i)
                    bench.function.raise(i);
                std::this_thread::yield();
            }
        });
        for (const unsigned count : {2U, 1U, 2U}) {
            CHECK(bound->state().set_queue_count(count) == count);
            found.wait_for_more_than(found.done + 20);
        }
        over = true;
        threads.clear();
        CHECK(found.wrong == 0);
    }
    CHECK(bench.left_behind() == "");
}
