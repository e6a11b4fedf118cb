// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/trace_json.hpp>

#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

using namespace devres::testing;
using nlohmann::json;

namespace {

std::vector<trace_entry> recorded() {
    trace_recorder trace(
        [at = std::chrono::nanoseconds(500)]() mutable { return at += std::chrono::nanoseconds(1005); });
    const std::string who = "0000:3a:00.0";
    trace({.step = trace_step::failed, .resource = "allocate 64 bytes", .detail = "out of memory"});
    trace({.who = who, .step = trace_step::attached});
    trace({.who = who,
           .step = trace_step::acquired,
           .resource = "irq_handler 0",
           .owner = trace_owner::managed,
           .detail = "\"a\\b\n\xff\xc3\xa9\""});
    trace({.who = who,
           .step = trace_step::interrupt,
           .resource = "irq_handler 0",
           .detail = "\"a\\b\n\xff\xc3\xa9\" handled"});
    trace({.who = who,
           .step = trace_step::released,
           .resource = "irq_handler 0",
           .owner = trace_owner::managed,
           .detail = "\"a\\b\n\xff\xc3\xa9\""});
    trace({.who = who, .step = trace_step::acquired, .resource = "bar 0", .owner = trace_owner::unmanaged});
    return trace.entries();
}

}  // namespace

TEST_CASE("a trace in lines of JSON has every member of its entries") {
    std::ostringstream out;
    write_json_lines(out, recorded());
    std::istringstream in(out.str());
    std::vector<json> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(json::parse(line));
    REQUIRE(lines.size() == 6);
    CHECK(lines[0] == json{{"who", ""},
                           {"step", "failed"},
                           {"resource", "allocate 64 bytes"},
                           {"owner", ""},
                           {"detail", "out of memory"},
                           {"time", 1505},
                           {"thread", 1}});
    CHECK(lines[2]["owner"] == "managed");
    CHECK(lines[2]["detail"] == "\"a\\b\n\xef\xbf\xbd\xc3\xa9\"");
}

TEST_CASE("a JSON string is UTF-8, whatever was to be written") {
    CHECK(detail::json_string(std::string("\x01\x1f\x7f", 3)) == "\"\\u0001\\u001f\x7f\"");
    CHECK(detail::json_string("\xe2\x82\xac \xf0\x9f\x98\x80") == "\"\xe2\x82\xac \xf0\x9f\x98\x80\"");
    for (const char* const wrong : {"\x80", "\xc3", "\xe2\x82", "\xc0\x80", "\xf5\x80\x80\x80", "\xf0\x9f\x98",
                                    "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80"})
        CHECK(json::accept(detail::json_string(wrong)));
}

TEST_CASE("a trace in Chrome's format has the fields that its readers need") {
    std::ostringstream out;
    write_chrome_trace(out, recorded());
    const json trace = json::parse(out.str());
    CHECK(trace["displayTimeUnit"] == "ns");
    std::map<std::string, int> phases;
    std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> tracks;
    for (const json& event : trace["traceEvents"]) {
        const std::string phase = event.at("ph");
        ++phases[phase];
        CHECK(event.at("name").is_string());
        CHECK(event.at("pid").is_number_unsigned());
        CHECK(event.at("tid").is_number_unsigned());
        if (phase == "M") {
            CHECK((event.at("args").contains("name") || event.at("args").contains("sort_index")));
            continue;
        }
        CHECK(event.at("ts").is_number());
        CHECK(event.at("cat").is_string());
        if (phase == "i")
            CHECK(event.at("s") == "t");
        else
            tracks[{event.at("pid"), event.at("tid")}].emplace_back(event.at("ts"), event.at("ts").get<double>() +
                                                                                        event.at("dur").get<double>());
    }
    CHECK(phases == std::map<std::string, int>{{"M", 10}, {"X", 3}, {"i", 2}});
    for (const auto& [track, lifetimes] : tracks) {
        for (std::size_t i = 0; i != lifetimes.size(); ++i) {
            CHECK(lifetimes[i].first <= lifetimes[i].second);
            if (i != 0)
                CHECK(lifetimes[i - 1].second <= lifetimes[i].first);
        }
    }
    const auto named = [&](const std::string& name) {
        for (const json& event : trace["traceEvents"]) {
            if (event["name"] == name)
                return event;
        }
        return json();
    };
    CHECK(named("process_name")["args"]["name"] == "devres");
    CHECK(named("attached")["ts"] == 2.51);
    CHECK(named("attached")["args"]["still_held"] == true);
    CHECK(named("attached")["dur"] == 4.02);
    CHECK(named("failed")["args"]["detail"] == "out of memory");
    CHECK(named("interrupt")["args"]["thread"] == 1);
    CHECK(named("bar 0")["args"]["owner"] == "unmanaged");
    CHECK(named("bar 0")["dur"] == 0.0);

    std::ostringstream nothing;
    write_chrome_trace(nothing, {});
    CHECK(json::parse(nothing.str())["traceEvents"].empty());
}
