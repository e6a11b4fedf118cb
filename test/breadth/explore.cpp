// SPDX-License-Identifier: BSL-1.0
// A driver whose every step fails, in pairs, and which is interrupted at every step, on the simulated bus and on the model of
// Linux; and what registers are, a byte at a time. Built for other machines, with other compilers and libraries, without exceptions.
#include <atomic>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>

#include <devres/any_platform.hpp>
#include <devres/devres.hpp>
#include <devres/linux_model.hpp>
#include <devres/print.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <devres/vfio.hpp>  // which says that it is for no other
#endif

namespace {

namespace pci = devres::pci;
using devres::linux_model::kernel;

template <class Device>
struct meter {
    pci::bar_of<Device> registers;
    pci::coherent_of<Device> ring;
    std::atomic<unsigned> alarms = 0;

    void start() noexcept { registers.write32(0, 1); }
    void stop() noexcept { registers.write32(0, 0); }
    pci::irq_return on_irq() noexcept { return ++alarms, pci::irq_return::handled; }
};

struct meter_driver {
    template <class Device>
    static devres::probed<meter<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0>(device, "meter"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 2, 2, pci::irq_type::msix));
        DEVRES_TRY(auto ring, pci::dmam_alloc_coherent(device, 4096));
        DEVRES_TRY(auto data, devres::devm_emplace<meter<Device>>(dev, registers, ring));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "meter", data));
        DEVRES_TRY(pci::devm_request_irq(vectors[1], "meter-alarm", data));
        DEVRES_TRY(devres::devm_start(dev, data));
        return data;
    }
};

constexpr devres::hardware::function_config plan{
    .vendor = 0x1b36, .device = 0x0006, .msix_vectors = 2, .bar_sizes = {4096}};

constexpr auto bind_and_unbind(auto& function) {
    return [&function](auto& platform) -> devres::result<> {
        DEVRES_TRY(auto bound, pci::bind<meter_driver>(platform, function));
        return bound.unbind();
    };
}

bool good(const char* what, const devres::testing::exploration& explored) {
    std::cout << what << ": " << explored.runs.size() << " runs\n";
    if (!explored.clean())
        std::cout << explored;
    return explored.clean() && !explored.runs.empty();
}

bool on_the_simulated_bus() {
    using devres::testing::explore_faults, devres::testing::explore_interrupts, devres::testing::fault_depth;
    devres::sim::bus bus;
    auto& function = bus.add(plan);
    pci::erased erased(bus);
    pci::erased_function one(erased, function);
    const auto check = [&](auto&) { return std::string(bus.ledger().clean() ? "" : "not clean"); };
    const auto fire = [&](auto&) { function.raise(1); };
    return good("faults", explore_faults(bus, bind_and_unbind(function), check, fault_depth::pairs)) &&
           good("interrupts", explore_interrupts(bus, bind_and_unbind(function), fire, check)) &&
           good("faults behind any_platform", explore_faults(erased, bind_and_unbind(one), check));
}

bool on_the_model_of_linux() {
    kernel linux(devres::linux_model::linux_6_1);
    auto& function = linux.add(plan);
    const auto check = [](kernel& after) {
        for (const auto& event : after.log().take_events()) {
            if (event.kind == devres::linux_model::event_kind::warning)
                return "warns: " + event.text;
        }
        return std::string();
    };
    return good("faults on Linux", devres::testing::explore_faults(linux, bind_and_unbind(function), check));
}

/// Registers are little-endian, whatever the processor is; so is configuration space.
bool registers_are_those_of_pci() {
    devres::sim::bus bus;
    auto& function = bus.add(plan);
    (void)bus.enable(function);
    function.write_bar(pci::bar_number(0), 8, 8, 0x8877665544332211);
    const auto at = [&](std::uint64_t offset, unsigned width) {
        return function.read_bar(pci::bar_number(0), offset, width);
    };
    const bool bar = at(8, 1) == 0x11 && at(15, 1) == 0x88 && at(10, 2) == 0x4433 && at(12, 4) == 0x88776655;
    const bool config = function.config().read(0, 1) == 0x36 && function.config().read(2, 2) == 0x0006;
    bus.disable(function);
    std::cout << "registers: " << (bar ? "" : "a BAR is not little-endian ")
              << (config ? "" : "configuration space is not") << '\n';
    return bar && config;
}

/// Interrupts from a thread, while this one binds and unbinds.
bool interrupted_from_a_thread() {
    devres::sim::bus bus;
    auto& function = bus.add(plan);
    std::atomic<unsigned> stopping = 0;
    std::thread device([&] {
        while (stopping == 0)
            function.raise(0);
    });
    unsigned bound = 0;
    for (int i = 0; i != 50; ++i)
        bound += pci::bind<meter_driver>(bus, function).has_value();
    stopping = 1;
    device.join();
    std::cout << "threads: " << bound << " bound\n";
    return bound == 50 && bus.ledger().clean();
}

}  // namespace

int main() {
    const bool all[] = {registers_are_those_of_pci(), on_the_simulated_bus(), on_the_model_of_linux(),
                        interrupted_from_a_thread()};
    for (const bool held : all) {
        if (!held)
            return 1;
    }
    std::cout << "all is well\n";
}
