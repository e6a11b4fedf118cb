// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../opaque/platform.hpp"
#include "probe.h"

namespace devres::benchmarks {

/// A device, and the driver's data.
struct bound {
    pci::device<opaque_platform> dev;
    interrupts* data = nullptr;
};

/// The functions of probe.h, written with devres.
bool probe_1(bound& to, interrupts& context, int& error) noexcept;
bool probe_2(bound& to, interrupts& context, int& error) noexcept;
bool probe_3(bound& to, interrupts& context, int& error) noexcept;
bool probe_4(bound& to, interrupts& context, int& error) noexcept;
bool probe_16(bound& to, interrupts& context, int& error) noexcept;
result<interrupts*> probe_alone(pci::device<opaque_platform>& dev, interrupts& context) noexcept;

}  // namespace devres::benchmarks
