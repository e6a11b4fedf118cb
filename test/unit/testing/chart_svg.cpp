// SPDX-License-Identifier: BSL-1.0
#include <devres/testing/chart_svg.hpp>

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace devres::testing;

namespace {

std::string drawn(const std::vector<trace_entry>& entries, std::string_view title = "chart") {
    std::ostringstream out;
    write_chart_svg(out, entries, title);
    return out.str();
}

/// A text of the picture: where it is with the widest of the fonts, whose characters are 0.61 of their height.
struct placed_text {
    double left, right;
    int y;
    std::string what;
};

std::vector<placed_text> texts(const std::string& svg) {
    static const std::regex text(R"re(<text class="([a-z-]+)" x="(\d+)" y="(\d+)"( text-anchor="end")?>(.*)</text>)re");
    static const std::regex markup("<[^>]*>|&[a-z]+;|\xe2\x80\xa6");
    std::vector<placed_text> all;
    for (std::sregex_iterator at(svg.begin(), svg.end(), text), end; at != end; ++at) {
        const auto& found = *at;
        std::string what = std::regex_replace(found[5].str(), std::regex("<[^>]*>"), "");
        what = std::regex_replace(what, markup, "*");
        const double width = 0.61 * (found[1] == "title" ? 14 : 12) * static_cast<double>(what.size());
        const double x = std::stod(found[2]);
        all.push_back({found[4].matched ? x - width : x, found[4].matched ? x : x + width, std::stoi(found[3]), what});
    }
    return all;
}

/// What is wrong with the elements: one that is not closed, or that ends another; nothing if all is well.
std::string nesting(const std::string& svg) {
    static const std::regex tag(R"re(<(/?)([a-z]+)(?: [a-zA-Z:-]+="[^"<>]*")*(/?)>)re");
    std::vector<std::string> open;
    for (std::sregex_iterator at(svg.begin(), svg.end(), tag), end; at != end; ++at) {
        const std::string name = (*at)[2];
        if ((*at)[1].length() == 0 && (*at)[3].length() == 0) {
            open.push_back(name);
        } else if ((*at)[1].length() != 0) {
            if (open.empty() || open.back() != name)
                return "</" + name + "> in its place at " + std::to_string(at->position());
            open.pop_back();
        }
    }
    const std::string rest = std::regex_replace(svg, tag, "");
    if (const auto stray = rest.find_first_of("<>"); stray != std::string::npos)
        return "stray markup: " + rest.substr(stray, 40);
    return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

std::vector<trace_entry> everything() {
    const std::string who = "0000:3a:00.0";
    return {
        {.who = who, .step = trace_step::attached},
        {.who = who, .step = trace_step::acquired, .resource = "enable", .owner = trace_owner::managed},
        {.who = who, .step = trace_step::called, .resource = "set_master on"},
        {.who = who, .step = trace_step::opened, .resource = "group", .detail = "\"queues\""},
        {.who = who,
         .step = trace_step::acquired,
         .resource = "irq_handler 0",
         .owner = trace_owner::unmanaged,
         .detail = "\"a<b>&c\""},
        {.who = who, .step = trace_step::interrupt, .resource = "irq_handler 0", .detail = "\"a<b>&c\" handled"},
        {.who = who,
         .step = trace_step::failed,
         .resource = "register_handler vector 1 \"" + std::string(60, 'n') + "\"",
         .detail = "device or resource busy"},
        {.who = who, .step = trace_step::closed, .resource = "group", .detail = "\"queues\""},
        {.who = who, .step = trace_step::ended, .resource = "irq_handler 0", .detail = "\"a<b>&c\""},
        {.who = who, .step = trace_step::violation, .detail = "handler \"a<b>&c\" reads BAR 0, which it keeps off"},
        {.who = who, .step = trace_step::remark, .detail = "pulled out\xff\x1f"},
        {.who = who,
         .step = trace_step::failed,
         .resource = "register_handler vector 1 \"switchtec-dma\"",
         .detail = "busy"},
        {.who = who, .step = trace_step::remark, .detail = "and gone"},
        {.who = who, .step = trace_step::detached},
    };
}

}  // namespace

TEST_CASE("a picture is a whole XML document that says to readers of all kinds what it shows") {
    const std::string svg = drawn(everything(), "a <chart> & more");
    CHECK(nesting(svg) == "");
    CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(svg.find("role=\"img\" aria-labelledby=\"devres-title devres-desc\"") != std::string::npos);
    CHECK(svg.find("<title id=\"devres-title\">a &lt;chart&gt; &amp; more</title>") != std::string::npos);
    CHECK(svg.find("A bar for each of 2 resources, from its acquisition to its release, in the order of 14 events; 1 "
                   "interrupt, 2 failures, 1 still held at the end.") != std::string::npos);
    CHECK(svg.find("@media (prefers-color-scheme: dark)") != std::string::npos);
    for (const char* const outside : {"href", "url(", "@import", "<script", "<image"})
        CHECK(svg.find(outside) == std::string::npos);
    for (std::string_view rest = svg; !rest.empty(); rest.remove_prefix(detail::utf8_size(rest)))
        REQUIRE(detail::utf8_size(rest) != 0);
    CHECK(nesting("<g><text></g></text>") != "");
    CHECK(nesting("<g>a < b</g>") != "");
    CHECK(nesting("<g>") != "");
}

TEST_CASE("a picture has a bar for each lifetime and a mark for all that happened") {
    const std::string svg = drawn(everything());
    const auto count = [&](std::string_view part) {
        std::size_t n = 0;
        for (auto at = svg.find(part); at != std::string::npos; at = svg.find(part, at + 1))
            ++n;
        return n;
    };
    // One of each is the legend's.
    CHECK(count("<rect class=\"managed\"") == 2);
    CHECK(count("<rect class=\"unmanaged\"") == 2);
    CHECK(count("<rect class=\"state\"") == 3);
    CHECK(count("<rect class=\"group\"") == 2);
    CHECK(count("<rect class=\"band\"") == 1);
    CHECK(count("<circle class=\"interrupt\"") == 2);
    CHECK(count("<path class=\"wrong\"") == 5);
    CHECK(count("<path class=\"open\"") == 2);
    CHECK(count("<path class=\"remark\"") == 2);
    CHECK(count(">device or resource busy</text>") == 1);
    CHECK(count(", ended when its vectors were freed</title>") == 1);
    CHECK(drawn({}).find("<rect class=\"managed\"") == std::string::npos);
}

TEST_CASE("no text of a picture leaves it or lies over another") {
    std::vector<trace_entry> many = everything();
    for (unsigned i = 0; i != 40; ++i) {
        many.push_back({.who = std::string(i % 5 * 40, 'w'),
                        .step = i % 3 == 0 ? trace_step::remark : trace_step::failed,
                        .resource = std::string(i % 4 * 20, 'r'),
                        .detail = std::string(i % 7 * 25, 'd')});
    }
    for (const auto& entries : {everything(), many, std::vector<trace_entry>{}}) {
        const std::string svg = drawn(entries, std::string(200, 't'));
        CHECK(nesting(svg) == "");
        const double height = std::stod(svg.substr(svg.find(" height=\"") + 9));
        const auto all = texts(svg);
        REQUIRE(!all.empty());
        for (const placed_text& one : all) {
            INFO(one.what);
            CHECK(one.left >= 8);
            CHECK(one.right <= 960 - 8);
            CHECK(one.y >= 14);
            CHECK(one.y <= height - 6);
            for (const placed_text& other : all) {
                const bool apart = &one == &other || std::abs(one.y - other.y) >= 14 || one.right < other.left ||
                                   other.right < one.left;
                CHECK(apart);
            }
        }
    }
}

TEST_CASE("the same trace is the same picture") { CHECK(drawn(everything()) == drawn(everything())); }
