// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The library for who writes a driver: core and pci, but for pools of DMA memory (<devres/dma_pool.hpp>). <devres/platform.hpp> is for who writes a platform. Platforms have umbrellas of their own (<devres/sim.hpp>, <devres/testing.hpp>).

// In the order of the layers, so that compilers name this header, and no longer chain, in their diagnostics.
// clang-format off
#include <devres/core/requirements.hpp>
#include <devres/version.hpp>
#include <devres/core/rule.hpp>
#include <devres/core/attributes.hpp>
#include <devres/core/errc.hpp>
#include <devres/core/try.hpp>
#include <devres/core/result.hpp>
#include <devres/core/ownership.hpp>
#include <devres/core/memory.hpp>
#include <devres/core/event.hpp>
#include <devres/core/release_step.hpp>
#include <devres/core/list.hpp>
#include <devres/core/group.hpp>
#include <devres/core/action.hpp>
#include <devres/core/managed_ref.hpp>
#include <devres/core/managed_array.hpp>
#include <devres/core/managed_ptr.hpp>
#include <devres/core/start.hpp>
#include <devres/core/revocable.hpp>
#include <devres/pci/types.hpp>
#include <devres/pci/registers.hpp>
#include <devres/pci/address.hpp>
#include <devres/pci/affinity.hpp>
#include <devres/pci/resources.hpp>
#include <devres/pci/platform.hpp>
#include <devres/pci/device.hpp>
#include <devres/pci/config_space.hpp>
#include <devres/pci/capabilities.hpp>
#include <devres/pci/detail/resource.hpp>
#include <devres/pci/enable.hpp>
#include <devres/pci/bar_part.hpp>
#include <devres/pci/bar.hpp>
#include <devres/pci/bar_region.hpp>
#include <devres/pci/bar_resource.hpp>
#include <devres/pci/dma_mask.hpp>
#include <devres/pci/dma_coherent.hpp>
#include <devres/pci/dma_streaming.hpp>
#include <devres/pci/dma_sync.hpp>
#include <devres/pci/dma_sg.hpp>
#include <devres/pci/irq_vectors.hpp>
#include <devres/pci/irq_registration.hpp>
#include <devres/pci/irq_handler.hpp>
#include <devres/pci/irq_control.hpp>
#include <devres/pci/driver.hpp>
#include <devres/pci/bind.hpp>
// clang-format on
