// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/bind.hpp>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pci/fixture.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

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

/// What the driver with everything makes: its log is the driver's.
template <class Device>
struct full_state {
    function_type* function;
    vectors_of<Device> vectors;
    std::string* log;
    unsigned interrupts = 0;

    full_state(function_type& at, const vectors_of<Device>& of_device, std::string& to) noexcept
        : function(&at), vectors(of_device), log(&to) {}
    full_state(const full_state&) = delete;
    full_state& operator=(const full_state&) = delete;
    ~full_state() {
        *log += function->mapped[0] && vectors.size() == function->vectors.count ? "~state " : "~state-too-late ";
        errno = EBADF;
    }
    irq_return on_irq() noexcept {
        ++interrupts;
        return irq_return::handled;
    }
};

/// A driver with everything: state, table, ids, hooks; what they are called in is logged.
struct full_driver {
    static inline std::string log;
    static inline std::uint64_t driver_data_seen = 0;
    static inline result<> suspend_answer;
    static inline result<> resume_answer;

    using state = full_state<device<null_platform, full_driver>>;

    static constexpr device_id ids[] = {
        {.vendor = 0x1b36, .device = 0x0002, .driver_data = 2},
        {.vendor = 0x1b36, .device = 0x0001, .driver_data = 1},
        {.vendor = 0x1b36, .driver_data = 3},
    };
    static constexpr auto ownership = own(driver_data = managed, enable = managed, bar<0> = managed,
                                          irq_vectors = managed, irq_handler = managed);

    template <class Device>
    static probed<full_state<Device>> probe(Device& dev, const device_id& id) {
        driver_data_seen = id.driver_data;
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 2, 4, irq_type::all));
        DEVRES_TRY(const auto data, devm_emplace<full_state<Device>>(dev, dev.function(), vectors, log));
        for (unsigned i = 0; i != vectors.size(); ++i) {
            DEVRES_TRY(devm_request_irq(vectors[i], "full", data));
        }
        DEVRES_TRY(devm_add_action(dev, [](void*) { log += "action "; }, nullptr));
        log += "probe ";
        return data;
    }
    template <class Device>
    static void remove(full_state<Device>& data) noexcept {
        CHECK(!data.function->suspended);
        CHECK(data.function->fire(0));  // interrupts still arrive
        log += "remove ";
        errno = EBADF;
    }
    static result<> suspend(auto& data) {
        CHECK(!data.function->suspended);
        log += "suspend ";
        return suspend_answer;
    }
    static result<> resume(auto& data) noexcept {
        CHECK(!data.function->suspended);
        log += "resume ";
        return resume_answer;
    }

    static std::string logged() { return std::exchange(log, {}); }
};

/// The same steps on any platform, for failing each.
struct generic_driver {
    struct state {
        irq_return on_irq() noexcept { return irq_return::handled; }
        void start() noexcept {}
        void stop() noexcept {}
    };
    static probed<state> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(pci_read_config_dword(dev, 0));
        DEVRES_TRY(pcim_iomap_region<0>(enabled, "registers"));
        DEVRES_TRY(dmam_alloc_coherent(enabled, 64));
        DEVRES_TRY(const auto data, devm_emplace<state>(dev));
        DEVRES_TRY(const auto file, devm_revocable(dev, data));
        group queues{dev};
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
        for (unsigned i = 0; i != vectors.size(); ++i) {
            DEVRES_TRY(devm_request_irq(vectors[i], "generic", data));
        }
        queues.keep();
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));
        DEVRES_TRY(devm_start(dev, data));
        return data;
    }
};

struct stateless_driver {
    static inline int removals = 0;
    static inline int slept = 0;

    static result<> probe(auto& dev, const device_id& id) {
        CHECK(id == dev.id());
        DEVRES_TRY(pcim_enable_device(dev));
        return {};
    }
    static void remove() noexcept { ++removals; }
    static result<> suspend() {
        ++slept;
        return {};
    }
    static result<> resume() noexcept { return {}; }
};

struct bare_driver {
    static result<> probe(auto&, const device_id&) { return {}; }
};

struct void_hooks_driver {
    static inline int calls = 0;
    static result<managed_ref<int>> probe(auto& dev, const device_id&) { return devm_emplace<int>(dev, 3); }
    static void suspend(int& number) { calls += number; }
    static void resume(int& number) noexcept { calls += number; }
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

TEST_CASE_METHOD(bus_fixture, "binding probes with the matching id, unbinding removes and releases") {
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
    { const auto bound = bind<full_driver>(platform, function).value(); }
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
    stateless_driver::removals = stateless_driver::slept = 0;
    auto bound = bind<stateless_driver>(platform, function).value();
    CHECK(bound.suspend());
    CHECK(bound.resume());
    CHECK(bound.unbind());
    CHECK(stateless_driver::removals == 1);
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
    full_driver::suspend_answer = full_driver::resume_answer = {};
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

    full_driver::suspend_answer = fail(errc::ebusy);
    CHECK(bound.suspend().error() == errc::ebusy);
    CHECK(!function.suspended);
    full_driver::suspend_answer = {};
    CHECK(bound.suspend());
    full_driver::resume_answer = fail(errc::eio);
    CHECK(bound.resume().error() == errc::eio);
    CHECK(!function.suspended);
    CHECK(bound);
    full_driver::resume_answer = {};
    CHECK(bound.suspend());
    full_driver::logged();
    CHECK(bound.unbind());  // wakes the device first: remove() looks
    CHECK(full_driver::logged() == "resume remove action ~state ");
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

// What is probed.

namespace {

/// Returns a state that a test has chosen.
struct choosing_driver {
    static inline managed_ref<int>* foreign = nullptr;
    static inline bool gone = false;

    static probed<int> probe(device<null_platform, choosing_driver>& dev, const device_id&) {
        DEVRES_TRY(pcim_enable_device(dev));
        group g{dev};
        DEVRES_TRY(const auto mine, devm_emplace<int>(dev, 5));
        if (!gone)
            g.keep();
        if (foreign != nullptr)
            return *foreign;
        return mine;
    }
};

}  // namespace

TEST_CASE_METHOD(bus_fixture, "a state that has gone with its group, or is another device's, makes no binding") {
    device_fixture other;
    managed_ref<int> another = devm_emplace<int>(*other.dev, 6).value();
    choosing_driver::gone = false;
    choosing_driver::foreign = nullptr;
    SECTION("neither") {
        auto bound = bind<choosing_driver>(platform, function).value();
        CHECK(bound.state() == 5);
        CHECK(bound.unbind());
    }
    SECTION("gone") {
        choosing_driver::gone = true;
        CHECK(bind<choosing_driver>(platform, function).error() == errc::einval);
    }
    SECTION("another device's") {
        choosing_driver::foreign = &another;
        CHECK(bind<choosing_driver>(platform, function).error() == errc::einval);
    }
    CHECK(unchanged());
}

TEST_CASE_METHOD(bus_fixture, "the id that probe is given stays good for as long as the driver is bound") {
    struct driver {
        static probed<const device_id*> probe(device<null_platform, driver>& dev, const device_id& id) {
            return devm_emplace<const device_id*>(dev, &id);
        }
    };
    const auto bound = bind<driver>(platform, function).value();
    CHECK(*bound.state() == function.identity);
}

TEST_CASE_METHOD(bus_fixture, "a hook may take the state as a managed_ref, for what needs one") {
    struct driver {
        static probed<counter> probe(device<null_platform, driver>& dev, const device_id&) {
            return devm_emplace<counter>(dev);
        }
        static void remove(managed_ref<counter> data) noexcept { data->interrupts = 0; }
        static void suspend(const managed_ref<counter>& data) { data->interrupts = 1; }
        static void resume(managed_ref<counter> data) noexcept { data->interrupts = 2; }
    };
    auto bound = bind<driver>(platform, function).value();
    CHECK(bound.suspend());
    CHECK(bound.state().interrupts == 1);
    CHECK(bound.resume());
    CHECK(bound.state().interrupts == 2);
    CHECK(bound.unbind());
    CHECK(unchanged());
}

namespace {

/// Keeps its state in a group that outlives probe.
struct regrouping_driver {
    static inline group contents;
    static inline int calls = 0;

    static probed<counter> probe(device<null_platform, regrouping_driver>& dev, const device_id&) {
        contents = group{dev};
        DEVRES_TRY(const auto data, devm_emplace<counter>(dev));
        contents.keep();
        return data;
    }
    static void remove(counter& data) noexcept { calls += data.interrupts == 0 ? 1 : 100; }
    static void suspend(counter&) noexcept { ++calls; }
    static void resume(counter&) noexcept { ++calls; }
};

}  // namespace

TEST_CASE_METHOD(bus_fixture, "a hook is not called with a state that a group has released since") {
    regrouping_driver::calls = 0;
    auto bound = bind<regrouping_driver>(platform, function).value();
    CHECK(bound.suspend());
    CHECK(bound.resume());
    CHECK(regrouping_driver::calls == 2);
    CHECK(regrouping_driver::contents.release() == 1);
    CHECK(bound.suspend().error() == errc::enoent);
    CHECK(!function.suspended);
    CHECK(bound.unbind());
    CHECK(regrouping_driver::calls == 2);
    CHECK(unchanged());
}

// The order of an unbind.

namespace {

/// A driver without hooks, whose state starts and stops the device.
struct engine {
    static inline std::string log;
    static inline errc failure{};

    char name;
    explicit engine(char called) noexcept : name(called) {}
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() { log += std::string("~") + name + ' '; }

    result<> start() noexcept {
        log += std::string("start-") + name + ' ';
        if (failure != errc{})
            return fail(failure);
        return {};
    }
    void stop() noexcept { log += std::string("stop-") + name + ' '; }
    irq_return on_irq() noexcept { return irq_return::handled; }

    static std::string logged() { return std::exchange(log, {}); }
};

struct hookless_driver {
    static probed<engine> probe(auto& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix));
        DEVRES_TRY(const auto first, devm_emplace<engine>(dev, 'a'));
        DEVRES_TRY(devm_request_irq(vectors[0], "engine", first));
        DEVRES_TRY(devm_start(dev, first));
        DEVRES_TRY(const auto second, devm_emplace<engine>(dev, 'b'));
        DEVRES_TRY(devm_start(dev, second));
        return second;
    }
};
struct removing_driver : hookless_driver {
    static void remove(engine&) noexcept { engine::log += "remove "; }
};
struct suspending_driver : hookless_driver {
    static result<> suspend(engine&) {
        engine::log += "suspend ";
        return {};
    }
};
struct resuming_driver : hookless_driver {
    static inline result<> answer;
    static result<> resume(engine&) noexcept {
        engine::log += "resume ";
        return answer;
    }
    static void remove(engine&) noexcept { engine::log += "remove "; }
};

struct logging_bus {
    logging_platform platform;
    function_type function;

    logging_bus() {
        engine::failure = {};
        engine::logged();
    }
    ~logging_bus() { CHECK((function.idle() && platform.blocks() == 0)); }
};

}  // namespace

TEST_CASE_METHOD(
    logging_bus,
    "what a driver without hooks has started is stopped for the device's sleep and started again after it") {
    auto bound = bind<hookless_driver>(platform, function).value();
    CHECK(engine::logged() == "start-a start-b ");
    CHECK(bound.suspend());
    CHECK(engine::logged() == "stop-b stop-a ");
    CHECK(bound.resume());
    CHECK(engine::logged() == "start-a start-b ");
    CHECK(bound.unbind());
    CHECK(engine::logged() == "stop-b stop-a ~b ~a ");
}

TEST_CASE_METHOD(logging_bus, "remove is no hook of sleep: what was started is stopped and started all the same") {
    auto bound = bind<removing_driver>(platform, function).value();
    CHECK(bound.suspend());
    CHECK(bound.resume());
    CHECK(engine::logged() == "start-a start-b stop-b stop-a start-a start-b ");
    CHECK(bound.unbind());
    CHECK(engine::logged() == "remove stop-b stop-a ~b ~a ");
}

TEST_CASE_METHOD(logging_bus, "a driver with a hook of sleep stops and starts what it wants itself") {
    SECTION("suspend") {
        auto bound = bind<suspending_driver>(platform, function).value();
        CHECK(bound.suspend());
        CHECK(bound.resume());
        CHECK(engine::logged() == "start-a start-b suspend ");
    }
    SECTION("resume") {
        resuming_driver::answer = {};
        auto bound = bind<resuming_driver>(platform, function).value();
        CHECK(bound.suspend());
        CHECK(bound.resume());
        CHECK(engine::logged() == "start-a start-b resume ");
    }
    CHECK_THAT(engine::logged(), Catch::Matchers::ContainsSubstring("stop-b stop-a ~b ~a "));
}

TEST_CASE_METHOD(logging_bus,
                 "a device that sleeps is woken at the unbind, and what the driver started or resumes with it") {
    SECTION("by a driver without hooks") {
        auto bound = bind<removing_driver>(platform, function).value();
        REQUIRE(bound.suspend());
        engine::logged();
        platform.logged();
        CHECK(bound.unbind());
        CHECK(engine::logged() == "start-a start-b remove stop-b stop-a ~b ~a ");
        CHECK(platform.logged() == "wake handler vectors disable detach ");
    }
    SECTION("by the driver's resume") {
        resuming_driver::answer = {};
        auto bound = bind<resuming_driver>(platform, function).value();
        REQUIRE(bound.suspend());
        engine::logged();
        CHECK(bound.unbind());
        CHECK(engine::logged() == "resume remove stop-b stop-a ~b ~a ");
    }
    SECTION("by the death of the binding") {
        {
            auto bound = bind<removing_driver>(platform, function).value();
            REQUIRE(bound.suspend());
            engine::logged();
        }
        CHECK(engine::logged() == "start-a start-b remove stop-b stop-a ~b ~a ");
    }
}

TEST_CASE_METHOD(logging_bus, "a device that cannot be woken, or resumed, is unbound all the same") {
    SECTION("the platform cannot wake it") {
        auto bound = bind<resuming_driver>(platform, function).value();
        REQUIRE(bound.suspend());
        engine::logged();
        platform.gone = true;
        CHECK(bound.unbind());
        CHECK(engine::logged() == "remove stop-b stop-a ~b ~a ");
        function.suspended = false;
    }
    SECTION("the driver cannot resume it") {
        resuming_driver::answer = fail(errc::eio);
        auto bound = bind<resuming_driver>(platform, function).value();
        REQUIRE(bound.suspend());
        engine::logged();
        CHECK(bound.unbind());
        CHECK(engine::logged() == "resume remove stop-b stop-a ~b ~a ");
    }
    SECTION("what was started does not start again") {
        auto bound = bind<removing_driver>(platform, function).value();
        REQUIRE(bound.suspend());
        engine::logged();
        engine::failure = errc::eio;
        CHECK(bound.unbind());
        CHECK(engine::logged() == "start-a remove ~b ~a ");
    }
}

TEST_CASE_METHOD(logging_bus, "where what was started does not start again, the device is awake and the driver bound") {
    auto bound = bind<hookless_driver>(platform, function).value();
    REQUIRE(bound.suspend());
    engine::failure = errc::eio;
    CHECK(bound.resume().error() == errc::eio);
    CHECK(bound);
    CHECK(!function.suspended);
    engine::failure = {};
    engine::logged();
    CHECK(bound.suspend());  // nothing runs
    CHECK(engine::logged().empty());
    CHECK(bound.resume());
    CHECK(engine::logged() == "start-a start-b ");
}

TEST_CASE("where the platform cannot put the device to sleep, the driver is resumed") {
    using platform_type = testing::faulty<null_platform>;
    null_platform inner;
    function_type function;
    platform_type platform(inner);
    engine::failure = {};
    SECTION("by its hook") {
        resuming_driver::answer = {};
        auto bound = bind<resuming_driver>(platform, function).value();
        engine::logged();
        platform.restart({1});
        CHECK(bound.suspend().error() == errc::eio);
        CHECK(engine::logged() == "resume ");
    }
    SECTION("by starting what was started") {
        auto bound = bind<hookless_driver>(platform, function).value();
        engine::logged();
        platform.restart({1});
        CHECK(bound.suspend().error() == errc::eio);
        CHECK(engine::logged() == "stop-b stop-a start-a start-b ");
        CHECK(bound.resume().error() == errc::einval);
    }
    CHECK(function.idle());
}

TEST_CASE_METHOD(logging_bus, "what a failed probe acquired is released as at an unbind") {
    struct driver {
        static probed<engine> probe(device<logging_platform, driver>& dev, const device_id&) {
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            DEVRES_TRY(pci_set_master(enabled));
            DEVRES_TRY(const auto data, devm_emplace<engine>(dev, 'a'));
            DEVRES_TRY(dmam_alloc_coherent(enabled, 64));
            DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 2, 2, irq_type::msix));
            DEVRES_TRY(devm_request_irq(vectors[0], "managed", data));
            DEVRES_TRY(const auto own, request_irq(vectors[1], "own", data));
            DEVRES_TRY(devm_start(dev, data));
            return fail(errc::eproto);
        }
    };
    CHECK(bind<driver>(platform, function).error() == errc::eproto);
    CHECK(engine::logged() == "start-a stop-a ~a ");
    CHECK(platform.logged() == "master handler handler master-off vectors dma disable detach ");
}

// Handlers of the driver's own on what devres owns.

namespace {

struct own_handler_state : counter {
    irq_registration<unmanaged_t, null_platform, struct own_handler_driver> handler;
    bool* alive;
    explicit own_handler_state(bool& flag) noexcept : alive(&flag) { *alive = true; }
    own_handler_state(const own_handler_state&) = delete;
    own_handler_state& operator=(const own_handler_state&) = delete;
    ~own_handler_state() { *alive = false; }
    irq_return on_irq() noexcept {
        CHECK(*alive);
        return counter::on_irq();
    }
};
struct own_handler_driver {
    static inline bool alive = false;
    static inline bool fails = false;
    static inline bool frees = false;

    static probed<own_handler_state> probe(device<null_platform, own_handler_driver>& dev, const device_id&) {
        DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
        DEVRES_TRY(const auto data, devm_emplace<own_handler_state>(dev, alive));
        DEVRES_TRY(data->handler, request_irq(vectors[0], "own", data));
        if (fails)
            return fail(errc::eio);
        return data;
    }
    static void remove(own_handler_state& data) noexcept {
        if (frees)
            CHECK(free_irq(std::move(data.handler)));
    }
};

}  // namespace

TEST_CASE_METHOD(bus_fixture,
                 "a handler of the driver's own ends before its object, also where the driver does not end it") {
    own_handler_driver::fails = own_handler_driver::frees = false;
    SECTION("remove ends it") { own_handler_driver::frees = true; }
    SECTION("remove forgets it") {}
    SECTION("probe fails") { own_handler_driver::fails = true; }
    const auto bound = bind<own_handler_driver>(platform, function);
    CHECK(bound.has_value() != own_handler_driver::fails);
    if (bound) {
        CHECK(function.fire(0));
        CHECK(bound->state().interrupts == 1);
    }
}

TEST_CASE_METHOD(bus_fixture, "a driver whose own handler it forgot leaves the function as it was, again and again") {
    own_handler_driver::frees = false;
    for (int round = 0; round != 10; ++round) {
        own_handler_driver::fails = round % 3 == 2;
        (void)bind<own_handler_driver>(platform, function);
        CHECK(unchanged());
        CHECK(!own_handler_driver::alive);
    }
}

// Accesses of one's own.

namespace {

struct shared_driver {
    static inline revocable<counter> file;
    static probed<counter> probe(device<null_platform, shared_driver>& dev, const device_id&) {
        DEVRES_TRY(const auto data, devm_emplace<counter>(dev));
        DEVRES_TRY(file, devm_revocable(dev, data));
        return data;
    }
};

}  // namespace

TEST_CASE_METHOD(bus_fixture, "while this thread has an access open the driver cannot be unbound, and stays") {
    auto bound = bind<shared_driver>(platform, function).value();
    {
        const auto access = shared_driver::file.try_access();
        REQUIRE(access);
        CHECK(bound.unbind().error() == errc::edeadlk);
        CHECK(bound);
        CHECK(&*access == &bound.state());
    }
    CHECK(bound.unbind());
    CHECK(!shared_driver::file.try_access());
    shared_driver::file = {};
    CHECK(unchanged());
}

TEST_CASE_METHOD(bus_fixture,
                 "a binding that dies where it would wait for its own thread stops the program, and says why") {
    using Catch::Matchers::ContainsSubstring;
    auto bound = bind<shared_driver>(platform, function).value();
    CHECK_THAT(last_words([&] {
                   const auto access = shared_driver::file.try_access();
                   bound = {};
               }),
               ContainsSubstring("devres: a binding dies inside a handler, a suspend or a resume of its device"));
    CHECK(bound.unbind());
    shared_driver::file = {};
}

#if defined(__cpp_exceptions)
TEST_CASE_METHOD(bus_fixture, "what a probe that throws has acquired is released as at an unbind") {
    struct driver {
        static probed<engine> probe(device<null_platform, driver>& dev, const device_id&) {
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
            DEVRES_TRY(const auto data, devm_emplace<engine>(dev, 'a'));
            DEVRES_TRY(devm_request_irq(vectors[0], "engine", data));
            DEVRES_TRY(devm_start(dev, data));
            throw 42;
        }
    };
    engine::failure = {};
    engine::logged();
    CHECK_THROWS_AS((void)bind<driver>(platform, function), int);
    CHECK(engine::logged() == "start-a stop-a ~a ");
    CHECK(unchanged());
}

TEST_CASE_METHOD(bus_fixture, "a suspend that throws leaves the device awake, and the driver bound") {
    struct driver {
        static result<> probe(device<null_platform, driver>&, const device_id&) { return {}; }
        static void suspend() { throw 42; }
    };
    auto bound = bind<driver>(platform, function).value();
    CHECK_THROWS_AS((void)bound.suspend(), int);
    CHECK(!function.suspended);
    CHECK(bound);
    CHECK(bound.resume().error() == errc::einval);
}
#endif
