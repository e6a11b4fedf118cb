// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the tests of core share: memory that counts and can run out, a device without a bus, and a log of releases.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <functional>
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

/// A device with handlers, as far as core knows of them: a test says when it is inside of one.
class handled_device {
public:
    struct function_type {};

    counting_memory memory;
    bool inside = false;            ///< whether this thread is in a handler
    std::function<void()> waiting;  ///< what happens while the list waits for handlers

    handled_device() = default;
    handled_device(const handled_device&) = delete;
    handled_device& operator=(const handled_device&) = delete;

    handled_device& platform() noexcept { return *this; }
    const handled_device& platform() const noexcept { return *this; }
    function_type& function() noexcept { return function_; }
    const function_type& function() const noexcept { return function_; }
    [[nodiscard]] bool in_handler(const function_type&) const noexcept { return inside; }
    list& resources() noexcept { return resources_; }

private:
    function_type function_;
    list resources_{hooks_of(memory),
                    {.running_here = [](void* self) noexcept { return static_cast<handled_device*>(self)->inside; },
                     .wait_for_all =
                         [](void* self) noexcept {
                             if (const auto& meanwhile = static_cast<handled_device*>(self)->waiting; meanwhile)
                                 meanwhile();
                         },
                     .context = this}};
};

/// Records that write their names, one character each, when they are released.
class release_log {
public:
    std::string released;

    /// A record called `name` on `resources`.
    list::handle add(list& resources, char name, release_step step = release_step::code) {
        return resources.add(&write, &entry(name), step).value();
    }

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
