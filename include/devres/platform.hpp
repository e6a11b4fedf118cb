// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The library for who writes a platform: the concept with its archetype, and what platforms share.

#include <devres/core/requirements.hpp>

#include <devres/devres.hpp>
#include <devres/pci/enable_count.hpp>
#include <devres/pci/platform_archetype.hpp>
#include <devres/pci/spread_masks.hpp>
#include <devres/pci/spread_vectors.hpp>
