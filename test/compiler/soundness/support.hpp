// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the programs of this folder share. They include nothing else: some are compiled together, each in a namespace.
#include <any>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <devres/devres.hpp>
#include <devres/linux_model.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

namespace pci = devres::pci;
using namespace devres;

/// What the program says of itself; it ends with 1 if it does not hold.
#define MUST(...)                                                                                                      \
    do {                                                                                                               \
        if (!(__VA_ARGS__)) {                                                                                          \
            std::cerr << __FILE__ << ":" << __LINE__ << ": does not hold: " << #__VA_ARGS__ << std::endl;              \
            return 1;                                                                                                  \
        }                                                                                                              \
    } while (false)

inline sim::function_config card() { return {.vendor = 0x1234, .device = 1, .msix_vectors = 4, .bar_sizes = {4096}}; }

/// Nothing is held and nothing went wrong.
inline bool clean(sim::bus& bus) {
    if (bus.ledger().clean())
        return true;
    std::cerr << bus.ledger() << std::endl;
    return false;
}

/// Nothing is held; what went wrong is of this kind, and there is at least one.
inline bool violated(sim::bus& bus, sim::violation_kind kind) {
    const auto wrong = bus.ledger().violations();
    bool only = !wrong.empty() && bus.ledger().live().empty();
    for (const auto& each : wrong)
        only = only && each.kind == kind;
    if (!only)
        std::cerr << bus.ledger() << std::endl;
    return only;
}

inline void all_vectors(sim::function& f) {
    for (unsigned v = 0; v != 4; ++v)
        f.raise(v);
}

/// The device writes to its ring whenever it may.
inline void device_writes(sim::function& f, pci::bus_address ring) {
    const std::uint32_t word = 1;
    if (ring != pci::bus_address{} && f.present() && (*f.read_config(4, 2) & 4U) != 0)
        (void)f.dma_write(ring, &word, sizeof word);
}

/// Binds, raises every vector once, unbinds: with `act` before and after every primitive of the platform, but for those that
/// its own handlers call: a device that answers each access of its handler with an interrupt would never be served.
template <class Driver, class Act>
result<> stormy(sim::bus& bus, Act act, const sim::function_config& config = card()) {
    auto& f = bus.add(config);
    testing::interrupting platform{bus, [&](const testing::interrupt_point&) {
                                       if (!bus.in_handler(f))
                                           act(f);
                                   }};
    DEVRES_TRY(auto bound, pci::bind<Driver>(platform, f));
    all_vectors(f);
    return bound.unbind();
}
template <class Driver>
result<> stormy(sim::bus& bus) {
    return stormy<Driver>(bus, all_vectors);
}
template <class Driver>
result<> plain(sim::bus& bus, const sim::function_config& config = card()) {
    return stormy<Driver>(bus, [](sim::function&) {}, config);
}
template <class Driver>
int clean_in_storm() {
    sim::bus bus;
    MUST(stormy<Driver>(bus));
    MUST(clean(bus));
    return 0;
}

/// The platform of `stormy`, for what is kept outside of a driver.
using storm_platform = testing::interrupting<sim::bus>;

/// One thread that runs a function when it is scheduled, at once or later: a work item, a timer, the thread of an
/// interrupt. Its death is the end of the thread.
class deferred {
public:
    explicit deferred(std::function<void()> run) : run_(std::move(run)), thread_([this] { loop(); }) {}
    deferred(const deferred&) = delete;
    ~deferred() {
        {
            const std::scoped_lock hold(lock_);
            stop_ = true;
        }
        wake_.notify_all();
        thread_.join();
    }
    void schedule(std::chrono::milliseconds after = std::chrono::milliseconds(0)) noexcept {
        const std::scoped_lock hold(lock_);
        if (!pending_) {
            pending_ = true;
            due_ = std::chrono::steady_clock::now() + after;
        }
        wake_.notify_all();
    }
    void cancel_sync() noexcept {
        std::unique_lock hold(lock_);
        pending_ = false;
        idle_.wait(hold, [this] { return !running_; });
    }

private:
    void loop() {
        std::unique_lock hold(lock_);
        while (!stop_) {
            if (!pending_) {
                wake_.wait(hold);
            } else if (std::chrono::steady_clock::now() < due_) {
                const auto due = due_;
                wake_.wait_until(hold, due);
            } else {
                pending_ = false;
                running_ = true;
                hold.unlock();
                run_();
                hold.lock();
                running_ = false;
                idle_.notify_all();
            }
        }
    }
    std::function<void()> run_;
    std::mutex lock_;
    std::condition_variable wake_, idle_;
    bool stop_ = false, pending_ = false, running_ = false;
    std::chrono::steady_clock::time_point due_;
    std::thread thread_;
};
