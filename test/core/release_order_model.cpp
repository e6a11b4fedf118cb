// SPDX-License-Identifier: BSL-1.0
// Random programs of list and group operations, run on the library and on a model that is too simple to be wrong: a
// vector of records and marks, searched from the end. Set DEVRES_SEED to repeat a failure.
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
    unsigned adds = 0;         ///< plain records
    unsigned removes = 0;      ///< the record with this number, if it is there
    unsigned releases = 0;
};
using scripts = std::map<unsigned, script>;

/// The reference.
class model {
public:
    explicit model(const scripts& behaviour) : behaviour_(&behaviour) {}

    std::vector<unsigned> log;
    unsigned next = 1;

    void add() { entries_.push_back({entry::record, next++}); }
    bool has(unsigned number) const { return find(entry::record, number) != entries_.size(); }
    void remove(unsigned number) { erase(find(entry::record, number)); }
    void release(unsigned number) {
        remove(number);
        log.push_back(number);
        const auto found = behaviour_->find(number);
        if (found == behaviour_->end())
            return;
        for (unsigned i = 0; i != found->second.adds; ++i)
            add();
        if (has(found->second.removes))
            remove(found->second.removes);
        if (has(found->second.releases))
            release(found->second.releases);
    }
    void release_all() {
        while (!entries_.empty()) {
            if (entries_.back().what == entry::record)
                release(entries_.back().number);
            else
                dissolve(entries_.back().number);
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
        for (;;) {  // the newest record in the group, as long as there is one
            const std::size_t begin = find(entry::opening, group);
            std::size_t end = open ? entries_.size() : find(entry::closing, group);
            while (end != begin && (end == entries_.size() || entries_[end].what != entry::record))
                --end;
            if (begin == entries_.size() || end == begin)
                break;
            ++count;
            release(entries_[end].number);
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
    };
    std::size_t find(entry::kind what, unsigned number) const {
        const auto found =
            std::ranges::find_if(entries_, [&](const entry& e) { return e.what == what && e.number == number; });
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

    void add() {
        auto& fresh = records_[next];
        fresh = {this, next, {}};
        fresh.handle = resources_.add(&released, &fresh).value();
        present_[next++] = true;
    }
    void remove(unsigned number) {
        present_[number] = false;
        resources_.remove(records_[number].handle);
    }
    void release(unsigned number) { resources_.release(records_[number].handle); }
    void release_all() { resources_.release_all(); }

    void open(unsigned number) { groups_[number] = std::make_unique<group>(resources_); }
    bool alive(unsigned number) { return static_cast<bool>(*groups_[number]); }
    void keep(unsigned number) { groups_[number]->keep(); }
    void dissolve(unsigned number) { groups_[number]->dissolve(); }
    std::size_t release_group(unsigned number) { return groups_[number]->release(); }
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
        self.present_[mine.number] = false;
        self.log.push_back(mine.number);
        const auto found = self.behaviour_->find(mine.number);
        if (found == self.behaviour_->end())
            return;
        const script& todo = found->second;
        for (unsigned i = 0; i != todo.adds; ++i)
            self.add();
        if (self.present_[todo.removes])
            self.remove(todo.removes);
        if (self.present_[todo.releases])
            self.release(todo.releases);
    }

    const scripts* behaviour_;
    std::map<unsigned, record> records_;
    std::map<unsigned, bool> present_;
    list resources_{hooks_of(memory)};
    std::map<unsigned, std::unique_ptr<group>> groups_;
};

/// One program; the first difference, or nothing.
std::string run(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };

    scripts behaviour;
    const unsigned wild = below(3);  // how many records do something
    for (unsigned number = 1; wild != 0 && number != 60; ++number) {
        if (below(4) < wild)
            behaviour[number] = {.adds = below(3), .removes = below(60), .releases = below(60)};
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
            log("add", expected.next);
            expected.add();
            actual.add();
        } else if (choice < 9) {
            if (!expected.has(record))
                continue;
            log("remove", record);
            expected.remove(record);
            actual.remove(record);
        } else if (choice == 9) {
            if (!expected.has(record))
                continue;
            log("release", record);
            expected.release(record);
            actual.release(record);
        } else if (choice < 13) {
            log("open", next_group);
            expected.open(next_group);
            actual.open(next_group);
            groups.push_back(next_group++);
        } else if (choice == 19 && below(4) == 0) {
            log("all", 0);
            expected.release_all();
            actual.release_all();
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
