// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace devres::detail {

/// The neighbours of a record in the chain of its step, which the list's own end of the chain has too.
struct list_links {
    // In `before`, beside the address of the neighbour. It is changed by differences, which leave the tags alone.
    static constexpr std::uintptr_t first_of_block = 1;  ///< of the list's memory, which so needs no header
    static constexpr std::uintptr_t doomed = 2;          ///< it is about to be released, because what it uses is

    std::uintptr_t before = 0;
    list_links* next;

    [[nodiscard]] list_links* previous() const noexcept {
        return reinterpret_cast<list_links*>(before & ~(first_of_block | doomed));
    }
    [[nodiscard]] std::uintptr_t address() const noexcept { return reinterpret_cast<std::uintptr_t>(this); }
    [[nodiscard]] bool alone() const noexcept { return next == this; }

    void insert_before(list_links& position) noexcept {
        list_links& last = *position.previous();
        before += last.address();
        next = &position;
        last.next = this;
        position.before += address() - last.address();
    }
    void unlink() noexcept {
        list_links& last = *previous();
        last.next = next;
        next->before -= address() - last.address();
        before -= last.address();
    }
};

/// Which record it is: from high to low, how many there were before it on its list, the list, and what kind it is. Two
/// records of a list compare by age; a name that is not equal is not of this record, or not of this list.
using record_serial = std::uint64_t;

[[nodiscard]] constexpr bool older(record_serial a, record_serial b) noexcept {
    return static_cast<std::int64_t>(a - b) < 0;
}

/// A record of a release list. Its memory is the list's until the list ends, so that an old name can be asked.
struct alignas(8) list_node : list_links {
    static constexpr record_serial is_user = 1;      ///< `argument` begins with the nodes it uses, and a null
    static constexpr record_serial is_object = 2;    ///< a group does not end it from outside
    static constexpr record_serial has_code = 4;     ///< released with the actions
    static constexpr record_serial is_started = 16;  ///< `argument` is a `started`
    static constexpr record_serial is_thread = 32;   ///< `argument` is the thread of a handler
    static constexpr record_serial is_gone = 8;      ///< names of it answer nothing, and it is about to be released
    static constexpr record_serial kinds = 0xff;
    static constexpr record_serial one_list = 1 << 8;
    static constexpr record_serial lists = 0xf'ffff;
    static constexpr record_serial one_record = 1 << 28;

    void (*release)(void*);
    void* argument;
    record_serial serial;  ///< 0 once it is no record any more; read by handlers too

    [[nodiscard]] bool is(record_serial kind) const noexcept { return (serial & kind) != 0; }
    [[nodiscard]] bool older_than(record_serial other) const noexcept { return older(serial, other); }
    [[nodiscard]] record_serial named() const noexcept { return __atomic_load_n(&serial, __ATOMIC_ACQUIRE); }
    void rename(record_serial to) noexcept { __atomic_store_n(&serial, to, __ATOMIC_RELEASE); }
};

}  // namespace devres::detail
