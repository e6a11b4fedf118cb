// SPDX-License-Identifier: BSL-1.0
// The drivers of examples/conversion, one of them by its name: drivers switchtec_before. Both sides of a conversion have the
// same names, hence the namespaces, and no include is met first in one of them.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <devres/devres.hpp>

#include "bind.hpp"

namespace switchtec_before {
#include "conversion/switchtec_before.hpp"
}
namespace switchtec_after {
#include "conversion/switchtec_after.hpp"
}
namespace vmd_before {
#include "conversion/vmd_before.hpp"
}
namespace vmd_after {
#include "conversion/vmd_after.hpp"
}

int main(int argc, char** argv) {
    using conversion_test::explored;
    const std::string name = argc == 2 ? argv[1] : "";
    if (name == "switchtec_before")
        return explored<switchtec_before::conversion::switchtec::driver>();
    if (name == "switchtec_after")
        return explored<switchtec_after::conversion::switchtec::driver>();
    if (name == "vmd_before")
        return explored<vmd_before::conversion::vmd::driver>();
    if (name == "vmd_after")
        return explored<vmd_after::conversion::vmd::driver>();
    return 2;
}
