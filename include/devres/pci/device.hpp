// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/attributes.hpp>
#include <devres/core/detail/stop.hpp>
#include <devres/core/list.hpp>
#include <devres/pci/platform.hpp>

/// A function with a driver on it.
namespace devres::pci {

template <class P, class Driver>
class device;

namespace detail {

/// A handler cannot be freed from inside itself. Who asks for it by a call is refused; a destructor or a group cannot
/// be, and going on would leave the handler registered with what it uses gone: the program stops.
DEVRES_INLINE void or_stop(const result<>& released) noexcept {
    if (!released) [[unlikely]]
        detail::stop("a guard dies inside a handler of its device: it would wait for itself");
}

/// What a device knows of what has been acquired, beside the records.
struct device_books {
    unsigned enables = 0;  ///< managed ones that are live
    bool managed_vectors = false;
    bool mastering = false;
    unsigned short switched = 0;  ///< bits of COMMAND that a record puts back

    template <class P, class Driver>
    DEVRES_INLINE static device_books& of(const device<P, Driver>& dev) noexcept {
        return dev.books_;
    }
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
    using platform_type = P;                          ///< where it is
    using driver_type = Driver;                       ///< whose table is checked; void: none
    using function_type = typename P::function_type;  ///< the platform's

    /// A device with an empty release list. `platform` and `function` outlive it.
    [[nodiscard]] device(P& platform DEVRES_LIFETIMEBOUND, function_type& function DEVRES_LIFETIMEBOUND) noexcept
        : platform_(&platform), function_(&function), resources_(hooks_of(platform), handlers_of(*this)) {}

    device(const device&) = delete;
    device& operator=(const device&) = delete;

    /// Releases what devres still owns, from the outside in (`release_step`). After the handlers, vectors of the driver's
    /// own that are left are freed, and bus mastering goes off; what the function answers to that does not matter, as it
    /// may be gone.
    ~device() {
        resources_.release_through(release_step::handlers);
        if (!books_.managed_vectors)
            detail::or_stop(platform_->free_vectors(*function_));
        if (books_.mastering)
            (void)platform_->set_master(*function_, false);
        resources_.release_all();
    }

    [[nodiscard]] P& platform() const noexcept { return *platform_; }              ///< where it is
    [[nodiscard]] function_type& function() const noexcept { return *function_; }  ///< what the platform calls it

    /// What devres frees at unbind.
    [[nodiscard]] list& resources() noexcept { return resources_; }

    /// What the function is: every field known, `driver_data` 0.
    [[nodiscard]] device_id id() const noexcept { return platform_->id(*function_); }

private:
    friend detail::device_books;

    static handler_hooks handlers_of(device& self) noexcept {
        return {
            .running_here =
                [](void* context) noexcept {
                    const auto& dev = *static_cast<device*>(context);
                    return dev.platform_->in_handler(*dev.function_);
                },
            .wait_for_all =
                [](void* context) noexcept {
                    const auto& dev = *static_cast<device*>(context);
                    (void)dev.platform_->synchronize_handler(*dev.function_, handler_id::none);
                },
            .context = &self,
        };
    }

    P* platform_;
    function_type* function_;
    mutable detail::device_books books_;
    list resources_;
};

}  // namespace devres::pci
