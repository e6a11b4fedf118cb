// SPDX-License-Identifier: BSL-1.0
#include <cstdlib>

#include "paths.hpp"
#include "replay/machine.hpp"

namespace devres::benchmarks {

void replayed(unsigned) {
    static const auto program = replay::parse("EBA4QTP:F");
    replay::machine machine(linux_model::linux_6_1, linux_model::unpatched, replay::device_kind::rocker);
    if (machine.run(*program).rebind != 0)
        std::abort();
}

}  // namespace devres::benchmarks
