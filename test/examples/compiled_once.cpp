// SPDX-License-Identifier: BSL-1.0
// Drivers that were compiled once, elsewhere, on every platform: this file knows their headers, not their sources.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>

#include <devres/linux_model.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>
#include <devres/vfio.hpp>

#include "support/catch.hpp"
#include "vfio/fake_kernel.hpp"

#include "edu/driver.hpp"
#include "edu/model.hpp"
#include "rocker/compiled.hpp"
#include "rocker/exercise.hpp"
#include "rocker/model.hpp"

using namespace devres;

namespace {

/// Uses everything an edu device has, and unbinds. @returns what is wrong, or nothing
std::string exercise_edu(result<pci::any_binding<edu::unit>> bound) {
    if (!bound)
        return std::string("bind: ") + message(bound.error());
    edu::unit& unit = bound->state();
    for (const auto& [n, expected] : {std::pair{5U, 120U}, std::pair{0U, 1U}, std::pair{13U, 1'932'053'504U}}) {
        if (const auto found = unit.factorial(n); found != expected)
            return std::to_string(n) + "! is " + (found ? std::to_string(*found) : message(found.error()));
    }
    for (const std::size_t size : {std::size_t{1}, std::size_t{100}, edu::buffer_size}) {
        std::vector<std::byte> out(size), in(size);
        for (std::size_t i = 0; i != size; ++i)
            out[i] = static_cast<std::byte>(i * 7 + size);
        if (const auto stored = unit.store(out); !stored)
            return "store: " + std::string(message(stored.error()));
        if (const auto loaded = unit.load(in); !loaded)
            return "load: " + std::string(message(loaded.error()));
        if (in != out)
            return "what was loaded is not what was stored, of " + std::to_string(size) + " bytes";
    }
    std::vector<std::byte> too_many(edu::buffer_size + 1);
    if (unit.store(too_many) != fail(errc::einval) || unit.load(too_many) != fail(errc::einval))
        return "more than the buffer holds is taken";
    if (unit.interrupts() != 9)
        return std::to_string(unit.interrupts()) + " interrupts";
    const auto unbound = bound->unbind();
    return unbound ? "" : std::string("unbind: ") + message(unbound.error());
}

struct edu_bench {
    edu::model hardware;
    sim::bus bus;
    sim::function& function;
    sim::snapshot before = function.state();

    explicit edu_bench(unsigned msi_vectors = 1) : function(bus.add(config(msi_vectors))) {}

    sim::function_config config(unsigned msi_vectors) {
        auto of = edu::config(hardware);
        of.msi_vectors = msi_vectors;
        return of;
    }
    [[nodiscard]] std::string left_behind() {
        std::ostringstream out;
        if (!bus.ledger().clean())
            out << bus.ledger() << "; ";
        if (function.present())
            out << sim::difference(before, function.state());
        return out.str();
    }
};

/// An edu device behind the fake kernel's VFIO: its registers are none of the program's memory, so that the kernel is asked for
/// each access. Driver's memory is where the kernel was told that it is.
struct vfio_edu {
    explicit vfio_edu(test::fake_kernel& of) : kernel(of) {
        kernel.config(device, PCI_VENDOR_ID, 4, std::uint32_t{edu::device} << 16U | edu::vendor);
    }

    [[nodiscard]] std::uint64_t read(std::uint64_t offset) {
        const std::scoped_lock hold(lock);
        switch (offset) {
        case edu::registers::identification: return 0x0100'00ed;
        case edu::registers::liveness: return ~last[offset];
        default: return last[offset];
        }
    }
    void write(std::uint64_t offset, std::uint64_t value) {
        std::uint64_t why = 0;
        {
            const std::scoped_lock hold(lock);
            if (offset == edu::registers::factorial) {
                std::uint32_t product = 1;
                for (; value > 1; --value)
                    product *= static_cast<std::uint32_t>(value);
                value = product;
                why = edu::factorial_computed;
            } else if (offset == edu::registers::dma_command) {
                transfer((value & edu::dma::to_memory) != 0);
                value &= ~std::uint64_t{edu::dma::run};
                why = edu::dma_done;
            } else if (offset == edu::registers::irq_acknowledge) {
                last[edu::registers::irq_status] &= ~value;
            }
            last[offset] = value;
            last[edu::registers::irq_status] |= why;
        }
        if (why != 0)
            (void)kernel.raise(device, VFIO_PCI_MSI_IRQ_INDEX, 0);
    }

    test::fake_kernel& kernel;
    test::fake_kernel::device& device = kernel.add({.bars = {edu::registers::size}, .mappable = false});

private:
    void transfer(bool out) {
        const std::uint64_t outside = last[out ? edu::registers::dma_destination : edu::registers::dma_source];
        const std::uint64_t inside = last[out ? edu::registers::dma_source : edu::registers::dma_destination] -
                                     edu::buffer_begin;
        const std::uint64_t count = last[edu::registers::dma_count];
        const std::scoped_lock hold(kernel.lock);
        for (const auto& [iova, map] : kernel.dma) {
            if (outside < iova || outside + count > iova + map.size)
                continue;
            auto* const memory = reinterpret_cast<std::byte*>(map.vaddr + (outside - iova));
            if (out)
                std::copy_n(buffer.begin() + static_cast<std::ptrdiff_t>(inside), count, memory);
            else
                std::copy_n(memory, count, buffer.begin() + static_cast<std::ptrdiff_t>(inside));
        }
    }

    std::mutex lock;
    std::map<std::uint64_t, std::uint64_t> last;  // written
    std::array<std::byte, edu::buffer_size> buffer{};
};

/// The fake kernel, whose device has registers that do something.
struct edu_calls : test::fake_calls {
    vfio_edu* edu = nullptr;

    long read_at(int fd, void* to, std::size_t size, std::uint64_t offset) const noexcept {
        if (fd != edu->device.descriptor || offset >= edu::registers::size)
            return test::fake_calls::read_at(fd, to, size, offset);
        const std::uint64_t value = edu->read(offset);
        std::memcpy(to, &value, size);
        return static_cast<long>(size);
    }
    long write_at(int fd, const void* from, std::size_t size, std::uint64_t offset) const noexcept {
        if (fd != edu->device.descriptor || offset >= edu::registers::size)
            return test::fake_calls::write_at(fd, from, size, offset);
        std::uint64_t value = 0;
        std::memcpy(&value, from, size);
        edu->write(offset, value);
        return static_cast<long>(size);
    }
};

constexpr auto nothing_said = [](std::string_view) {};

/// A plugin, as long as it is loaded.
struct plugin {
    void* handle = ::dlopen(DEVRES_DRIVERS_PLUGIN, RTLD_NOW | RTLD_LOCAL);

    plugin() { REQUIRE(handle != nullptr); }
    plugin(const plugin&) = delete;
    plugin& operator=(const plugin&) = delete;
    ~plugin() { ::dlclose(handle); }

    [[nodiscard]] const void* symbol(const char* name) const { return ::dlsym(handle, name); }
};

}  // namespace

TEST_CASE("the compiled edu driver works on the simulated bus, with MSI and with INTx") {
    edu_bench bench(GENERATE(1U, 0U));
    for (int round = 0; round != 2; ++round) {
        CHECK(exercise_edu(edu_driver.bind(bench.bus, bench.function)) == "");
        CHECK(bench.left_behind() == "");
    }
}

TEST_CASE("the compiled edu driver works on every version of Linux") {
    linux_model::kernel kernel(*GENERATE(&linux_model::linux_5_16, &linux_model::linux_6_1, &linux_model::linux_6_12,
                                         &linux_model::linux_6_18));
    edu::model hardware;
    linux_model::pci_dev& dev = kernel.add(edu::config(hardware));
    CHECK(exercise_edu(edu_driver.bind(kernel, dev)) == "");
    CHECK(kernel.hardware().ledger().clean());
    CHECK(dev.enable_cnt == 0);
    CHECK_FALSE(dev.has_resources());
    for (const auto& each : kernel.log().events())
        CHECK((each.kind != linux_model::event_kind::warning && each.kind != linux_model::event_kind::oops));
}

TEST_CASE("the compiled edu driver works over VFIO") {
    test::fake_kernel kernel;
    vfio_edu hardware(kernel);
    {
        vfio::basic_bus<edu_calls> bus(kernel.options(vfio::delivery::threaded), edu_calls{{&kernel}, &hardware});
        auto& function = *bus.open("0000:01:00.0").value();
        for (int round = 0; round != 2; ++round) {
            CHECK(exercise_edu(edu_driver.bind(bus, function)) == "");
            CHECK(bus.held(function).empty());
        }
    }
    CHECK(kernel.held() == "");
}

TEST_CASE(
    "a fault at any step of the compiled edu driver, or at any two, leaves nothing behind, over or under the erasure") {
    edu_bench bench;
    const auto use = [](auto& platform, auto& function) -> result<> {
        DEVRES_TRY(auto bound, edu_driver.bind(platform, function));
        DEVRES_TRY(const auto product, bound.state().factorial(6));
        return product == 720 ? bound.unbind() : fail(errc::eio);
    };
    const auto left = [&](auto&) { return bench.left_behind(); };
    const auto under = testing::explore_faults(
        bench.bus, [&](auto& platform) { return use(platform, bench.function); }, left, testing::fault_depth::pairs);
    INFO(under);
    CHECK(under.clean());
    CHECK(under.runs.size() > 12);

    pci::erased any{bench.bus};
    pci::erased_function function{any, bench.function};
    const auto over = testing::explore_faults(
        any, [&](auto& platform) { return use(platform, function); }, left, testing::fault_depth::pairs);
    INFO(over);
    CHECK(over.clean());
    CHECK(over.runs.size() == under.runs.size());
}

TEST_CASE("an interrupt at any point of the compiled edu driver's life does no harm") {
    edu_bench bench;
    const auto explored = testing::explore_interrupts(
        bench.bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, edu_driver.bind(platform, bench.function));
            DEVRES_TRY(bound.state().factorial(3));
            return bound.unbind();
        },
        [&](sim::bus&) { bench.function.raise(0U); }, [&](sim::bus&) { return bench.left_behind(); });
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 30);
}

TEST_CASE("who waits for an edu device that is pulled out hears that it is gone, and another device is refused") {
    edu_bench bench;
    {
        auto bound = edu_driver.bind(bench.bus, bench.function);
        REQUIRE(bound);
        bench.function.surprise_remove();
        CHECK(bound->state().factorial(3).error() == errc::enodev);
    }
    CHECK(bench.left_behind() == "");

    sim::device_model no_edu;
    CHECK(edu_driver.bind(bench.bus, bench.bus.add(edu::config(no_edu))).error() == errc::enodev);
    rocker::model other;
    CHECK(edu_driver.bind(bench.bus, bench.bus.add(rocker::config(other))).error() == errc::enodev);
    CHECK(bench.bus.ledger().clean());
}

TEST_CASE("the rocker driver, compiled once, passes its exercise on the simulated bus and on Linux") {
    rocker::model hardware;
    sim::bus bus;
    CHECK(rocker::exercise_bound(rocker_driver.bind(bus, bus.add(rocker::config(hardware, 2))), nothing_said) == "");
    CHECK(bus.ledger().clean());

    linux_model::kernel kernel(linux_model::linux_6_12);
    rocker::model of_linux;
    CHECK(rocker::exercise_bound(rocker_driver.bind(kernel, kernel.add(rocker::config(of_linux))), nothing_said) == "");
    CHECK(kernel.hardware().ledger().clean());
}

TEST_CASE("the rocker driver, compiled once, does the same as its template, as a traced platform sees it") {
    const auto life = [](auto bind) {
        rocker::model hardware;
        sim::bus bus;
        auto& function = bus.add(rocker::config(hardware, 1));
        testing::trace_recorder trace;
        testing::traced traced{bus, std::ref(trace)};
        CHECK(rocker::exercise_bound(bind(traced, function), nothing_said) == "");
        return trace.lines();
    };
    const auto direct = life([](auto& p, auto& f) { return pci::bind<rocker::driver>(p, f); });
    CHECK(direct == life([](auto& p, auto& f) { return rocker_driver.bind(p, f); }));
    CHECK(direct.size() > 20);
}

TEST_CASE("a driver in a plugin is found by its symbol, and works as one that is linked") {
    const plugin loaded;
    const auto found = pci::driver_in<edu::unit>(loaded.symbol("edu_driver"));
    REQUIRE(found);
    const pci::driver_entry<edu::unit>& driver = **found;
    CHECK(&driver != &edu_driver);
    CHECK(std::string_view(driver.name()) == "edu");
    edu_bench bench;
    CHECK(exercise_edu(driver.bind(bench.bus, bench.function)) == "");
    CHECK(bench.left_behind() == "");

    linux_model::kernel kernel(linux_model::linux_6_1);
    edu::model hardware;
    CHECK(exercise_edu(driver.bind(kernel, kernel.add(edu::config(hardware)))) == "");

    const auto explored = testing::explore_faults(
        bench.bus,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, driver.bind(platform, bench.function));
            return bound.unbind();
        },
        [&](sim::bus&) { return bench.left_behind(); });
    INFO(explored);
    CHECK(explored.clean());

    CHECK(pci::driver_in<rocker::unit>(loaded.symbol("edu_driver")).error() == errc::eproto);
    CHECK(pci::driver_in<rocker::unit>(loaded.symbol("rocker_driver")).has_value());
    CHECK(pci::driver_in<edu::unit>(loaded.symbol("no_driver")).error() == errc::enoent);
}
