// SPDX-License-Identifier: BSL-1.0
#include <devres/core/managed_ref.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include <devres/core/action.hpp>
#include <devres/core/group.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

static_assert(!std::is_default_constructible_v<managed_ref<int>>);
static_assert(!std::is_constructible_v<managed_ref<int>, int&>, "only devm_emplace makes one");
static_assert(!std::is_constructible_v<managed_ref<int>, int*>);
static_assert(std::is_trivially_copyable_v<managed_ref<int>>);
static_assert(sizeof(managed_ref<int>) <= 2 * sizeof(void*));
static_assert(std::is_convertible_v<managed_ref<int>, int&>);

namespace {

struct base {
    int number = 1;
};
struct other_base {
    int other = 2;
};
struct derived : other_base, base {
    base part;
};

static_assert(std::is_convertible_v<managed_ref<derived>, managed_ref<base>>);
static_assert(!std::is_convertible_v<managed_ref<base>, managed_ref<derived>>);
static_assert(!std::is_convertible_v<managed_ref<base>, managed_ref<int>>);

/// Writes its name when it is destroyed.
struct noisy {
    std::string* log;
    char name;

    noisy(std::string& to, char called) noexcept : log(&to), name(called) {}
    noisy(const noisy&) = delete;
    noisy& operator=(const noisy&) = delete;
    ~noisy() {
        *log += name;
        errno = EBADF;
    }
};

/// A user of a managed object: a handler, say, that must end before the object does.
struct user : detail::managed_user {
    std::string* log;
    char name;
    user(std::string& to, char called) noexcept : log(&to), name(called) {}

    template <class T>
    void use(managed_ref<T> object) {
        detail::managed_object::of(object).used_by(*this, [](detail::managed_user& ended) noexcept {
            auto& self = static_cast<user&>(ended);
            *self.log += self.name;
        });
    }
};

}  // namespace

TEST_CASE("an object that devres owns is destroyed at unbind, newest first, among the other managed resources") {
    std::string log;
    test::core_device dev;
    REQUIRE(devm_emplace<noisy>(dev, log, 'a'));
    REQUIRE(devm_add_action(dev, [](void* text) { *static_cast<std::string*>(text) += '!'; }, &log));
    REQUIRE(devm_emplace<noisy>(dev, log, 'b'));
    dev.resources().release_all();
    CHECK(log == "b!a");
    CHECK(dev.memory.blocks == 0);
}

TEST_CASE("an object is made from the arguments, moved where they can be") {
    test::core_device dev;
    struct holder {
        std::unique_ptr<int> owned;
        int& referred;
        holder(std::unique_ptr<int> pointer, int& number) noexcept : owned(std::move(pointer)), referred(number) {}
    };
    int number = 5;
    const auto object = devm_emplace<holder>(dev, std::make_unique<int>(3), number);
    REQUIRE(object);
    CHECK(*(*object)->owned == 3);
    CHECK(&(*object)->referred == &number);
}

TEST_CASE("an object has its alignment") {
    test::core_device dev;
    struct alignas(256) wide {
        char bytes[300]{};
    };
    const auto object = devm_emplace<wide>(dev);
    REQUIRE(object);
    CHECK(reinterpret_cast<std::uintptr_t>(&object->get()) % 256 == 0);
}

TEST_CASE("a managed reference reads as a reference") {
    test::core_device dev;
    const auto object = devm_emplace<base>(dev).value();
    object->number = 7;
    CHECK((*object).number == 7);
    CHECK(object.get().number == 7);
    base& plain = object;
    CHECK(&plain == &object.get());
    const auto copy = object;
    CHECK(&copy.get() == &plain);
}

TEST_CASE("a managed reference converts to one of a base class, and gives the members of the object") {
    test::core_device dev;
    const auto object = devm_emplace<derived>(dev).value();
    const managed_ref<base> as_base = object;
    CHECK(&as_base.get() == static_cast<base*>(&object.get()));
    CHECK(&object.member(&derived::part).get() == &object->part);
    CHECK(&object.member(&derived::other).get() == &object->other);
    CHECK(&object.member(&derived::part).member(&base::number).get() == &object->part.number);
}

TEST_CASE("an object for which there is no memory is not made, and nothing is left") {
    std::string log;
    test::core_device dev;
    SECTION("for the object") {
        dev.memory.allowance = 0;
        CHECK(devm_emplace<noisy>(dev, log, 'a').error() == errc::enomem);
    }
    SECTION("for its record") {
        dev.memory.allowance = 0;
        while (devm_add_action(dev, [](void*) {}, nullptr))
            continue;
        dev.memory.allowance = 1;
        const std::size_t blocks = dev.memory.blocks;
        CHECK(devm_emplace<noisy>(dev, log, 'a').error() == errc::enomem);
        CHECK(dev.memory.blocks == blocks);
    }
    CHECK(log.empty());
    dev.resources().release_all();
    CHECK(log.empty());
}

#if defined(__cpp_exceptions)
TEST_CASE("an object whose constructor throws leaves nothing behind") {
    struct throwing {
        throwing() { throw 42; }
    };
    test::core_device dev;
    CHECK_THROWS_AS((void)devm_emplace<throwing>(dev), int);
    CHECK(dev.resources().empty());
    CHECK(dev.memory.blocks == 0);
}

TEST_CASE("what a throwing constructor acquired stays with the device") {
    struct throwing {
        explicit throwing(test::core_device& dev, std::string& log) {
            REQUIRE(devm_emplace<noisy>(dev, log, 'a'));
            throw 42;
        }
    };
    std::string log;
    test::core_device dev;
    CHECK_THROWS_AS((void)devm_emplace<throwing>(dev, dev, log), int);
    CHECK(log.empty());
    CHECK(dev.resources().release_all() == 1);
    CHECK(log == "a");
    CHECK(dev.memory.blocks == 0);
}
#endif

TEST_CASE("what an object's constructor acquires goes before the object") {
    struct owner : noisy {
        owner(test::core_device& dev, std::string& to) : noisy(to, 'o') { REQUIRE(devm_emplace<noisy>(dev, to, 'p')); }
    };
    std::string log;
    test::core_device dev;
    REQUIRE(devm_emplace<owner>(dev, dev, log));
    dev.resources().release_all();
    CHECK(log == "po");
}

TEST_CASE("what uses an object is ended before it, newest first") {
    std::string log;
    test::core_device dev;
    user first(log, '1');
    user second(log, '2');
    const auto object = devm_emplace<noisy>(dev, log, 'a').value();
    first.use(object);
    second.use(object);
    dev.resources().release_all();
    CHECK(log == "21a");
}

TEST_CASE("a use that has ended is not ended again") {
    std::string log;
    test::core_device dev;
    user first(log, '1');
    user last(log, '3');
    const auto object = devm_emplace<noisy>(dev, log, 'a').value();
    first.use(object);
    {
        user second(log, '2');
        second.use(object);
        last.use(object);
    }
    first.leave();
    first.leave();
    dev.resources().release_all();
    CHECK(log == "3a");
}

TEST_CASE("a user that moves to another object leaves the first") {
    std::string log;
    test::core_device dev;
    user one(log, '1');
    const auto a = devm_emplace<noisy>(dev, log, 'a').value();
    one.use(a);
    const auto b = devm_emplace<noisy>(dev, log, 'b').value();
    one.use(b);
    dev.resources().release_all();
    CHECK(log == "1ba");
}

TEST_CASE("who uses a part or a base of an object uses the object") {
    std::string log;
    test::core_device dev;
    user part(log, 'p');
    user whole(log, 'b');
    const auto object = devm_emplace<derived>(dev).value();
    part.use(object.member(&derived::part));
    whole.use(managed_ref<base>(object));
    dev.resources().release_all();
    CHECK(log == "bp");
}

TEST_CASE("an object in a group goes with the group, and its users before it") {
    std::string log;
    test::core_device dev;
    user outside(log, 'u');
    group g{dev};
    const auto object = devm_emplace<noisy>(dev, log, 'a').value();
    g.keep();
    outside.use(object);
    CHECK(g.release() == 1);
    CHECK(log == "ua");
}

TEST_CASE("errno is kept when objects are destroyed") {
    std::string log;
    CHECK(test::keeps_errno([&] {
        test::core_device dev;
        REQUIRE(devm_emplace<noisy>(dev, log, 'a'));
    }));
}
