// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

#include <devres/core/managed_ref.hpp>

/// Memory whose size is known at run time, and which devres frees.
namespace devres {

/// Elements in a row that devres owns: a view, to be copied at will. There is none of nothing, and it is not assigned.
template <class T>
class managed_array {
public:
    using value_type = T;  ///< what is in it

    /// Not trivial, so that an object with a view in it is not plain bytes for the device.
    DEVRES_INLINE constexpr managed_array(const managed_array& other) noexcept
        : data_(other.data_), size_(other.size_), record_(other.record_) {}
    managed_array& operator=(const managed_array&) = delete;
    ~managed_array() = default;

    [[nodiscard]] constexpr T* data() const noexcept { return data_; }                        ///< the first
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }               ///< elements
    [[nodiscard]] constexpr T* begin() const noexcept { return data_; }                       ///< the first
    [[nodiscard]] constexpr T* end() const noexcept { return data_ + size_; }                 ///< behind the last
    [[nodiscard]] constexpr T& operator[](std::size_t i) const noexcept { return data_[i]; }  ///< `i` below `size()`

    /// An element as something that devres owns, for a handler or a mapping. The program stops if `i` is not below `size()`.
    [[nodiscard]] managed_ref<T> element(std::size_t i) const noexcept {
        if (i >= size_) [[unlikely]]
            detail::stop("managed_array::element: there are not so many");
        return detail::token::make<managed_ref<T>>(data_[i], record_);
    }

private:
    friend struct detail::token;
    DEVRES_INLINE constexpr managed_array(T* data, std::size_t size, list::handle record) noexcept
        : data_(data), size_(size), record_(record) {}

    T* data_;
    std::size_t size_;
    list::handle record_;
};

namespace detail {

inline constexpr resource_kind memory_kind{"memory"};

/// The record of an array, before its elements.
template <class Device>
struct array_record {
    Device* dev;
    std::size_t bytes;  // of the record and what is behind it
    std::size_t alignment;

    static void release(void* argument) noexcept {
        const array_record record = *static_cast<array_record*>(argument);
        record_access::memory(record.dev->resources()).put(argument, record.bytes, record.alignment);
        note(*record.dev, {.what = resource_event::step::released, .managed = true, .resource = &memory_kind});
    }
};

/// Elements like `from`, or zeroed ones if that is null, and `more` zeroed ones.
template <class T, class Device>
[[nodiscard]] result<managed_array<T>> allocate_array(Device& dev, const T* from, std::size_t count,
                                                      std::size_t more = 0) noexcept {
    using element = std::remove_const_t<T>;
    using head = array_record<Device>;
    constexpr std::size_t alignment = alignof(T) > alignof(head) ? alignof(T) : alignof(head);
    constexpr std::size_t first = (sizeof(head) + alignof(T) - 1) / alignof(T) * alignof(T);
    const std::size_t all = count + more;
    if (all == 0)
        return fail(errc::einval);
    if (in_handler(dev)) [[unlikely]]
        return fail(errc::edeadlk);
    if (all > (~std::size_t{0} - first) / sizeof(T)) [[unlikely]]
        return fail(errc::enomem);
    list& resources = dev.resources();
    const std::size_t bytes = first + all * sizeof(T);
    void* const block = record_access::memory(resources).get(bytes, alignment);
    if (block == nullptr) [[unlikely]]
        return fail(errc::enomem);
    list_node* const node = record_access::take(resources);
    if (node == nullptr) [[unlikely]] {
        record_access::memory(resources).put(block, bytes, alignment);
        return fail(errc::enomem);
    }
    ::new (block) head{&dev, bytes, alignment};
    auto* const data = reinterpret_cast<element*>(static_cast<unsigned char*>(block) + first);
    for (std::size_t i = 0; i != all; ++i) {
        if (i < count && from != nullptr)
            ::new (static_cast<void*>(data + i)) element(from[i]);
        else
            ::new (static_cast<void*>(data + i)) element();
    }
    const list::handle record = record_access::put(resources, *node, &head::release, block, release_step::matter, 0);
    note(dev, {.managed = true, .resource = &memory_kind});
    return token::make<managed_array<T>>(static_cast<T*>(data), all, record);
}

template <class T>
inline constexpr bool is_plain = std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>;

}  // namespace detail

template <class T>
concept plain_elements = rule<
    detail::is_plain<T>, text{"devres[D012] elements of managed memory are plain values, made of nothing and copied: "
                              "devm_emplace a container of the others"}>;
template <class Driver>
concept kcalloc_managed =
    rule<owned_by<Driver, driver_data_t, managed_t>,
         text{"devres[D004] devm_kcalloc: the ownership table does not say driver_data = managed"}>;
template <class Driver>
concept kmemdup_managed =
    rule<owned_by<Driver, driver_data_t, managed_t>,
         text{"devres[D004] devm_kmemdup: the ownership table does not say driver_data = managed"}>;
template <class Driver>
concept kstrdup_managed =
    rule<owned_by<Driver, driver_data_t, managed_t>,
         text{"devres[D004] devm_kstrdup: the ownership table does not say driver_data = managed"}>;

/// `count` elements, each as `T()` makes it, until the driver is unbound: they go with the objects without a destructor.
/// @returns a view of them; `einval` if `count` is 0, `enomem` if there is no memory for them or their record, `edeadlk` from
/// inside a handler of the device: nothing is allocated then.
/// @par Linux
/// `devm_kcalloc()`, `devm_kmalloc_array()`, `devm_kzalloc()` of bytes; the result is never null, nor of no size
template <class T, class Device>
    requires kcalloc_managed<typename detail::driver_of<Device>::type> && plain_elements<T>
[[nodiscard]] result<managed_array<T>> devm_kcalloc(Device& dev, std::size_t count) noexcept {
    return detail::allocate_array<T>(dev, nullptr, count);
}

/// A copy of `count` elements at `from`, until the driver is unbound.
/// @returns as `devm_kcalloc`, and `einval` if `from` is null
/// @par Linux
/// `devm_kmemdup()`
template <class T, class Device>
    requires kmemdup_managed<typename detail::driver_of<Device>::type> && plain_elements<T>
[[nodiscard]] result<managed_array<T>> devm_kmemdup(Device& dev, const T* from, std::size_t count) noexcept {
    if (from == nullptr)
        return fail(errc::einval);
    return detail::allocate_array<T>(dev, from, count);
}

/// A copy of a text and its final null, which `size()` counts, until the driver is unbound.
/// @returns as `devm_kcalloc`, and `einval` if `text` is null
/// @par Linux
/// `devm_kstrdup()`; for `devm_kasprintf()`, format first
template <class Device>
    requires kstrdup_managed<typename detail::driver_of<Device>::type>
[[nodiscard]] result_in<managed_array<const char>, Device> devm_kstrdup(Device& dev, const char* text) noexcept {
    if (text == nullptr)
        return fail(errc::einval);
    std::size_t length = 0;
    while (text[length] != '\0')
        ++length;
    return detail::allocate_array<const char>(dev, text, length, 1);
}

}  // namespace devres
