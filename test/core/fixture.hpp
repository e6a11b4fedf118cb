// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the tests of core share: memory that counts and can run out, a device without a bus, and a log of releases.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <new>
#include <string>
#include <thread>

#include <devres/core/list.hpp>

namespace devres::test {

/// Memory hooks that count, and fail when the allowance is used up.
class counting_memory {
public:
    static constexpr std::size_t unlimited = ~std::size_t{};

    std::size_t allowance = unlimited;    ///< allocations that still succeed
    std::size_t allocations = 0;          ///< asked for, refused ones included
    std::atomic<std::size_t> blocks = 0;  ///< given out and not given back, by any thread
    std::atomic<std::size_t> bytes = 0;

    void* allocate(std::size_t size, std::size_t alignment) noexcept {
        ++allocations;
        if (allowance == 0)
            return nullptr;
        if (allowance != unlimited)
            --allowance;
        ++blocks;
        bytes += size;
        return ::operator new(size, std::align_val_t(alignment), std::nothrow);
    }
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        --blocks;
        bytes -= size;
        ::operator delete(block, std::align_val_t(alignment));
    }
    void relax() noexcept { std::this_thread::yield(); }
};

/// The least that core calls a device: something with a release list.
class core_device {
public:
    counting_memory memory;

    core_device() = default;
    core_device(const core_device&) = delete;
    core_device& operator=(const core_device&) = delete;

    list& resources() noexcept { return resources_; }

private:
    list resources_{hooks_of(memory)};
};

/// Records that write their names, one character each, when they are released.
class release_log {
public:
    std::string released;

    /// A record called `name` on `resources`.
    list::handle add(list& resources, char name) { return resources.add(&write, &entry(name)).value(); }

    /// What a record called `name` is added with.
    static void write(void* argument) {
        auto& record = *static_cast<named*>(argument);
        record.log->released += record.name;
        errno = EBADF;  // a release may; who releases must not show it
    }
    void* argument(char name) { return &entry(name); }

private:
    struct named {
        release_log* log = nullptr;
        char name = 0;
    };
    named& entry(char name) {
        auto& found = entries_[static_cast<unsigned char>(name)];
        found = {this, name};
        return found;
    }
    named entries_[256];
};

/// Sets errno and says whether `function` left it alone.
template <class Function>
bool keeps_errno(Function function) {
    errno = ENOTTY;
    function();
    return errno == ENOTTY;
}

}  // namespace devres::test
