// SPDX-License-Identifier: BSL-1.0
#include <map>

#include "devices.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::lab;
using pci::irq_type;

namespace {

/// A function that is enabled, with its BAR 0, as a driver has it.
struct driven : opened {
    vfio::region bar;

    explicit driven(pci::address where, vfio::bus_options options = {}) : opened(where, std::move(options)) {
        REQUIRE(bus.attach(f));
        REQUIRE(bus.enable(f));
        REQUIRE(bus.set_master(f, true));
        bar = bus.map_bar(f, pci::bar_number(0), "registers").value();
    }
    driven(const driven&) = delete;
    driven& operator=(const driven&) = delete;
    ~driven() {
        (void)bus.free_vectors(f);
        bus.unmap_bar(f, bar);
        bus.disable(f);
        bus.detach(f);
        CHECK(bus.held(f).empty());
    }
    result<unsigned> allocate(unsigned min, unsigned max, pci::irq_types types) {
        const auto granted = bus.allocate_vectors(f, {.min = min, .max = max, .types = types});
        return granted ? result<unsigned>(granted->count) : fail(granted.error());
    }
};

/// Counts the interrupts of each vector.
struct counts {
    std::array<std::atomic<unsigned>, 65> of{};

    static pci::irq_return on_irq(void* self, pci::vector_index vector) noexcept {
        ++static_cast<counts*>(self)->of[vector.value()];
        return pci::irq_return::handled;
    }
    [[nodiscard]] unsigned all() const {
        unsigned sum = 0;
        for (const auto& each : of)
            sum += each;
        return sum;
    }
};

}  // namespace

TEST_CASE("every vector of every device reaches its own handler and no other, fired by the hardware and by loopback") {
    for (const device& d : devices) {
        for (const irq_type type : {irq_type::msix, irq_type::msi}) {
            const unsigned count = type == irq_type::msix ? d.msix : d.msi;
            if (count == 0)
                continue;
            CAPTURE(d.name, count);
            driven one(d.address);
            REQUIRE(one.allocate(count, count, type) == count);
            counts seen;
            for (unsigned i = 0; i != count; ++i)
                REQUIRE(one.bus.register_handler(one.f, i, {.entry = &counts::on_irq, .context = &seen}));
            for (unsigned i = 0; i != count; ++i) {
                CAPTURE(i);
                // e1000e has one message for all causes without MSI-X
                if ((type == irq_type::msix || d.address != e1000e) && fire(one.bus, one.bar, d.address, i)) {
                    REQUIRE(soon([&] { return seen.of[i] == 1; }));
                    if (d.address == edu)
                        one.bus.write<std::uint32_t>(one.bar, 0x64, 1);
                    CHECK(seen.all() == 2 * i + 1);
                } else {
                    seen.of[i] = 1;
                }
                REQUIRE(one.bus.trigger(one.f, i));
                REQUIRE(soon([&] { return seen.of[i] == 2; }));
                CHECK(seen.all() == 2 * i + 2);
            }
        }
    }
}

TEST_CASE("as many vectors are granted as the device has, at, below and above its number") {
    for (const device& d : devices) {
        CAPTURE(d.name);
        driven one(d.address);
        for (const irq_type type : {irq_type::msix, irq_type::msi, irq_type::intx}) {
            const unsigned count = type == irq_type::msix ? d.msix : type == irq_type::msi ? d.msi : d.intx;
            const auto granted = [&](unsigned min, unsigned max) {
                const auto got = one.allocate(min, max, type);
                CHECK(one.bus.free_vectors(one.f));
                return got;
            };
            CAPTURE(count);
            const errc none = type == irq_type::intx ? errc::enospc : errc::einval;  // as Linux says it
            CHECK(granted(1, count + 100) == (count == 0 ? result<unsigned>(fail(none)) : result<unsigned>(count)));
            if (count == 0)
                continue;
            CHECK(granted(count, count) == count);
            CHECK(granted(1, 1) == 1U);
            CHECK(granted(count + 1, count + 1) == fail(errc::enospc));
            if (count > 2)
                CHECK(granted(1, count - 1) == count - 1);
        }
    }
}

TEST_CASE("vectors are allocated and freed a thousand times, with nothing left open or mapped") {
    { opened once(rocker8); }  // so that the allocator has an arena for threads
    const auto files = open_files();
    const auto maps = mappings();
    {
        driven one(rocker8);
        counts seen;
        REQUIRE(one.allocate(8, 8, irq_type::msix));
        REQUIRE(one.bus.free_vectors(one.f));
        const auto files_then = open_files();
        const auto maps_then = mappings();
        for (int i = 0; i != 1000; ++i) {
            REQUIRE(one.allocate(1, 8, irq_type::msix) == 8U);
            REQUIRE(one.bus.register_handler(one.f, 7, {.entry = &counts::on_irq, .context = &seen}));
            if (i % 100 == 0) {
                const unsigned before = seen.all();
                CHECK(fire(one.bus, one.bar, rocker8, 7));
                CHECK(soon([&] { return seen.all() == before + 1; }));
            }
            REQUIRE(one.bus.free_vectors(one.f));
        }
        CHECK(open_files() == files_then);
        CHECK(mappings() <= maps_then + 1);  // the allocator's own
        CHECK(seen.all() == 10);
    }
    CHECK(open_files() == files);
    CHECK(mappings() <= maps + 1);
}

TEST_CASE("the number of a vector is that of /proc/interrupts") {
    driven one(rocker4);
    REQUIRE(one.allocate(4, 4, irq_type::msix));
    for (unsigned i = 0; i != 4; ++i) {
        const std::string number = std::to_string(one.bus.vector_number(one.f, i).value()) + ":";
        const std::string name = "vfio-msix[" + std::to_string(i) + "](0000:00:04.0)";
        std::ifstream interrupts("/proc/interrupts");
        bool found = false;
        for (std::string line; std::getline(interrupts, line);)
            found = found || (line.find(" " + number) != std::string::npos && line.find(name) != std::string::npos);
        CAPTURE(number, name);
        CHECK(found);
    }
}

TEST_CASE("INTx is delivered for as long as its line is asserted, once at a time, and can be masked") {
    driven one(edu, {.handlers = vfio::delivery::polled});
    struct handler {
        driven& of;
        unsigned calls = 0, until = 3;
        static pci::irq_return on_irq(void* self, pci::vector_index) noexcept {
            auto& h = *static_cast<handler*>(self);
            if (++h.calls == h.until)
                h.of.bus.write<std::uint32_t>(h.of.bar, 0x64, 1);  // the device lowers the line
            return pci::irq_return::handled;
        }
    } h{one};
    REQUIRE(one.allocate(1, 1, irq_type::intx) == 1U);
    one.bus.write<std::uint32_t>(one.bar, 0x60, 1);  // while nobody listens
    CHECK(one.bus.poll(50) == 0U);
    REQUIRE(one.bus.register_handler(one.f, 0, {.entry = &handler::on_irq, .context = &h}));
    for (int i = 0; i != 200 && h.calls != 3; ++i)
        (void)one.bus.poll(10);
    CHECK(h.calls == 3);
    CHECK(one.bus.poll(50) == 0U);

    REQUIRE(one.bus.mask(one.f, 0, true));
    h.until = 4;
    one.bus.write<std::uint32_t>(one.bar, 0x60, 1);
    CHECK(one.bus.poll(50) == 0U);
    REQUIRE(one.bus.mask(one.f, 0, false));
    for (int i = 0; i != 200 && h.calls != 4; ++i)
        (void)one.bus.poll(10);
    CHECK(h.calls == 4);
}

TEST_CASE("MSI and MSI-X cannot be masked by this kernel, and the error says so") {
    driven one(rocker4);
    REQUIRE(one.allocate(4, 4, irq_type::msix));
    CHECK(one.bus.mask(one.f, 0, true).error() == errc::enotty);
    CHECK(one.bus.trigger(one.f, 4).error() == errc::einval);
}

TEST_CASE("one call for all vectors is cheaper than one for each") {
    driven one(nvme);
    REQUIRE(one.allocate(32, 32, irq_type::msix) == 32U);
    REQUIRE(one.bus.free_vectors(one.f));
    const auto time = [](auto act) {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i != 5; ++i)
            act();
        return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count() /
               5;
    };
    const auto range = time([&] {
        REQUIRE(one.allocate(32, 32, irq_type::msix));
        REQUIRE(one.bus.free_vectors(one.f));
    });
    std::array<int, 32> eventfds{};
    for (int& fd : eventfds)
        fd = ::eventfd(0, EFD_CLOEXEC);
    const vfio::detail::device_file<vfio::kernel_calls> file({}, {{}, ::dup(one.f.file_descriptor())});
    std::array<unsigned char, sizeof(vfio_irq_set) + sizeof(eventfds)> buffer{};
    const auto each = time([&] {
        const auto set = [&](unsigned start, unsigned count) {
            return file.set_irqs(VFIO_PCI_MSIX_IRQ_INDEX, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                                 start, count, eventfds.data() + start, buffer.data());
        };
        for (unsigned i = 0; i != 32; ++i) {  // the set cannot grow: it is given back, and made with one more
            if (i != 0)
                file.disable_irqs(VFIO_PCI_MSIX_IRQ_INDEX);
            REQUIRE(set(0, i + 1));
        }
        file.disable_irqs(VFIO_PCI_MSIX_IRQ_INDEX);
    });
    for (const int fd : eventfds)
        ::close(fd);
    WARN("32 vectors: one call " << range << " us, one for each " << each << " us");
    CHECK(range * 3 < each);
}
