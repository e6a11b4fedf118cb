// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/trace.hpp>

#include <functional>
#include <sstream>

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
