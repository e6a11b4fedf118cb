// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <devres/pci/enable_count.hpp>
#include <devres/pci/platform.hpp>

namespace devres::test {

/// The smallest platform that really works, for tests that need no bus: functions without hardware whose
/// registers are plain memory, counters of what is held, and handlers that a test fires.
class null_platform {
public:
    static constexpr bool hybrid_irq_vectors = false;

    /// One function. Tests may set the public configuration before use and look at the state at any time
    /// from the thread that drives it.
    class function_type {
    public:
        pci::device_id identity{.vendor = 0x1b36, .device = 0x0001, .subsystem_vendor = 0, .subsystem_device = 0};
        unsigned msix_vectors = 8;
        unsigned msi_vectors = 4;
        unsigned intx_vectors = 1;
        std::size_t bar_bytes = 4096;
        unsigned bars = (1U << pci::bar_count) - 1;  // bit n: there is a BAR n

        bool attached = false;
        unsigned enabled = 0;  ///< how often; 1 also while the last disable waits for a BAR or a vector
        bool master = false;
        bool suspended = false;
        std::array<bool, pci::bar_count> mapped{};
        pci::vector_grant vectors{.count = 0};
        unsigned dma_blocks = 0;
        unsigned dma_mappings = 0;

        [[nodiscard]] bool needs_enable() const {
            return vectors.count != 0 || std::ranges::any_of(mapped, std::identity{});
        }

        /// Nothing is held: no driver, no enable, no BAR, no vectors, no handlers, no shared memory.
        [[nodiscard]] bool idle() {
            const std::lock_guard lock(mutex_);
            return !attached && enabled == 0 && !master && !suspended && vectors.count == 0 && dma_blocks == 0 &&
                   dma_mappings == 0 && std::ranges::none_of(mapped, std::identity{}) && handlers_.empty();
        }

        /// The device interrupts. A vector whose handler is running runs it once more afterwards; a vector without a
        /// handler, or whose handler is disabled, holds it. @returns whether a handler was called, now or by its runner.
        bool fire(pci::vector_index vector) {
            std::unique_lock lock(mutex_);
            const auto found = handlers_.find(vector);
            if (found == handlers_.end()) {
                held_.insert(vector);
                return false;
            }
            found->second.pending = true;
            return deliver(lock, found->second, vector);
        }

    private:
        friend class null_platform;
        pci::enable_count enables_;
        struct slot {
            pci::handler_id id{};
            pci::irq_action action;
            std::string name;
            std::thread::id runner{};
            bool running = false;
            bool pending = false;
            bool ending = false;
            unsigned disables = 0;
            std::uint64_t calls = 0;  // that have ended
        };

        bool deliver(std::unique_lock<std::mutex>& lock, slot& handler, pci::vector_index vector) {
            if (handler.disables != 0)
                return false;
            if (handler.running)
                return true;
            handler.running = true;
            handler.runner = std::this_thread::get_id();
            while (handler.pending && !handler.ending && handler.disables == 0) {
                handler.pending = false;
                lock.unlock();
                (void)handler.action.entry(handler.action.context, vector);
                lock.lock();
                ++handler.calls;
                idle_.notify_all();
            }
            handler.running = false;
            idle_.notify_all();
            return true;
        }
        void synchronize(std::unique_lock<std::mutex>& lock, slot& handler) {
            const std::uint64_t begun = handler.calls;
            idle_.wait(lock, [&] { return !handler.running || handler.calls != begun; });
        }

        bool runs_here(const slot& handler) const {
            return handler.running && handler.runner == std::this_thread::get_id();
        }
        bool in_handler() {
            return std::ranges::any_of(handlers_, [&](const auto& entry) { return runs_here(entry.second); });
        }
        void end(std::unique_lock<std::mutex>& lock, std::map<pci::vector_index, slot>::iterator which) {
            which->second.ending = true;
            idle_.wait(lock, [&] { return !which->second.running; });
            if (which->second.pending)
                held_.insert(which->first);
            handlers_.erase(which);
        }

        std::mutex mutex_;
        std::condition_variable idle_;
        std::map<pci::vector_index, slot> handlers_;
        std::set<pci::vector_index> held_;  // vectors without a handler that have interrupted
        std::uint64_t last_id_ = 0;
        std::array<unsigned char, 4096> config_{};
        std::array<std::array<unsigned char, 4096>, pci::bar_count> bars_{};
    };

    struct region_type {
        unsigned char* base = nullptr;
        std::size_t size = 0;
        unsigned bar = 0;
    };

    /// Blocks of memory given out and not given back.
    [[nodiscard]] std::size_t blocks() const { return blocks_; }

    void* allocate(std::size_t size, std::size_t alignment) noexcept {
        void* const block = ::operator new(size, std::align_val_t(alignment), std::nothrow);
        if (block != nullptr)
            ++blocks_;
        return block;
    }
    void deallocate(void* block, std::size_t, std::size_t alignment) noexcept {
        --blocks_;
        ::operator delete(block, std::align_val_t(alignment));
    }
    void relax() noexcept { std::this_thread::yield(); }

    result<> attach(function_type& f) noexcept {
        if (std::exchange(f.attached, true))
            return fail(errc::ebusy);
        return {};
    }
    void detach(function_type& f) noexcept { f.attached = false; }
    pci::device_id id(const function_type& f) noexcept { return f.identity; }

    result<> enable(function_type& f) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        (void)f.enables_.enable();
        f.enabled = f.enables_.count();
        return {};
    }
    void disable(function_type& f) noexcept { disabled(f, f.enables_.disable(f.needs_enable())); }
    result<> set_master(function_type& f, bool on) noexcept {
        f.master = on;
        return {};
    }
    result<> suspend(function_type& f) noexcept {
        f.suspended = true;
        return {};
    }
    result<> resume(function_type& f) noexcept {
        f.suspended = false;
        return {};
    }

    result<std::uint32_t> read_config(function_type& f, unsigned offset, unsigned width) noexcept {
        std::uint32_t value = 0;
        if (!valid(offset, width))
            return fail(errc::einval);
        std::memcpy(&value, f.config_.data() + offset, width);
        return value;
    }
    result<> write_config(function_type& f, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        if (!valid(offset, width))
            return fail(errc::einval);
        std::memcpy(f.config_.data() + offset, &value, width);
        return {};
    }

    result<region_type> map_bar(function_type& f, pci::bar_number bar, const char*) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        if (bar.value() >= pci::bar_count || (f.bars >> bar.value() & 1U) == 0)
            return fail(errc::einval);
        if (std::exchange(f.mapped[bar.value()], true))
            return fail(errc::ebusy);
        return region_type{f.bars_[bar.value()].data(), f.bar_bytes, bar.value()};
    }
    void unmap_bar(function_type& f, region_type& region) noexcept {
        f.mapped[region.bar] = false;
        disabled(f, f.enables_.settle(f.needs_enable()));
    }
    std::size_t bar_size(const region_type& region) noexcept { return region.size; }
    template <class T>
    T read(const region_type& region, std::size_t offset) noexcept {
        T value{};
        std::memcpy(&value, region.base + offset, sizeof(T));
        return value;
    }
    template <class T>
    void write(const region_type& region, std::size_t offset, T value) noexcept {
        std::memcpy(region.base + offset, &value, sizeof(T));
    }

    result<pci::vector_grant> allocate_vectors(function_type& f, const pci::vector_request& request) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        if (f.vectors.count != 0)
            return fail(errc::ebusy);
        const auto offer = [&](pci::irq_type type, unsigned offered) {
            if (f.vectors.count == 0 && request.types.has(type) && offered >= request.min)
                f.vectors = {.count = std::min(request.max, offered), .type = type};
        };
        offer(pci::irq_type::msix, f.msix_vectors);
        offer(pci::irq_type::msi, f.msi_vectors);
        offer(pci::irq_type::intx, f.intx_vectors);
        if (f.vectors.count == 0)
            return fail(errc::enospc);
        const std::lock_guard lock(f.mutex_);
        f.held_.clear();
        return f.vectors;
    }
    result<> free_vectors(function_type& f) noexcept {
        std::unique_lock lock(f.mutex_);
        if (f.in_handler())
            return fail(errc::edeadlk);
        while (!f.handlers_.empty())
            f.end(lock, std::ranges::max_element(f.handlers_, {}, [](auto& entry) { return entry.second.id; }));
        f.vectors = {.count = 0};
        disabled(f, f.enables_.settle(f.needs_enable()));
        return {};
    }
    pci::irq_number vector_number(function_type&, pci::vector_index vector) noexcept {
        return pci::irq_number(32 + vector.value());
    }

    result<pci::handler_id> register_handler(function_type& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept {
        std::unique_lock lock(f.mutex_);
        if (f.in_handler())
            return fail(errc::edeadlk);
        if (vector.value() >= f.vectors.count)
            return fail(errc::einval);
        const auto [entry, fresh] = f.handlers_.try_emplace(vector);
        if (!fresh)
            return fail(errc::ebusy);
        const auto id = pci::handler_id(++f.last_id_);
        entry->second.id = id;
        entry->second.action = action;
        entry->second.name = action.name == nullptr ? "" : action.name;
        entry->second.pending = f.held_.erase(vector) != 0;
        if (entry->second.pending)
            (void)f.deliver(lock, entry->second, vector);
        return id;
    }
    result<> unregister_handler(function_type& f, pci::handler_id id) noexcept {
        std::unique_lock lock(f.mutex_);
        const auto found = find(f, id);
        if (found == f.handlers_.end())
            return {};
        if (f.runs_here(found->second))
            return fail(errc::edeadlk);
        f.end(lock, found);
        return {};
    }
    bool handler_registered(function_type& f, pci::handler_id id) noexcept {
        const std::lock_guard lock(f.mutex_);
        return find(f, id) != f.handlers_.end();
    }
    bool in_handler(function_type& f) noexcept {
        const std::lock_guard lock(f.mutex_);
        return f.in_handler();
    }
    result<> synchronize_handler(function_type& f, pci::handler_id id) noexcept {
        std::unique_lock lock(f.mutex_);
        if (id == pci::handler_id::none) {
            if (f.in_handler())
                return fail(errc::edeadlk);
            for (auto& entry : f.handlers_)
                f.synchronize(lock, entry.second);
            return {};
        }
        const auto found = find(f, id);
        if (found == f.handlers_.end())
            return {};
        if (f.runs_here(found->second))
            return fail(errc::edeadlk);
        f.synchronize(lock, found->second);
        return {};
    }
    result<> disable_handler(function_type& f, pci::handler_id id) noexcept {
        std::unique_lock lock(f.mutex_);
        const auto found = find(f, id);
        if (found == f.handlers_.end())
            return fail(errc::enoent);
        if (f.runs_here(found->second))
            return fail(errc::edeadlk);
        ++found->second.disables;
        f.idle_.wait(lock, [&] { return !found->second.running; });
        return {};
    }
    result<> enable_handler(function_type& f, pci::handler_id id) noexcept {
        std::unique_lock lock(f.mutex_);
        const auto found = find(f, id);
        if (found == f.handlers_.end())
            return fail(errc::enoent);
        slot& handler = found->second;
        if (handler.disables == 0)
            return fail(errc::einval);
        if (--handler.disables == 0 && handler.pending)
            (void)f.deliver(lock, handler, found->first);
        return {};
    }

    result<pci::dma_block> allocate_dma(function_type& f, std::size_t size) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        void* const memory = ::operator new(size, std::align_val_t(page), std::nothrow);
        if (memory == nullptr)
            return fail(errc::enomem);
        std::memset(memory, 0, size);
        ++f.dma_blocks;
        return pci::dma_block{
            .cpu = memory, .bus = pci::bus_address(std::bit_cast<std::uintptr_t>(memory)), .size = size};
    }
    void free_dma(function_type& f, const pci::dma_block& block) noexcept {
        --f.dma_blocks;
        ::operator delete(block.cpu, std::align_val_t(page));
    }
    result<pci::dma_block> map_dma(function_type& f, void* memory, std::size_t size) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        ++f.dma_mappings;
        return pci::dma_block{
            .cpu = memory, .bus = pci::bus_address(std::bit_cast<std::uintptr_t>(memory)), .size = size};
    }
    void unmap_dma(function_type& f, const pci::dma_block&) noexcept { --f.dma_mappings; }

private:
    using slot = function_type::slot;
    static constexpr std::size_t page = 4096;

    static void disabled(function_type& f, bool now) noexcept {
        if (now)
            f.master = false;
        f.enabled = f.enables_.disable_is_due() ? 1 : f.enables_.count();
    }

    static bool valid(unsigned offset, unsigned width) {
        return (width == 1 || width == 2 || width == 4) && offset % width == 0 && offset < 4096;
    }
    static std::map<pci::vector_index, function_type::slot>::iterator find(function_type& f, pci::handler_id id) {
        return std::ranges::find_if(f.handlers_, [&](auto& entry) { return entry.second.id == id; });
    }

    std::atomic<std::size_t> blocks_ = 0;
};

static_assert(pci::platform<null_platform>);

}  // namespace devres::test
