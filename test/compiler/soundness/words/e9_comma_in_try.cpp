// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// A comma in template arguments inside of DEVRES_TRY.
#include "support.hpp"

template <class P, class D>
struct st {
    int n = 0;
};
struct driver {
    template <class P>
    static probed<st<P, driver>> probe(pci::device<P, driver>& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<st<P, driver>>(dev));
        DEVRES_TRY((devm_emplace<st<P, driver>>(dev)));
        return data;
    }
};

int main() { return clean_in_storm<driver>(); }
