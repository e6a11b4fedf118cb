// SPDX-License-Identifier: BSL-1.0
// EXPECT: devres[D002] a managed handler can still run when what the driver frees is gone: say of each unmanaged line
#include <devres/devres.hpp>

using namespace devres;
using namespace devres::pci;

#ifdef EXPECT_FAIL
inline constexpr auto table = own(enable = managed, bar<2> = unmanaged, deferred_work = managed);
#else
inline constexpr auto table = own(enable = managed, bar<2> = unmanaged, deferred_work.without(bar<2>) = managed);
inline constexpr auto other = own(enable = managed, bar<2> = unmanaged, deferred_work.guarding(bar<2>) = managed);
#endif
