// SPDX-License-Identifier: BSL-1.0
// What throws, in a program without exceptions: the argument says what is done.
#include <string_view>

#include <devres/linux_model.hpp>
#include <devres/sim.hpp>

int main(int, char** arguments) {
    using namespace devres;
    const std::string_view what = arguments[1];
    if (what == "sim") {
        sim::bus bus;
        (void)bus.machine().at("0000:3a:00.0");
    } else if (what == "linux_model") {
        linux_model::kernel linux(linux_model::linux_6_1);
        linux_model::pci_dev& dev = linux.add({.vendor = 0x1b36, .device = 0x0006, .msix_vectors = 1});
        linux.log().stop("mutex_lock");
        (void)dev;
    }
    return 0;
}
