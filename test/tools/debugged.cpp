// SPDX-License-Identifier: BSL-1.0

// What debuggers are shown: the values in `look`, and those of its caller.

#include <cstdio>
#include <utility>

#include <devres/devres.hpp>
#include <devres/sim.hpp>

namespace pci = devres::pci;

namespace {

struct state {
    int count = 3;
    ~state() { count = 0; }
    void start() noexcept {}
    void stop() noexcept {}
    pci::irq_return on_irq() noexcept { return pci::irq_return::handled; }
};

[[gnu::noinline]] void look() { std::puts("looked"); }

template <class Device>
devres::result<> show(Device& dev, devres::sim::function& function) {
    const pci::address where = function.address();
    const devres::errc error = devres::errc::ebusy;
    const devres::result<int> value = 7;
    const devres::result<int> failed = devres::fail(devres::errc::enodev);
    const devres::result<> nothing;
    const devres::result<pci::address> found = where;
    const pci::vector_index vector = 2;
    const pci::bar_number bar(5);
    DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
    DEVRES_TRY(pci::pci_set_master(enabled));
    DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(enabled, "registers"));
    DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(enabled, 2, 2, pci::irq_type::msix));
    DEVRES_TRY(auto object, devres::devm_emplace<state>(dev));
    DEVRES_TRY(auto handler, pci::devm_request_irq(vectors[0], "event", object));
    DEVRES_TRY(devres::devm_start(dev, object));
    DEVRES_TRY(auto mine, pci::pci_iomap_region<2>(enabled, "mine"));
    auto moved_to = std::move(mine);
    devres::group group(dev);
    devres::list& records = dev.resources();
    look();
    group.keep();
    (void)where, (void)error, (void)value, (void)failed, (void)nothing, (void)found, (void)vector, (void)bar;
    (void)registers, (void)handler, (void)moved_to, (void)records;
    return {};
}

}  // namespace

int main() {
    devres::sim::bus bus;
    auto& function = bus.add(
        {.vendor = 0x1b36, .device = 0x0006, .class_code = 0x028000, .msix_vectors = 4, .bar_sizes = {4096, 0, 65536}});
    if (!bus.attach(function))
        return 1;
    {
        pci::device dev(bus, function);
        if (!show(dev, function))
            return 1;
    }
    bus.detach(function);
    return 0;
}
