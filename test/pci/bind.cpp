// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/bind.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

template <class Driver>
using state_type = decltype(std::declval<const binding<Driver, null_platform>&>().state());
template <class Driver>
concept has_state = requires { typename state_type<Driver>; };

struct bus_fixture {
    null_platform platform;
    function_type function;

    bool unchanged() { return function.idle() && platform.blocks() == 0; }
};

/// A driver with everything: state, table, ids, hooks; what they are called in is logged.
struct full_driver {
    static inline std::string log;
    static inline std::uint64_t driver_data_seen = 0;
    static inline result<> suspended;
    static inline result<> resumed;

    struct state {
        function_type* function;
        irq_allocation<managed_t, null_platform, full_driver> vectors;
        unsigned interrupts = 0;

        explicit state(function_type& at) noexcept : function(&at) {}
        ~state() {
            log += "~state ";
            errno = EBADF;
        }
        irq_return on_irq() noexcept {
            ++interrupts;
            return irq_return::handled;
        }
    };

    static constexpr device_id ids[] = {
        {.vendor = 0x1b36, .device = 0x0002, .driver_data = 2},
        {.vendor = 0x1b36, .device = 0x0001, .driver_data = 1},
        {.vendor = 0x1b36, .driver_data = 3},
    };
    static constexpr auto ownership =
        own(driver_data = managed, enable = managed, bar<0> = managed, irq_vectors = managed,
            irq_handler(driver_data) = managed);

    static result<managed_ref<state>> probe(auto& dev, const device_id& id) {
        driver_data_seen = id.driver_data;
        DEVRES_TRY(const auto data, devm_emplace<state>(dev, dev.function()));
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
        DEVRES_TRY(data->vectors, pcim_alloc_irq_vectors(enabled, 2, 4, irq_type::all));
        for (unsigned i = 0; i != data->vectors.size(); ++i) {
            DEVRES_TRY(devm_request_irq<&state::on_irq>(data->vectors[i], "full", data));
        }
        DEVRES_TRY(devm_add_action(dev, [](void*) { log += "action "; }, nullptr));
        log += "probe ";
        return data;
    }
    static void remove(state& data) {
        CHECK(!data.function->suspended);
        CHECK(data.function->fire(0));  // interrupts still arrive
        log += "remove ";
        errno = EBADF;
    }
    static result<> suspend(state& data) {
        CHECK(!data.function->suspended);
        log += "suspend ";
        return suspended;
    }
    static result<> resume(state& data) {
        CHECK(!data.function->suspended);
        log += "resume ";
        return resumed;
    }

    static std::string logged() { return std::exchange(log, {}); }
};

/// The same steps on any platform, for failing each.
struct generic_driver {
    struct state {
        irq_return on_irq() noexcept { return irq_return::handled; }
    };
    static result<managed_ref<state>> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<state>(dev));
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(pci_read_config_dword(dev, 0));
        DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
        DEVRES_TRY(dmam_alloc_coherent(enabled, 64));
        DEVRES_TRY(const auto file, devm_revocable(dev, data));
        group queues{dev};
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
        for (unsigned i = 0; i != vectors.size(); ++i) {
            DEVRES_TRY(devm_request_irq<&state::on_irq>(vectors[i], "generic", data));
        }
        queues.keep();
        fill_inline_records(dev, 12);
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));
        return data;
    }
};

struct stateless_driver {
    static inline int removed = 0;
    static inline int slept = 0;

    static result<> probe(auto& dev, const device_id& id) {
        CHECK(id == dev.id());
        DEVRES_TRY(pcim_enable_device(dev));
        return {};
    }
    static void remove() { ++removed; }
    static result<> suspend() {
        ++slept;
        return {};
    }
    static result<> resume() { return {}; }
};

struct bare_driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

struct void_hooks_driver {
    static inline int calls = 0;
    static result<managed_ref<int>> probe(auto& dev, const device_id&) { return devm_emplace<int>(dev, 3); }
    static void suspend(int& number) { calls += number; }
    static void resume(int& number) { calls += number; }
};

struct unmanaged_driver {
    struct state {
        enabled_device<unmanaged_t, null_platform, unmanaged_driver> enabled;
        bar_mapping<unmanaged_t, null_platform, unmanaged_driver> registers;
        irq_allocation<unmanaged_t, null_platform, unmanaged_driver> vectors;
        irq_registration<unmanaged_t, null_platform, unmanaged_driver> handler;
        irq_return on_irq() noexcept { return irq_return::handled; }
    };
    static inline bool fails = false;

    static result<managed_ref<state>> probe(device<null_platform, unmanaged_driver>& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<state>(dev));
        DEVRES_TRY(data->enabled, pci_enable_device(dev));
        DEVRES_TRY(data->registers, pci_iomap_region<0>(data->enabled, "registers"));
        DEVRES_TRY(data->vectors, pci_alloc_irq_vectors(data->enabled, 1, 4, irq_type::all));
        DEVRES_TRY(data->handler, request_irq<&state::on_irq>(data->vectors[0], "own", *data));
        if (fails)
            return fail(errc::eio);
        return data;
    }
};

}  // namespace

TEST_CASE("a binding's state is what probe makes, if it makes one") {
    STATIC_REQUIRE(std::is_same_v<state_type<full_driver>, full_driver::state&>);
    STATIC_REQUIRE(std::is_same_v<state_type<void_hooks_driver>, int&>);
    STATIC_REQUIRE(has_state<full_driver>);
    STATIC_REQUIRE(!has_state<stateless_driver>);
}

TEST_CASE("the first id that matches is the one probe is given, and no match is no match") {
    STATIC_REQUIRE(match<full_driver>({.vendor = 0x1b36, .device = 0x0001})->driver_data == 1);
    STATIC_REQUIRE(match<full_driver>({.vendor = 0x1b36, .device = 0x0009})->driver_data == 3);
    STATIC_REQUIRE(match<full_driver>({.vendor = 0x1b37, .device = 0x0001}) == nullptr);
}

TEST_CASE_METHOD(bus_fixture, "binding probes with the matching id, unbinding removes and releases, newest first") {
    full_driver::logged();
    {
        auto bound = bind<full_driver>(platform, function).value();
        CHECK(full_driver::driver_data_seen == 1);
        CHECK(full_driver::logged() == "probe ");
        CHECK(bound);
        CHECK(function.attached);
        CHECK(bound.state().vectors.size() == 4);
        CHECK(bound.state().function == &function);
        CHECK(&bound.dev().function() == &function);
        CHECK(function.fire(3));
        CHECK(bound.state().interrupts == 1);
        CHECK(bound.unbind());
        CHECK(!bound);
        CHECK(full_driver::logged() == "remove action ~state ");
        CHECK(unchanged());
        CHECK(bound.unbind());  // nothing more to do
    }
    CHECK(full_driver::logged().empty());
    {
        const auto bound = bind<full_driver>(platform, function).value();
    }
    CHECK(full_driver::logged() == "probe remove action ~state ");
    CHECK(unchanged());
}

TEST_CASE_METHOD(bus_fixture, "a function takes one driver at a time") {
    auto bound = bind<stateless_driver>(platform, function).value();
    const std::size_t blocks = platform.blocks();
    CHECK(bind<full_driver>(platform, function).error() == errc::ebusy);
    CHECK(bind<stateless_driver>(platform, function).error() == errc::ebusy);
    CHECK(platform.blocks() == blocks);
    CHECK(function.attached);
    CHECK(bound.unbind());
    CHECK(bind<full_driver>(platform, function));
    CHECK(unchanged());
}

TEST_CASE_METHOD(bus_fixture, "a driver whose ids do not mean the function is not probed") {
    function.identity.vendor = 0x8086;
    CHECK(bind<full_driver>(platform, function).error() == errc::enodev);
    CHECK(unchanged());
    CHECK(bind<stateless_driver>(platform, function));  // without ids: any function
}

TEST_CASE_METHOD(bus_fixture, "a driver without state has hooks without arguments") {
    stateless_driver::removed = stateless_driver::slept = 0;
    auto bound = bind<stateless_driver>(platform, function).value();
    CHECK(bound.suspend());
    CHECK(bound.resume());
    CHECK(bound.unbind());
    CHECK(stateless_driver::removed == 1);
    CHECK(stateless_driver::slept == 1);
    CHECK(unchanged());
}

TEST_CASE_METHOD(bus_fixture, "a driver needs no more than a probe") {
    auto bound = bind<bare_driver>(platform, function).value();
    CHECK(bound.suspend());
    CHECK(function.suspended);
    CHECK(bound.resume());
    CHECK(!function.suspended);
    CHECK(bound.unbind());
    CHECK(unchanged());
}

TEST_CASE("a probe that fails at any step leaves the function as it was, and its error is bind's") {
    using platform_type = testing::faulty<null_platform>;
    std::vector<errc> errors;
    for (std::size_t step = 1;; ++step) {
        null_platform inner;
        function_type function;
        platform_type platform(inner, {step});
        {
            const auto bound = bind<generic_driver>(platform, function);
            if (platform.injected().empty()) {
                CHECK(bound);
                break;
            }
            INFO(platform.steps().back());
            REQUIRE(!bound);
            errors.push_back(bound.error());
        }
        CHECK(function.idle());
        CHECK(inner.blocks() == 0);
        platform.restart({});
        CHECK(bind<generic_driver>(platform, function));
        CHECK(function.idle());
        CHECK(inner.blocks() == 0);
    }
    CHECK(errors.size() >= 15);
}

TEST_CASE("binding again and again, also after failures, finds the same state") {
    using platform_type = testing::faulty<null_platform>;
    null_platform inner;
    function_type function;
    platform_type platform(inner);
    for (std::size_t round = 0; round != 60; ++round) {
        platform.restart(round % 3 == 0 ? testing::fault_steps{} : testing::fault_steps{1 + round % 20});
        (void)bind<generic_driver>(platform, function);
        CHECK(function.idle());
        CHECK(inner.blocks() == 0);
    }
}

TEST_CASE_METHOD(bus_fixture, "guards that the driver keeps in its state go with it, after success and after failure") {
    unmanaged_driver::fails = false;
    {
        const auto bound = bind<unmanaged_driver>(platform, function).value();
        CHECK(function.vectors.count == 4);
    }
    CHECK(unchanged());
    unmanaged_driver::fails = true;
    CHECK(bind<unmanaged_driver>(platform, function).error() == errc::eio);
    CHECK(unchanged());
}

TEST_CASE_METHOD(bus_fixture, "suspend asks the driver first, resume wakes the device first") {
    full_driver::logged();
    full_driver::suspended = full_driver::resumed = {};
    auto bound = bind<full_driver>(platform, function).value();
    full_driver::logged();
    CHECK(bound.resume().error() == errc::einval);
    CHECK(bound.suspend());
    CHECK(function.suspended);
    CHECK(bound.suspend().error() == errc::einval);
    CHECK(bound.resume());
    CHECK(!function.suspended);
    CHECK(bound.resume().error() == errc::einval);
    CHECK(full_driver::logged() == "suspend resume ");

    full_driver::suspended = fail(errc::ebusy);
    CHECK(bound.suspend().error() == errc::ebusy);
    CHECK(!function.suspended);
    full_driver::suspended = {};
    CHECK(bound.suspend());
    full_driver::resumed = fail(errc::eio);
    CHECK(bound.resume().error() == errc::eio);
    CHECK(!function.suspended);
    CHECK(bound);
    full_driver::resumed = {};
    CHECK(bound.suspend());
    CHECK(bound.unbind());  // wakes the device first: remove() looks
    CHECK(unchanged());

    CHECK(bound.suspend().error() == errc::einval);
    CHECK(bound.resume().error() == errc::einval);
    full_driver::logged();
}

TEST_CASE("a platform that cannot suspend or resume leaves the device as it was") {
    using platform_type = testing::faulty<null_platform>;
    null_platform inner;
    function_type function;
    platform_type platform(inner);
    auto bound = bind<bare_driver>(platform, function).value();
    platform.restart({1, 3});
    CHECK(bound.suspend().error() == errc::eio);
    CHECK(bound.resume().error() == errc::einval);  // it is awake
    CHECK(bound.suspend());
    CHECK(bound.resume().error() == errc::eio);
    CHECK(function.suspended);
    CHECK(bound.resume());
    CHECK(bound);
}

TEST_CASE_METHOD(bus_fixture, "suspend and resume hooks may return nothing") {
    void_hooks_driver::calls = 0;
    auto bound = bind<void_hooks_driver>(platform, function).value();
    CHECK(bound.suspend());
    CHECK(bound.resume());
    CHECK(void_hooks_driver::calls == 6);
}

TEST_CASE_METHOD(bus_fixture, "from inside a handler the driver cannot be unbound, and stays") {
    struct driver {
        struct state {
            binding<driver, null_platform>* mine = nullptr;
            result<> unbound;
            irq_return on_irq() noexcept {
                unbound = mine->unbind();
                return irq_return::handled;
            }
        };
        static result<managed_ref<state>> probe(device<null_platform, driver>& dev, const device_id&) {
            DEVRES_TRY(const auto data, devm_emplace<state>(dev));
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors<1>(enabled, 1, irq_type::msix));
            DEVRES_TRY(devm_request_irq<&state::on_irq>(vectors.template get<0>(), "unbinding", data));
            return data;
        }
    };
    auto bound = bind<driver>(platform, function).value();
    bound.state().mine = &bound;
    CHECK(function.fire(0));
    CHECK(bound.state().unbound.error() == errc::edeadlk);
    CHECK(bound);
    CHECK(function.fire(0));
    CHECK(bound.unbind());
    CHECK(unchanged());
}

TEST_CASE_METHOD(bus_fixture, "errno is kept by unbinding, by hand and by the death of the binding") {
    CHECK(keeps_errno([&] {
        auto bound = bind<full_driver>(platform, function).value();
        errno = ENOTTY;
        (void)bound.unbind();
    }));
    CHECK(keeps_errno([&] {
        const auto bound = bind<full_driver>(platform, function).value();
        errno = ENOTTY;
    }));
    full_driver::logged();
}

#if defined(__cpp_exceptions)
TEST_CASE_METHOD(bus_fixture, "a probe that throws leaves the function as it was") {
    struct driver {
        static result<> probe(device<null_platform, driver>& dev, const device_id&) {
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            DEVRES_TRY(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
            throw 42;
        }
    };
    CHECK_THROWS_AS((void)bind<driver>(platform, function), int);
    CHECK(unchanged());
}
#endif
