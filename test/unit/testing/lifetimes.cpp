// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/lifetimes.hpp>

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <devres/testing/chart_text.hpp>
#include <devres/testing/traced.hpp>

#include "drivers.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::testing;
using test::null_platform;

namespace {

/// A row in a line: `irq_handler 0 "a" 2-5 i3`, with `<` begun before, `>` still held and `!` vectors lost.
std::vector<std::string> rows(const std::vector<trace_entry>& entries) {
    std::vector<std::string> all;
    for (const lifetime_row& row : lifetimes_of(entries).rows) {
        std::ostringstream line;
        line << (row.who.empty() ? "" : row.who + ": ") << row.label();
        for (const lifetime& each : row.lifetimes)
            line << ' ' << (each.begun_before ? "<" : "") << each.from << '-' << each.to << (each.still_held ? ">" : "")
                 << (each.lost_vectors ? "!" : "");
        for (const lifetime_mark& mark : row.marks)
            line << ' ' << name_of(mark.step) << ' ' << mark.at << " (" << mark.text << ')';
        all.push_back(line.str());
    }
    return all;
}

trace_entry acquired(std::string resource, std::string name = {}) {
    return {.step = trace_step::acquired, .resource = resource, .owner = trace_owner::managed, .detail = name};
}
trace_entry released(std::string resource, std::string name = {}) {
    return {.step = trace_step::released, .resource = resource, .owner = trace_owner::managed, .detail = name};
}
using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("the lifetimes of a driver's resources are those of its trace") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder trace;
    traced platform(inner, std::ref(trace), [](auto&) { return std::string("03:00.0"); });
    {
        auto binding = pci::bind<test::managed_driver>(platform, function);
        REQUIRE(binding);
        function.fire(1);
        binding->state().ours = false;
        function.fire(0);
        CHECK(binding->suspend());
        CHECK(binding->resume());
        platform.remark(function, "now");
    }
    CHECK(rows(trace.entries()) ==
          lines{"03:00.0: attached 0-20", "03:00.0: driver_data \"devres::test::managed_driver::state\" 1-19",
                "03:00.0: enable 2-18", "03:00.0: bus mastering 3-15", "03:00.0: bar 0 \"registers\" 4-17",
                "03:00.0: irq_vectors 2 vectors 5-16", "03:00.0: irq_handler 0 \"event\" 6-14 interrupt 9 (none)",
                "03:00.0: irq_handler 1 \"dma\" 7-13 interrupt 8 (handled)", "03:00.0: suspended 10-11",
                "03:00.0: remark remark 12 (now)"});
}

TEST_CASE("a handler that its vectors were freed under has ended then, and its own release says no more") {
    null_platform inner;
    null_platform::function_type function;
    trace_recorder trace;
    traced platform(inner, std::ref(trace));
    REQUIRE(test::unmanaged_driver::run(platform, function, [] {}));
    const auto all = rows(trace.entries());
    REQUIRE(all.size() == 7);
    CHECK(all[5] == "irq_handler 0 \"first\" 5-8!");
    CHECK(all[6] == "irq_handler 1 \"second\" 6-7");

    CHECK(rows({acquired("irq_handler 0"),
                {.step = trace_step::ended, .resource = "irq_handler 0"},
                released("irq_handler 0")}) == lines{"irq_handler 0 0-1!"});
}

TEST_CASE("a resource that is acquired again is in its row again, and one like it that is still there is not") {
    CHECK(rows({acquired("action"), acquired("action"), released("action"), released("action"), acquired("action"),
                acquired("action")}) == lines{"action 0-3 4-6>", "action 1-2 5-6>"});
}

TEST_CASE("functions are one after the other, whenever their resources were acquired") {
    const auto of = [](std::string who, trace_entry entry) {
        entry.who = std::move(who);
        return entry;
    };
    CHECK(rows({of("a", acquired("bar 0")), of("b", acquired("bar 0")), of("a", acquired("bar 1")),
                of("b", released("bar 0"))}) == lines{"a: bar 0 0-4>", "a: bar 1 2-4>", "b: bar 0 1-3"});
}

TEST_CASE("a trace that begins late has the ends of what began before") {
    CHECK(rows({released("bar 0", "\"a\""),
                {.step = trace_step::interrupt, .resource = "irq_handler 0", .detail = "none"}}) ==
          lines{"bar 0 \"a\" <0-0", "irq_handler 0 interrupt 1 (none)"});
    CHECK(lifetimes_of({}).rows.empty());
    CHECK(lifetimes_of({}).length == 0);
}

TEST_CASE("what failed and what a group is are rows of their own") {
    null_platform inner;
    null_platform::function_type function;
    function.msix_vectors = function.msi_vectors = 0;
    trace_recorder trace;
    traced platform(inner, std::ref(trace));
    {
        const auto mark = platform.group(function, "queues");
        CHECK(!platform.allocate_vectors(function, {.min = 1, .max = 1, .types = pci::irq_type::msix}));
    }
    CHECK(trace.lines() ==
          lines{"opened group \"queues\"",
                "failed allocate_vectors 1 to 1 no space left: fewer available than the minimum asked for",
                "closed group \"queues\""});
    CHECK(rows(trace.entries()) ==
          lines{"group \"queues\" 0-2",
                "allocate_vectors 1 to 1 failed 1 (no space left: fewer available than the minimum asked for)"});
}

TEST_CASE("a chart in characters has a row for each resource, and says what its signs mean") {
    trace_recorder trace;
    const auto tell = [&](trace_entry entry) {
        entry.who = "0000:3a:00.0";
        trace(entry);
    };
    tell({.step = trace_step::attached});
    tell(acquired("enable"));
    tell(acquired("irq_vectors", "2 vectors"));
    tell({.step = trace_step::opened, .resource = "group", .detail = "\"queues\""});
    tell({.step = trace_step::acquired,
          .resource = "irq_handler 0",
          .owner = trace_owner::unmanaged,
          .detail = "\"event\""});
    tell({.step = trace_step::interrupt, .resource = "irq_handler 0", .detail = "\"event\" handled"});
    tell({.step = trace_step::failed,
          .resource = "register_handler vector 1 \"with a long name\"",
          .detail = "out of memory"});
    tell({.step = trace_step::closed, .resource = "group", .detail = "\"queues\""});
    tell({.step = trace_step::ended, .resource = "irq_handler 0", .detail = "\"event\""});
    tell(released("irq_vectors", "2 vectors"));
    tell({.step = trace_step::remark, .detail = "enough"});
    tell({.step = trace_step::detached});
    std::ostringstream out;
    write_chart_text(out, trace.entries());
    CHECK(out.str() == R"(0000:3a:00.0
  attached                            [~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~]
  enable                                 [===================================>
  irq_vectors 2 vectors                     [=======================]
  group "queues"                                [............]
  irq_handler 0 "event"                            [--i---------!
  register_handler vector 1 "with...                      x out of memory
  remark                                                        enough ^
  = devres frees it   - the driver frees it   ~ a state   . a group
  i interrupt   x failed   ^ remark   ! vectors freed under it   > still held
)");
}

TEST_CASE("a chart of any length is as wide as a terminal") {
    std::vector<trace_entry> entries;
    for (int i = 0; i != 300; ++i)
        entries.push_back(acquired("bar " + std::to_string(i), i % 3 == 0 ? "\"" + std::string(90, 'n') + "\"" : ""));
    for (int i = 300; i-- != 1;)
        entries.push_back(released("bar " + std::to_string(i), i % 3 == 0 ? "\"" + std::string(90, 'n') + "\"" : ""));
    std::ostringstream out;
    write_chart_text(out, entries);
    std::istringstream in(out.str());
    std::size_t count = 0;
    for (std::string line; std::getline(in, line); ++count)
        CHECK(line.size() <= 78);
    CHECK(count == 301);

    std::ostringstream nothing;
    write_chart_text(nothing, {});
    CHECK(nothing.str().empty());
}
