// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the cases share: a platform to bind on (declared only, as a case is not linked), and a driver's state. A case of what
// is rejected in a probe or a hook includes nothing else, as a driver includes a header of its own: compilers name the whole
// chain of files. A case of a type that is no driver, or of a table, includes the library itself first.
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
