// SPDX-License-Identifier: BSL-1.0
// VERDICT: E ebusy
// A group would release what an object outside of it is built on.
#include "support.hpp"

struct buffer {
    std::vector<int> bytes{1, 2};
};
struct reader {
    managed_ref<buffer> of;
    ~reader() { of->bytes.clear(); }
};
struct nic_driver {
    static inline result<std::size_t> answer{0U};
    static result<> probe(auto& dev, const pci::device_id&) {
        devres::group buffers{dev};
        DEVRES_TRY(auto made, devm_emplace<buffer>(dev));
        buffers.keep();
        DEVRES_TRY(auto user, devm_emplace<reader>(dev, made));
        answer = buffers.release();
        user->of->bytes.push_back(3);
        return {};
    }
};

int main() {
    sim::bus bus;
    MUST(plain<nic_driver>(bus));
    MUST(nic_driver::answer.error() == errc::ebusy);
    MUST(clean(bus));
    return 0;
}
