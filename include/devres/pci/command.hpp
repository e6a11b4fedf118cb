// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <devres/pci/config_space.hpp>
#include <devres/pci/enable.hpp>
#include <devres/pci/registers.hpp>

/// What a driver switches of an enabled function beside bus mastering. The unbind puts it back as it was.
namespace devres::pci {

namespace detail {

/// A bit of COMMAND as it was before it was switched, and the size of a cache line.
struct command_before {
    std::uint16_t bit;
    bool on;
    std::uint8_t cache_line;
};

struct command_kind : any_kind {
    static constexpr resource_kind about{"command"};
    template <class P>
    using value = command_before;

    template <class P, class Driver>
    static void release(device<P, Driver>& dev, const command_before& before) noexcept {
        auto& books = device_books::of(dev);
        books.switched = static_cast<std::uint16_t>(books.switched & ~before.bit);
        (void)set_command(dev, before.bit, before.on);
        if (before.bit == registers::command_bits::invalidate)
            (void)pci_write_config_byte(dev, registers::cache_line_size, before.cache_line);
    }

    /// @returns COMMAND as it was
    template <class P, class Driver>
    static auto set_command(device<P, Driver>& dev, std::uint16_t bit, bool on) noexcept {
        auto command = dev.platform().read_config(dev.function(), registers::command, 2);
        if (command && ((*command & bit) != 0) != on) {
            const auto written = dev.platform().write_config(dev.function(), registers::command, 2, *command ^ bit);
            if (!written) [[unlikely]]
                command = fail(written.error());
        }
        return command;
    }
};

template <class Enabled>
[[nodiscard]] result<> switch_command(const Enabled& enabled, std::uint16_t bit, bool on,
                                      std::uint8_t cache_line = 0) noexcept {
    auto& dev = enabled.dev();
    auto& books = device_books::of(dev);
    if ((books.switched & bit) != 0) {
        if (auto set = command_kind::set_command(dev, bit, on); !set) [[unlikely]]
            return fail(set.error());
        return {};
    }
    if (detail::in_handler(dev)) [[unlikely]]  // the records are the device's thread's
        return fail(errc::edeadlk);
    using record = held<managed_t, command_kind, platform_of<Enabled>, driver_of<Enabled>>;
    auto kept = acquire<record, command_kind>(
        dev, {}, [&]() noexcept -> result<typename command_kind::value<platform_of<Enabled>>> {
            DEVRES_TRY(const std::uint32_t before, command_kind::set_command(dev, bit, on));
            return command_before{bit, (before & bit) != 0, cache_line};
        });
    if (!kept) [[unlikely]]
        return fail(kept.error());
    books.switched = static_cast<std::uint16_t>(books.switched | bit);
    return {};
}

template <class Enabled>
[[nodiscard]] result<> may_switch(const Enabled& enabled) noexcept {
    if (!is_there(enabled)) [[unlikely]]
        return fail(errc::enoent);
    return used_records(enabled).check(enabled.dev().resources());
}

/// Has the function take 64 bytes for the size of a cache line, unless what it has is a multiple of that.
template <class P, class Driver>
[[nodiscard]] result<> set_cache_line(const device<P, Driver>& dev, std::uint8_t before) noexcept {
    constexpr std::uint8_t line = 64 / 4;
    if (before != 0 && before % line == 0)
        return {};
    DEVRES_TRY(pci_write_config_byte(dev, registers::cache_line_size, line));
    DEVRES_TRY(const std::uint8_t after, pci_read_config_byte(dev, registers::cache_line_size));
    return after == line ? result<>() : fail(errc::einval);
}

}  // namespace detail

/// Lets the function use Memory Write and Invalidate, and tells it the size of a cache line, 64 bytes, unless what it has is a
/// multiple of that. The unbind puts both back as they were.
/// @returns `einval` if the function does not take that size, `enoent` if the enable has been released, `enomem` if that it
/// was off cannot be recorded, `edeadlk` inside a handler that is the first to switch it, or the platform's error: it is as it was
/// then
/// @par Linux
/// `pci_set_mwi()`, after which drivers call `pci_clear_mwi()`, and `pcim_set_mwi()`, after which they do not
template <class Enabled>
    requires enabled_argument<Enabled>
[[nodiscard]] result<> pci_set_mwi(const Enabled& enabled) noexcept {
    DEVRES_TRY(detail::may_switch(enabled));
    DEVRES_TRY(const std::uint8_t before, pci_read_config_byte(enabled.dev(), registers::cache_line_size));
    auto set = detail::set_cache_line(enabled.dev(), before);
    if (set) [[likely]]
        set = detail::switch_command(enabled, registers::command_bits::invalidate, true, before);
    if (!set) [[unlikely]]
        (void)pci_write_config_byte(enabled.dev(), registers::cache_line_size, before);
    return set;
}

/// Switches Memory Write and Invalidate off.
/// @returns as `pci_set_mwi`
/// @par Linux
/// `pci_clear_mwi()`
template <class Enabled>
    requires enabled_argument<Enabled>
[[nodiscard]] result<> pci_clear_mwi(const Enabled& enabled) noexcept {
    DEVRES_TRY(detail::may_switch(enabled));
    DEVRES_TRY(const std::uint8_t line, pci_read_config_byte(enabled.dev(), registers::cache_line_size));
    return detail::switch_command(enabled, registers::command_bits::invalidate, false, line);
}

/// Lets the function assert its INTx pin, or keeps it from that, whatever its own registers say. The unbind puts it back as it
/// was. Vectors of MSI and MSI-X need no call: the platform switches the pin with them, and on again when they are freed.
/// @returns `enoent` if the enable has been released, `enomem` if what it was cannot be recorded, `edeadlk` inside a handler that is
/// the first to switch it, or the platform's error
/// @par Linux
/// `pci_intx()`, which is managed if the enable is, and `pcim_intx()`
template <class Enabled>
    requires enabled_argument<Enabled>
[[nodiscard]] result<> pci_intx(const Enabled& enabled, bool on) noexcept {
    DEVRES_TRY(detail::may_switch(enabled));
    return detail::switch_command(enabled, registers::command_bits::intx_disable, !on);
}

}  // namespace devres::pci
