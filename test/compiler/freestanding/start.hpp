// SPDX-License-Identifier: BSL-1.0
#pragma once

// What a freestanding program brings along itself: an entry that calls `exercise()` and exits with what it returns, and
// the four functions that a compiler may call on its own.
#if !defined(__linux__) || !(defined(__x86_64__) || defined(__aarch64__))
#error "start.hpp knows how to leave a program on Linux, x86-64 and AArch64 only"
#endif

#include <cstddef>

int exercise() noexcept;

extern "C" {

#if defined(__x86_64__)
[[noreturn, gnu::used, gnu::force_align_arg_pointer]] void _start() {
    asm volatile("syscall" : : "a"(60L), "D"(static_cast<long>(exercise())) : "rcx", "r11", "memory");
    __builtin_unreachable();
}
#else
[[noreturn, gnu::used]] void _start() {
    register long number asm("x8") = 93;
    register long status asm("x0") = exercise();
    asm volatile("svc 0" : : "r"(number), "r"(status) : "memory");
    __builtin_unreachable();
}
#endif

// Volatile, so that the compiler does not turn the loop into a call of the function itself.
[[gnu::used]] void* memset(void* to, int value, std::size_t size) {
    auto* bytes = static_cast<volatile unsigned char*>(to);
    for (std::size_t i = 0; i != size; ++i)
        bytes[i] = static_cast<unsigned char>(value);
    return to;
}

[[gnu::used]] void* memcpy(void* to, const void* from, std::size_t size) {
    auto* bytes = static_cast<volatile unsigned char*>(to);
    for (std::size_t i = 0; i != size; ++i)
        bytes[i] = static_cast<const unsigned char*>(from)[i];
    return to;
}

[[gnu::used]] void* memmove(void* to, const void* from, std::size_t size) {
    if (to < from)
        return memcpy(to, from, size);
    auto* bytes = static_cast<volatile unsigned char*>(to);
    for (std::size_t i = size; i != 0; --i)
        bytes[i - 1] = static_cast<const unsigned char*>(from)[i - 1];
    return to;
}

[[gnu::used]] int memcmp(const void* left, const void* right, std::size_t size) {
    const auto* l = static_cast<const volatile unsigned char*>(left);
    const auto* r = static_cast<const unsigned char*>(right);
    for (std::size_t i = 0; i != size; ++i)
        if (l[i] != r[i])
            return l[i] < r[i] ? -1 : 1;
    return 0;
}

}  // extern "C"
