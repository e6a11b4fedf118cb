// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The library for who writes a driver with a pool of DMA memory: core and pci, with `dma_pool`, which few drivers need.

#include <devres/devres.hpp>
#include <devres/pci/dma_pool.hpp>
