// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The library: core and pci. Platforms have umbrellas of their own (<devres/sim.hpp>, <devres/testing.hpp>).

// In the order of the layers, so that compilers name this header, and no longer chain, in their diagnostics.
// clang-format off
#include <devres/version.hpp>
#include <devres/core/rule.hpp>
#include <devres/core/errc.hpp>
#include <devres/core/try.hpp>
#include <devres/core/result.hpp>
#include <devres/core/ownership.hpp>
#include <devres/core/list.hpp>
#include <devres/core/group.hpp>
#include <devres/core/action.hpp>
#include <devres/core/managed_ref.hpp>
#include <devres/core/managed_ptr.hpp>
#include <devres/core/start.hpp>
#include <devres/core/revocable.hpp>
#include <devres/pci/types.hpp>
#include <devres/pci/address.hpp>
#include <devres/pci/affinity.hpp>
#include <devres/pci/resources.hpp>
#include <devres/pci/platform.hpp>
#include <devres/pci/device.hpp>
#include <devres/pci/config_space.hpp>
#include <devres/pci/detail/resource.hpp>
#include <devres/pci/enable.hpp>
#include <devres/pci/bar.hpp>
#include <devres/pci/dma_coherent.hpp>
#include <devres/pci/dma_mapping.hpp>
#include <devres/pci/irq_vectors.hpp>
#include <devres/pci/irq_registration.hpp>
#include <devres/pci/irq_handler.hpp>
#include <devres/pci/irq_control.hpp>
#include <devres/pci/driver.hpp>
#include <devres/pci/bind.hpp>
// clang-format on
