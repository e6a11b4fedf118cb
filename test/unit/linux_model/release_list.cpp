// SPDX-License-Identifier: BSL-1.0
#include <devres/linux_model/release_list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"

using namespace devres::linux_model;

static_assert(!std::is_copy_constructible_v<device> && !std::is_move_constructible_v<device>);
static_assert(!std::is_copy_assignable_v<device> && !std::is_move_assignable_v<device>);

namespace {

/// A device whose nodes are letters, which write themselves down when they are released.
struct letters {
    explicit letters(bool empty_release_is_silent = true) : dev(log, empty_release_is_silent) {}

    event_log log;
    device dev;
    std::string released;
    std::array<char, 10> ids{};  // of groups

    struct letter {
        std::string* written;
        char name;
    };
    static void write(device&, void* res) {
        const auto& self = *static_cast<const letter*>(res);
        *self.written += self.name;
    }
    static bool is(device&, void* res, const void* name) {
        return static_cast<const letter*>(res)->name == *static_cast<const char*>(name);
    }

    void* make(char name) {
        static constexpr const char* names[] = {"a", "b", "c", "d"};
        void* const res = dev.devres_alloc(write, sizeof(letter), names[name - 'a']);
        new (res) letter{&released, name};
        return res;
    }
    void* add(char name) {
        void* const res = make(name);
        dev.devres_add(res);
        return res;
    }
    const void* id(int number) const { return &ids[static_cast<unsigned>(number)]; }

    /// Adds nodes and groups: `a<1b>1` is a, then a group 1 that has b.
    void add_all(std::string_view program) {
        for (std::size_t i = 0; i != program.size(); ++i) {
            if (program[i] == '<')
                dev.devres_open_group(id(program[++i] - '0'));
            else if (program[i] == '>')
                dev.devres_close_group(id(program[++i] - '0'));
            else
                add(program[i]);
        }
    }

    /// Releases a group and says what went, and how many were said to.
    std::string release_group(int number) {
        released.clear();
        const int count = dev.devres_release_group(id(number));
        return released + std::to_string(count);
    }
    std::string release_all() {
        released.clear();
        const int count = dev.devres_release_all();
        return released + std::to_string(count);
    }

    /// What happened since this was asked last.
    std::string told() {
        std::string out;
        for (const event& each : log.take_events())
            out += (out.empty() ? "" : ", ") + std::string(name_of(each.kind)) + ' ' + each.text;
        return out;
    }
};

/// A node that does anything when it is released.
void* add_call(device& dev, const std::function<void()>& what) {
    struct call {
        const std::function<void()>* what;
    };
    void* const res = dev.devres_alloc([](device&, void* data) { (*static_cast<call*>(data)->what)(); }, sizeof(call),
                                       "call");
    new (res) call{&what};
    dev.devres_add(res);
    return res;
}

}  // namespace

TEST_CASE("a node is zeroed memory that is on no list until it is added [1.1 #2]") {
    letters l;
    auto* const bytes = static_cast<const unsigned char*>(l.dev.devres_alloc(letters::write, 64, "a"));
    CHECK(std::all_of(bytes, bytes + 64, [](unsigned char each) { return each == 0; }));
    CHECK_FALSE(l.dev.has_resources());
    CHECK(l.dev.devres_find(letters::write, nullptr, nullptr) == nullptr);
    CHECK(l.told().empty());
    l.dev.devres_free(nullptr);
}

TEST_CASE("the log calls a node by its name, and by its number from 0 on") {
    letters l;
    l.dev.devres_add(l.dev.devres_alloc(letters::write, 0, "irq", 0));
    l.dev.devres_add(l.dev.devres_alloc(letters::write, 0, "plain"));
    CHECK(l.told() == "add irq 0, add plain");
}

TEST_CASE("nodes are released newest first, and counted") {
    letters l;
    l.add_all("abc");
    CHECK(l.dev.has_resources());
    CHECK(l.release_all() == "cba3");
    CHECK_FALSE(l.dev.has_resources());
    CHECK(l.told() == "add a, add b, add c, release c, release b, release a");
}

TEST_CASE("releasing an empty list does nothing") {
    letters l;
    CHECK(l.dev.devres_release_all() == 0);
    CHECK(l.told().empty());
}

TEST_CASE("a device without a list yet is warned of") {
    letters l;
    l.dev.uninitialize();
    CHECK(l.dev.devres_release_all() == -19);
    CHECK(l.told() == "warning WARNING in devres_release_all");
}

TEST_CASE("the newest node that matches is found [D04, 1.1 #3]") {
    letters l;
    void* const a = l.add('a');
    void* const b = l.add('b');
    CHECK(l.dev.devres_find(letters::write, nullptr, nullptr) == b);
    CHECK(l.dev.devres_find(letters::write, letters::is, "a") == a);
    CHECK(l.dev.devres_find(letters::write, letters::is, "c") == nullptr);
    CHECK(l.dev.devres_find([](device&, void*) {}, nullptr, nullptr) == nullptr);
}

TEST_CASE("a node that is there already is taken instead of a fresh one, which is freed") {
    letters l;
    void* const a = l.add('a');
    l.told();
    CHECK(l.dev.devres_get(l.make('a'), letters::is, "a") == a);
    CHECK(l.told().empty());
    void* const b = l.make('b');
    CHECK(l.dev.devres_get(b, letters::is, "b") == b);
    CHECK(l.told() == "add b");
    CHECK(l.release_all() == "ba2");
}

TEST_CASE("remove leaves a node to the caller, destroy frees it, release calls it, or there is none") {
    letters l;
    void* const b = [&] {
        l.add_all("ac");
        return l.add('b');
    }();
    l.told();
    CHECK(l.dev.devres_remove(letters::write, letters::is, "b") == b);
    CHECK(l.dev.devres_remove(letters::write, letters::is, "b") == nullptr);
    l.dev.devres_free(b);
    CHECK(l.dev.devres_destroy(letters::write, letters::is, "a") == 0);
    CHECK(l.dev.devres_destroy(letters::write, letters::is, "a") == -2);
    CHECK(l.released.empty());
    CHECK(l.dev.devres_release(letters::write, letters::is, "c") == 0);
    CHECK(l.dev.devres_release(letters::write, letters::is, "c") == -2);
    CHECK(l.released == "c");
    CHECK(l.told() == "remove b, remove a, remove c");
    CHECK_FALSE(l.dev.has_resources());
}

TEST_CASE("a node that was removed can be added again") {
    letters l;
    l.add_all("ab");
    l.dev.devres_add(l.dev.devres_remove(letters::write, letters::is, "a"));
    CHECK(l.release_all() == "ab2");
}

TEST_CASE("freeing a node that is on the list halts the kernel") {
    letters l;
    void* const a = l.add('a');
    CHECK_THROWS_AS(l.dev.devres_free(a), oops);
    CHECK(l.log.stopped());
    CHECK(l.told() == "add a, oops devres_free");
}

TEST_CASE("adding a node that is on the list halts the kernel") {
    letters l;
    void* const a = l.add('a');
    CHECK_THROWS_AS(l.dev.devres_add(a), oops);
    CHECK(l.told() == "add a, add a, oops add_dr");
}

TEST_CASE("what a release function adds stays on the list") {
    letters l;
    const std::function<void()> late = [&] { l.add('b'); };
    l.add('a');
    add_call(l.dev, late);
    CHECK(l.release_all() == "a2");
    CHECK(l.dev.has_resources());
    CHECK(l.told() == "add a, add call, release call, add b, release a");
    CHECK(l.release_all() == "b1");
}

TEST_CASE("while a list is released, what is left of it is not found [1.1 #6]") {
    letters l;
    l.add('a');
    const std::function<void()> look = [&] {
        CHECK_FALSE(l.dev.has_resources());
        CHECK(l.dev.devres_find(letters::write, nullptr, nullptr) == nullptr);
        CHECK(l.dev.devres_destroy(letters::write, nullptr, nullptr) == -2);
    };
    add_call(l.dev, look);
    CHECK(l.release_all() == "a2");
}

TEST_CASE("a release function that halts the kernel leaves the rest, and no memory is lost") {
    letters l;
    const std::function<void()> halt = [&] { l.log.stop("somewhere"); };
    l.add_all("a<1b");
    add_call(l.dev, halt);
    l.add_all("c>1");
    CHECK_THROWS_AS(l.dev.devres_release_all(), oops);
    CHECK(l.released == "c");
}

TEST_CASE("a device that goes frees its nodes, and releases none") {
    letters l;
    {
        device other(l.log);
        other.devres_add(other.devres_alloc(letters::write, sizeof(letters::letter), "a"));
        other.devres_open_group();
        (void)other.devres_alloc(letters::write, sizeof(letters::letter), "b");
    }
    CHECK(l.told() == "add a, add grp<");
}

TEST_CASE("a group is released alone") {
    letters l;
    l.add_all("a<1bc>1d");
    CHECK(l.told() == "add a, add grp<, add b, add c, add grp>, add d");
    CHECK(l.release_group(1) == "cb2");
    CHECK(l.told() == "release grp<, release c, release b");
    CHECK(l.release_all() == "da2");
}

TEST_CASE("a group that is open reaches to the end of the list") {
    letters l;
    l.add_all("a<1bc");
    CHECK(l.release_group(1) == "cb2");
    CHECK(l.release_all() == "a1");
}

TEST_CASE("a group takes those along that are in it") {
    letters l;
    l.add_all("<1a<2b>2c>1");
    CHECK(l.release_group(1) == "cba3");
    CHECK_FALSE(l.dev.has_resources());
}

TEST_CASE("an open group in another counts as wholly in it, with what is added later left where it is") {
    letters l;
    l.add_all("<1a<2b>1c");
    CHECK(l.release_group(1) == "ba2");
    l.told();
    CHECK(l.release_group(2) == "0");
    CHECK(l.told() == "warning WARNING in devres_release_group");
    CHECK(l.release_all() == "c1");
}

TEST_CASE("closing no group in particular closes the youngest that is open") {
    letters l;
    l.add_all("<1a<2b");
    l.dev.devres_close_group();
    l.add('c');
    l.dev.devres_close_group();
    l.add('d');
    CHECK(l.release_group(2) == "b1");
    CHECK(l.release_group(1) == "ca2");
    CHECK(l.release_all() == "d1");
}

TEST_CASE("a group that overlaps one that is released survives, without what they share") {
    letters l;
    l.add_all("<1a<2b>1c>2");
    CHECK(l.release_group(1) == "ba2");
    CHECK(l.release_group(2) == "c1");
    CHECK_FALSE(l.dev.has_resources());
}

TEST_CASE("a group that is removed leaves its nodes") {
    letters l;
    l.add_all("<1a>1");
    l.told();
    l.dev.devres_remove_group(l.id(1));
    CHECK(l.release_group(1) == "0");
    CHECK(l.told() == "remove grp<, warning WARNING in devres_release_group");
    CHECK(l.release_all() == "a1");
}

TEST_CASE("an open group can be removed") {
    letters l;
    l.add_all("<1a");
    l.dev.devres_remove_group();
    CHECK(l.release_all() == "a1");
}

TEST_CASE("closing or removing a group that is not there is warned of [G08, G09]") {
    letters l;
    l.dev.devres_close_group();
    l.dev.devres_close_group(l.id(1));
    l.dev.devres_remove_group();
    l.dev.devres_remove_group(l.id(1));
    CHECK(l.told() == "warning WARNING in devres_close_group, warning WARNING in devres_close_group, "
                      "warning WARNING in devres_remove_group, warning WARNING in devres_remove_group");
}

TEST_CASE("releasing a group that is not there is warned of, unless nothing is there [G10, G11]") {
    const bool silent = GENERATE(true, false);  // from 6.1 on, and before
    letters l(silent);
    CHECK(l.release_group(1) == "0");
    CHECK(l.told() == (silent ? "" : "warning WARNING in devres_release_group"));
    l.add('a');
    CHECK(l.release_group(1) == "0");
    CHECK(l.told() == "add a, warning WARNING in devres_release_group");
}

TEST_CASE("closing a group twice halts the kernel") {
    letters l;
    l.add_all("<1a>1");
    CHECK_THROWS_AS(l.dev.devres_close_group(l.id(1)), oops);
    CHECK(l.told() == "add grp<, add a, add grp>, add grp>, oops add_dr");
}

TEST_CASE("of two groups with one id, the younger is meant") {
    letters l;
    l.add_all("<1a>1<1b>1");
    CHECK(l.release_group(1) == "b1");
    CHECK(l.release_group(1) == "a1");
}

TEST_CASE("groups that nobody closed go with the list, unremarked") {
    letters l;
    l.add_all("<1a<2b");
    CHECK(l.release_all() == "ba2");
    CHECK(l.told() == "add grp<, add a, add grp<, add b, release grp<, release grp<, release b, release a");
}

TEST_CASE("a group that is closed is not released unless it is named") {
    letters l;
    l.add_all("<1a>1");
    l.told();
    CHECK(l.dev.devres_release_group() == 0);
    CHECK(l.told() == "warning WARNING in devres_release_group");
    CHECK(l.release_group(1) == "a1");
}

TEST_CASE("releasing no group in particular releases the youngest that is open") {
    letters l;
    l.add_all("<1a<2b>2");
    CHECK(l.dev.devres_release_group() == 2);
    CHECK(l.released == "ba");
}

TEST_CASE("an empty group can be released") {
    letters l;
    l.add_all("<1>1");
    CHECK(l.dev.has_resources());
    CHECK(l.release_group(1) == "0");
    CHECK(l.told() == "add grp<, add grp>, release grp<");
    CHECK_FALSE(l.dev.has_resources());
}

TEST_CASE("a group without an id has one of its own [1.1 #7]") {
    letters l;
    const void* const outer = l.dev.devres_open_group();
    l.add('a');
    const void* const inner = l.dev.devres_open_group();
    l.add('b');
    CHECK(outer != nullptr);
    CHECK(inner != outer);
    l.dev.devres_close_group(outer);
    l.add('c');
    CHECK(l.dev.devres_release_group(inner) == 2);
    CHECK(l.released == "cb");
    CHECK(l.dev.devres_release_group(outer) == 1);
    CHECK(l.released == "cba");
}

namespace {

/// What actions do: each writes its name.
struct action {
    std::string* ran;
    char name;
    static void run(void* data) {
        const auto& self = *static_cast<const action*>(data);
        *self.ran += self.name;
    }
};

}  // namespace

TEST_CASE("an action can be forgotten or run early, and runs once") {
    letters l;
    action x{&l.released, 'x'};
    action y{&l.released, 'y'};
    CHECK(l.dev.devm_add_action(action::run, &x) == 0);
    l.add('a');
    CHECK(l.dev.devm_add_action(action::run, &y, "why", 7) == 0);
    CHECK(l.told() == "add devm_action_release, add a, add why 7");
    l.dev.devm_remove_action(action::run, &x);
    CHECK(l.released.empty());
    l.dev.devm_release_action(action::run, &y);
    CHECK(l.released == "y");
    CHECK(l.told() == "remove devm_action_release, remove why 7");
    CHECK(l.release_all() == "a1");
}

TEST_CASE("forgetting or running an action that is not there is warned of, and it does not run") {
    letters l;
    action x{&l.released, 'x'};
    action y{&l.released, 'y'};
    l.dev.devm_add_action(action::run, &x);
    l.told();
    l.dev.devm_remove_action(action::run, &y);
    l.dev.devm_release_action(action::run, &y);
    l.dev.devm_release_action([](void*) {}, &x);
    CHECK(l.released.empty());
    CHECK(l.told() == "warning WARNING in devm_remove_action, warning WARNING in devm_release_action, "
                      "warning WARNING in devm_release_action");
}

TEST_CASE("an action that was added twice and forgotten once runs once") {
    letters l;
    action x{&l.released, 'x'};
    l.dev.devm_add_action(action::run, &x);
    l.add('a');
    l.dev.devm_add_action(action::run, &x);
    l.dev.devm_remove_action(action::run, &x);  // the newest
    CHECK(l.release_all() == "ax2");
}

TEST_CASE("warnings of the release list are of one kind") {
    letters l;
    l.dev.devres_close_group();
    l.dev.devm_remove_action(action::run, nullptr);
    for (const event& each : l.log.events())
        CHECK(each.warning == warning_kind::devres_warn);
    CHECK_FALSE(l.log.stopped());
}
