// SPDX-License-Identifier: BSL-1.0
// VERDICT: D
// An open file keeps a managed object; the driver is unbound under it. Instead: the file keeps a revocable.
#include "support.hpp"

struct flash {
    std::vector<char> page = std::vector<char>(16, 'x');
};
struct open_file {
#ifndef CORRECTED
    managed_ref<flash> device;  // private_data
    [[nodiscard]] result<char> read() const { return device->page[3]; }
#else
    revocable<flash> device;
    [[nodiscard]] result<char> read() const {
        if (const auto d = device.try_access())
            return d->page[3];
        return fail(errc::enodev);
    }
#endif
};
inline std::vector<open_file> files;  // what is open in the system
struct driver {
    static probed<flash> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<flash>(dev));
#ifndef CORRECTED
        files.push_back({data});
#else
        DEVRES_TRY(auto shown, devm_revocable(dev, data));
        files.push_back({shown});
#endif
        return data;
    }
};

int main() {
    sim::bus bus;
    auto bound = pci::bind<driver>(bus, bus.add(card()));
    MUST(bound && files[0].read() == 'x');
    MUST(bound->unbind());
    MUST(files[0].read().error() == errc::enodev);
    files.clear();
    MUST(clean(bus));
    return 0;
}
