// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Clang's checks that types alone cannot make; g++ ignores them.
///
/// With -Wconsumed, using a guard after it was moved from or freed is a warning; with -Wdangling, so is a
/// view that outlives what it looks at.
#if defined(__clang__)
#define DEVRES_CONSUMABLE [[clang::consumable(unconsumed)]]
#define DEVRES_USABLE_WHEN_OWNING [[clang::callable_when("unconsumed")]]
#define DEVRES_RETURNS_OWNING [[clang::return_typestate(unconsumed)]]
#define DEVRES_EMPTY [[clang::return_typestate(consumed)]]
#define DEVRES_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define DEVRES_CONSUMABLE
#define DEVRES_USABLE_WHEN_OWNING
#define DEVRES_RETURNS_OWNING
#define DEVRES_EMPTY
#define DEVRES_LIFETIMEBOUND
#endif
