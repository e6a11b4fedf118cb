// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <thread>

#include <devres/devres.hpp>
#include <devres/sim.hpp>

#include "support/catch.hpp"

using namespace devres;

TEST_CASE("threaded handlers, work and timers on several threads, while the driver disables, enables and goes") {
    struct both {
        pci::work_of<pci::device<sim::bus>> work = {};
        pci::timer_of<pci::device<sim::bus>> timer = {};
        std::atomic<unsigned> hards = 0, threads = 0, works = 0, timers = 0;
        pci::irq_return on_hard() noexcept { return ++hards, pci::irq_return::wake_thread; }
        pci::irq_return on_thread() noexcept {
            ++threads;
            pci::schedule_work(work);
            pci::mod_timer(timer, std::chrono::milliseconds(1));
            return pci::irq_return::handled;
        }
        void on_work() noexcept { ++works, pci::schedule_work(work); }
        void on_timer() noexcept { ++timers, pci::mod_timer(timer, std::chrono::milliseconds(1)); }
    };
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = 2});
    std::atomic<bool> done = false;
    const auto until_done = [&](auto act) {
        return std::thread([&done, act] {
            while (!done)
                act();
        });
    };
    std::thread others[] = {until_done([&] { f.raise(0); }), until_done([&] { (void)bus.run_work(); }),
                            until_done([&] { (void)bus.advance(std::chrono::milliseconds(1)); })};
    for (int round = 0; round != 20; ++round) {
        pci::device dev(bus, f);
        auto device = pci::pcim_enable_device(dev).value();
        REQUIRE(pci::pci_set_master(device));
        auto vectors = pci::pcim_alloc_irq_vectors(device, 2, 2, pci::irq_type::msix).value();
        auto data = devm_emplace<both>(dev).value();
        data->work = pci::devm_work<&both::on_work>(dev, data).value();
        data->timer = pci::devm_timer<&both::on_timer>(dev, data).value();
        const auto handler = pci::devm_request_threaded_irq<&both::on_hard, &both::on_thread>(vectors[0], "both", data)
                                 .value();
        while (data->threads < 10 || data->works == 0 || data->timers == 0)
            std::this_thread::yield();
        REQUIRE(pci::disable_irq(handler));
        const unsigned hards = data->hards, threads = data->threads;
        std::this_thread::yield();
        CHECK(data->hards == hards);
        CHECK(data->threads == threads);
        REQUIRE(pci::cancel_work_sync(data->work));
        REQUIRE(pci::timer_delete_sync(data->timer));
        REQUIRE(pci::enable_irq(handler));
        while (data->threads == threads)
            std::this_thread::yield();
        REQUIRE(pci::flush_work(data->work));
        if (round % 2 == 0) {
            group extra{dev};
            (void)devm_emplace<both>(dev).value();
        }
    }
    done = true;
    for (std::thread& each : others)
        each.join();
    CHECK(bus.ledger().clean());
}
