// SPDX-License-Identifier: BSL-1.0
#include <devres/any_platform.hpp>

#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <devres/pci/platform_archetype.hpp>
#include <devres/testing.hpp>

#include "pci/fixture.hpp"
#include "support/catch.hpp"
#include "vfio/driver.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

static_assert(platform<erased<platform_archetype>>);
static_assert(platform<erased<any_platform>>);
static_assert(platform<testing::faulty<any_platform>>);
static_assert(driver_on<everything_driver, any_platform>);

namespace {

/// What a program may do with the driver of these tests, and how.
class meter {
public:
    virtual std::uint32_t measure() noexcept = 0;
    virtual unsigned heard() const noexcept = 0;

protected:
    ~meter() = default;
};

/// A driver as an ordinary class: no template in it, nor in its state.
struct meter_driver {
    using device = pci::device<any_platform, meter_driver>;

    class state final : public meter {
    public:
        explicit state(const bar_of<device>& registers) noexcept : registers_(registers) {}
        std::uint32_t measure() noexcept override {
            registers_.write32(8, registers_.read32(8) + 1);
            return registers_.read32(8);
        }
        unsigned heard() const noexcept override { return heard_; }
        irq_return on_irq() noexcept {
            ++heard_;
            return irq_return::handled;
        }
        void start() const noexcept { registers_.write8(0, 1); }
        void stop() const noexcept { registers_.write8(0, 0); }

    private:
        bar_of<device> registers_;
        unsigned heard_ = 0;
    };

    static constexpr device_id ids[] = {{.vendor = 0x8086}, {.vendor = 0x1b36, .device = 1, .driver_data = 7}};
    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, bar<0> = managed,
                                          irq_vectors = managed, irq_handler = managed);

    static inline std::uint64_t probed_with = 0;

    static probed<state> probe(device& dev, const device_id& id) {
        probed_with = id.driver_data;
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pcim_iomap_region<0>(enabled, "meter"));
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 2, irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state>(dev, registers));
        DEVRES_TRY(devm_request_irq(vectors[0], "meter", data));
        DEVRES_TRY(devm_start(dev, data));
        return data;
    }
};

constinit const driver_entry<meter> meter_entry = compiled<meter_driver, meter>("meter");

/// The null platform's registers, as memory that may be used without asking: all but the first four bytes.
struct mapping_platform : null_platform {
    unsigned calls = 0;

    register_window direct_registers(const region_type& region) noexcept {
        return {.base = reinterpret_cast<std::byte*>(region.base), .begin = 4, .length = region.size - 4};
    }
    template <class T>
    T read(const region_type& region, std::size_t offset) noexcept {
        ++calls;
        return null_platform::read<T>(region, offset);
    }
    template <class T>
    void write(const region_type& region, std::size_t offset, T value) noexcept {
        ++calls;
        null_platform::write<T>(region, offset, value);
    }
};

/// The primitives of a driver's life on a platform, without those for memory.
template <class Bind>
std::vector<std::string> life_of(null_platform& platform, null_platform::function_type& function, Bind bind) {
    testing::faulty counted{platform};
    {
        auto bound = bind(counted, function);
        REQUIRE(bound);
        CHECK(function.fire(0));
        REQUIRE(bound->suspend());
        REQUIRE(bound->resume());
    }
    std::vector<std::string> calls;
    for (const std::string& step : counted.steps()) {
        std::string call = step.substr(step.find(": ") + 2);
        if (!call.starts_with("allocate ") || call.starts_with("allocate_"))
            calls.push_back(std::move(call));
    }
    return calls;
}

}  // namespace

TEST_CASE("a driver makes the same calls of an erased platform, with the same answers") {
    null_platform platform;
    null_platform::function_type function;
    const auto direct = life_of(platform, function,
                                [](auto& p, auto& f) { return pci::bind<everything_driver>(p, f); });
    const auto erasing = life_of(platform, function, [](auto& p, auto& f) {
        static std::optional<erased<std::remove_reference_t<decltype(p)>>> any;
        static std::optional<erased_function<std::remove_reference_t<decltype(p)>>> known;
        any.emplace(p);
        known.emplace(*any, f);
        return pci::bind<everything_driver>(known->platform(), *known);
    });
    CHECK(direct == erasing);
    CHECK(direct.size() == 17);
    CHECK(function.idle());
    CHECK(platform.blocks() == 0);
}

TEST_CASE("every primitive of an erased platform is that of the platform underneath") {
    null_platform platform;
    null_platform::function_type inner;
    erased any{platform};
    erased_function f{any, inner};
    CHECK(&any.inner() == &platform);
    CHECK(&f.inner() == &inner);
    CHECK(any.id(f) == platform.id(inner));
    REQUIRE(any.attach(f));
    CHECK(any.attach(f).error() == errc::ebusy);
    REQUIRE(any.enable(f));
    CHECK(inner.enabled == 1);
    REQUIRE(any.set_master(f, true));
    CHECK(inner.master);
    REQUIRE(any.suspend(f));
    CHECK(inner.suspended);
    REQUIRE(any.resume(f));
    CHECK(!inner.suspended);
    REQUIRE(any.write_config(f, 0x40, 2, 0xbeef));
    CHECK(any.read_config(f, 0x40, 4) == 0xbeefU);
    CHECK(any.read_config(f, 0x41, 4).error() == errc::einval);

    auto region = any.map_bar(f, bar_number(3), "registers");
    REQUIRE(region);
    CHECK(inner.mapped[3]);
    CHECK(any.map_bar(f, bar_number(3), "again").error() == errc::ebusy);
    CHECK(any.map_bar(f, bar_number(6), "beyond").error() == errc::einval);
    CHECK(any.bar_size(*region) == inner.bar_bytes);
    any.write<std::uint64_t>(*region, 8, 0x8877665544332211);
    CHECK(any.read<std::uint8_t>(*region, 9) == 0x22);
    CHECK(any.read<std::uint16_t>(*region, 10) == 0x4433);
    CHECK(any.read<std::uint32_t>(*region, 12) == 0x88776655);
    any.write<std::uint8_t>(*region, 8, 1);
    any.write<std::uint16_t>(*region, 10, 2);
    any.write<std::uint32_t>(*region, 12, 3);
    CHECK(any.read<std::uint64_t>(*region, 8) == 0x0000'0003'0002'2201);
    any.unmap_bar(f, *region);
    CHECK(!inner.mapped[3]);

    CHECK(any.allocate_vectors(f, {.min = 9, .max = 9, .types = irq_type::msix}).error() == errc::enospc);
    const auto granted = any.allocate_vectors(f, {.min = 1, .max = 4, .types = irq_type::msix});
    REQUIRE(granted);
    CHECK(granted->count == 4);
    CHECK(any.vector_number(f, 3) == platform.vector_number(inner, 3));
    struct context_type {
        erased<null_platform>* any;
        any_function* f;
        bool inside = false;
    } context{&any, &f};
    const auto id = any.register_handler(f, 1,
                                         {.entry =
                                              [](void* of, vector_index) noexcept {
                                                  auto& told = *static_cast<context_type*>(of);
                                                  told.inside = told.any->in_handler(*told.f);
                                                  return irq_return::handled;
                                              },
                                          .context = &context,
                                          .name = "handler"});
    REQUIRE(id);
    CHECK(any.handler_registered(f, *id));
    CHECK(!any.in_handler(f));
    CHECK(inner.fire(1));
    CHECK(context.inside);
    CHECK(any.synchronize_handler(f, *id));
    REQUIRE(any.disable_handler(f, *id));
    CHECK(!inner.fire(1));
    REQUIRE(any.enable_handler(f, *id));
    CHECK(any.enable_handler(f, *id).error() == errc::einval);
    REQUIRE(any.unregister_handler(f, *id));
    CHECK(!any.handler_registered(f, *id));
    REQUIRE(any.free_vectors(f));
    CHECK(inner.vectors.count == 0);

    const auto block = any.allocate_dma(f, 100);
    REQUIRE(block);
    CHECK(inner.dma_blocks == 1);
    any.free_dma(f, *block);
    std::array<char, 8> memory{};
    const auto mapping = any.map_dma(f, memory.data(), memory.size());
    REQUIRE(mapping);
    CHECK(inner.dma_mappings == 1);
    any.unmap_dma(f, *mapping);
    void* const own = any.allocate(16, 8);
    CHECK(platform.blocks() == 1);
    any.deallocate(own, 16, 8);
    any.relax();
    any.disable(f);
    any.detach(f);
    CHECK(inner.idle());
    CHECK(platform.blocks() == 0);
}

TEST_CASE("registers in memory are read and written without a call, and others by the platform") {
    mapping_platform platform;
    null_platform::function_type inner;
    erased any{platform};
    erased_function f{any, inner};
    auto region = any.map_bar(f, bar_number(0), "registers");
    REQUIRE(region);
    any.write<std::uint32_t>(*region, 4, 0x12345678);
    any.write<std::uint8_t>(*region, 4095, 9);
    CHECK(any.read<std::uint16_t>(*region, 6) == 0x1234);
    CHECK(any.read<std::uint8_t>(*region, 4095) == 9);
    CHECK(platform.calls == 0);
    any.write<std::uint32_t>(*region, 0, 5);
    CHECK(any.read<std::uint32_t>(*region, 0) == 5);
    CHECK(platform.calls == 2);

    testing::faulty watched{platform};  // a decorator sees every access
    erased any_watched{watched};
    erased_function of_watched{any_watched, inner};
    inner.mapped[0] = false;
    const auto seen = any_watched.map_bar(of_watched, bar_number(0), "registers");
    REQUIRE(seen);
    CHECK(any_watched.read<std::uint16_t>(*seen, 6) == 0x1234);
    CHECK(platform.calls == 3);
}

TEST_CASE("a function of another erased platform is refused") {
    null_platform platform, other_platform;
    null_platform::function_type inner;
    erased any{platform};
    erased other{other_platform};
    erased_function f{any, inner};
    CHECK(pci::bind<meter_driver>(static_cast<any_platform&>(other), f).error() == errc::enodev);
    CHECK(pci::bind<everything_driver>(other, f).error() == errc::einval);
    CHECK(meter_entry.bind(other, f).error() == errc::enodev);
    constexpr auto any_entry = compiled<everything_driver>("everything");
    CHECK(any_entry.bind(other, f).error() == errc::einval);
    CHECK(inner.idle());
    CHECK(other_platform.blocks() == 0);
}

TEST_CASE("an entry tells the driver's name and the functions it is for") {
    CHECK(std::string(meter_entry.name()) == "meter");
    CHECK(meter_entry.match({.vendor = 0x1b36, .device = 1}) == &meter_driver::ids[1]);
    CHECK(meter_entry.match({.vendor = 0x1b36, .device = 2}) == nullptr);
    const device_id whatever{.vendor = 1, .device = 2};
    CHECK(compiled<everything_driver>("everything").match(whatever) == &whatever);
}

TEST_CASE("a compiled driver is bound, used, put to sleep and unbound through its entry") {
    null_platform platform;
    null_platform::function_type function;
    {
        auto bound = meter_entry.bind(platform, function);
        REQUIRE(bound);
        CHECK(meter_driver::probed_with == 7);
        CHECK(bound->state().measure() == 1);
        CHECK(bound->state().measure() == 2);
        CHECK(function.fire(0));
        CHECK(bound->state().heard() == 1);
        CHECK(meter_entry.bind(platform, function).error() == errc::ebusy);
        CHECK(bound->resume().error() == errc::einval);
        REQUIRE(bound->suspend());
        CHECK(function.suspended);
        REQUIRE(bound->resume());
        any_binding<meter> moved = std::move(*bound);
        CHECK(moved);
        CHECK_FALSE(*bound);
        CHECK(moved.state().measure() == 3);
        REQUIRE(moved.unbind());
        CHECK_FALSE(moved);
        CHECK(moved.unbind());
        CHECK(function.idle());
        CHECK(platform.blocks() == 0);
        moved = *meter_entry.bind(platform, function);
        CHECK(moved);
        moved = any_binding<meter>();
        CHECK(function.idle());
    }
    CHECK(platform.blocks() == 0);
    any_binding<meter> empty;
    CHECK(empty.unbind());
}

TEST_CASE("a compiled driver takes a platform that is erased already as it is") {
    null_platform platform;
    null_platform::function_type inner;
    erased any{platform};
    erased_function f{any, inner};
    auto bound = meter_entry.bind(f.platform(), f);
    REQUIRE(bound);
    CHECK(bound->state().measure() == 1);
    REQUIRE(bound->unbind());
    auto again = meter_entry.bind(any, f);
    REQUIRE(again);
    CHECK(meter_entry.bind(any, f).error() == errc::ebusy);
    REQUIRE(again->unbind());
    CHECK(inner.idle());
    CHECK(platform.blocks() == 0);
}

TEST_CASE("a compiled driver is not unbound from inside its handler") {
    struct asked {
        irq_return on_irq() noexcept {
            answer = bound->unbind();
            return irq_return::handled;
        }
        any_binding<asked>* bound = nullptr;
        result<> answer;
    };
    struct asked_driver {
        static probed<asked> probe(device<any_platform, asked_driver>& dev, const device_id&) {
            DEVRES_TRY(auto enabled, pcim_enable_device(dev));
            DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix));
            DEVRES_TRY(auto data, devm_emplace<asked>(dev));
            DEVRES_TRY(devm_request_irq(vectors[0], "asked", data));
            return data;
        }
    };
    null_platform platform;
    null_platform::function_type function;
    auto bound = compiled<asked_driver, asked>("asked").bind(platform, function);
    REQUIRE(bound);
    bound->state().bound = &*bound;
    CHECK(function.fire(0));
    CHECK(bound->state().answer == fail(errc::edeadlk));
    CHECK(bound->unbind());
    CHECK(function.idle());
}

TEST_CASE("a fault at any step of a compiled driver leaves nothing behind, whichever side the faulty platform is on") {
    null_platform platform;
    null_platform::function_type function;
    const auto held = [&](auto&) { return std::string(function.idle() && platform.blocks() == 0 ? "" : "held"); };
    const auto use = [&](auto& p, auto& f) -> result<> {
        DEVRES_TRY(auto bound, meter_entry.bind(p, f));
        (void)bound.state().measure();
        return bound.unbind();
    };
    const auto under = testing::explore_faults(
        platform, [&](auto& p) { return use(p, function); }, held, testing::fault_depth::pairs);
    INFO(under);
    CHECK(under.clean());

    erased any{platform};
    erased_function f{any, function};
    const auto over = testing::explore_faults(
        any, [&](auto& p) { return use(p, f); }, held, testing::fault_depth::pairs);
    INFO(over);
    CHECK(over.clean());
    CHECK(over.runs.size() == under.runs.size());
    CHECK(under.runs.size() == 10);
}

TEST_CASE("an interrupt at any point of a compiled driver's life does no harm") {
    null_platform platform;
    null_platform::function_type function;
    const auto explored = testing::explore_interrupts(
        platform,
        [&](auto& p) -> result<> {
            DEVRES_TRY(auto bound, meter_entry.bind(p, function));
            return bound.unbind();
        },
        [&](null_platform&) { (void)function.fire(0); },
        [&](null_platform&) { return std::string(function.idle() ? "" : "held"); });
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.runs.size() > 20);
}

TEST_CASE("a platform that listens is told of resources through an erased one, whichever side it is on") {
    null_platform platform;
    null_platform::function_type function;
    const auto lines_of = [&](auto& p, auto& f, testing::trace_recorder& trace) {
        const auto bound = meter_entry.bind(p, f);
        REQUIRE(bound);
        auto lines = trace.lines();
        return lines;
    };
    testing::trace_recorder below, above;
    std::vector<std::string> from_below, from_above;
    {
        testing::traced traced{platform, std::ref(below)};
        from_below = lines_of(traced, function, below);
    }
    {
        erased any{platform};
        erased_function f{any, function};
        testing::traced<any_platform> traced{f.platform(), std::ref(above)};
        from_above = lines_of(traced, f, above);
    }
    CHECK(from_below == from_above);
    CHECK(from_below.size() == 7);
    CHECK(from_below[1] == "acquired enable managed");
    CHECK(below.lines() == above.lines());
}

TEST_CASE("a plugin's symbol is an entry of this library with the interface that is wanted, or an error") {
    const auto found = driver_in<meter>(&meter_entry);
    REQUIRE(found);
    CHECK(*found == &meter_entry);
    CHECK(driver_in<meter>(nullptr).error() == errc::enoent);
    static constexpr std::array<std::uint64_t, 16> other_data{1};
    CHECK(driver_in<meter>(other_data.data()).error() == errc::einval);
    CHECK(driver_in<meter_driver::state>(&meter_entry).error() == errc::eproto);
    CHECK(driver_in<>(&meter_entry).error() == errc::eproto);
    auto head = std::array<std::uint64_t, sizeof(meter_entry) / 8>{};
    std::memcpy(head.data(), static_cast<const void*>(&meter_entry), sizeof(meter_entry));
    CHECK(driver_in<meter>(head.data()).has_value());
    head[1] += 2;
    CHECK(driver_in<meter>(head.data()).error() == errc::enotsupp);
}
