// SPDX-License-Identifier: BSL-1.0
#include <devres/core/managed_ptr.hpp>

#include <string>
#include <type_traits>

#include <devres/core/group.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

using namespace devres;

static_assert(std::is_nothrow_default_constructible_v<managed_ptr<int>>);
static_assert(std::is_copy_assignable_v<managed_ptr<int>> && std::is_nothrow_copy_constructible_v<managed_ptr<int>>);
static_assert(std::is_convertible_v<managed_ref<int>, managed_ptr<int>>);
static_assert(!std::is_constructible_v<managed_ptr<int>, int*>, "only a managed object is pointed to");
static_assert(!std::is_convertible_v<managed_ptr<int>, bool>);

namespace {

struct queue {
    int depth = 4;
    std::string* log = nullptr;
    managed_ptr<queue>* myself = nullptr;

    queue() = default;
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;
    ~queue() {
        if (log != nullptr)
            *log += myself != nullptr && *myself ? "reachable " : "gone ";
    }
};

struct fixture {
    test::handled_device dev;
    managed_ptr<queue> pointer;
};

}  // namespace

TEST_CASE("a weak reference is empty until it is given an object, and can be emptied") {
    test::core_device dev;
    managed_ptr<queue> pointer;
    CHECK(!pointer);
    CHECK(pointer.get() == nullptr);
    const auto object = devm_emplace<queue>(dev).value();
    pointer = object;
    REQUIRE(pointer);
    CHECK(pointer.get() == &object.get());
    CHECK(pointer->depth == 4);
    (*pointer).depth = 5;
    CHECK(object->depth == 5);
    const managed_ptr<queue> copy = pointer;
    pointer = {};
    CHECK(!pointer);
    CHECK(copy->depth == 5);
}

TEST_CASE_METHOD(fixture, "a weak reference answers nothing once a group has released the object") {
    group g{dev};
    pointer = devm_emplace<queue>(dev).value();
    const managed_ptr<queue> copy = pointer;
    CHECK(g.release() == 1);
    CHECK(!pointer);
    CHECK(!copy);
    CHECK(copy.get() == nullptr);
}

TEST_CASE_METHOD(fixture, "a weak reference does not answer for another object in the same memory") {
    group g{dev};
    const auto old = devm_emplace<queue>(dev).value();
    pointer = old;
    CHECK(g.release() == 1);
    const auto fresh = devm_emplace<queue>(dev).value();
    CHECK(&fresh.get() == &old.get());
    CHECK(!pointer);
    pointer = fresh;
    CHECK(pointer);
}

TEST_CASE_METHOD(fixture, "a weak reference is empty before handlers are waited for, and they before the destructor") {
    std::string log;
    group g{dev};
    const auto object = devm_emplace<queue>(dev).value();
    object->log = &log;
    object->myself = &pointer;
    pointer = object;
    dev.waiting = [&] { log += pointer ? "reachable " : "waiting "; };
    CHECK(g.release() == 1);
    CHECK(log == "waiting gone ");
}

TEST_CASE_METHOD(fixture, "an object is not reachable from its own destructor at the unbind") {
    std::string log;
    const auto object = devm_emplace<queue>(dev).value();
    object->log = &log;
    object->myself = &pointer;
    pointer = object;
    dev.resources().release_all();
    CHECK(log == "gone ");
    CHECK(!pointer);
}

TEST_CASE_METHOD(fixture, "while steps before the objects are released the object is reachable") {
    pointer = devm_emplace<queue>(dev).value();
    struct look_at {
        managed_ptr<queue>* pointer;
        bool there = false;
    } look{&pointer};
    REQUIRE(dev.resources().add(
        [](void* argument) {
            auto& at = *static_cast<look_at*>(argument);
            at.there = static_cast<bool>(*at.pointer);
        },
        &look, release_step::stop));
    dev.resources().release_all();
    CHECK(look.there);
}

TEST_CASE("an older object finds that a younger one has gone") {
    struct controller {
        managed_ptr<queue> younger;
        bool* found;
        explicit controller(bool& there) noexcept : found(&there) {}
        controller(const controller&) = delete;
        controller& operator=(const controller&) = delete;
        ~controller() { *found = static_cast<bool>(younger); }
    };
    bool found = true;
    test::core_device dev;
    const auto older = devm_emplace<controller>(dev, found).value();
    older->younger = devm_emplace<queue>(dev).value();
    CHECK(older->younger);
    dev.resources().release_all();
    CHECK(!found);
}

TEST_CASE_METHOD(fixture, "a weak reference to a part of an object goes with the object") {
    struct state {
        queue queues[2];
    };
    group g{dev};
    const auto object = devm_emplace<state>(dev).value();
    pointer = object.part(object->queues[1]);
    CHECK(pointer.get() == &object->queues[1]);
    CHECK(g.release() == 1);
    CHECK(!pointer);
}

TEST_CASE_METHOD(fixture, "a group that is not released empties no weak reference") {
    struct whole {
        managed_ref<queue> member;
    };
    group g{dev};
    const auto object = devm_emplace<queue>(dev).value();
    pointer = object;
    g.keep();
    REQUIRE(devm_emplace<whole>(dev, object));
    CHECK(g.release().error() == errc::ebusy);
    CHECK(pointer);
}

TEST_CASE("using a weak reference that answers nothing stops the program, and says why") {
    const managed_ptr<queue> nothing;
    CHECK_THAT(test::last_words([&] { (void)nothing->depth; }),
               Catch::Matchers::ContainsSubstring("devres: a managed_ptr is used whose object devres has released"));
    CHECK_THAT(test::last_words([&] { (void)(*nothing).depth; }),
               Catch::Matchers::ContainsSubstring("devres: a managed_ptr is used"));
}
