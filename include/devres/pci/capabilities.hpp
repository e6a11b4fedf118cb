// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/config_space.hpp>
#include <devres/pci/registers.hpp>

/// Where a function's capabilities are.
namespace devres::pci {

/// Where a list of capabilities ended.
struct capability_list_end {
    /// Why it ended.
    enum class reason : unsigned char {
        end,          ///< as it should
        into_header,  ///< a pointer into the header, which holds no capability
        loop,         ///< a pointer to a capability that was there before
        all_ones,     ///< a pointer to nothing: it reads as all ones
    };
    reason why = reason::end;  ///< why it ended
    unsigned link = 0;         ///< the offset of the pointer that led nowhere good
};

/// Calls `walker.visit(id, offset)` for each capability that configuration space lists, until it answers true.
/// `walker.read(offset, width)` answers a result of std::uint32_t for 1 and 2 bytes below 256. Each capability is visited once,
/// however the list goes on.
/// @returns where the list ended; the error of `read`
/// @par Linux
/// `PCI_FIND_NEXT_CAP()`, which follows 48 pointers at the most; it begins at 0x14 in a CardBus bridge as here
template <class Walker, class End = capability_list_end>
[[nodiscard]] constexpr result<End> walk_capabilities(Walker& walker) {
    namespace reg = registers;
    using reason = capability_list_end::reason;
    const auto status = walker.read(reg::status, 2U);
    const auto header = walker.read(reg::header_type, 1U);
    if (!status || !header)
        return fail((status ? header : status).error());
    if ((*status & reg::status_bits::capabilities) == 0)
        return End{};
    const bool cardbus = (*header & reg::header::layout) == reg::header::cardbus;
    unsigned link = cardbus ? reg::cardbus_capabilities : reg::capabilities;
    for (std::uint64_t seen = 0;;) {
        const auto pointer = walker.read(link, 1U);
        if (!pointer)
            return fail(pointer.error());
        const unsigned at = *pointer & 0xfcU;
        if (at == 0)
            return End{};
        if (at < reg::first_capability)
            return End{reason::into_header, link};
        if ((seen >> at / 4 & 1U) != 0)
            return End{reason::loop, link};
        seen |= std::uint64_t{1} << at / 4;
        const auto id = walker.read(at, 1U);
        if (!id)
            return fail(id.error());
        if (*id == 0xff)
            return End{reason::all_ones, link};
        if (walker.visit(*id, at))
            return End{};
        link = at + 1;
    }
}

namespace detail {

// Templates of what they answer, so that reading this header makes no result.

/// Reads a device, and stops at the capability that is wanted.
template <class Device, class Offset>
struct capability_search {
    const Device& dev;
    unsigned wanted;
    Offset found = 0;

    auto read(unsigned offset, unsigned width) const noexcept {
        return dev.platform().read_config(dev.function(), offset, width);
    }
    bool visit(unsigned id, unsigned at) noexcept { return id == wanted && (found = at) != 0; }
};

template <class Offset, class P, class Driver>
[[nodiscard]] result<Offset> find_capability(const device<P, Driver>& dev, unsigned id) noexcept {
    capability_search<device<P, Driver>, Offset> search{dev, id};
    const auto end = walk_capabilities(search);
    if (!end)
        return fail(end.error());
    return search.found;
}

template <class Offset, class P, class Driver>
[[nodiscard]] result<Offset> find_ext_capability(const device<P, Driver>& dev, unsigned id) noexcept {
    Offset at = registers::first_extended_capability;
    for (unsigned left = (4096 - registers::first_extended_capability) / 8; left != 0; --left) {  // more do not fit
        const auto header = pci_read_config_dword(dev, at);
        if (!header)
            return fail(header.error());
        if (*header == 0 || *header == ~0U)
            return Offset{0};
        if ((*header & 0xffffU) == id)
            return at;
        at = *header >> 20U & 0xffcU;
        if (at < registers::first_extended_capability)
            return Offset{0};
    }
    return Offset{0};
}

template <class Count, class P, class Driver>
[[nodiscard]] result<Count> msix_count(const device<P, Driver>& dev) noexcept {
    const auto at = find_capability<Count>(dev, registers::capability_id::msix);
    if (!at)
        return at;
    if (*at == 0)
        return fail(errc::einval);
    const auto control = pci_read_config_word(dev, *at + 2);
    if (!control)
        return fail(control.error());
    return (*control & registers::msix::size) + 1;
}

}  // namespace detail

/// The offset of the first capability with that id (`registers::capability_id`); 0 if there is none, or the list breaks off
/// before it, as it does where the device is gone.
/// @returns a result of unsigned; the platform's error if configuration space cannot be read
/// @par Linux
/// `pci_find_capability()`
template <class P, class Driver>
[[nodiscard]] auto pci_find_capability(const device<P, Driver>& dev, unsigned id) noexcept {
    return detail::find_capability<unsigned>(dev, id);
}

/// The offset of the first extended capability with that id, from 0x100; 0 if there is none.
/// @returns a result of unsigned; the platform's error if configuration space cannot be read
/// @par Linux
/// `pci_find_ext_capability()`
template <class P, class Driver>
[[nodiscard]] auto pci_find_ext_capability(const device<P, Driver>& dev, unsigned id) noexcept {
    return detail::find_ext_capability<unsigned>(dev, id);
}

/// How many entries its MSI-X table has.
/// @returns a result of unsigned; `einval` without MSI-X
/// @par Linux
/// `pci_msix_vec_count()`
template <class P, class Driver>
[[nodiscard]] auto pci_msix_vec_count(const device<P, Driver>& dev) noexcept {
    return detail::msix_count<unsigned>(dev);
}

}  // namespace devres::pci
