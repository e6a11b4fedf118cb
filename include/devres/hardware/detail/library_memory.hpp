// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <string>
#include <unordered_map>

#include <devres/core/detail/exceptions.hpp>
#include <devres/hardware/ledger.hpp>

namespace devres::hardware {

/// The memory that the library takes from a bus for its records, counted.
class library_memory {
public:
    explicit library_memory(ledger& books) noexcept : ledger_(&books) {}
    library_memory(const library_memory&) = delete;
    library_memory& operator=(const library_memory&) = delete;
    ~library_memory() {
        for (const auto& [block, was] : blocks_)
            ::operator delete(block, std::align_val_t{was.alignment});
    }

    [[nodiscard]] void* allocate(std::size_t size, std::size_t alignment) noexcept {
        if (size > most)
            return nullptr;
        alignment = at_least(alignment);
        void* const block = ::operator new(size, std::align_val_t{alignment}, std::nothrow);
        if (block == nullptr)
            return nullptr;
        const auto noted = devres::detail::unless_out_of_memory([&]() -> result<> {
            const std::scoped_lock hold(lock_);
            blocks_.emplace(block, shape{size, alignment});
            bytes_ += size;
            return {};
        });
        if (noted)
            return block;
        ::operator delete(block, std::align_val_t{alignment});
        return nullptr;
    }

    /// Frees a block; one that is not allocated, or has another size, is left alone and recorded.
    void deallocate(void* block, std::size_t size, std::size_t alignment) noexcept {
        if (block == nullptr)
            return;
        std::unique_lock hold(lock_);
        const auto found = blocks_.find(block);
        if (found == blocks_.end()) {
            hold.unlock();
            ledger_->record(violation_kind::memory_unknown,
                            "memory: a block of " + std::to_string(size) + " bytes is freed that is not allocated");
            return;
        }
        const shape was = found->second;
        if (was.size != size || was.alignment != at_least(alignment)) {
            hold.unlock();
            ledger_->record(violation_kind::memory_wrong_size,
                            "memory: a block of " + std::to_string(was.size) + " bytes, aligned to " +
                                std::to_string(was.alignment) + ", is freed as one of " + std::to_string(size) +
                                ", aligned to " + std::to_string(alignment));
            return;
        }
        blocks_.erase(found);
        bytes_ -= size;
        hold.unlock();
        ::operator delete(block, std::align_val_t{was.alignment});
    }

    struct use {
        std::size_t blocks = 0;
        std::size_t bytes = 0;
    };
    [[nodiscard]] use in_use() const noexcept {
        const std::scoped_lock hold(lock_);
        return {blocks_.size(), bytes_};
    }

private:
    struct shape {
        std::size_t size;
        std::size_t alignment;
    };
    static constexpr std::uint64_t most = std::uint64_t{1} << 38U;  // sanitizers end the program for more
    static constexpr std::size_t at_least(std::size_t alignment) noexcept {
        return alignment < sizeof(void*) ? sizeof(void*) : alignment;
    }

    ledger* ledger_;
    mutable std::mutex lock_;
    std::unordered_map<void*, shape> blocks_;
    std::size_t bytes_ = 0;
};

}  // namespace devres::hardware
