// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <new>

#include <devres/core/detail/type_name.hpp>
#include <devres/pci/any_binding.hpp>
#include <devres/pci/erased.hpp>

/// Drivers that are compiled once: what a driver's source file offers, and how a program that knows no more puts it on a function.
namespace devres::pci {

namespace detail {

/// What there is to do with a driver, on the room where its binding is.
template <class Driver, class Interface>
struct operations_of {
    using binding_type = binding<Driver, any_platform>;
    static_assert(sizeof(binding_type) <= sizeof(binding_room), "a binding is a pointer");

    static binding_type& in(void* room) noexcept { return *std::launder(static_cast<binding_type*>(room)); }

    static result<> bind(any_platform& platform, any_function& function, void* room) {
        auto bound = pci::bind<Driver>(platform, function);
        if (!bound)
            return fail(bound.error());
        ::new (room) binding_type(static_cast<binding_type&&>(*bound));
        return {};
    }
    static void end(void* room) noexcept { in(room).~binding_type(); }
    static result<> unbind(void* room) noexcept { return in(room).unbind(); }
    static result<> suspend(void* room) { return in(room).suspend(); }
    static result<> resume(void* room) noexcept { return in(room).resume(); }
    static void* state([[maybe_unused]] void* room) noexcept {
        if constexpr (std::is_void_v<Interface>) {
            return nullptr;
        } else {
            static_assert(std::is_convertible_v<decltype(&in(room).state()), Interface*>,
                          "devres[D007] driver_entry: the driver's state is not the interface that its entry names");
            return static_cast<Interface*>(&in(room).state());
        }
    }

    static constexpr driver_operations all{&bind, &end, &unbind, &suspend, &resume, &state};
};

/// A driver that says which functions it is for.
template <class Driver>
concept has_ids = requires { Driver::ids; };

/// What tells an entry of this library from other data, and those of another version of it.
inline constexpr std::uint64_t entry_mark = 0x6465'7672'6573'2f70;
/// Goes up when `any_platform`, an entry or what they exchange changes.
inline constexpr unsigned interface_version = 2;
/// Standard libraries differ in what a `result` looks like.
#if defined(_LIBCPP_VERSION)
inline constexpr unsigned entry_abi = 2 * interface_version + 1;
#else
inline constexpr unsigned entry_abi = 2 * interface_version;
#endif

/// As `strcmp`, where there is no C library.
[[nodiscard]] constexpr bool is_same_text(const char* a, const char* b) noexcept {
    for (; *a == *b; ++a, ++b) {
        if (*a == 0)
            return true;
    }
    return false;
}

/// The part of an entry that is the same for all.
struct entry_head {
    std::uint64_t mark = entry_mark;
    unsigned abi = entry_abi;
    unsigned id_count = 0;
    const char* interface = "";
    const char* name = "";
    const device_id* ids = nullptr;  // null: the driver is for any function
    const driver_operations* operations = nullptr;
};

}  // namespace detail

/// A driver that has been compiled: its name, its ids, and a way to put it on a function of any platform. `Interface` is what the
/// program may do with its state, a class without template arguments that the state is or derives from; void: nothing.
///
/// Example:
/// @code
/// // meter.hpp
/// extern "C" const pci::driver_entry<meter> meter_driver;
/// // meter.cpp
/// constinit const pci::driver_entry<meter> meter_driver = pci::compiled<driver, meter>("meter");
/// // the program
/// auto bound = meter_driver.bind(bus, function);
/// bound->state().celsius();
/// @endcode
/// @par Linux
/// `struct pci_driver`
template <class Interface = void>
class driver_entry {
public:
    /// What `compiled` was told.
    [[nodiscard]] constexpr const char* name() const noexcept { return head_.name; }

    /// The entry of the driver's ids that means this function, null if none does; `function` itself for a driver without ids.
    [[nodiscard]] constexpr const device_id* match(const device_id& function) const noexcept {
        if (head_.ids == nullptr)
            return &function;
        for (unsigned i = 0; i != head_.id_count; ++i) {
            if (head_.ids[i].matches(function))
                return &head_.ids[i];
        }
        return nullptr;
    }

    /// Puts the driver on a function of a platform, which is erased for it in memory of the platform; a platform that is an
    /// `any_platform` is taken as it is. Platform and function outlive the binding.
    /// @returns the binding, which unbinds when it dies; what `pci::bind` answers in an error, with nothing left behind
    template <platform P>
    [[nodiscard]] result<any_binding<Interface>> bind(P& platform, typename P::function_type& function) const {
        if (match(platform.id(function)) == nullptr)
            return fail(errc::enodev);
        using place = detail::place_on<P>;
        void* const memory = platform.allocate(sizeof(place), alignof(place));
        if (memory == nullptr) [[unlikely]]
            return fail(errc::enomem);
        struct forgetter {
            place* made;
            ~forgetter() {
                if (made != nullptr)
                    made->forget(made);
            }
        } started{::new (memory) place(*head_.operations, platform, function)};
        const auto bound = head_.operations->bind(started.made->platform(), started.made->function(),
                                                  &started.made->room);
        if (!bound)
            return fail(bound.error());
        detail::binding_place* const made = started.made;
        started.made = nullptr;
        return any_binding<Interface>(made);
    }

private:
    template <class D, class I>
    friend constexpr driver_entry<I> compiled(const char* name, detail::looked_at) noexcept;
    template <class I>
    friend result<const driver_entry<I>*> driver_in(const void* symbol) noexcept;

    explicit constexpr driver_entry(const detail::entry_head& head) noexcept : head_(head) {}

    detail::entry_head head_;
};

/// What a driver's source file offers: the entry of `Driver`, a driver of any form, compiled for every platform here and nowhere
/// else. The last argument is nothing, as that of `bind`.
template <class Driver, class Interface = void>
[[nodiscard]] constexpr driver_entry<Interface>
compiled(const char* name, detail::looked_at = detail::probe_of<Driver, any_platform>(
                               &detail::with_probe<Driver, any_platform>::probe)) noexcept {
    detail::entry_head head;
    head.interface = detail::type_name<Interface>.text;
    head.name = name;
    if constexpr (detail::has_ids<Driver>) {
        head.ids = &Driver::ids[0];
        head.id_count = sizeof(Driver::ids) / sizeof(device_id);
    }
    head.operations = &detail::operations_of<Driver, Interface>::all;
    return driver_entry<Interface>(head);
}

/// The driver in a plugin: `symbol` is what `dlsym` found, a `driver_entry<Interface>` that the plugin exports.
/// @returns `enoent` if it is null, `einval` if no entry is there, `enotsupp` if it was compiled with a version of this library or
/// a standard library that do not fit, `eproto` if its interface has another name
template <class Interface = void>
[[nodiscard]] result<const driver_entry<Interface>*> driver_in(const void* symbol) noexcept {
    if (symbol == nullptr)
        return fail(errc::enoent);
    const auto* const found = static_cast<const driver_entry<Interface>*>(symbol);
    if (found->head_.mark != detail::entry_mark)
        return fail(errc::einval);
    if (found->head_.abi != detail::entry_abi)
        return fail(errc::enotsupp);
    if (!detail::is_same_text(found->head_.interface, detail::type_name<Interface>.text))
        return fail(errc::eproto);
    return found;
}

}  // namespace devres::pci
