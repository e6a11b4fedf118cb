// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include <devres/devres.hpp>

namespace vmd {

/// An array whose size is known when the device is, in memory of the platform. It does not grow: pointers
/// into it are good for as long as it lives.
template <class T>
class platform_array {
public:
    platform_array() noexcept = default;
    platform_array(platform_array&& other) noexcept { swap(other); }
    platform_array& operator=(platform_array&& other) noexcept {
        platform_array moved(std::move(other));
        swap(moved);
        return *this;
    }
    ~platform_array() {
        for (std::size_t i = size_; i-- != 0;)
            data_[i].~T();
        if (data_ != nullptr)
            memory_.put(data_, size_ * sizeof(T), alignof(T));
    }

    /// `size` new elements. @returns `enomem`
    [[nodiscard]] static devres::result<platform_array> make(const devres::memory_hooks& memory,
                                                             std::size_t size) noexcept {
        return make(memory, size, [](std::size_t) { return T(); });
    }
    /// `size` new elements, each the one that `element` makes for its index. @returns `enomem`
    template <class Element>
    [[nodiscard]] static devres::result<platform_array> make(const devres::memory_hooks& memory, std::size_t size,
                                                             Element element) noexcept {
        platform_array made;
        if (size == 0)
            return made;
        void* const block = memory.get(size * sizeof(T), alignof(T));
        if (block == nullptr)
            return devres::fail(devres::errc::enomem);
        made.memory_ = memory;
        made.data_ = static_cast<T*>(block);
        for (; made.size_ != size; ++made.size_)
            ::new (made.data_ + made.size_) T(element(made.size_));
        return made;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] T& operator[](std::size_t index) noexcept { return data_[index]; }
    [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return data_[index]; }
    [[nodiscard]] T* data() noexcept { return data_; }
    [[nodiscard]] T* begin() noexcept { return data_; }
    [[nodiscard]] T* end() noexcept { return data_ + size_; }

private:
    void swap(platform_array& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
    }

    devres::memory_hooks memory_;
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace vmd
