// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/pci/detail/pool_pages.hpp>
#include <devres/pci/dma_coherent.hpp>

/// Small pieces of memory that the driver and the device share.
namespace devres::pci {

namespace detail {

struct pool_kind : any_kind {
    static constexpr resource_kind about{"dma_pool"};
    template <class P>
    using value = pool_pages<P>*;

    template <class P, class Driver>
    static void release(device<P, Driver>&, pool_pages<P>*& pages) noexcept {
        pages->end();
    }
    static constexpr void clear(auto*& pages) noexcept { pages = nullptr; }
};
struct pool_element_kind : any_kind {
    static constexpr resource_kind about{"dma_pool_element"};
    template <class P>
    using value = typename pool_pages<P>::element;

    template <class P, class Driver>
    static void release(device<P, Driver>&, typename pool_pages<P>::element& element) noexcept {
        pool_pages<P>::give(element);
    }
    static constexpr void clear(auto& element) noexcept { element = {}; }
};

struct pool_access;

}  // namespace detail

/// Where elements come from: pages of shared memory, of which each has many. Owned by devres, it is a view to be copied at will;
/// owned by the driver, a guard. A pool that ends while elements are out goes with the last of them.
///
/// A pool and its elements are used by one thread at a time: where handlers use them too, behind the driver's lock.
template <class Owner, class P, class Driver = void>
class DEVRES_CONSUMABLE dma_pool : public detail::held<Owner, detail::pool_kind, P, Driver> {
    friend struct devres::detail::token;
    friend detail::pool_access;
    using detail::held<Owner, detail::pool_kind, P, Driver>::held;
};

/// For the members of a driver's state: `pool_of<Device>`.
template <class Device>
using pool_of = dma_pool<managed_t, typename Device::platform_type, typename Device::driver_type>;

/// An element of a pool: a guard that gives it back to the pool that it is of when it dies.
template <class P, class Driver = void>
class DEVRES_CONSUMABLE dma_pool_element : public detail::held<unmanaged_t, detail::pool_element_kind, P, Driver> {
    friend struct devres::detail::token;
    using detail::held<unmanaged_t, detail::pool_element_kind, P, Driver>::held;

public:
    /// Where the driver finds it.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY void* data() const noexcept { return block().cpu; }
    /// Where the device finds it.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY bus_address address() const noexcept { return block().bus; }
    /// Its size in bytes, which is what the pool was made for.
    [[nodiscard]] DEVRES_NOT_WHEN_EMPTY std::size_t size() const noexcept { return block().size; }

private:
    [[nodiscard]] dma_block block() const noexcept { return this->value_.pool->at(this->value_); }
};

template <class Enabled>
concept pool_of_managed_device =
    rule<std::is_same_v<detail::owner_of<Enabled>, managed_t>,
         text{"devres[D005] a managed pool needs a device enabled with pcim_enable_device"}>;
template <class Driver>
concept pool_managed =
    rule<owned_by<Driver, dma_coherent_t, managed_t>,
         text{"devres[D004] dmam_pool_create: the ownership table does not say dma_coherent = managed"}>;
template <class Driver>
concept pool_unmanaged =
    rule<owned_by<Driver, dma_coherent_t, unmanaged_t>,
         text{"devres[D004] dma_pool_create: the ownership table does not say dma_coherent = unmanaged"}>;

namespace detail {

template <class Pool>
inline constexpr bool is_pool = false;
template <class Owner, class P, class Driver>
inline constexpr bool is_pool<dma_pool<Owner, P, Driver>> = true;

struct pool_access {
    template <class Pool, class Enabled>
    [[nodiscard]] static result<Pool> make(const Enabled& enabled, const char* name, std::size_t size,
                                           std::size_t align, std::size_t boundary) noexcept {
        if (!is_there(enabled)) [[unlikely]]
            return fail(errc::enoent);
        pool_layout layout;
        if (!layout.set(size, align, boundary)) [[unlikely]]
            return fail(errc::einval);
        auto& dev = enabled.dev();
        if (detail::in_handler(dev)) [[unlikely]]
            return fail(errc::edeadlk);
        return acquire<Pool, pool_kind>(
            dev, {.name = name},
            [&]() noexcept {
                return pool_pages<detail::platform_of<Enabled>>::make(dev.platform(), dev.function(), layout);
            },
            enabled);
    }
    template <class Pool>
    [[nodiscard]] static auto take(const Pool& pool, bool zeroed) noexcept
        -> result<dma_pool_element<detail::platform_of<Pool>, detail::driver_of<Pool>>> {
        using element = dma_pool_element<detail::platform_of<Pool>, detail::driver_of<Pool>>;
        if constexpr (std::same_as<typename Pool::owner_type, unmanaged_t>) {
            if (!pool) [[unlikely]]
                return fail(errc::enoent);
        }
        auto taken = acquire<element, pool_element_kind>(
            *pool.dev_, {}, [&]() noexcept { return pool.value_->take(); }, pool);
        if (taken && zeroed)
            __builtin_memset(taken->data(), 0, taken->size());
        return taken;
    }
};

}  // namespace detail

template <class Pool>
concept pool_argument = rule<
    detail::is_pool<Pool>, text{"devres[D009] the first argument is no pool: unwrap the result of dma(m)_pool_create, "
                                "DEVRES_TRY(auto pool, dmam_pool_create(device, name, size))"}>;

/// Makes a pool of elements of `size` bytes, each at a multiple of `align`, a power of two up to 4096, and none across a multiple
/// of `boundary`, a power of two, or 0 for any, until the driver is unbound and the device masters the bus no more. `name` is for
/// watchers, and outlives the pool. Memory is taken when an element finds no room.
/// @returns a view of the pool; `einval` if there are no such elements, or `boundary` is not 0 for some larger than a page,
/// `enomem` if there is no memory for the pool or its record, `enoent` if the enable has been released, `edeadlk` from inside
/// a handler: there is no pool then.
/// @par Linux
/// `dmam_pool_create()`. There a pool that ends while elements are out complains, and leaks all of its memory; who then gives an
/// element back does so to a pool that has gone.
template <class Enabled>
    requires enabled_argument<Enabled> && pool_of_managed_device<Enabled> && pool_managed<detail::driver_of<Enabled>>
[[nodiscard]] auto dmam_pool_create(const Enabled& enabled, const char* name, std::size_t size, std::size_t align = 1,
                                    std::size_t boundary = 0) noexcept
    -> result<dma_pool<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using pool = dma_pool<managed_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::pool_access::make<pool>(enabled, name, size, align, boundary);
}

/// As `dmam_pool_create`, until the guard dies.
/// @returns a guard that ends the pool; the errors of `dmam_pool_create`: there is no pool then.
/// @par Linux
/// `dma_pool_create()` and, when the guard dies, `dma_pool_destroy()`
template <class Enabled>
    requires enabled_argument<Enabled> && pool_unmanaged<detail::driver_of<Enabled>>
[[nodiscard]] auto dma_pool_create(const Enabled& enabled, const char* name, std::size_t size, std::size_t align = 1,
                                   std::size_t boundary = 0) noexcept
    -> result<dma_pool<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>> {
    using pool = dma_pool<unmanaged_t, detail::platform_of<Enabled>, detail::driver_of<Enabled>>;
    return detail::pool_access::make<pool>(enabled, name, size, align, boundary);
}

/// Takes an element, whose bytes are anything, until the guard dies. Handlers may, if there is one in the pool's memory.
/// @returns a guard that gives it back; `enomem` if there is no more memory, `enoent` if the pool has been released, `edeadlk` from
/// inside a handler if the pool needs more memory, or the platform's error: nothing is taken then.
/// @par Linux
/// `dma_pool_alloc()` and, when the guard dies, `dma_pool_free()`
template <class Pool>
    requires pool_argument<Pool>
[[nodiscard]] auto dma_pool_alloc(const Pool& pool) noexcept
    -> result<dma_pool_element<detail::platform_of<Pool>, detail::driver_of<Pool>>> {
    return detail::pool_access::take(pool, false);
}

/// As `dma_pool_alloc`, of zeroes.
/// @par Linux
/// `dma_pool_zalloc()`
template <class Pool>
    requires pool_argument<Pool>
[[nodiscard]] auto dma_pool_zalloc(const Pool& pool) noexcept
    -> result<dma_pool_element<detail::platform_of<Pool>, detail::driver_of<Pool>>> {
    return detail::pool_access::take(pool, true);
}

}  // namespace devres::pci
