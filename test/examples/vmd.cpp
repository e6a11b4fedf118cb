// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <devres/testing.hpp>

#include "support/catch.hpp"
#include "vmd/demo.hpp"
#include "vmd/driver.hpp"
#include "vmd/model.hpp"

using namespace devres;
using vmd::machine;

namespace {

/// The driver for a machine whose children have no driver: tests bind theirs themselves.
struct bare_driver : vmd::driver_for<bare_driver> {};

template <class Driver = vmd::driver>
auto bound(machine& m) {
    auto binding = pci::bind<Driver>(m.platform, m.function);
    INFO((binding ? "" : message(binding.error())));
    REQUIRE(binding);
    return std::move(*binding);
}

/// Completes a command on each queue of each disk, changes the link and receives a frame, and looks whether
/// each child got its own.
template <class State>
void exercise(machine& m, State& vmd, bool has_port = true) {
    for (unsigned disk = 0; disk != 2; ++disk) {
        auto* const controller = vmd.template child<vmd::nvme::driver>(disk);
        REQUIRE(controller != nullptr);
        for (unsigned queue = 0; queue != controller->queues(); ++queue) {
            const auto before = controller->completed(queue);
            const unsigned handled = controller->handled(queue % controller->vectors());
            controller->submit(queue, 3);
            m.disks[disk].complete(queue);
            CHECK(controller->completed(queue) == before + 3);
            CHECK(controller->handled(queue % controller->vectors()) == handled + 1);
        }
    }
    if (!has_port)
        return;
    auto* const port = vmd.template child<vmd::ethernet::driver>(2);
    REQUIRE(port != nullptr);
    const unsigned changes = port->link_changes();
    const unsigned received = port->received();
    m.port.change_link();
    m.port.receive();
    CHECK(port->link_changes() == changes + 1);
    CHECK(port->received() == received + 1);
}

/// What a trace says was released of VMD's own, in that order: objects by their types. Behind the children's addresses
/// stands what is theirs.
std::vector<std::string> released(const testing::trace_recorder& trace) {
    std::vector<std::string> all;
    for (const auto& entry : trace.entries()) {
        if (entry.step == testing::trace_step::released && !entry.detail.starts_with("\"10000:"))
            all.push_back(entry.resource == "driver_data" ? entry.detail : entry.resource);
    }
    return all;
}

std::size_t index_of(const std::vector<std::string>& lines, const std::string& line) {
    return static_cast<std::size_t>(std::ranges::find(lines, line) - lines.begin());
}

}  // namespace

TEST_CASE("W01: a table of 33 makes 33 handlers, which are freed newest first, after the children") {
    const bool pulled_out = GENERATE(false, true);
    machine m({.msix_vectors = 33});
    testing::trace_recorder trace;
    testing::traced platform{m.platform, std::ref(trace)};
    {
        auto binding = pci::bind<vmd::driver>(platform, m.function);
        REQUIRE(binding);
        CHECK(binding->state().vectors() == 33);
        CHECK(binding->state().handlers() == 33);
        CHECK(binding->state().bound_children() == 3);
        exercise(m, binding->state());
        trace.clear();
        if (pulled_out)
            m.function.surprise_remove();
    }
    std::vector<std::string> handlers;
    for (unsigned i = 33; i-- != 0;)
        handlers.push_back("released irq_handler " + std::to_string(i) + " managed \"vmd0\"");
    const auto lines = trace.lines();
    const auto first = index_of(lines, handlers.front());
    REQUIRE(first + handlers.size() <= lines.size());
    CHECK(std::equal(handlers.begin(), handlers.end(), lines.begin() + static_cast<std::ptrdiff_t>(first)));
    CHECK(index_of(lines, "released irq_vectors managed 33 vectors") > first + 32);
    CHECK(index_of(lines, "released bar 0 managed \"vmd\"") < lines.size());
    for (std::size_t i = 0; i != lines.size(); ++i) {  // what is a child's is all before what is VMD's
        if (lines[i].find("\"10000:") != std::string::npos)
            CHECK(i < first);
    }
    CHECK(lines.back() == "detached");
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("W02: in bypass VMD has no vectors and no handlers, and children that can do without are polled") {
    machine m({.device = 0x28c0});
    {
        auto binding = bound(m);
        auto& state = binding.state();
        CHECK(state.vectors() == 0);
        CHECK(state.handlers() == 0);
        CHECK(!m.endpoint.is_remapping());
        CHECK(!m.function.msix_enabled());
        CHECK(state.bus().functions().size() == 3);
        CHECK(state.bound_children() == 2);
        CHECK(state.child<vmd::ethernet::driver>(2) == nullptr);
        auto* const disk = state.child<vmd::nvme::driver>(0);
        REQUIRE(disk != nullptr);
        CHECK(disk->vectors() == 0);
        disk->submit(1, 2);
        m.disks[0].complete(1);
        CHECK(disk->completed(1) == 0);
        CHECK(disk->poll(1));
        CHECK(disk->completed(1) == 2);
        CHECK(binding.suspend());
        CHECK(binding.resume());
        CHECK(!m.endpoint.is_remapping());
    }
    CHECK(m.endpoint.is_remapping());
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("a VMD that could be bypassed is not while its windows are somewhere else for its children") {
    machine m({.device = 0x28c0, .host_addresses = {{0xa000'0000, 0x52'0000'0000}}});
    {
        auto binding = bound(m);
        CHECK(binding.state().vectors() == 64);
        CHECK(m.endpoint.is_remapping());
        const auto functions = binding.state().bus().functions();
        CHECK(functions[0].bars[0].address == 0x52'0000'4000);  // behind the shadow registers
        CHECK(functions[2].bars[0].address == 0xa000'0000);
        exercise(m, binding.state());
    }
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("in a virtual machine the host's addresses are in a vendor capability") {
    machine m({.device = 0x201d, .host_addresses = {{0xa000'0000, 0x52'0000'0000}}});
    {
        auto binding = bound(m);
        CHECK(binding.state().bus().functions()[1].bars[0].address == 0x52'0000'8000);
        exercise(m, binding.state());
    }
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("W03: too few vectors, no MSI-X, a small CFGBAR and unknown buses are refused, and nothing is left") {
    const auto refused = [](const vmd::endpoint_kind& kind) {
        machine m(kind);
        const auto before = m.function.state();
        auto binding = pci::bind<vmd::driver>(m.platform, m.function);
        if (binding)
            CHECK(binding->unbind());
        CHECK(m.bus.ledger().clean());
        CHECK(sim::difference(before, m.function.state()) == "");
        CHECK(vmd::instance_number::in_use() == 0);
        CHECK(vmd::domain::in_use() == 0);
        return binding ? errc{} : binding.error();
    };
    CHECK(refused({.msix_vectors = 1}) == errc::enospc);
    CHECK(refused({.device = 0x201d, .msix_vectors = 1}) == errc{});
    CHECK(refused({.msix_vectors = 0}) == errc::enodev);
    CHECK(refused({.cfgbar_size = vmd::bus_ecam_size / 2}) == errc::enomem);
    CHECK(refused({.capabilities = 1, .control = 3U << 8U}) == errc::enodev);
    CHECK(refused({.device = 0x1234}) == errc::enodev);
}

TEST_CASE("its buses begin at 0, 128 or 224 where they are restricted") {
    for (const auto& [control, bus] : {std::pair{0U, 0U}, {1U, 128U}, {2U, 224U}}) {
        machine m({.capabilities = 1, .control = static_cast<std::uint16_t>(control << 8U)});
        auto binding = bound(m);
        CHECK(binding.state().bus().functions()[0].address.bus() == bus);
    }
}

TEST_CASE("W04: suspend frees the handlers and not the vectors, resume registers them again, again and again") {
    const unsigned times = GENERATE(1U, 2U, 7U);
    machine m({.msix_vectors = 5});
    const auto before = m.function.state();
    testing::trace_recorder trace;
    testing::traced platform{m.platform, std::ref(trace)};
    {
        auto binding = pci::bind<vmd::driver>(platform, m.function);
        REQUIRE(binding);
        auto& state = binding->state();
        for (unsigned i = 0; i != times; ++i) {
            trace.clear();
            REQUIRE(binding->suspend());
            CHECK(state.handlers() == 0);
            CHECK(state.vectors() == 5);
            const std::vector<std::string> handlers{"irq_handler 0", "irq_handler 1", "irq_handler 2", "irq_handler 3",
                                                    "irq_handler 4"};
            CHECK(released(trace) == handlers);
            m.disks[0].complete(0);  // nothing arrives, nothing breaks
            REQUIRE(binding->resume());
            CHECK(state.handlers() == 5);
            CHECK(m.endpoint.is_remapping());
            exercise(m, state);
        }
        trace.clear();
    }
    const auto order = released(trace);  // first the children's vectors, as they say no address
    const std::vector<std::string> of_vmd(std::ranges::find(order, "start"), order.end());
    const std::vector<std::string> outside_in{"start",
                                              "irq_handler 4",
                                              "irq_handler 3",
                                              "irq_handler 2",
                                              "irq_handler 1",
                                              "irq_handler 0",
                                              "\"vmd::controller\"",
                                              "\"vmd::child_bus\"",
                                              "\"vmd::child_interrupts\"",
                                              "\"vmd::domain\"",
                                              "\"vmd::instance_number\"",
                                              "irq_vectors",
                                              "bar 4",
                                              "bar 2",
                                              "bar 0",
                                              "enable"};
    CHECK(of_vmd == outside_in);
    CHECK(m.bus.ledger().clean());
    CHECK(sim::difference(before, m.function.state()) == "");
}

TEST_CASE("a VMD is unbound in its sleep") {
    machine m;
    {
        auto binding = bound(m);
        REQUIRE(binding.suspend());
    }
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("W05: NVMe goes to the vector above the first that has the fewest, others share the first") {
    machine m({.msix_vectors = 5});
    {
        auto vmd = bound<bare_driver>(m);
        auto& bus = vmd.state().bus();
        vmd::child_interrupts& interrupts = **bus.interrupts();
        CHECK(interrupts.first_vector() == 1);
        const auto loads = [&] {
            std::vector<unsigned> all;
            for (unsigned i = 0; i != interrupts.vectors(); ++i)
                all.push_back(interrupts.list(i).load);
            return all;
        };
        const auto sizes = [&] {
            std::vector<unsigned> all;
            for (unsigned i = 0; i != interrupts.vectors(); ++i)
                all.push_back(interrupts.list(i).size());
            return all;
        };
        auto disk = pci::bind<vmd::nvme::driver>(bus, bus.functions()[0]);
        REQUIRE(disk);
        CHECK(loads() == std::vector{0U, 0U, 2U, 1U, 1U});
        CHECK(sizes() == std::vector{0U, 0U, 2U, 1U, 1U});
        auto port = pci::bind<vmd::ethernet::driver>(bus, bus.functions()[2]);
        REQUIRE(port);
        CHECK(loads() == std::vector{0U, 0U, 2U, 1U, 1U});
        CHECK(sizes() == std::vector{0U, 2U, 2U, 1U, 1U});
        auto other = pci::bind<vmd::nvme::driver>(bus, bus.functions()[1]);
        REQUIRE(other);
        CHECK(loads() == std::vector{0U, 0U, 3U, 3U, 2U});
        CHECK(disk->unbind());
        CHECK(loads() == std::vector{0U, 0U, 1U, 2U, 1U});
        CHECK(sizes() == std::vector{0U, 2U, 1U, 2U, 1U});
        CHECK(port->unbind());
        CHECK(loads() == std::vector{0U, 0U - 2U, 1U, 2U, 1U});  // counted down, never up
        CHECK(other->unbind());
        CHECK(loads() == std::vector{0U, 0U - 2U, 0U, 0U, 0U});
        CHECK(sizes() == std::vector{0U, 0U, 0U, 0U, 0U});
        for (const auto& function : bus.functions())
            CHECK(function.idle());
    }
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("without a vector above the first, all children share it, and each gets its own interrupts") {
    const auto [device, vectors] = GENERATE(std::pair{0x9a0b, 2U}, std::pair{0x201d, 1U});
    machine m({.device = static_cast<std::uint16_t>(device), .msix_vectors = vectors});
    auto vmd = bound(m);
    CHECK(vmd.state().vectors() == vectors);
    exercise(m, vmd.state());
    auto* const disk = vmd.state().child<vmd::nvme::driver>(0);
    CHECK(disk->vectors() == vectors);  // a child is not offered more than VMD has
    CHECK(disk->calls(0) > disk->handled(0));
}

TEST_CASE("with vectors enough, a child is called for its own interrupts only") {
    machine m;
    auto vmd = bound(m);
    exercise(m, vmd.state());
    for (unsigned disk = 0; disk != 2; ++disk) {
        const auto* const controller = vmd.state().child<vmd::nvme::driver>(disk);
        for (unsigned vector = 0; vector != controller->vectors(); ++vector) {
            CHECK(controller->calls(vector) == 1);
            CHECK(controller->handled(vector) == 1);
        }
    }
}

TEST_CASE("a child driver's rebinding finds what it found before, and so does VMD's") {
    machine m;
    const auto before = m.function.state();
    for (unsigned i = 0; i != 3; ++i) {
        auto vmd = bound<bare_driver>(m);
        auto& bus = vmd.state().bus();
        for (unsigned j = 0; j != 3; ++j) {
            auto disk = pci::bind<vmd::nvme::driver>(bus, bus.functions()[1]);
            REQUIRE(disk);
            CHECK(pci::bind<vmd::nvme::driver>(bus, bus.functions()[1]).error() == errc::ebusy);
            CHECK(bus.functions()[1].bars[0].address == 0x39'0000'8000);
            CHECK(bus.functions()[1].irqs[0].vector == 2);
        }
    }
    CHECK(sim::difference(before, m.function.state()) == "");
    CHECK(m.disks[0].read_config(0x10, 4) == 4);
    CHECK(m.disks[0].read_config(0x04, 2) == 0);
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("each VMD has a number and a domain of its own") {
    sim::bus bus;
    vmd::endpoint_model endpoints[2] = {vmd::endpoint_model({}), vmd::endpoint_model({})};
    auto& first = bus.add(endpoints[0].description("0000:00:0e.0"), &endpoints[0]);
    auto& second = bus.add(endpoints[1].description("0000:80:05.5"), &endpoints[1]);
    auto a = pci::bind<vmd::driver>(bus, first);
    auto b = pci::bind<vmd::driver>(bus, second);
    REQUIRE((a && b));
    CHECK(std::string(a->state().name()) == "vmd0");
    CHECK(std::string(b->state().name()) == "vmd1");
    CHECK(a->state().domain_number() == 0x10000);
    CHECK(b->state().domain_number() == 0x10001);
    CHECK(a->state().bus().functions().empty());
    CHECK(a->unbind());
    a = pci::bind<vmd::driver>(bus, first);
    CHECK(std::string(a->state().name()) == "vmd0");
}

// The child bus as a platform.

TEST_CASE("the child bus keeps the contract of a platform") {
    machine m;
    auto vmd = bound<bare_driver>(m);
    auto& bus = vmd.state().bus();
    auto& f = bus.functions()[0];
    const auto msix = [](unsigned min, unsigned max) {
        return pci::vector_request{.min = min, .max = max, .types = pci::irq_type::msix};
    };
    REQUIRE(bus.attach(f));
    CHECK(bus.attach(f).error() == errc::ebusy);
    CHECK(bus.allocate_vectors(f, msix(1, 4)).error() == errc::einval);  // not enabled
    REQUIRE(bus.enable(f));
    CHECK(bus.read_config(f, 1, 2).error() == errc::einval);
    CHECK(bus.read_config(f, 0, 3).error() == errc::einval);
    CHECK(bus.read_config(f, 4096, 4).error() == errc::einval);
    CHECK(bus.write_config(f, 2, 4, 0).error() == errc::einval);
    CHECK(bus.read_config(f, 0, 4) == 0x0010'1b36U);
    CHECK(bus.map_bar(f, pci::bar_number(1), "x").error() == errc::einval);
    CHECK(bus.map_bar(f, pci::bar_number(6), "x").error() == errc::einval);
    auto bar = bus.map_bar(f, pci::bar_number(0), "x");
    REQUIRE(bar);
    CHECK(bus.bar_size(*bar) == 0x4000);
    CHECK(bus.map_bar(f, pci::bar_number(0), "x").error() == errc::ebusy);

    CHECK(bus.allocate_vectors(f, msix(5, 8)).error() == errc::enospc);
    const auto granted = bus.allocate_vectors(f, {.min = 1, .max = 1, .types = pci::irq_type::all});
    REQUIRE(granted);
    CHECK(granted->count == 1);
    CHECK(granted->type == pci::irq_type::msix);
    CHECK(bus.allocate_vectors(f, msix(1, 1)).error() == errc::ebusy);
    CHECK(bus.free_vectors(f));
    CHECK(bus.free_vectors(f));
    CHECK(bus.allocate_vectors(f, {.min = 1, .max = 1, .types = pci::irq_type::intx}).error() == errc::enospc);
    CHECK(bus.allocate_vectors(f, {.min = 1, .max = 1, .types = pci::irq_type::msi}).error() == errc::einval);
    const pci::irq_affinity affinity{.pre_vectors = 2};
    auto spread = msix(1, 4);
    spread.affinity = &affinity;
    CHECK(bus.allocate_vectors(f, spread).error() == errc::enospc);
    REQUIRE(bus.allocate_vectors(f, msix(2, 3)));
    CHECK(bus.vector_number(f, 0) != bus.vector_number(f, 1));
    CHECK(bus.vector_number(f, 0) != bus.vector_number(bus.functions()[1], 0));

    struct counter {
        unsigned calls = 0;
        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            ++static_cast<counter*>(self)->calls;
            return pci::irq_return::handled;
        }
    } counts;
    const pci::irq_action action{.entry = &counter::on_irq, .context = &counts, .name = "x"};
    CHECK(bus.register_handler(f, 3, action).error() == errc::einval);
    CHECK(bus.register_handler(f, 0, {}).error() == errc::einval);
    REQUIRE(bus.set_master(f, true));
    m.disks[0].raise(1);  // masked: kept until there is a handler
    CHECK(counts.calls == 0);
    const auto first = bus.register_handler(f, 1, action);
    REQUIRE(first);
    CHECK(counts.calls == 1);
    CHECK(bus.register_handler(f, 1, action).error() == errc::ebusy);
    CHECK(bus.handler_registered(f, *first));
    m.disks[0].raise(1);
    CHECK(counts.calls == 2);
    CHECK(bus.unregister_handler(f, *first));
    CHECK(!bus.handler_registered(f, *first));
    CHECK(bus.unregister_handler(f, *first));
    m.disks[0].raise(1);
    CHECK(counts.calls == 2);
    const auto second = bus.register_handler(f, 1, action);
    REQUIRE(second);
    CHECK(*second != *first);
    CHECK(bus.unregister_handler(f, *first));  // an old id ends nothing
    CHECK(bus.handler_registered(f, *second));
    CHECK(counts.calls == 3);  // what came between the two
    REQUIRE(bus.disable_handler(f, *second));
    REQUIRE(bus.disable_handler(f, *second));
    m.disks[0].raise(1);
    m.disks[0].raise(1);
    REQUIRE(bus.enable_handler(f, *second));
    CHECK(counts.calls == 3);
    REQUIRE(bus.enable_handler(f, *second));
    CHECK(counts.calls == 4);
    CHECK(bus.enable_handler(f, *second).error() == errc::einval);
    CHECK(bus.disable_handler(f, *first).error() == errc::enoent);
    CHECK(bus.synchronize_handler(f, *second));
    CHECK(bus.synchronize_handler(f, pci::handler_id::none));
    CHECK(bus.free_vectors(f));  // ends the handler
    CHECK(!bus.handler_registered(f, *second));

    bus.unmap_bar(f, *bar);
    bus.disable(f);
    bus.detach(f);
    CHECK(f.idle());
}

TEST_CASE("a child's handler cannot end itself, its vectors, its driver, or VMD's driver") {
    machine m;
    auto vmd = bound<bare_driver>(m);
    auto& bus = vmd.state().bus();
    using bus_type = std::remove_reference_t<decltype(bus)>;
    auto disk = pci::bind<vmd::nvme::driver>(bus, bus.functions()[0]);
    REQUIRE(disk);
    struct tries {
        bus_type& bus;
        decltype(disk)& child;
        decltype(vmd)& parent;
        vmd::child_function& f;
        pci::handler_id id{};
        std::vector<errc> said{};
        bool inside = false;

        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            auto& t = *static_cast<tries*>(self);
            t.inside = t.bus.in_handler(t.f);
            for (const auto& r : {t.bus.unregister_handler(t.f, t.id), t.bus.free_vectors(t.f),  //
                                  t.bus.disable_handler(t.f, t.id), t.bus.synchronize_handler(t.f, t.id),
                                  t.bus.enable(t.f), t.parent.unbind(), t.child->unbind()})
                t.said.push_back(r ? errc{} : r.error());
            return pci::irq_return::handled;
        }
    };
    // On a second child, so that the first one's driver can be unbound from inside: that one is allowed.
    auto& f = bus.functions()[1];
    tries context{bus, disk, vmd, f};
    REQUIRE(bus.attach(f));
    REQUIRE(bus.enable(f));
    REQUIRE(bus.set_master(f, true));
    REQUIRE(bus.allocate_vectors(f, {.min = 1, .max = 1, .types = pci::irq_type::msix}));
    const auto id = bus.register_handler(f, 0, {.entry = &tries::on_irq, .context = &context, .name = "x"});
    REQUIRE(id);
    context.id = *id;
    CHECK(!bus.in_handler(f));
    m.disks[1].raise(0);
    CHECK(context.inside);
    std::vector<errc> expected(6, errc::edeadlk);
    expected.emplace_back();
    CHECK(context.said == expected);
    CHECK(!*disk);
    CHECK(bus.handler_registered(f, *id));
    CHECK(bus.free_vectors(f));
    bus.disable(f);
    bus.detach(f);
    CHECK(vmd.unbind());
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("taking a child's handler away waits for the one that is running on another thread") {
    machine m;
    auto vmd = bound<bare_driver>(m);
    auto& bus = vmd.state().bus();
    auto& f = bus.functions()[0];
    struct slow {
        std::atomic<bool> entered{false};
        std::atomic<bool> go_on{false};
        std::atomic<bool> left{false};
        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            auto& s = *static_cast<slow*>(self);
            s.entered = true;
            while (!s.go_on)
                std::this_thread::yield();
            s.left = true;
            return pci::irq_return::handled;
        }
    } handler;
    REQUIRE(bus.attach(f));
    REQUIRE(bus.enable(f));
    REQUIRE(bus.set_master(f, true));
    REQUIRE(bus.allocate_vectors(f, {.min = 1, .max = 1, .types = pci::irq_type::msix}));
    const auto id = bus.register_handler(f, 0, {.entry = &slow::on_irq, .context = &handler, .name = "x"});
    REQUIRE(id);
    std::thread device([&] { m.disks[0].raise(0); });
    while (!handler.entered)
        std::this_thread::yield();
    std::thread releaser([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        handler.go_on = true;
    });
    CHECK(bus.unregister_handler(f, *id));
    CHECK(handler.left);
    device.join();
    releaser.join();
    CHECK(bus.free_vectors(f));
    bus.disable(f);
    bus.detach(f);
}

TEST_CASE("a child can be without a place for its BAR, and a window holds what fits") {
    machine m;
    vmd::child_model::kind large{.device = 0x99, .class_code = 0xff0000, .msix_vectors = 1, .msix_bar = 1};
    large.bars[0].size = 4U << 20U;  // the window has 2 MiB
    large.bars[1].size = 0x1000;
    struct plain final : vmd::child_model {
        using child_model::child_model;
        std::uint64_t read_register(unsigned, std::uint64_t, unsigned) noexcept override { return 0x55; }
        void write_register(unsigned, std::uint64_t, unsigned, std::uint64_t) noexcept override {}
        void started_over() noexcept override {}
    } child(large);
    m.endpoint.add(4, 1, child);  // not the first of a device with functions: nobody looks for it
    {
        auto vmd = bound<bare_driver>(m);
        CHECK(vmd.state().bus().functions().size() == 3);
    }
    m.endpoint.add(5, 0, child);
    auto vmd = bound<bare_driver>(m);
    auto& bus = vmd.state().bus();
    REQUIRE(bus.functions().size() == 4);
    auto& f = bus.functions()[3];
    REQUIRE(bus.enable(f));
    CHECK(bus.map_bar(f, pci::bar_number(0), "x").error() == errc::enomem);
    auto bar = bus.map_bar(f, pci::bar_number(1), "x");
    REQUIRE(bar);
    CHECK(bus.read<std::uint32_t>(*bar, 0x800) == 0x55);
    CHECK(bus.read<std::uint8_t>(*bar, 0x801) == 0x55);
    bus.unmap_bar(f, *bar);
    bus.disable(f);
}

// Surprise removal.

TEST_CASE("a VMD that is pulled out takes its children along") {
    machine m;
    {
        auto vmd = bound(m);
        exercise(m, vmd.state());
        m.function.surprise_remove();
        vmd.state().child<vmd::nvme::driver>(0)->submit(0, 1);
        m.disks[0].complete(0);
        CHECK(vmd.suspend().error() == errc::enodev);
        auto& bus = vmd.state().bus();
        CHECK(pci::bind<vmd::nvme::driver>(bus, bus.functions()[0]).error() == errc::enodev);
    }
    CHECK(m.bus.ledger().clean());
    m.function.insert();
    {
        auto vmd = bound(m);
        exercise(m, vmd.state());
    }
    CHECK(m.bus.ledger().clean());
}

TEST_CASE("a VMD is pulled out and unbound while its children interrupt from other threads") {
    machine m({.msix_vectors = 6});
    for (unsigned round = 0; round != 40; ++round) {
        std::atomic<bool> stop{false};
        std::atomic<unsigned> rounds{0};
        auto vmd = bound(m);
        for (unsigned disk = 0; disk != 2; ++disk) {
            for (unsigned queue = 0; queue != 4; ++queue)
                vmd.state().child<vmd::nvme::driver>(disk)->submit(queue, 1);
        }
        const auto interrupt = [&](unsigned disk) {
            while (!stop) {
                for (unsigned queue = 0; queue != 4; ++queue)
                    m.disks[disk].complete(queue);
                m.port.receive();
                ++rounds;
            }
        };
        std::thread first(interrupt, 0);
        std::thread second(interrupt, 1);
        while (rounds < 5)
            std::this_thread::yield();
        if (round % 4 == 1) {
            CHECK(vmd.suspend());
            CHECK(vmd.resume());
        }
        if (round % 2 == 0)
            m.function.surprise_remove();
        CHECK(vmd.unbind());
        stop = true;
        first.join();
        second.join();
        INFO(m.bus.ledger());
        REQUIRE(m.bus.ledger().clean());
        if (!m.function.present())
            m.function.insert();
    }
    auto vmd = bound(m);
    exercise(m, vmd.state());
}

TEST_CASE("the VMD demonstration leaves every ledger clean, and says so") {
    std::ostringstream out;
    CHECK(vmd::run_vmd(out) == 0);
    CHECK_THAT(out.str(), Catch::Matchers::ContainsSubstring("ledger: clean"));
}
