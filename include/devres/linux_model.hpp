// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Linux's own ownership of device resources, as a model that runs: per version of the kernel and of the patch series.

#include <devres/core/requirements.hpp>

#include <devres/linux_model/kernel.hpp>
