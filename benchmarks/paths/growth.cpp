// SPDX-License-Identifier: BSL-1.0
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "lspci/machine.hpp"
#include "paths.hpp"

namespace devres::benchmarks {

namespace {

void must(bool holds) {
    if (!holds)
        std::abort();
}

/// A function as a dump has it: an MSI-X table of `vectors` entries in BAR 0.
hardware::dumped_function dump_of(pci::address where, unsigned vectors) {
    namespace reg = pci::registers;
    hardware::dumped_function out;
    out.address = where;
    out.description = "Ethernet controller: Example";
    out.config.resize(256);
    const auto put = [&](unsigned at, unsigned width, std::uint32_t value) {
        for (unsigned i = 0; i != width; ++i)
            out.config[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
    };
    put(reg::vendor_id, 4, 0x0001'1af4);
    put(reg::status, 2, reg::status_bits::capabilities);
    put(reg::revision, 4, 0x0200'0001);
    put(reg::bar, 4, 0xf000'0000);
    put(reg::capabilities, 1, 0x40);
    put(0x40, 1, reg::capability_id::msix);
    put(0x40 + reg::msix::control, 2, vectors - 1);
    put(0x40 + reg::msix::pba, 4, 0x8000);
    return out;
}
pci::address numbered(unsigned n) {
    return {0, static_cast<std::uint8_t>(1 + n / 256), static_cast<std::uint8_t>(n / 8 % 32),
            static_cast<std::uint8_t>(n % 8)};
}

}  // namespace

void functions_added(unsigned count) {
    sim::bus bus;
    for (unsigned i = 0; i != count; ++i)
        (void)bus.add({});
}

void functions_found(unsigned count) {
    static std::vector<std::pair<unsigned, std::unique_ptr<sim::bus>>> made;
    for (const auto& [size, bus] : made) {
        if (size == count) {
            for (const sim::function& each : bus->functions())
                must(bus->find(each.address()) == &each);
            return;
        }
    }
    auto& bus = *made.emplace_back(count, std::make_unique<sim::bus>()).second;
    for (unsigned i = 0; i != count; ++i)
        (void)bus.add({});
}

void dma_mapped(unsigned count) {
    sim::bus bus;
    auto& f = bus.add({});
    std::vector<char> memory(std::size_t{count} * 64);
    std::vector<pci::dma_block> mapped;
    for (unsigned i = 0; i != count; ++i)
        mapped.push_back(bus.map_dma(f, memory.data() + std::size_t{i} * 64, 64).value());
    must(bus.set_master(f, true).has_value());
    for (const pci::dma_block& each : mapped)
        must(f.dma_write(each.bus, "x", 1));
    must(bus.set_master(f, false).has_value());
    for (const pci::dma_block& each : mapped)
        bus.unmap_dma(f, each);
}

void handlers_traced(unsigned count) {
    sim::bus bus;
    auto& f = bus.add({.msix_vectors = count});
    std::size_t entries = 0;
    testing::traced platform(bus, [&](const testing::trace_entry&) { ++entries; });
    must(platform.attach(f).has_value() && platform.enable(f).has_value());
    must(platform.allocate_vectors(f, {.min = count, .max = count, .types = pci::irq_type::msix}).has_value());
    const pci::irq_action action{.entry = [](void*, pci::vector_index) noexcept { return pci::irq_return::handled; }};
    std::vector<pci::handler_id> ids;
    for (unsigned i = 0; i != count; ++i)
        ids.push_back(platform.register_handler(f, i, action).value());
    for (const pci::handler_id id : ids)
        must(platform.unregister_handler(f, id).has_value());
    must(platform.free_vectors(f).has_value());
    platform.disable(f);
    platform.detach(f);
    must(bus.ledger().clean());
}

void ledger_read(unsigned count) {
    sim::bus bus;
    for (unsigned i = 0; i != count; ++i)
        must(bus.attach(bus.add({})).has_value());
    must(bus.ledger().live().size() == count);
    for (auto& f : bus.functions())
        bus.detach(f);
}

void machine_exercised(unsigned count) {
    std::vector<sim::dumped_function> dumps;
    for (unsigned i = 0; i != count; ++i)
        dumps.push_back(dump_of(numbered(i), 33));
    must(lspci::machine(std::move(dumps)).exercise().clean());
}

}  // namespace devres::benchmarks
