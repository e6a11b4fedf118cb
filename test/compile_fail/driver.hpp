// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the cases share: a platform to bind on (declared only, as a case is not linked), and a driver's state. A case
// includes the library itself first, so that the compiler names no longer chain of files than a user would see.
#include <utility>

#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>

using namespace devres;
using namespace devres::pci;
using platform_type = platform_archetype;
using function_type = platform_type::function_type;

struct queue {
    irq_return on_irq() noexcept { return irq_return::handled; }
};
