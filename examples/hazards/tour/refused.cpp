// SPDX-License-Identifier: BSL-1.0

// Not part of any program: what the compiler is given to refuse, once for each hazard (refuse.cmake). HAZARD_HEADER is
// the header of its driver, HAZARD_DRIVER the driver. The platform is none that could run: of a platform, the rules
// only know whether it is hybrid, as Linux is.
#include HAZARD_HEADER

#include <devres/pci/platform_archetype.hpp>

struct hybrid_platform : devres::pci::platform_archetype {
    static constexpr bool hybrid_irq_vectors = true;
};

devres::result<devres::pci::binding<HAZARD_DRIVER, hybrid_platform>> bound(hybrid_platform& platform,
                                                                           hybrid_platform::function_type& function) {
    return devres::pci::bind<HAZARD_DRIVER>(platform, function);
}
