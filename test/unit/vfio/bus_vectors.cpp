// SPDX-License-Identifier: BSL-1.0
#include <devres/vfio/detail/bus_vectors.hpp>

#include <chrono>
#include <thread>

#include "fake_kernel.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::test;
using pci::irq_type;

namespace {

/// A function that is enabled.
struct enabled_fixture : fake_fixture {
    enabled_fixture() { REQUIRE(bus.enable(f)); }

    result<pci::vector_grant> allocate(unsigned min, unsigned max, pci::irq_types types,
                                       const pci::irq_affinity* affinity = nullptr) {
        return bus.allocate_vectors(f, {.min = min, .max = max, .types = types, .affinity = affinity});
    }
    errc refused(unsigned min, unsigned max, pci::irq_types types) {
        const auto granted = allocate(min, max, types);
        REQUIRE(!granted);
        return granted.error();
    }
    unsigned granted(unsigned min, unsigned max, pci::irq_types types, const pci::irq_affinity* affinity = nullptr) {
        const auto count = allocate(min, max, types, affinity).value().count;
        CHECK(bus.free_vectors(f));
        return count;
    }
};

}  // namespace

TEST_CASE_METHOD(enabled_fixture, "MSI-X is tried first, then MSI, then INTx, and the error is that of the last") {
    const auto type = [&](unsigned min, unsigned max, pci::irq_types types) {
        const auto got = allocate(min, max, types).value().type;
        CHECK(bus.free_vectors(f));
        return got;
    };
    CHECK(type(1, 4, irq_type::all) == irq_type::msix);
    CHECK(type(1, 4, irq_type::msi | irq_type::intx) == irq_type::msi);
    CHECK(type(1, 4, irq_type::intx) == irq_type::intx);
    CHECK(refused(2, 4, irq_type::intx) == errc::enospc);
    CHECK(refused(5, 8, irq_type::msix) == errc::enospc);
    CHECK(refused(5, 8, irq_type::all) == errc::enospc);
    CHECK(refused(1, 1, {}) == errc::enospc);
    bus.disable(f);
    CHECK(refused(1, 4, irq_type::msix | irq_type::msi) == errc::einval);
    CHECK(type(1, 4, irq_type::all) == irq_type::intx);
}

TEST_CASE_METHOD(enabled_fixture,
                 "as many are granted as the device and the machine have, and not fewer than asked for") {
    CHECK(granted(1, 3, irq_type::msix) == 3);
    CHECK(granted(1, 100, irq_type::msix) == 4);
    CHECK(granted(1, 100, irq_type::msi) == 2);
    hardware.available = 2;
    CHECK(granted(1, 100, irq_type::msix) == 2);
    CHECK(refused(3, 4, irq_type::msix) == errc::enospc);
    hardware.available = 0;
    hardware.msi = 0;
    kernel.ioctl_errors[VFIO_DEVICE_SET_IRQS] = ENOSPC;
    CHECK(refused(1, 4, irq_type::msix) == errc::enospc);
}

TEST_CASE_METHOD(enabled_fixture, "vectors that are spread are as many as there are CPUs, besides the reserved ones") {
    const pci::irq_affinity plain;
    const pci::irq_affinity reserving{.pre_vectors = 1};
    const pci::irq_affinity too_many{.pre_vectors = 3};
    CHECK(granted(1, 4, irq_type::msix, &plain) == 2);
    CHECK(granted(1, 4, irq_type::msix, &reserving) == 3);
    CHECK(allocate(2, 4, irq_type::msix, &too_many).error() == errc::enospc);
    CHECK(allocate(3, 4, irq_type::msix, &plain).error() == errc::enospc);
}

TEST_CASE_METHOD(enabled_fixture, "all vectors of an allocation are one call, and so is freeing them") {
    kernel.set_irqs_calls = 0;
    REQUIRE(allocate(4, 4, irq_type::msix));
    CHECK(kernel.set_irqs_calls == 1);
    CHECK(allocate(1, 1, irq_type::intx).error() == errc::ebusy);
    CHECK(bus.free_vectors(f));
    CHECK(kernel.set_irqs_calls == 2);
    CHECK(bus.free_vectors(f));  // nothing to free
    CHECK(kernel.set_irqs_calls == 2);
}

TEST_CASE_METHOD(enabled_fixture, "eventfds are pooled: allocating again and again opens nothing more") {
    REQUIRE(granted(4, 4, irq_type::msix) == 4);
    const auto before = kernel.descriptors.size();
    for (int i = 0; i != 1000; ++i)
        REQUIRE(granted(1, 4, i % 2 == 0 ? irq_type::msix : irq_type::msi) == (i % 2 == 0 ? 4U : 2U));
    CHECK(kernel.descriptors.size() == before);
}

TEST_CASE_METHOD(enabled_fixture, "a vector has the number that sysfs knows") {
    REQUIRE(allocate(4, 4, irq_type::msix));
    CHECK(bus.vector_number(f, 0) == pci::irq_number(98));
    CHECK(bus.vector_number(f, 2) == pci::irq_number(100));
    CHECK(bus.vector_number(f, 4) == pci::irq_number());
    CHECK(bus.free_vectors(f));
    CHECK(bus.vector_number(f, 0) == pci::irq_number());
    REQUIRE(allocate(1, 1, irq_type::intx));
    CHECK(bus.vector_number(f, 0) == pci::irq_number(11));
}

TEST_CASE_METHOD(enabled_fixture, "every vector reaches its own handler and no other") {
    vector_counter counter;
    const auto type = GENERATE(irq_type::msix, irq_type::msi);
    const unsigned index = type == irq_type::msix ? VFIO_PCI_MSIX_IRQ_INDEX : VFIO_PCI_MSI_IRQ_INDEX;
    const unsigned count = allocate(1, 8, type).value().count;
    for (unsigned i = 0; i != count; ++i)
        REQUIRE(bus.register_handler(f, i, counter.action()));
    std::vector<unsigned> expected(count);
    for (unsigned i = 0; i != count; ++i) {
        REQUIRE(kernel.raise(hardware, index, i));
        CHECK(poll() == 1);
        ++expected[i];
        CHECK(counter.all(count) == expected);
        CHECK(bus.trigger(f, i));
        CHECK(poll() == 1);
        ++expected[i];
        CHECK(counter.all(count) == expected);
    }
    CHECK(bus.trigger(f, count).error() == errc::einval);
    CHECK(bus.mask(f, 0, true).error() == errc::enotty);
}

TEST_CASE_METHOD(enabled_fixture, "a vector has one handler, whose id is not used again") {
    vector_counter counter;
    REQUIRE(allocate(4, 4, irq_type::msix));
    const auto id = bus.register_handler(f, 1, counter.action()).value();
    CHECK(bus.register_handler(f, 1, counter.action()).error() == errc::ebusy);
    CHECK(bus.register_handler(f, 4, counter.action()).error() == errc::einval);
    CHECK(bus.register_handler(f, 0, {}).error() == errc::einval);
    CHECK(bus.handler_registered(f, id));
    CHECK(bus.unregister_handler(f, id));
    CHECK(!bus.handler_registered(f, id));
    CHECK(bus.unregister_handler(f, id));
    const auto next = bus.register_handler(f, 1, counter.action()).value();
    CHECK(next != id);
    CHECK(bus.unregister_handler(f, id));
    CHECK(bus.handler_registered(f, next));
    CHECK(bus.unregister_handler(f, pci::handler_id::none));
    CHECK(bus.free_vectors(f));
    CHECK(!bus.handler_registered(f, next));
    CHECK(bus.held(f) == std::vector<std::string>{"1 enables"});
}

TEST_CASE_METHOD(enabled_fixture, "an interrupt is held until the vector has a handler") {
    vector_counter counter;
    const auto type = GENERATE(irq_type::msix, irq_type::msi);
    const bool polled = GENERATE(false, true);
    const unsigned index = type == irq_type::msix ? VFIO_PCI_MSIX_IRQ_INDEX : VFIO_PCI_MSI_IRQ_INDEX;
    REQUIRE(allocate(1, 4, type));
    REQUIRE(kernel.raise(hardware, index, 0));
    REQUIRE(kernel.raise(hardware, index, 0));
    if (polled)
        CHECK(poll() == 0);
    auto id = bus.register_handler(f, 0, counter.action()).value();
    CHECK(poll() == 1);
    REQUIRE(bus.unregister_handler(f, id));
    REQUIRE(kernel.raise(hardware, index, 0));
    if (polled)
        CHECK(poll() == 0);
    id = bus.register_handler(f, 0, counter.action()).value();
    CHECK(poll() == 1);
    CHECK(poll() == 0);
    CHECK(counter.interrupts[0] == 2);
}

TEST_CASE_METHOD(enabled_fixture, "an interrupt that was not taken does not reach an allocation that follows") {
    vector_counter counter;
    const bool polled = GENERATE(false, true);
    for (const bool with_handler : {false, true}) {
        REQUIRE(allocate(4, 4, irq_type::msix));
        if (with_handler)
            REQUIRE(bus.register_handler(f, 0, counter.action()));
        REQUIRE(kernel.raise(hardware, VFIO_PCI_MSIX_IRQ_INDEX, 0));
        if (polled && !with_handler)
            CHECK(poll() == 0);
        CHECK(bus.free_vectors(f));
    }
    REQUIRE(allocate(4, 4, irq_type::msix));
    REQUIRE(bus.register_handler(f, 0, counter.action()));
    CHECK(poll() == 0);
    CHECK(counter.interrupts[0] == 0);
}

TEST_CASE_METHOD(enabled_fixture,
                 "a handler that is disabled is called once for what came meanwhile, when it is enabled") {
    vector_counter counter;
    const auto type = GENERATE(irq_type::msix, irq_type::msi);
    const bool polled = GENERATE(false, true);
    const unsigned index = type == irq_type::msix ? VFIO_PCI_MSIX_IRQ_INDEX : VFIO_PCI_MSI_IRQ_INDEX;
    REQUIRE(allocate(1, 4, type));
    const auto id = bus.register_handler(f, 0, counter.action()).value();
    REQUIRE(kernel.raise(hardware, index, 0));
    CHECK(poll() == 1);
    REQUIRE(bus.disable_handler(f, id));
    REQUIRE(bus.disable_handler(f, id));
    REQUIRE(bus.enable_handler(f, id));
    CHECK(poll() == 0);
    REQUIRE(kernel.raise(hardware, index, 0));
    REQUIRE(kernel.raise(hardware, index, 0));
    if (polled)
        CHECK(poll() == 0);
    REQUIRE(bus.enable_handler(f, id));
    CHECK(poll() == 1);
    CHECK(poll() == 0);
    CHECK(counter.interrupts[0] == 2);
    CHECK(bus.enable_handler(f, id).error() == errc::einval);
    REQUIRE(bus.disable_handler(f, id));
    REQUIRE(bus.enable_handler(f, id));  // nothing came
    CHECK(poll() == 0);

    REQUIRE(bus.disable_handler(f, id));
    REQUIRE(bus.unregister_handler(f, id));
    CHECK(bus.disable_handler(f, id).error() == errc::enoent);
    CHECK(bus.enable_handler(f, id).error() == errc::enoent);
    CHECK(bus.synchronize_handler(f, id));
    REQUIRE(bus.register_handler(f, 0, counter.action()));  // it is not disabled
    REQUIRE(kernel.raise(hardware, index, 0));
    CHECK(poll() == 1);
}

TEST_CASE_METHOD(enabled_fixture, "INTx that is asserted while its handler is disabled comes when it is enabled") {
    struct device_handler {
        fake_fixture& of;
        unsigned calls = 0;

        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            auto& h = *static_cast<device_handler*>(self);
            ++h.calls;
            h.of.kernel.assert_intx(h.of.hardware, false);
            return pci::irq_return::handled;
        }
    } handler{*this};
    const bool polled = GENERATE(false, true);
    REQUIRE(allocate(1, 1, irq_type::intx));
    const auto id = bus.register_handler(f, 0, {.entry = &device_handler::on_irq, .context = &handler}).value();
    REQUIRE(bus.disable_handler(f, id));
    kernel.assert_intx(hardware, true);
    if (polled)
        CHECK(poll() == 0);
    CHECK(hardware.intx_masked);
    REQUIRE(bus.enable_handler(f, id));
    CHECK(poll() == 1);
    CHECK(poll() == 0);
    CHECK(handler.calls == 1);
    CHECK(!hardware.intx_masked);
}

TEST_CASE_METHOD(enabled_fixture, "from inside a handler, nothing is acquired, and it is not waited for") {
    struct inside {
        enabled_fixture& of;
        pci::handler_id id{};
        unsigned refused = 0;

        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            auto& i = *static_cast<inside*>(self);
            auto& bus = i.of.bus;
            auto& f = i.of.f;
            const auto count = [&](const auto& outcome) {
                i.refused += !outcome && outcome.error() == errc::edeadlk ? 1U : 0U;
            };
            count(bus.enable(f));
            count(bus.map_bar(f, pci::bar_number(0), "inside"));
            count(bus.allocate_vectors(f, {.min = 1, .max = 1, .types = irq_type::msix}));
            count(bus.register_handler(f, 1, {.entry = &inside::on_irq, .context = self}));
            count(bus.allocate_dma(f, 64));
            count(bus.map_dma(f, self, 8));
            count(bus.synchronize_handler(f, i.id));
            count(bus.synchronize_handler(f, pci::handler_id::none));
            count(bus.disable_handler(f, i.id));
            return pci::irq_return::handled;
        }
    } handler{*this};
    REQUIRE(allocate(4, 4, irq_type::msix));
    handler.id = bus.register_handler(f, 0, {.entry = &inside::on_irq, .context = &handler}).value();
    const auto held = bus.held(f);
    REQUIRE(bus.trigger(f, 0));
    CHECK(poll() == 1);
    CHECK(handler.refused == 9);
    CHECK(bus.held(f) == held);
}

TEST_CASE_METHOD(enabled_fixture,
                 "INTx is masked while its handler runs, and comes again for as long as it is asserted") {
    struct device_handler {
        fake_fixture& of;
        unsigned calls = 0, until = 3;
        bool masked = true;

        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            auto& h = *static_cast<device_handler*>(self);
            h.masked = h.masked && h.of.hardware.intx_masked;
            if (++h.calls == h.until)
                h.of.kernel.assert_intx(h.of.hardware, false);
            return pci::irq_return::handled;
        }
    } handler{*this};
    REQUIRE(allocate(1, 1, irq_type::intx));
    kernel.assert_intx(hardware, true);
    CHECK(poll() == 0);
    CHECK(hardware.intx_masked);  // nobody listened
    const auto id = bus.register_handler(f, 0, {.entry = &device_handler::on_irq, .context = &handler}).value();
    while (poll() != 0) {}
    CHECK(handler.calls == 3);
    CHECK(handler.masked);
    CHECK(!hardware.intx_masked);

    CHECK(bus.mask(f, 0, true));
    handler.until = 4;
    kernel.assert_intx(hardware, true);
    CHECK(poll() == 0);
    CHECK(bus.mask(f, 0, false));
    CHECK(poll() == 1);
    CHECK(bus.unregister_handler(f, id));
}

TEST_CASE_METHOD(enabled_fixture, "from inside a handler, it and its vectors cannot be freed") {
    struct inside {
        enabled_fixture& of;
        pci::handler_id id{}, other{};
        errc own{}, vectors{};
        bool in_handler = false, other_freed = false;

        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            auto& i = *static_cast<inside*>(self);
            i.in_handler = i.of.bus.in_handler(i.of.f);
            i.own = i.of.bus.unregister_handler(i.of.f, i.id).error();
            i.vectors = i.of.bus.free_vectors(i.of.f).error();
            i.other_freed = i.of.bus.unregister_handler(i.of.f, i.other).has_value();
            return pci::irq_return::handled;
        }
    } handler{*this};
    vector_counter counter;
    REQUIRE(allocate(4, 4, irq_type::msix));
    handler.id = bus.register_handler(f, 0, {.entry = &inside::on_irq, .context = &handler}).value();
    handler.other = bus.register_handler(f, 1, counter.action()).value();
    CHECK(!bus.in_handler(f));
    REQUIRE(bus.trigger(f, 0));
    REQUIRE(bus.trigger(f, 1));
    CHECK(poll() == 1);
    CHECK(handler.in_handler);
    CHECK(handler.own == errc::edeadlk);
    CHECK(handler.vectors == errc::edeadlk);
    CHECK(handler.other_freed);
    CHECK(bus.handler_registered(f, handler.id));
    CHECK(counter.interrupts[1] == 0);
}

TEST_CASE("handlers are called on the bus's thread, and freeing vectors waits for the one that runs") {
    fake_kernel kernel;
    auto& hardware = kernel.add({});
    fake_bus bus(kernel.options(vfio::delivery::threaded), fake_calls{&kernel});
    auto& f = *bus.open("0000:01:00.0").value();
    REQUIRE(bus.enable(f));
    struct slow {
        std::atomic<bool> started{false}, ended{false};
        std::atomic<bool> elsewhere{false};
        std::thread::id main = std::this_thread::get_id();

        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            auto& s = *static_cast<slow*>(self);
            s.elsewhere = std::this_thread::get_id() != s.main;
            s.started = true;
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
            s.ended = true;
            return pci::irq_return::handled;
        }
    } handler;
    REQUIRE(bus.allocate_vectors(f, {.min = 1, .max = 4, .types = irq_type::msix}));
    REQUIRE(bus.register_handler(f, 2, {.entry = &slow::on_irq, .context = &handler}));
    REQUIRE(kernel.raise(hardware, VFIO_PCI_MSIX_IRQ_INDEX, 2));
    while (!handler.started)
        std::this_thread::yield();
    CHECK(!bus.in_handler(f));
    CHECK(bus.poll(0).error() == errc::ebusy);
    CHECK(bus.free_vectors(f));
    CHECK(handler.ended);
    CHECK(handler.elsewhere);
}

TEST_CASE("disabling and synchronizing wait for the handler that runs, and enabling delivers what was held") {
    fake_kernel kernel;
    auto& hardware = kernel.add({});
    fake_bus bus(kernel.options(vfio::delivery::threaded), fake_calls{&kernel});
    auto& f = *bus.open("0000:01:00.0").value();
    REQUIRE(bus.enable(f));
    struct slow {
        std::atomic<unsigned> started{0}, ended{0};

        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            auto& s = *static_cast<slow*>(self);
            ++s.started;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            ++s.ended;
            return pci::irq_return::handled;
        }
    } handler;
    REQUIRE(bus.allocate_vectors(f, {.min = 1, .max = 4, .types = irq_type::msix}));
    const auto id = bus.register_handler(f, 2, {.entry = &slow::on_irq, .context = &handler}).value();
    const auto begin = [&](unsigned call) {
        REQUIRE(kernel.raise(hardware, VFIO_PCI_MSIX_IRQ_INDEX, 2));
        while (handler.started != call)
            std::this_thread::yield();
    };
    begin(1);
    CHECK(bus.synchronize_handler(f, id));
    CHECK(handler.ended == 1);
    begin(2);
    CHECK(bus.synchronize_handler(f, pci::handler_id::none));
    CHECK(handler.ended == 2);
    begin(3);
    CHECK(bus.disable_handler(f, id));
    CHECK(handler.ended == 3);
    REQUIRE(kernel.raise(hardware, VFIO_PCI_MSIX_IRQ_INDEX, 2));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(handler.started == 3);
    CHECK(bus.enable_handler(f, id));
    while (handler.ended != 4)
        std::this_thread::yield();
    CHECK(bus.free_vectors(f));
    CHECK(handler.started == 4);
}
