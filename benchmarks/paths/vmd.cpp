// SPDX-License-Identifier: BSL-1.0
#include <cstdlib>

#include "paths.hpp"
#include "vmd/driver.hpp"
#include "vmd/model.hpp"

namespace devres::benchmarks {

void vmd_bound(unsigned vectors) {
    static vmd::machine here({.msix_vectors = vectors});
    if (!devres::pci::bind<vmd::driver>(here.platform, here.function))
        std::abort();
}

}  // namespace devres::benchmarks
