// SPDX-License-Identifier: BSL-1.0
// Random programs of list and group operations, run on the library and on a model that is too simple to be wrong: a
// vector of records and marks in the order of their age, searched for the first step and from the end. Set DEVRES_SEED to repeat a failure.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <devres/core/group.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

/// What a record does when it is released, besides being logged.
struct script {
    std::vector<release_step> adds;  ///< records, each of its step
    unsigned removes = 0;            ///< the record with this number, if it is there
    unsigned releases = 0;
};
using scripts = std::map<unsigned, script>;

/// The reference.
class model {
public:
    explicit model(const scripts& behaviour) : behaviour_(&behaviour) {}

    std::vector<unsigned> log;
    unsigned next = 1;

    void add(release_step step) { entries_.push_back({entry::record, next++, step}); }
    bool has(unsigned number) const { return find(entry::record, number) != entries_.size(); }
    bool remove(unsigned number) {
        if (!has(number))
            return false;
        erase(find(entry::record, number));
        return true;
    }
    bool release(unsigned number) {
        if (!remove(number))
            return false;
        log.push_back(number);
        const auto found = behaviour_->find(number);
        if (found == behaviour_->end())
            return true;
        for (const release_step step : found->second.adds)
            add(step);
        remove(found->second.removes);
        release(found->second.releases);
        return true;
    }
    std::size_t release_all() {
        std::size_t count = 0;
        for (; release_next(0, entries_.size()); ++count)
            continue;
        entries_.clear();
        return count;
    }
    std::size_t release_through(release_step last) {
        std::size_t count = 0;
        for (; release_next(0, entries_.size(), last); ++count)
            continue;
        return count;
    }
    void pin_actions() {
        const auto is_action = [](const entry& e) { return e.what == entry::record && e.step == release_step::code; };
        for (entry& e : entries_) {
            if (is_action(e))
                e.step = release_step::matter;
        }
    }

    void open(unsigned group) { entries_.push_back({entry::opening, group}); }
    bool alive(unsigned group) const { return find(entry::opening, group) != entries_.size(); }
    bool closed(unsigned group) const { return find(entry::closing, group) != entries_.size(); }
    void keep(unsigned group) {
        if (alive(group) && !closed(group))
            entries_.push_back({entry::closing, group});
    }
    void dissolve(unsigned group) {
        std::erase_if(entries_, [&](const entry& e) { return e.what != entry::record && e.number == group; });
    }
    std::size_t release_group(unsigned group) {
        const bool open = !closed(group);
        std::size_t count = 0;
        for (;; ++count) {
            const std::size_t begin = find(entry::opening, group);
            if (!release_next(begin, open ? entries_.size() : find(entry::closing, group)))
                break;
        }
        const std::size_t begin = find(entry::opening, group);
        const std::size_t end = open ? entries_.size() : find(entry::closing, group);
        std::vector<unsigned> inside;
        for (std::size_t i = begin; i < end; ++i) {
            const unsigned other = entries_[i].number;
            if (entries_[i].what == entry::opening && other != group &&
                (!closed(other) || find(entry::closing, other) < end))
                inside.push_back(other);
        }
        for (const unsigned other : inside)
            dissolve(other);
        dissolve(group);
        return count;
    }

private:
    struct entry {
        enum kind { record, opening, closing } what;
        unsigned number;
        release_step step = release_step::users;  ///< of a record
    };
    /// Releases, of the records from `begin` to `end`, the newest of the first step that has any, up to `last`.
    bool release_next(std::size_t begin, std::size_t end, release_step last = release_step::matter) {
        const entry* found = nullptr;
        for (std::size_t i = begin; i < end; ++i) {
            const entry& e = entries_[i];
            if (e.what == entry::record && e.step <= last && (found == nullptr || e.step <= found->step))
                found = &e;
        }
        return found != nullptr && release(found->number);
    }
    std::size_t find(entry::kind what, unsigned number) const {
        const auto found = std::ranges::find_if(entries_,
                                                [&](const entry& e) { return e.what == what && e.number == number; });
        return static_cast<std::size_t>(found - entries_.begin());
    }
    void erase(std::size_t index) { entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index)); }

    const scripts* behaviour_;
    std::vector<entry> entries_;
};

/// The library, with the same interface.
class subject {
public:
    explicit subject(const scripts& behaviour) : behaviour_(&behaviour) {}

    test::counting_memory memory;
    std::vector<unsigned> log;
    unsigned next = 1;

    void add(release_step step) {
        auto& fresh = records_[next];
        fresh = {this, next, {}};
        fresh.handle = resources_.add(&released, &fresh, step).value();
        ++next;
    }
    // Names of what has gone, and of what never was, are errors.
    bool has(unsigned number) { return resources_.has(records_[number].handle); }
    bool remove(unsigned number) { return succeeded(resources_.remove(records_[number].handle)); }
    bool release(unsigned number) { return succeeded(resources_.release(records_[number].handle)); }
    std::size_t release_all() { return resources_.release_all(); }
    std::size_t release_through(release_step last) { return resources_.release_through(last); }
    void pin_actions() { resources_.pin_actions(); }

    void open(unsigned number) { groups_[number] = std::make_unique<group>(resources_); }
    bool alive(unsigned number) { return static_cast<bool>(*groups_[number]); }
    void keep(unsigned number) { groups_[number]->keep(); }
    void dissolve(unsigned number) { groups_[number]->dissolve(); }
    std::size_t release_group(unsigned number) { return groups_[number]->release().value(); }
    void destroy(unsigned number) { groups_.erase(number); }
    void move(unsigned number) { groups_[number] = std::make_unique<group>(std::move(*groups_[number])); }
    bool empty() const { return resources_.empty(); }

private:
    struct record {
        subject* self;
        unsigned number;
        list::handle handle;
    };
    static void released(void* argument) {
        const record mine = *static_cast<record*>(argument);
        subject& self = *mine.self;
        self.log.push_back(mine.number);
        const auto found = self.behaviour_->find(mine.number);
        if (found == self.behaviour_->end())
            return;
        const script& todo = found->second;
        for (const release_step step : todo.adds)
            self.add(step);
        self.remove(todo.removes);
        self.release(todo.releases);
    }
    static bool succeeded(const result<>& outcome) {
        if (!outcome)
            REQUIRE(outcome.error() == errc::enoent);
        return outcome.has_value();
    }

    const scripts* behaviour_;
    std::map<unsigned, record> records_;
    list resources_{hooks_of(memory)};
    std::map<unsigned, std::unique_ptr<group>> groups_;
};

/// One program; the first difference, or nothing.
std::string run(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
    const bool one_step = below(4) == 0;
    const auto any_step = [&] { return one_step ? release_step::code : static_cast<release_step>(below(5)); };

    scripts behaviour;
    const unsigned wild = below(3);  // how many records do something
    for (unsigned number = 1; wild != 0 && number != 60; ++number) {
        if (below(4) < wild)
            behaviour[number] = {
                .adds = std::vector(below(3), any_step()), .removes = below(60), .releases = below(60)};
    }

    model expected(behaviour);
    subject actual(behaviour);
    std::vector<unsigned> groups;
    unsigned next_group = 1;
    std::string program;

    for (unsigned step = 0; step != 60; ++step) {
        const unsigned choice = below(20);
        const unsigned record = expected.next == 1 ? 0 : 1 + below(expected.next - 1);
        const unsigned chosen = groups.empty() ? 0 : groups[below(static_cast<unsigned>(groups.size()))];
        std::size_t expected_count = 0;
        std::size_t actual_count = 0;
        const auto log = [&](const char* what, unsigned which) {
            program += std::string(what) + std::to_string(which) + ' ';
        };
        if (choice < 7) {
            const release_step at = any_step();
            log("add", expected.next);
            log("in", static_cast<unsigned>(at));
            expected.add(at);
            actual.add(at);
        } else if (choice < 9) {
            log("remove", record);
            expected_count = expected.remove(record);
            actual_count = actual.remove(record);
        } else if (choice == 9) {
            log("release", record);
            expected_count = expected.release(record);
            actual_count = actual.release(record);
        } else if (choice < 13) {
            log("open", next_group);
            expected.open(next_group);
            actual.open(next_group);
            groups.push_back(next_group++);
        } else if (choice == 19 && below(4) == 0) {
            log("all", 0);
            expected_count = expected.release_all();
            actual_count = actual.release_all();
        } else if (choice == 19 && below(4) == 0) {
            const release_step last = any_step();
            log("through", static_cast<unsigned>(last));
            expected_count = expected.release_through(last);
            actual_count = actual.release_through(last);
        } else if (choice == 19 && below(4) == 0) {
            log("pin", 0);
            expected.pin_actions();
            actual.pin_actions();
        } else if (chosen == 0) {
            continue;
        } else if (choice < 15) {
            log("keep", chosen);
            expected.keep(chosen);
            actual.keep(chosen);
        } else if (choice == 15) {
            log("dissolve", chosen);
            expected.dissolve(chosen);
            actual.dissolve(chosen);
        } else if (choice == 16) {
            log("move", chosen);
            actual.move(chosen);
        } else if (choice == 17) {
            log("destroy", chosen);
            if (expected.alive(chosen) && !expected.closed(chosen))
                expected.release_group(chosen);
            else
                expected.dissolve(chosen);
            actual.destroy(chosen);
            std::erase(groups, chosen);
        } else {
            log("release_group", chosen);
            expected_count = expected.alive(chosen) ? expected.release_group(chosen) : 0;
            actual_count = actual.release_group(chosen);
        }
        if (expected.log != actual.log)
            return "another order after: " + program;
        if (expected_count != actual_count)
            return "another count after: " + program;
        for (unsigned number = 1; number < expected.next; ++number) {
            if (expected.has(number) != actual.has(number))
                return "record " + std::to_string(number) + " differs after: " + program;
        }
        for (const unsigned number : groups) {
            if (expected.alive(number) != actual.alive(number))
                return "group " + std::to_string(number) + " differs after: " + program;
        }
    }
    expected.release_all();
    actual.release_all();
    if (expected.log != actual.log)
        return "another order at the end of: " + program;
    return actual.empty() ? "" : "records left at the end of: " + program;
}

}  // namespace

TEST_CASE("random programs release in the order of the reference model") {
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
