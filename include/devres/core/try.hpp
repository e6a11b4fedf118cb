// SPDX-License-Identifier: BSL-1.0
#pragma once

// So that a diagnostic inside DEVRES_TRY(...) shows the driver's line, not the macro's insides.
#pragma GCC system_header

/// The value of a `result` expression; on an error, returns that error from the enclosing function, whose
/// guards then release what they hold, newest first. The enclosing function returns a `result` of any type.
///
/// @par Example
/// @code
/// auto device  = DEVRES_TRY(pcim_enable_device(dev));
/// auto vectors = DEVRES_TRY(pcim_alloc_irq_vectors(device, 1, 32, irq_type::msix | irq_type::msi));
/// DEVRES_TRY(devm_request_irq<&state::on_irq>(vectors[0], "state", data));
/// @endcode
#define DEVRES_TRY(...)                                                                                      \
    (__extension__({                                                                                         \
        auto devres_try_result = (__VA_ARGS__);                                                              \
        if (!devres_try_result) [[unlikely]]                                                                 \
            return ::devres::fail(devres_try_result.error());                                                \
        ::devres::detail::value_of(devres_try_result);                                                       \
    }))
