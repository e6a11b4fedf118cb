// SPDX-License-Identifier: BSL-1.0
#include "tool/demonstrations.hpp"

#include <ostream>

#include "nvme/demo.hpp"
#include "rocker/demo.hpp"
#include "switchtec/demo.hpp"
#include "vmd/demo.hpp"

namespace examples {

std::span<const demonstration> demonstrations() {
    static constexpr demonstration all[] = {
        {"switchtec", "a Switchtec, bound, used, failed at, pulled out, unbound", switchtec::run_switchtec},
        {"vmd", "a VMD and the functions behind it, bound, used, suspended, pulled out", vmd::run_vmd},
        {"rocker", "QEMU's rocker, every vector and DMA tested", rocker::run_rocker},
        {"nvme", "an NVMe controller, blocks verified, queues rebuilt, pulled out", nvme::run_nvme},
    };
    return all;
}

std::vector<devres::testing::trace_entry> switchtec_trace() {
    std::ostream nowhere(nullptr);
    switchtec::demonstration shown(nowhere);
    return shown.everyday();
}

std::vector<devres::testing::trace_entry> switchtec_recording() {
    std::ostream nowhere(nullptr);
    switchtec::demonstration shown(nowhere, devres::testing::steady_trace_clock());
    return shown.recording();
}

}  // namespace examples
