// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// The destructor of an older object uses a younger one, of which it has no weak reference. Instead: managed_ptr.
#include "support.hpp"

struct queue {
    std::vector<int> pending{1, 2, 3};
    void cancel() { pending.at(0) = 0; }
};
inline void cancel(queue& of) { of.cancel(); }
struct nic_driver {
    struct nic {
#ifndef CORRECTED
        std::optional<managed_ref<queue>> rx;
#else
        managed_ptr<queue> rx;
#endif
        ~nic() {
            if (rx)
                cancel(*rx);
        }
    };
    static probed<nic> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<nic>(dev));
        DEVRES_TRY(auto rx, devm_emplace<queue>(dev));
#ifndef CORRECTED
        data->rx.emplace(rx);
#else
        data->rx = rx;
#endif
        return data;
    }
};

int main() { return clean_in_storm<nic_driver>(); }
