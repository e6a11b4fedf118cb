// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <devres/pci/platform.hpp>

/// What an event loop calls a function for.
namespace devres::vfio {

/// One eventfd in a loop, and what is called when it is signalled.
struct alignas(64) event_source {
    std::atomic<bool> armed{false};       ///< it may be called
    std::atomic<unsigned> held{0};        ///< it was signalled while it was not armed; a word, for riscv64
    pci::irq_entry entry = nullptr;       ///< as context: only changed while not armed and not running
    void* context = nullptr;              ///< what `entry` is given
    std::atomic<std::uint64_t> since{0};  ///< the round that was going on when its past was forgotten
    const void* owner = nullptr;          ///< for `inside_one_of`
    unsigned index = 0;                   ///< what `entry` is given
    int fd = -1;                          ///< the eventfd
};

/// Some sources of one owner, and their neighbour among those that are waiting for the end of a round.
struct event_sources {
    /// That many, none of which is in a loop.
    explicit event_sources(unsigned count) : each(new event_source[count]) {}

    std::unique_ptr<event_source[]> each;           ///< they do not move
    std::unique_ptr<event_sources> next = nullptr;  ///< the neighbour
    std::uint64_t round = 0;                        ///< whose end they wait for
};

}  // namespace devres::vfio
