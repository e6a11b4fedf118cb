// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/attributes.hpp>
#include <devres/core/list.hpp>
#include <devres/core/managed_ref.hpp>
#include <devres/pci/platform.hpp>

namespace devres::pci {

template <class P, class Driver>
class device;

namespace detail {

/// A handler cannot be freed from inside itself. Who asks for it by a call is refused; a destructor or a group cannot
/// be, and going on would leave the handler registered with what it uses gone: the program stops.
DEVRES_INLINE void or_stop(const result<>& released) noexcept {
    if (!released) [[unlikely]]
        __builtin_trap();
}

/// What devres knows of a managed BAR.
template <class P, class Driver>
struct bar_record {
    device<P, Driver>* dev = nullptr;
    list::handle record;
    typename P::region_type region{};
};

/// What devres knows of the managed handler on a vector: `id` is none where there is none.
template <class P, class Driver>
struct handler_record : devres::detail::managed_user {
    device<P, Driver>* dev = nullptr;
    list::handle record;
    handler_id id = handler_id::none;
    unsigned index = 0;
    const char* name = nullptr;
};

/// What devres knows of the managed vectors: `handlers` has a record per vector.
template <class P, class Driver>
struct vectors_record {
    list::handle record;
    handler_record<P, Driver>* handlers = nullptr;
    unsigned count = 0;
    unsigned registered = 0;
};

/// The records of a device: at most one of each BAR and one of vectors can be live.
template <class P, class Driver>
struct device_records {
    unsigned enables = 0;
    vectors_record<P, Driver> vectors;
    bar_record<P, Driver> bars[bar_count];

    static device_records& of(device<P, Driver>& dev) noexcept { return dev.records_; }
};

}  // namespace detail

/// A function with a driver on it: what `probe` is given, and what every managed resource hangs on. It is not
/// copied or moved. One thread at a time uses a device; interrupts may arrive on any.
///
/// `P` is the platform, `Driver` the type whose ownership table is checked; void: none is. `bind` makes
/// devices; one made by hand is for code that has no driver, such as a test.
/// @par Linux
/// `struct pci_dev`, from probe to the end of the unbind
template <class P, class Driver = void>
class device {
public:
    using platform_type = P;
    using driver_type = Driver;
    using function_type = typename P::function_type;

    /// A device with an empty release list. `platform` and `function` outlive it.
    [[nodiscard]] device(P& platform DEVRES_LIFETIMEBOUND, function_type& function DEVRES_LIFETIMEBOUND) noexcept
        : platform_(&platform), function_(&function), resources_(hooks_of(platform)) {}

    device(const device&) = delete;
    device& operator=(const device&) = delete;

    /// Releases what devres still owns, newest first.
    ~device() = default;

    [[nodiscard]] P& platform() const noexcept { return *platform_; }
    [[nodiscard]] function_type& function() const noexcept { return *function_; }

    /// What devres frees at unbind.
    [[nodiscard]] list& resources() noexcept { return resources_; }

    /// What the function is: every field known, `driver_data` 0.
    [[nodiscard]] device_id id() const noexcept { return platform_->id(*function_); }

private:
    friend detail::device_records<P, Driver>;

    P* platform_;
    function_type* function_;
    detail::device_records<P, Driver> records_;
    list resources_;  // last, because its destructor uses the others
};

}  // namespace devres::pci
