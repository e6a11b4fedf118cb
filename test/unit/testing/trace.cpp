// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/trace.hpp>

#include <chrono>
#include <functional>
#include <sstream>
#include <thread>
#include <vector>

#include <devres/testing/trace_text.hpp>

#include "support/catch.hpp"

using namespace devres::testing;

namespace {

const trace_entry handler{.who = "0000:3a:00.0",
                          .step = trace_step::acquired,
                          .resource = "irq_handler 2",
                          .owner = trace_owner::managed,
                          .detail = "\"switchtec-event\""};

}  // namespace

TEST_CASE("an entry in one line leaves out what does not apply") {
    CHECK(to_string(handler) == "acquired irq_handler 2 managed \"switchtec-event\"");
    CHECK(to_string(trace_entry{.who = "0000:3a:00.0", .step = trace_step::detached}) == "detached");
}

TEST_CASE("a recorder keeps entries until it is cleared") {
    trace_recorder recorder;
    const trace_sink sink = std::ref(recorder);
    sink(handler);
    CHECK(recorder.entries() == std::vector{handler});
    CHECK(recorder.lines() == std::vector{to_string(handler)});
    recorder.clear();
    CHECK(recorder.entries().empty());
}

TEST_CASE("a recorder says when and on which thread, by a clock that counts entries or by one of the test's") {
    using std::chrono::microseconds;
    trace_recorder counting;
    counting(handler);
    std::thread([&] { counting(handler); }).join();
    counting.clear();
    counting({.who = "a", .step = trace_step::remark, .time = microseconds(99), .thread = 99});
    std::thread([&] {
        counting(handler);
        counting(handler);
    }).join();
    const auto kept = counting.entries();
    REQUIRE(kept.size() == 3);
    CHECK(kept[0].time == microseconds(2));
    CHECK(kept[0].thread == 1);
    CHECK(kept[1].time == microseconds(3));
    CHECK(kept[1].thread >= 2);
    CHECK(kept[2].thread == kept[1].thread);

    trace_recorder timed([at = microseconds(10)]() mutable { return at *= 2; });
    timed(handler);
    timed(handler);
    CHECK(timed.entries()[1].time == microseconds(40));

    const trace_clock clock = steady_trace_clock();
    const auto first = clock();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    CHECK(first >= microseconds(0));
    CHECK(clock() - first >= std::chrono::milliseconds(2));
}

TEST_CASE("entries that tell the same are equal, whenever they do") {
    trace_entry later = handler;
    later.time = std::chrono::seconds(1);
    later.thread = 7;
    CHECK(later == handler);
    CHECK(to_string(later) == to_string(handler));
    later.detail.clear();
    CHECK(later != handler);
}

TEST_CASE("a trace for people is in columns that stay where they are, without trailing blanks") {
    std::ostringstream out;
    trace_text text(out);
    text({.who = "0000:3a:00.0", .step = trace_step::attached});
    text(handler);
    text({.who = "0000:3a:00.0",
          .step = trace_step::failed,
          .resource = "register_handler vector 2 \"switchtec-event\"",
          .detail = "out of memory"});
    text({.step = trace_step::failed, .resource = "allocate 1016 bytes", .detail = "out of memory"});
    text({.who = "0000:3a:00.0",
          .step = trace_step::released,
          .resource = "irq_handler 100",
          .owner = trace_owner::unmanaged,
          .detail = "\"hundred\""});
    text({.who = "0000:3a:00.0",
          .step = trace_step::released,
          .resource = "a_resource_of_long_name",
          .owner = trace_owner::managed});
    text({.who = "0000:3a:00.0", .step = trace_step::remark, .detail = "surprise removal"});
    CHECK(out.str() == "0000:3a:00.0  attached\n"
                       "0000:3a:00.0  acquired    irq_handler 2   managed    \"switchtec-event\"\n"
                       "0000:3a:00.0  failed      register_handler vector 2 \"switchtec-event\"  out of memory\n"
                       "              failed      allocate 1016 bytes        out of memory\n"
                       "0000:3a:00.0  released    irq_handler 100 unmanaged  \"hundred\"\n"
                       "0000:3a:00.0  released    a_resource_of_long_name  managed\n"
                       "0000:3a:00.0  remark                                 surprise removal\n");
}

TEST_CASE("a trace without labels has no column for them, and one can be kept free") {
    std::ostringstream out;
    trace_text text(out);
    text({.step = trace_step::failed, .resource = "allocate 1016 bytes", .detail = "out of memory"});
    CHECK(out.str() == "failed      allocate 1016 bytes        out of memory\n");
    CHECK(to_columns({.step = trace_step::detached}, 4) == "      detached");
    CHECK(to_columns({.who = "03:00.0", .step = trace_step::detached}, 4) == "03:00.0  detached");
}
