// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <utility>

#include <devres/devres.hpp>

/// The hazards' drivers are written with this library, each in a header of its own, in two versions: with
/// DEVRES_HAZARD the one with the fault, which must not compile, otherwise the one that the tour runs.
namespace hazards {

namespace pci = devres::pci;

/// What a driver's handlers are called with.
struct counter {
    std::atomic<unsigned> interrupts = 0;

    pci::irq_return on_irq() noexcept { return ++interrupts, pci::irq_return::handled; }
};

}  // namespace hazards
