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
#define DEVRES_TRY(...) DEVRES_DETAIL_TRY(DEVRES_DETAIL_NAME(devres_try_, __COUNTER__), __VA_ARGS__)

#define DEVRES_DETAIL_NAME(prefix, number) DEVRES_DETAIL_JOIN(prefix, number)
#define DEVRES_DETAIL_JOIN(prefix, number) prefix##number
#define DEVRES_DETAIL_TRY(outcome, ...)                                                                      \
    (__extension__({                                                                                         \
        auto outcome = (__VA_ARGS__);                                                                        \
        if (!outcome) [[unlikely]]                                                                           \
            return ::devres::fail(outcome.error());                                                          \
        *static_cast<decltype(outcome)&&>(outcome);                                                          \
    }))
