// SPDX-License-Identifier: BSL-1.0
// A driver given as CONVERSION_HEADER and CONVERSION_DRIVER: what compilers say of it, see check_conversion.py.
#include "bind.hpp"
#include CONVERSION_HEADER

#ifdef CONVERSION_HYBRID  // as Linux: vectors of a managed device are managed, whatever the function is called
struct bus_type : devres::sim::bus {
    static constexpr bool hybrid_irq_vectors = true;
};
#else
using bus_type = devres::sim::bus;
#endif

int main() { return conversion_test::explored<CONVERSION_DRIVER, bus_type>(); }
