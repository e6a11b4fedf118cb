// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace devres {

/// When a record is released: what uses others goes before what is used, whatever their age. Within a step the newest
/// goes first.
enum class release_step : unsigned char {
    users,     ///< access from outside: closed, and waited for
    stop,      ///< what was started: interrupts and DMA still work
    handlers,  ///< what is called asynchronously
    code,      ///< what gives back by running code of the driver: destructors, actions
    matter,    ///< what code uses: vectors, mappings, memory, the enable
};

}  // namespace devres
