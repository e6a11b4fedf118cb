// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/attributes.hpp>

/// What keeps accesses of registers and of memory that the device reaches in order, as the kernel's readl() and writel() do.
/// Where the processor does that, compilers must as well: told by an empty asm, they would keep every guard in memory, too.
namespace devres::pci::detail {

/// What the program reads after a register, it reads after it: what the device said is ready is there.
DEVRES_INLINE void after_register_read() noexcept {
#if defined(__aarch64__)
    asm volatile("dmb oshld" ::: "memory");
#elif defined(__riscv)
    asm volatile("fence i, ir" ::: "memory");
#elif defined(__powerpc__)
    asm volatile("sync" ::: "memory");
#else
    __atomic_signal_fence(__ATOMIC_ACQUIRE);
#endif
}

/// What the program wrote before a register is written is in memory by then: the device that is told finds it.
DEVRES_INLINE void before_register_write() noexcept {
#if defined(__aarch64__)
    asm volatile("dmb oshst" ::: "memory");
#elif defined(__riscv)
    asm volatile("fence w, o" ::: "memory");
#elif defined(__powerpc__)
    asm volatile("sync" ::: "memory");
#else
    __atomic_signal_fence(__ATOMIC_RELEASE);
#endif
}

}  // namespace devres::pci::detail
