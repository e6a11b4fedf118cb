// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace devres::hardware::detail {

/// What a device sees of mapped memory where its accesses pass the CPU's cache by: bytes of its own. What either side writes
/// reaches the other when it is synced. Bytes that the driver has written since are known by what they were then.
class dma_shadow {
public:
    /// The device sees what is there now.
    dma_shadow(void* cpu, std::size_t size)
        : cpu_(static_cast<std::byte*>(cpu)), storage_(std::make_unique<std::byte[]>(2 * size + 8)),
          device_(storage_.get() + reinterpret_cast<std::uintptr_t>(cpu) % 8), synced_(device_ + size) {
        for (std::size_t i = 0; i != size; ++i)
            device_[i] = synced_[i] = cpu_at(i);
    }

    /// The device's bytes, aligned as those of the driver.
    [[nodiscard]] std::byte* device() const noexcept { return device_; }

    /// Whether the driver has written some of these since they were last synced.
    [[nodiscard]] bool written_by_driver(std::size_t offset, std::size_t size) const noexcept {
        for (std::size_t i = offset; i != offset + size; ++i) {
            if (cpu_at(i) != synced_[i])
                return true;
        }
        return false;
    }
    /// The device sees what the driver has written. @returns false if the device had written some of that, too
    bool to_device(std::size_t offset, std::size_t size) noexcept {
        bool apart = true;
        for (std::size_t i = offset; i != offset + size; ++i) {
            const std::byte now = cpu_at(i);
            if (now == synced_[i])
                continue;
            apart = apart && device_[i] == synced_[i];
            device_[i] = synced_[i] = now;
        }
        return apart;
    }
    /// The driver sees what the device has. @returns false if the driver had written some of that
    bool to_cpu(std::size_t offset, std::size_t size) noexcept {
        const bool apart = !written_by_driver(offset, size);
        for (std::size_t i = offset; i != offset + size; ++i) {
            synced_[i] = device_[i];
            std::atomic_ref<std::byte>(cpu_[i]).store(device_[i], std::memory_order_relaxed);
        }
        return apart;
    }

private:
    [[nodiscard]] std::byte cpu_at(std::size_t i) const noexcept {
        return std::atomic_ref<std::byte>(cpu_[i]).load(std::memory_order_relaxed);
    }

    std::byte* cpu_;
    std::unique_ptr<std::byte[]> storage_;
    std::byte* device_;
    std::byte* synced_;
};

}  // namespace devres::hardware::detail
