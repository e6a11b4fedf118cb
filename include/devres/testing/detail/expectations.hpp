// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <expected>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <devres/testing/print.hpp>

/// What matchers expect, for any test framework. Each has a description, as in "is clean", and the answer to a value: what
/// is wrong with it, or nothing.
namespace devres::testing::detail {

template <class Expectation, class T>
concept expects = requires(const Expectation& expected, const T& value) { std::string(expected.wrong_with(value)); };

struct expects_clean {
    [[nodiscard]] static std::string description() { return "is clean"; }

    template <class T>
        requires requires(const T& value) { value.clean(); }
    [[nodiscard]] std::string wrong_with(const T& value) const {
        return value.clean() ? "" : "something is held, or went wrong";
    }
};

struct expects_error {
    errc error;

    [[nodiscard]] std::string description() const {
        std::ostringstream text;
        text << "fails with " << error;
        return text.str();
    }

    template <class T>
    [[nodiscard]] std::string wrong_with(const std::expected<T, errc>& outcome) const {
        return outcome ? "it does not fail" : outcome.error() == error ? "" : "it fails otherwise";
    }
};

struct expects_vectors {
    std::size_t count;

    [[nodiscard]] std::string description() const {
        return "holds " + std::to_string(count) + (count == 1 ? " vector" : " vectors");
    }

    /// Of vectors, and of the result of an allocation.
    template <class T>
        requires requires(const T& vectors) {
            vectors.size() == 0U;
            vectors.type() == pci::irq_type::msix;
        }
    [[nodiscard]] std::string wrong_with(const T& vectors) const {
        return says(vectors.size());
    }
    template <class T>
        requires requires(const T& vectors) {
            vectors.size() == 0U;
            vectors.type() == pci::irq_type::msix;
        }
    [[nodiscard]] std::string wrong_with(const std::expected<T, errc>& vectors) const {
        return vectors ? wrong_with(*vectors) : says(0);
    }
    /// Of what a ledger says is held, by all functions: "0000:3a:00.0 4 MSI-X vectors, irq 24-27".
    template <class T>
        requires requires(const T& books) { std::vector<std::string>(books.live()); }
    [[nodiscard]] std::string wrong_with(const T& books) const {
        std::size_t held = 0;
        for (const std::string& line : books.live()) {
            std::istringstream words(line);
            std::string where;
            std::string kind;
            std::string what;
            std::size_t number = 0;
            if (words >> where >> number >> kind >> what && what.starts_with("vector"))
                held += number;
        }
        return says(held);
    }

private:
    [[nodiscard]] std::string says(std::size_t held) const {
        return held == count ? "" : "it holds " + std::to_string(held);
    }
};

/// The order in which a trace releases: one that is given, or that of a driver which frees nothing under anything.
struct expects_order {
    std::vector<std::string> given{};  ///< none: from the outside in

    [[nodiscard]] std::string description() const {
        if (given.empty())
            return "is released in order";
        std::string text;
        for (const std::string& resource : given)
            text += (text.empty() ? "releases " : ", then ") + resource;
        return text;
    }

    [[nodiscard]] std::string wrong_with(const trace_recorder& trace) const { return wrong_with(trace.entries()); }
    [[nodiscard]] std::string wrong_with(const std::vector<trace_entry>& entries) const {
        return given.empty() ? out_of_order(entries) : other_than_given(entries);
    }

private:
    [[nodiscard]] std::string other_than_given(const std::vector<trace_entry>& entries) const {
        auto next = given.begin();
        std::string before = "the beginning";
        for (const trace_entry& entry : entries) {
            if (entry.step != trace_step::released || std::ranges::find(given, entry.resource) == given.end())
                continue;
            if (next == given.end() || entry.resource != *next)
                return "releases " + entry.resource + " after " + before;
            before = *next++;
        }
        return next == given.end() ? "" : "never releases " + *next + " after " + before;
    }

    /// The step of a release that a resource is in, from the outside in.
    [[nodiscard]] static int step_of(const trace_entry& entry) {
        const auto is = [&](std::string_view kind) {
            const std::string_view resource = entry.resource;
            return resource.starts_with(kind) && (resource.size() == kind.size() || resource[kind.size()] == ' ');
        };
        return is("access") ? 0 : is("start") ? 1 : is("irq_handler") ? 2 : is("enable") ? 4 : 3;
    }
    /// An object or an action may be older than the enable, and outlive it.
    [[nodiscard]] static bool goes_before(const trace_entry& a, const trace_entry& b) {
        if (step_of(b) == 4 && (a.resource == "driver_data" || a.resource == "action"))
            return false;
        return a.who == b.who && step_of(a) < step_of(b);
    }

    [[nodiscard]] static std::string text_of(const trace_entry& entry) {
        return (entry.who.empty() ? "" : entry.who + ' ') + entry.resource +
               (entry.detail.empty() ? "" : ' ' + entry.detail);
    }
    [[nodiscard]] static bool is_same(const trace_entry& a, const trace_entry& b) {
        return a.who == b.who && a.resource == b.resource && a.owner == b.owner && a.detail == b.detail;
    }

    [[nodiscard]] static std::string out_of_order(const std::vector<trace_entry>& entries) {
        std::vector<trace_entry> held;
        for (std::size_t at = 0; at != entries.size(); ++at) {
            const trace_entry& entry = entries[at];
            if (entry.step == trace_step::acquired) {
                held.push_back(entry);
            } else if (entry.step == trace_step::ended) {
                return text_of(entry) + " was still registered when its vectors were freed";
            } else if (entry.step == trace_step::released) {
                const auto found = std::find_if(held.rbegin(), held.rend(),
                                                [&](const trace_entry& one) { return is_same(one, entry); });
                if (found == held.rend())
                    return text_of(entry) + " is released, and was not acquired";
                if (is_unbinding(entries, at)) {
                    for (const trace_entry& other : held) {
                        if (goes_before(other, entry))
                            return text_of(entry) + " is released before " + text_of(other);
                    }
                }
                held.erase(std::prev(found.base()));
            }
        }
        return held.empty() ? "" : text_of(held.back()) + " is never released";
    }

    /// Nothing is acquired any more for the function before its driver is detached.
    [[nodiscard]] static bool is_unbinding(const std::vector<trace_entry>& entries, std::size_t from) {
        for (std::size_t at = from; at != entries.size(); ++at) {
            if (entries[at].who != entries[from].who)
                continue;
            if (entries[at].step == trace_step::acquired)
                return false;
            if (entries[at].step == trace_step::detached)
                break;
        }
        return true;
    }
};

}  // namespace devres::testing::detail
