// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/traced.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <devres/testing/faulty.hpp>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;
using test::null_platform;
using lines = std::vector<std::string>;

TEST_CASE("a trace tells who acquired what, what was interrupted, and what was released in which order") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder trace;
    traced platform(inner, std::ref(trace));
    {
        auto binding = pci::bind<test::managed_driver>(platform, function);
        REQUIRE(binding);
        function.fire(1);
        binding->state().ours = false;
        function.fire(0);
        CHECK(binding->suspend());
        CHECK(binding->resume());
    }
    CHECK(trace.lines() == lines{"attached",
                                 "acquired driver_data managed \"devres::test::managed_driver::state\"",
                                 "acquired enable managed",
                                 "called set_master on",
                                 "acquired bar 0 managed \"registers\"",
                                 "acquired irq_vectors managed 2 vectors",
                                 "acquired irq_handler 0 managed \"event\"",
                                 "acquired irq_handler 1 managed \"dma\"",
                                 "interrupt irq_handler 1 \"dma\" handled",
                                 "interrupt irq_handler 0 \"event\" none",
                                 "called suspend",
                                 "called resume",
                                 "released irq_handler 1 managed \"dma\"",
                                 "released irq_handler 0 managed \"event\"",
                                 "called set_master off",
                                 "released irq_vectors managed 2 vectors",
                                 "released bar 0 managed \"registers\"",
                                 "released enable managed",
                                 "released driver_data managed \"devres::test::managed_driver::state\"",
                                 "detached"});
    CHECK(inner.blocks() == 0);
}

TEST_CASE("a trace tells which of the driver's own resources was released") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder trace;
    traced platform(inner, std::ref(trace));
    REQUIRE(test::unmanaged_driver::run(platform, function, [] {}));
    CHECK(trace.lines() ==
          lines{"attached", "acquired enable unmanaged", "acquired bar 0 unmanaged \"small\"",
                "acquired bar 2 unmanaged \"large\"", "acquired irq_vectors unmanaged 2 vectors",
                "acquired irq_handler 0 unmanaged \"first\"", "acquired irq_handler 1 unmanaged \"second\"",
                "released irq_handler 1 unmanaged \"second\"", "ended irq_handler 0 unmanaged \"first\"",
                "released irq_vectors unmanaged 2 vectors", "released bar 2 unmanaged \"large\"",
                "released bar 0 unmanaged \"small\"", "released enable unmanaged", "detached"});
}

TEST_CASE("many interrupts are a few entries and a number") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder trace;
    traced platform(inner, std::ref(trace), [](auto&) { return std::string("03:00.0"); });
    {
        auto binding = pci::bind<test::managed_driver>(platform, function);
        REQUIRE(binding);
        trace.clear();
        for (int i = 0; i != 100; ++i)
            function.fire(0);
    }
    const auto entries = trace.entries();
    const trace_entry one{
        .who = "03:00.0", .step = trace_step::interrupt, .resource = "irq_handler 0", .detail = "\"event\" handled"};
    const trace_entry all{.who = "03:00.0",
                          .step = trace_step::interrupts,
                          .resource = "irq_handler 0",
                          .detail = "\"event\" 100 interrupts, 100 handled"};
    REQUIRE(entries.size() > 5);
    for (std::size_t i = 0; i != 3; ++i)
        CHECK(entries[i] == one);
    CHECK(to_string(entries[3]) == "released irq_handler 1 managed \"dma\"");
    CHECK(entries[4] == all);
}

TEST_CASE("a trace tells which primitive failed, and with what") {
    null_platform inner;
    null_platform::function_type function;
    function.msix_vectors = function.msi_vectors = 0;
    trace_recorder trace;
    traced platform(inner, std::ref(trace));
    CHECK(!pci::bind<test::managed_driver>(platform, function));
    CHECK(trace.lines()[5] ==
          "failed allocate_vectors 2 to 2 no space left: fewer available than the minimum asked for");
    CHECK(trace.lines().back() == "detached");
    trace.clear();

    faulty failing(inner, {1});
    traced over_failing(failing, std::ref(trace));
    CHECK(over_failing.allocate(64, 8) == nullptr);
    CHECK(trace.lines() == lines{"failed allocate 64 bytes out of memory"});
}

TEST_CASE("a trace of a trace tells the same twice") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder first;
    trace_recorder second;
    traced below(inner, std::ref(first));
    traced<traced<null_platform>> above(below, std::ref(second));
    {
        auto binding = pci::bind<test::managed_driver>(above, function);
        REQUIRE(binding);
        function.fire(0);
    }
    CHECK(first.lines().size() == 17);
    CHECK(first.lines() == second.lines());
}

TEST_CASE("a trace takes remarks and keeps errno") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder trace;
    traced platform(inner, [&](const trace_entry& entry) {
        trace(entry);
        errno = ENOENT;
    });
    errno = 0;
    platform.remark(function, "surprise removal");
    platform.detach(function);
    CHECK(errno == 0);
    CHECK(trace.lines() == lines{"remark surprise removal", "detached"});
}

TEST_CASE("a traced handler is refused its own end from inside, and waited for from outside") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder trace;
    traced platform(inner, std::ref(trace));
    struct context {
        traced<null_platform>& platform;
        null_platform::function_type& function;
        pci::handler_id id{};
        result<> refused{};
        std::atomic<bool> running = false;
        std::atomic<bool> finish = false;
        std::atomic<bool> finished = false;
    } data{.platform = platform, .function = function};

    REQUIRE(platform.allocate_vectors(function, {.min = 1, .max = 1, .types = pci::irq_type::msix}));
    const auto id = platform.register_handler(function, 0,
                                              {.entry =
                                                   [](void* argument, pci::vector_index) noexcept {
                                                       auto& self = *static_cast<context*>(argument);
                                                       self.refused = self.platform.unregister_handler(self.function,
                                                                                                       self.id);
                                                       self.running = true;
                                                       while (!self.finish)
                                                           self.platform.relax();
                                                       self.finished = true;
                                                       return pci::irq_return::handled;
                                                   },
                                               .context = &data,
                                               .name = "handler"});
    REQUIRE(id);
    data.id = *id;
    std::thread interrupt([&] { function.fire(0); });
    while (!data.running)
        platform.relax();
    CHECK(platform.handler_registered(function, *id));
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        data.finish = true;
    });
    CHECK(platform.unregister_handler(function, *id));
    CHECK(data.finished);
    interrupt.join();
    later.join();
    CHECK(data.refused.error() == errc::edeadlk);
    CHECK(trace.lines() ==
          lines{"failed unregister_handler would wait for itself", "interrupt irq_handler 0 \"handler\" handled"});
    CHECK(platform.free_vectors(function));
}

TEST_CASE("interrupts on several threads are all counted while the driver is unbound") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder trace;
    traced platform(inner, std::ref(trace));
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (unsigned vector = 0; vector != 2; ++vector)
        threads.emplace_back([&, vector] {
            while (!stop)
                function.fire(vector);
        });
    for (int i = 0; i != 50; ++i) {
        auto binding = pci::bind<test::managed_driver>(platform, function);
        REQUIRE(binding);
        if (i % 10 == 0) {
            while (binding->state().interrupts < 10)
                std::this_thread::yield();
        }
    }
    stop = true;
    for (auto& thread : threads)
        thread.join();
    CHECK(function.idle());
    CHECK(inner.blocks() == 0);
}
