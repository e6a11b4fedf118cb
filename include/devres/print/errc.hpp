// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ostream>
#include <string>
#include <system_error>

#include <devres/core/errc.hpp>
#include <devres/print/formatter.hpp>

namespace devres {

/// The name that Linux gives an error: "EBUSY". @returns a string literal; null for a number that is not an `errc`
[[nodiscard]] constexpr const char* name_of(errc error) noexcept {
    switch (error) {
    case errc::eperm: return "EPERM";
    case errc::enoent: return "ENOENT";
    case errc::eintr: return "EINTR";
    case errc::eio: return "EIO";
    case errc::enxio: return "ENXIO";
    case errc::ebadf: return "EBADF";
    case errc::eagain: return "EAGAIN";
    case errc::enomem: return "ENOMEM";
    case errc::eacces: return "EACCES";
    case errc::efault: return "EFAULT";
    case errc::ebusy: return "EBUSY";
    case errc::eexist: return "EEXIST";
    case errc::enodev: return "ENODEV";
    case errc::enotdir: return "ENOTDIR";
    case errc::einval: return "EINVAL";
    case errc::enotty: return "ENOTTY";
    case errc::enospc: return "ENOSPC";
    case errc::erange: return "ERANGE";
    case errc::edeadlk: return "EDEADLK";
    case errc::enosys: return "ENOSYS";
    case errc::enodata: return "ENODATA";
    case errc::eproto: return "EPROTO";
    case errc::ebadmsg: return "EBADMSG";
    case errc::eoverflow: return "EOVERFLOW";
    case errc::eopnotsupp: return "EOPNOTSUPP";
    case errc::eshutdown: return "ESHUTDOWN";
    case errc::etimedout: return "ETIMEDOUT";
    case errc::ealready: return "EALREADY";
    case errc::ecanceled: return "ECANCELED";
    case errc::enotsupp: return "ENOTSUPP";
    case errc::eprobe_defer: return "EPROBE_DEFER";
    }
    return nullptr;
}

/// `EBUSY (device or resource busy)`; `error 4095` for a number that is not an `errc`.
inline std::ostream& operator<<(std::ostream& out, errc error) {
    if (const char* const name = name_of(error))
        return out << name << " (" << message(error) << ')';
    return out << "error " << std::to_string(static_cast<int>(error));
}

namespace detail {

/// The condition of the C++ library that an error means; none for what only Linux has.
[[nodiscard]] constexpr std::errc standard_errc(errc error) noexcept {
    switch (error) {
    case errc::eperm: return std::errc::operation_not_permitted;
    case errc::enoent: return std::errc::no_such_file_or_directory;
    case errc::eintr: return std::errc::interrupted;
    case errc::eio: return std::errc::io_error;
    case errc::enxio: return std::errc::no_such_device_or_address;
    case errc::ebadf: return std::errc::bad_file_descriptor;
    case errc::eagain: return std::errc::resource_unavailable_try_again;
    case errc::enomem: return std::errc::not_enough_memory;
    case errc::eacces: return std::errc::permission_denied;
    case errc::efault: return std::errc::bad_address;
    case errc::ebusy: return std::errc::device_or_resource_busy;
    case errc::eexist: return std::errc::file_exists;
    case errc::enodev: return std::errc::no_such_device;
    case errc::enotdir: return std::errc::not_a_directory;
    case errc::einval: return std::errc::invalid_argument;
    case errc::enotty: return std::errc::inappropriate_io_control_operation;
    case errc::enospc: return std::errc::no_space_on_device;
    case errc::erange: return std::errc::result_out_of_range;
    case errc::edeadlk: return std::errc::resource_deadlock_would_occur;
    case errc::enosys: return std::errc::function_not_supported;
    case errc::eproto: return std::errc::protocol_error;
    case errc::ebadmsg: return std::errc::bad_message;
    case errc::eoverflow: return std::errc::value_too_large;
    case errc::eopnotsupp: return std::errc::operation_not_supported;
    case errc::etimedout: return std::errc::timed_out;
    case errc::ealready: return std::errc::connection_already_in_progress;
    case errc::ecanceled: return std::errc::operation_canceled;
    case errc::enodata:
    case errc::eshutdown:
    case errc::enotsupp:
    case errc::eprobe_defer: break;
    }
    return {};
}

class error_category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "devres"; }
    [[nodiscard]] std::string message(int value) const override { return devres::message(static_cast<errc>(value)); }
    [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
        const std::errc standard = standard_errc(static_cast<errc>(value));
        return standard == std::errc{} ? std::error_condition(value, *this) : std::make_error_condition(standard);
    }
};

}  // namespace detail

/// The category of errors that are an `errc`: their numbers are Linux's on every host.
[[nodiscard]] inline const std::error_category& error_category() noexcept {
    static const detail::error_category category;
    return category;
}

/// For `std::error_code code = errc::ebusy;`, which compares equal to `std::errc::device_or_resource_busy`.
[[nodiscard]] inline std::error_code make_error_code(errc error) noexcept {
    return {static_cast<int>(error), error_category()};
}

}  // namespace devres

/// @cond
template <>
struct std::is_error_code_enum<devres::errc> : std::true_type {};

DEVRES_FORMATTER(devres::errc);
/// @endcond
