// SPDX-License-Identifier: BSL-1.0
// Who frees what in Linux's switchtec driver, said as a table: the data is the driver's, freed in remove(), while
// devres frees the interrupt handlers that are called with it, later.
// EXPECT: devres[D002] a managed handler can still run when what the driver frees is gone
// EXPECT-GNU: no matching function for call to 'own(
// EXPECT-Clang: no matching function for call to 'own'
#include <devres/devres.hpp>

namespace pci = devres::pci;
using devres::driver_data, devres::managed, devres::unmanaged;

inline constexpr devres::resource<struct minor_number_tag> minor_number;

struct as_in_examples_switchtec {
    static constexpr auto ownership = devres::own(
        driver_data = managed, pci::enable = managed, pci::bar<0> = managed, pci::dma_coherent = managed,
        pci::irq_vectors = managed, pci::irq_handler.without(minor_number) = managed, minor_number = unmanaged);
};

#ifdef EXPECT_FAIL
struct as_in_linux {
    static constexpr auto ownership = devres::own(
        driver_data = unmanaged, pci::enable = managed, pci::bar<0> = managed, pci::dma_coherent = unmanaged,
        pci::irq_vectors = managed, pci::irq_handler.without(minor_number) = managed, minor_number = unmanaged);
};
#endif
