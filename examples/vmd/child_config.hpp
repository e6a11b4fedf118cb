// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <devres/devres.hpp>

#include "bar_access.hpp"
#include "child_function.hpp"

namespace vmd {

/// The configuration spaces of the functions behind a VMD: a page of its CFGBAR for each.
template <class Parent>
class child_config {
public:
    explicit child_config(const pci::bar_of<Parent>& bar) noexcept : bar_(bar) {}

    /// Where the page of a function is, whose device and function number are bits 7 to 3 and 2 to 0 of `devfn`.
    [[nodiscard]] static constexpr std::size_t page(unsigned devfn) noexcept { return std::size_t{devfn} << 12U; }

    template <class T>
    [[nodiscard]] T get(std::size_t page, unsigned offset) const noexcept {
        return read_register<T>(bar_, page + offset);
    }
    template <class T>
    [[nodiscard]] T get(const child_function& f, unsigned offset) const noexcept {
        return get<T>(f.config, offset);
    }
    template <class T>
    void put(const child_function& f, unsigned offset, T value) const noexcept {
        write_register(bar_, f.config + offset, value);
    }

    /// Whether a function answers there.
    [[nodiscard]] bool is_present(std::size_t page) const noexcept {
        return get<std::uint16_t>(page, pci::registers::vendor_id) != 0xffff;
    }

    [[nodiscard]] std::uint32_t command(const child_function& f) const noexcept {
        return get<std::uint16_t>(f, pci::registers::command);
    }
    void put_command(const child_function& f, std::uint32_t value) const noexcept {
        put(f, pci::registers::command, static_cast<std::uint16_t>(value));
    }
    /// 0 is D0, 3 is D3hot; a function without power management is always in D0.
    void set_power(const child_function& f, std::uint32_t state) const noexcept {
        namespace reg = pci::registers::power_management;
        if (f.power_management == 0)
            return;
        const unsigned control = f.power_management + reg::control;
        const std::uint32_t others = get<std::uint16_t>(f, control) & ~reg::state;
        put(f, control, static_cast<std::uint16_t>(others | state));
    }

    /// A register of 1, 2 or 4 bytes. @returns `einval` for any other width, or an offset that is no multiple of it
    /// below 4096
    [[nodiscard]] result<std::uint32_t> read(std::size_t page, unsigned offset, unsigned width) const noexcept {
        if (!is_register(offset, width))
            return fail(errc::einval);
        return width == 1   ? get<std::uint8_t>(page, offset)
               : width == 2 ? get<std::uint16_t>(page, offset)
                            : get<std::uint32_t>(page, offset);
    }
    [[nodiscard]] result<> write(const child_function& f, unsigned offset, unsigned width,
                                 std::uint32_t value) const noexcept {
        if (!is_register(offset, width))
            return fail(errc::einval);
        if (width == 1)
            put(f, offset, static_cast<std::uint8_t>(value));
        else if (width == 2)
            put(f, offset, static_cast<std::uint16_t>(value));
        else
            put(f, offset, value);
        return {};
    }

private:
    [[nodiscard]] static bool is_register(unsigned offset, unsigned width) noexcept {
        return (width == 1 || width == 2 || width == 4) && offset % width == 0 && offset < 4096;
    }

    pci::bar_of<Parent> bar_;
};

}  // namespace vmd
