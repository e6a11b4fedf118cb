// SPDX-License-Identifier: BSL-1.0
// Random programs of objects, of other records that are built on one another, and of groups, run on the library and on a
// model that is too simple to be wrong. Set DEVRES_SEED to repeat a failure.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <devres/core/group.hpp>
#include <devres/core/managed_ref.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

/// The reference: what there is, oldest first, and who uses whom.
class model {
public:
    struct item {
        unsigned number;
        release_step step;
        bool is_object;
        std::vector<unsigned> uses;
    };
    struct range {
        unsigned opened;
        std::optional<unsigned> closed;
    };

    std::vector<unsigned> log;
    unsigned age = 0;  ///< counts items and the marks of groups

    void add(release_step step, bool is_object, const std::vector<unsigned>& uses) {
        items_.push_back({age++, step, is_object, uses});
    }
    unsigned mark() { return age++; }
    std::vector<unsigned> numbers() const {
        std::vector<unsigned> all;
        for (const item& each : items_)
            all.push_back(each.number);
        return all;
    }

    /// @returns how many were released, or nothing if an object outside is built on the contents
    std::optional<std::size_t> release(const range& which) {
        const auto is_inside = [&](const item& i) {
            return i.number > which.opened && (!which.closed || i.number < *which.closed);
        };
        std::vector<unsigned> doomed;
        const auto goes = [&](unsigned number) {
            const auto used = std::ranges::find(items_, number, &item::number);
            return (used != items_.end() && is_inside(*used)) || std::ranges::count(doomed, number) != 0;
        };
        for (const item& each : items_) {  // oldest first: whatever it uses has been looked at
            if (is_inside(each) || !which.closed || each.number < *which.closed ||
                std::ranges::none_of(each.uses, goes))
                continue;
            if (each.is_object)
                return {};
            doomed.push_back(each.number);
        }
        const std::size_t before = log.size();
        release_steps([&](const item& i) { return std::ranges::count(doomed, i.number) != 0; });
        release_steps(is_inside);
        return log.size() - before;
    }
    std::size_t release_all() {
        const std::size_t before = log.size();
        release_steps([](const item&) { return true; });
        return log.size() - before;
    }

private:
    template <class Wanted>
    void release_steps(Wanted wanted) {
        for (unsigned step = 0; step != 5; ++step) {
            for (std::size_t i = items_.size(); i-- != 0;) {
                if (items_[i].step != static_cast<release_step>(step) || !wanted(items_[i]))
                    continue;
                log.push_back(items_[i].number);
                items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(i));
            }
        }
    }
    std::vector<item> items_;
};

/// A view of something managed that is no object, as the tokens of other layers are.
class view {
public:
    explicit view(list::handle record) noexcept : record_(record) {}

private:
    friend struct devres::detail::token;
    list::handle record_;
};

/// The library, with the same numbers.
class subject {
public:
    std::vector<unsigned> log;

    void add(unsigned number, release_step step, bool is_object, const std::vector<unsigned>& uses) {
        std::optional<view> parts[3];
        for (std::size_t i = 0; i != uses.size(); ++i)
            parts[i].emplace(names_.at(uses[i]));
        if (!is_object)
            names_[number] = add_record(number, step, parts[0], parts[1], parts[2]);
        else if (step == release_step::code)
            names_[number] = emplace<with_destructor>(number, parts[0], parts[1], parts[2]);
        else
            names_[number] = add_plain_object(number, parts[0], parts[1], parts[2]);
    }
    bool has(unsigned number) { return dev_.resources().has(names_.at(number)); }
    result<> release(unsigned number) { return dev_.resources().release(names_.at(number)); }
    std::size_t release_all() { return dev_.resources().release_all(); }
    list& resources() { return dev_.resources(); }

private:
    struct noted {
        subject* self;
        unsigned number;
    };
    struct with_destructor : noted {
        explicit with_destructor(const noted& of, const auto&...) noexcept : noted(of) {}
        with_destructor(const with_destructor&) = delete;
        with_destructor& operator=(const with_destructor&) = delete;
        ~with_destructor() { self->log.push_back(number); }
    };
    /// A record as those of other layers.
    struct record : devres::detail::users_of<3>, noted {
        record(const devres::detail::users_of<3>& used, const noted& of) noexcept
            : devres::detail::users_of<3>(used), noted(of) {}
        static void release(void* argument) {
            auto* const self = static_cast<record*>(argument);
            self->self->log.push_back(self->number);
            list& resources = self->self->dev_.resources();
            self->~record();
            devres::detail::record_access::memory(resources).put(self, sizeof(record), alignof(record));
        }
    };

    template <class T>
    list::handle emplace(unsigned number, const auto&... parts) {
        return devres::detail::token::record(devm_emplace<T>(dev_, noted{this, number}, parts...).value());
    }
    list::handle add_record(unsigned number, release_step step, const auto&... parts) {
        return put(number, step, devres::detail::list_node::is_user, parts...);
    }
    /// An object without a destructor tells nobody of its end: a record of its kind does.
    list::handle add_plain_object(unsigned number, const auto&... parts) {
        return put(number, release_step::matter,
                   devres::detail::list_node::is_user | devres::detail::list_node::is_object, parts...);
    }
    list::handle put(unsigned number, release_step step, devres::detail::record_serial kind, const auto&... parts) {
        const devres::detail::used_records used(parts...);
        REQUIRE(used.check(dev_.resources()));
        devres::detail::pending_record<record> pending(dev_.resources());
        REQUIRE(pending);
        ::new (pending.block()) record(used.links(), noted{this, number});
        return pending.record(&record::release, step, kind);
    }

    test::core_device dev_;
    std::map<unsigned, list::handle> names_;
};

struct opened_group {
    std::unique_ptr<group> guard;
    model::range range;
};

/// One program; the first difference, or nothing.
std::string run(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t bound) { return static_cast<unsigned>(random() % bound); };
    model expected;
    (void)expected.mark();
    subject actual;
    std::vector<opened_group> groups;
    std::string program;

    const auto differs = [&](const char* what) { return std::string(what) + " after: " + program; };
    for (unsigned step = 0; step != 80; ++step) {
        const unsigned choice = below(20);
        if (choice < 12) {
            const bool is_object = below(3) == 0;
            const release_step at = is_object ? (below(2) == 0 ? release_step::code : release_step::matter)
                                              : static_cast<release_step>(below(5));
            const std::vector<unsigned> there = expected.numbers();
            std::vector<unsigned> uses;
            for (unsigned i = 0; i != 3 && !there.empty(); ++i) {
                if (below(2) == 0)
                    uses.push_back(there[below(there.size())]);
            }
            program += (is_object ? "object" : "record") + std::to_string(expected.age) + "@" +
                       std::to_string(static_cast<unsigned>(at));
            for (const unsigned used : uses)
                program += "," + std::to_string(used);
            program += ' ';
            actual.add(expected.age, at, is_object, uses);
            expected.add(at, is_object, uses);
        } else if (choice < 14) {
            program += "open ";
            groups.push_back({std::make_unique<group>(actual.resources()), {expected.mark(), {}}});
        } else if (choice == 14) {
            const std::vector<unsigned> there = expected.numbers();
            if (there.empty())
                continue;
            const unsigned number = there[below(there.size())];
            program += "release" + std::to_string(number) + ' ';
            const auto wanted = expected.release({number - 1, number + 1});
            const auto got = actual.release(number);
            if (wanted.has_value() != got.has_value() || (!got && got.error() != errc::ebusy))
                return differs("another answer");
        } else if (groups.empty()) {
            continue;
        } else {
            const unsigned which = below(groups.size());
            opened_group& chosen = groups[which];
            if (choice < 17) {
                if (chosen.range.closed)
                    continue;
                program += "keep" + std::to_string(which) + ' ';
                chosen.guard->keep();
                chosen.range.closed = expected.mark();
            } else {
                program += "group" + std::to_string(which) + ' ';
                const auto wanted = expected.release(chosen.range);
                const auto got = chosen.guard->release();
                if (wanted.has_value() != got.has_value() || (!got && got.error() != errc::ebusy))
                    return differs("another answer");
                if (got && *got != *wanted)
                    return differs("another count");
                if (got) {
                    const auto ended = [](const opened_group& each) { return !*each.guard; };
                    std::erase_if(groups, ended);
                }
            }
        }
        if (expected.log != actual.log)
            return differs("another order");
    }
    for (unsigned number : expected.numbers()) {
        if (!actual.has(number))
            return differs("one is missing");
    }
    for (opened_group& each : groups)
        each.guard->dissolve();
    if (expected.release_all() != actual.release_all())
        return differs("another count at the end");
    if (expected.log != actual.log)
        return differs("another order at the end");
    return "";
}

}  // namespace

TEST_CASE("random programs of what is built on what release as the reference model does") {
    const char* const wanted = std::getenv("DEVRES_SEED");
    const std::uint64_t first = wanted != nullptr ? std::strtoull(wanted, nullptr, 0) : std::random_device{}();
    const std::uint64_t count = wanted != nullptr ? 1 : 3000;
    for (std::uint64_t seed = first; seed != first + count; ++seed) {
        const std::string difference = run(seed);
        INFO("repeat with DEVRES_SEED=" << seed);
        INFO(difference);
        REQUIRE(difference.empty());
    }
}
