// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <devres/pci/register_window.hpp>
#include <devres/vfio/detail/device_file.hpp>

namespace devres::vfio {

namespace detail {

/// A BAR, as much of it as can be in the program's memory, at its place there: `areas`. For the rest the kernel is asked.
template <class System>
struct mapped_bar {
    static constexpr unsigned max_areas = 8;

    const device_file<System>* device = nullptr;  // null: not mapped
    std::byte* base = nullptr;                    // null: nothing of it is in memory
    std::uint64_t size = 0;
    std::uint64_t offset = 0;  // in the device's file
    bar_area areas[max_areas];
    unsigned area_count = 0;

    /// Maps what `layout` says, but lets nobody at `msix_table`, which is the kernel's.
    /// @returns the system's error: nothing is mapped then
    result<> map(const device_file<System>& of, const region_layout& layout, bar_area msix_table) noexcept {
        *this = {};
        size = layout.size;
        offset = layout.offset;
        if (!layout.mappable.empty()) {
            void* const room = of.system().map(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (room == MAP_FAILED)
                return fail(last_error());
            base = static_cast<std::byte*>(room);
            for (const bar_area& area : layout.mappable) {
                if (of.system().map(base + area.begin, area.end - area.begin, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_FIXED, of.fd(), offset + area.begin) == MAP_FAILED) {
                    const errc error = last_error();
                    (void)of.system().unmap(base, size);
                    return fail(error);
                }
                if (msix_table.begin < area.end && area.begin < msix_table.end) {
                    use({area.begin, msix_table.begin});
                    use({msix_table.end, area.end});
                } else {
                    use(area);
                }
            }
        }
        device = &of;
        return {};
    }
    void unmap() noexcept {
        const devres::detail::errno_guard keep;
        if (base != nullptr)
            (void)device->system().unmap(base, size);
        *this = {};
    }

    /// The area that accesses are tried in first.
    [[nodiscard]] bar_area largest() const noexcept {
        bar_area found;
        for (unsigned i = 0; i != area_count; ++i) {
            if (areas[i].end - areas[i].begin > found.end - found.begin)
                found = areas[i];
        }
        return found;
    }

    /// Where a register is in memory, or null.
    [[nodiscard]] std::byte* find(std::uint64_t at) const noexcept {
        for (unsigned i = 0; i != area_count; ++i) {
            if (at >= areas[i].begin && at < areas[i].end)
                return base + at;
        }
        return nullptr;
    }

private:
    void use(bar_area area) noexcept {
        if (area.begin < area.end && area_count != max_areas)
            areas[area_count++] = area;
    }
};

}  // namespace detail

/// A mapped BAR: what a driver reads and writes through. A copy is the same mapping, and good as long as it.
template <class System>
class basic_region {
public:
    /// No mapping, of no size.
    constexpr basic_region() noexcept = default;
    /// For `basic_bus::map_bar`.
    explicit basic_region(detail::mapped_bar<System>& bar) noexcept
        : base_(bar.base), begin_(bar.largest().begin), length_(bar.largest().end - begin_), bar_(&bar) {}

    /// it is a mapping of that BAR
    [[nodiscard]] bool is_of(const detail::mapped_bar<System>& bar) const noexcept { return bar_ == &bar; }
    /// Of the BAR in bytes; 0 of no mapping.
    [[nodiscard]] std::size_t size() const noexcept {
        return bar_ == nullptr ? 0 : static_cast<std::size_t>(bar_->size);
    }

    /// The largest part of it that is in memory.
    [[nodiscard]] pci::register_window window() const noexcept {
        return {.base = base_, .begin = static_cast<std::size_t>(begin_), .length = static_cast<std::size_t>(length_)};
    }

    /// Registers are read and written whole, in the order of the program, by the CPU where they are in memory.
    template <class T>
    [[nodiscard]] T read(std::size_t offset) const noexcept {
        static_assert(std::is_unsigned_v<T>);
        if (offset - begin_ < length_) [[likely]]
            return *reinterpret_cast<const volatile T*>(base_ + offset);
        T value = static_cast<T>(~T{});
        if (bar_ == nullptr)
            return value;
        if (const std::byte* const found = bar_->find(offset))
            return *reinterpret_cast<const volatile T*>(found);
        T answer{};
        if (bar_->device->read(bar_->offset + offset, sizeof(T), &answer))
            value = answer;
        return value;
    }
    /// As `read`; without a mapping, nothing.
    template <class T>
    void write(std::size_t offset, T value) const noexcept {
        static_assert(std::is_unsigned_v<T>);
        if (offset - begin_ < length_) [[likely]] {
            *reinterpret_cast<volatile T*>(base_ + offset) = value;
            return;
        }
        if (bar_ == nullptr)
            return;
        if (std::byte* const found = bar_->find(offset))
            *reinterpret_cast<volatile T*>(found) = value;
        else
            (void)bar_->device->write(bar_->offset + offset, sizeof(T), &value);
    }

private:
    std::byte* base_ = nullptr;
    std::uint64_t begin_ = 0;
    std::uint64_t length_ = 0;
    detail::mapped_bar<System>* bar_ = nullptr;
};

}  // namespace devres::vfio
