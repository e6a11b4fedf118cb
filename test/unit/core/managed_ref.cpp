// SPDX-License-Identifier: BSL-1.0
#include <devres/core/managed_ref.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include <devres/core/action.hpp>
#include <devres/core/group.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

using namespace devres;

static_assert(!std::is_default_constructible_v<managed_ref<int>>);
static_assert(!std::is_constructible_v<managed_ref<int>, int&>, "only devm_emplace makes one");
static_assert(!std::is_constructible_v<managed_ref<int>, int*>);
static_assert(std::is_nothrow_copy_constructible_v<managed_ref<int>>);
static_assert(!std::is_trivially_copyable_v<managed_ref<int>>,
              "a view is not bytes: no structure with one is sent to a device");
static_assert(!std::is_copy_assignable_v<managed_ref<int>>, "a view of something managed is not assigned");
static_assert(sizeof(managed_ref<int>) <= 3 * sizeof(void*));
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
static_assert(std::is_convertible_v<managed_ref<derived>, managed_ref<const derived>>);
static_assert(!std::is_convertible_v<managed_ref<const derived>, managed_ref<derived>>);
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

}  // namespace

TEST_CASE("an object that devres owns is destroyed at unbind, newest first, among the actions") {
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
    struct large : noisy {
        using noisy::noisy;
        char more[devres::detail::record_memory::small]{};  // so that the list has no memory of its own for it
    };
    std::string log;
    test::core_device dev;
    SECTION("for the object") {
        dev.memory.allowance = 0;
        CHECK(devm_emplace<large>(dev, log, 'a').error() == errc::enomem);
    }
    SECTION("for its record") {
        dev.memory.allowance = 0;
        while (devm_add_action(dev, [](void*) {}, nullptr))
            continue;
        dev.memory.allowance = 1;
        const std::size_t blocks = dev.memory.blocks;
        CHECK(devm_emplace<large>(dev, log, 'a').error() == errc::enomem);
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

TEST_CASE("what a throwing constructor acquired is released, and no more") {
    struct throwing {
        explicit throwing(test::core_device& dev, std::string& log) {
            REQUIRE(devm_emplace<noisy>(dev, log, 'a'));
            REQUIRE(devm_emplace<noisy>(dev, log, 'b'));
            throw 42;
        }
    };
    std::string log;
    test::core_device dev;
    REQUIRE(devm_emplace<noisy>(dev, log, 'o'));
    CHECK_THROWS_AS((void)devm_emplace<throwing>(dev, dev, log), int);
    CHECK(log == "ba");
    CHECK(dev.resources().release_all() == 1);
    CHECK(log == "bao");
    CHECK(dev.memory.blocks == 0);
}
#endif

TEST_CASE("what an object's constructor acquires is older than the object, and goes after it") {
    struct owner : noisy {
        owner(test::core_device& dev, std::string& to) : noisy(to, 'o') { REQUIRE(devm_emplace<noisy>(dev, to, 'p')); }
    };
    std::string log;
    test::core_device dev;
    REQUIRE(devm_emplace<owner>(dev, dev, log));
    dev.resources().release_all();
    CHECK(log == "op");
}

TEST_CASE("errno is kept when objects are destroyed") {
    std::string log;
    CHECK(test::keeps_errno([&] {
        test::core_device dev;
        REQUIRE(devm_emplace<noisy>(dev, log, 'a'));
    }));
}

TEST_CASE("a managed reference names an element of the object as a part of it, and nothing else") {
    struct state {
        base items[3];
        const int number = 4;
    };
    test::core_device dev;
    const auto object = devm_emplace<state>(dev).value();
    const managed_ref<base> item = object.part(object->items[2]);
    CHECK(&item.get() == &object->items[2]);
    const managed_ref<const int> number = object.part(object->number);
    CHECK(*number == 4);
    CHECK(&object.part(object.get()).get() == &object.get());
    CHECK(&object.part(object->items[1]).part(object->items[1].number).get() == &object->items[1].number);
    base elsewhere;
    CHECK_THAT(test::last_words([&] { (void)object.part(elsewhere); }),
               Catch::Matchers::ContainsSubstring("devres: managed_ref::part"));
    CHECK(!test::last_words([&] { (void)item.part(object->items[1].number); }).empty());
}

TEST_CASE("an object can be shared as const") {
    struct state {
        int number = 0;
        explicit state(int value) noexcept : number(value) {}
        result<> init() noexcept {
            ++number;
            return {};
        }
    };
    test::core_device dev;
    const auto object = devm_emplace<const state>(dev, 3).value();
    STATIC_REQUIRE(std::is_same_v<decltype(object), const managed_ref<const state>>);
    STATIC_REQUIRE(std::is_same_v<decltype(object.get()), const state&>);
    STATIC_REQUIRE(std::is_same_v<decltype(object.member(&state::number)), managed_ref<const int>>);
    CHECK(object->number == 4);
}

TEST_CASE("an object of an aggregate type is made from its members") {
    struct parts {
        int number;
        char letter;
        int rest;
    };
    test::core_device dev;
    const auto object = devm_emplace<parts>(dev, 3, 'x').value();
    CHECK(object->number == 3);
    CHECK(object->letter == 'x');
    CHECK(object->rest == 0);
}

// Construction that can fail.

namespace {

struct with_init : noisy {
    static inline errc failure{};
    test::core_device* dev;

    with_init(test::core_device& device, std::string& to) noexcept : noisy(to, 'w'), dev(&device) {}
    result<> init() noexcept {
        *log += 'i';
        REQUIRE(devm_emplace<noisy>(*dev, *log, 'p'));
        REQUIRE(devm_add_action(*dev, [](void* text) { *static_cast<std::string*>(text) += 'a'; }, log));
        if (failure != errc{})
            return fail(failure);
        return {};
    }
};
struct may_throw_in_init {
    result<> init() { return {}; }
};
struct inits_void {
    void init() noexcept {}
};
struct inits_with_argument {
    result<> init(int) noexcept { return {}; }
};

template <class T, class... Parts>
constexpr bool can_emplace = requires(test::core_device& dev, Parts&&... parts) {
    devm_emplace<T>(dev, static_cast<Parts&&>(parts)...);
};

}  // namespace

TEST_CASE("init is called once the object is there, and before anyone has a reference to it") {
    std::string log;
    test::core_device dev;
    with_init::failure = {};
    const auto object = devm_emplace<with_init>(dev, dev, log);
    REQUIRE(object);
    CHECK(log == "i");
    dev.resources().release_all();
    CHECK(log == "iwap");  // the object's place is where init ended
}

TEST_CASE("where init fails, what it and the constructor acquired is released, then the object goes") {
    std::string log;
    test::core_device dev;
    REQUIRE(devm_emplace<noisy>(dev, log, 'o'));
    const std::size_t blocks = dev.memory.blocks;
    with_init::failure = errc::eproto;
    CHECK(devm_emplace<with_init>(dev, dev, log).error() == errc::eproto);
    CHECK(log == "iapw");
    CHECK(dev.memory.blocks == blocks);
    with_init::failure = {};
    CHECK(dev.resources().release_all() == 1);
}

TEST_CASE("D012: an object is made from parts that it can be made from, and its init has one form") {
    STATIC_REQUIRE(can_emplace<base>);
    STATIC_REQUIRE(can_emplace<noisy, std::string&, char>);
    STATIC_REQUIRE(!can_emplace<noisy>);
    STATIC_REQUIRE(!can_emplace<noisy, char>);
    STATIC_REQUIRE(!can_emplace<managed_ref<int>>);
    STATIC_REQUIRE(can_emplace<with_init, test::core_device&, std::string&>);
    STATIC_REQUIRE(!can_emplace<may_throw_in_init>);
    STATIC_REQUIRE(!can_emplace<inits_void>);
    STATIC_REQUIRE(can_emplace<inits_with_argument>);  // that is no init
}

// Parts.

namespace {

struct user_of_parts {
    std::string* log;
    char name;
    user_of_parts(std::string& to, char called, const auto&...) noexcept : log(&to), name(called) {}
    user_of_parts(const user_of_parts&) = delete;
    user_of_parts& operator=(const user_of_parts&) = delete;
    ~user_of_parts() { *log += name; }
};

}  // namespace

TEST_CASE("an object is built on every part that is a managed reference, or an optional of one") {
    std::string log;
    test::core_device dev;
    group g{dev};
    const auto part = devm_emplace<noisy>(dev, log, 'p').value();
    g.keep();
    group users{dev};
    SECTION("a reference") { REQUIRE(devm_emplace<user_of_parts>(dev, log, 'u', part)); }
    SECTION("a reference among others") {
        const auto other = devm_emplace<base>(dev).value();
        REQUIRE(devm_emplace<user_of_parts>(dev, log, 'u', 1, other, std::string("x"), part));
    }
    SECTION("a part of a part") { REQUIRE(devm_emplace<user_of_parts>(dev, log, 'u', part.member(&noisy::name))); }
    SECTION("an optional part that is there") {
        const std::optional<managed_ref<noisy>> optional = part;
        REQUIRE(devm_emplace<user_of_parts>(dev, log, 'u', optional));
    }
    SECTION("an optional part that is there, moved") {
        REQUIRE(devm_emplace<user_of_parts>(dev, log, 'u', std::optional<managed_ref<noisy>>(part)));
    }
    CHECK(g.release().error() == errc::ebusy);
    CHECK(log.empty());
    CHECK(users.release());
    CHECK(log == "u");
    CHECK(g.release() == 1);
    CHECK(log == "up");
    CHECK(dev.memory.blocks == 0);
}

TEST_CASE("an object is not built on an optional part that is missing, nor on a plain reference or a pointer") {
    std::string log;
    test::core_device dev;
    group g{dev};
    const auto part = devm_emplace<noisy>(dev, log, 'p').value();
    g.keep();
    SECTION("missing") { REQUIRE(devm_emplace<user_of_parts>(dev, log, 'u', std::optional<managed_ref<noisy>>())); }
    SECTION("plain") { REQUIRE(devm_emplace<user_of_parts>(dev, log, 'u', part.get(), &part.get())); }
    CHECK(g.release() == 1);
    CHECK(log == "p");
}

TEST_CASE("a part that has gone, or is another device's, makes no object") {
    std::string log;
    test::core_device dev;
    test::core_device other;
    const auto foreign = devm_emplace<base>(other).value();
    group g{dev};
    const auto gone = devm_emplace<base>(dev).value();
    const std::optional<managed_ref<base>> optional = gone;
    CHECK(g.release() == 1);
    CHECK(devm_emplace<user_of_parts>(dev, log, 'u', gone).error() == errc::enoent);
    CHECK(devm_emplace<user_of_parts>(dev, log, 'u', optional).error() == errc::enoent);
    CHECK(devm_emplace<user_of_parts>(dev, log, 'u', foreign).error() == errc::einval);
    const auto there = devm_emplace<base>(dev).value();  // in the same memory as the one that has gone
    CHECK(devm_emplace<user_of_parts>(dev, log, 'u', there, gone).error() == errc::enoent);
    CHECK(devm_emplace<user_of_parts>(dev, log, 'u', there, std::optional(foreign)).error() == errc::einval);
    CHECK(log.empty());
    CHECK(dev.resources().release_all() == 1);
    CHECK(dev.memory.blocks == 0);
}

TEST_CASE("an object whose constructor releases a part is not made") {
    struct releasing : noisy {
        releasing(std::string& to, const managed_ref<noisy>&, group& of_part) noexcept : noisy(to, 'r') {
            CHECK(of_part.release() == 1);
        }
    };
    std::string log;
    test::core_device dev;
    group g{dev};
    const auto part = devm_emplace<noisy>(dev, log, 'p').value();
    g.keep();
    CHECK(devm_emplace<releasing>(dev, log, part, g).error() == errc::enoent);
    CHECK(log == "pr");
    CHECK(dev.resources().empty());
    CHECK(dev.memory.blocks == 0);
}

TEST_CASE("an object that an object is built on cannot be released by its name, and can afterwards") {
    test::core_device dev;
    struct holder {
        managed_ref<base> member;
    };
    const auto part = devm_emplace<base>(dev).value();
    const auto whole = devm_emplace<holder>(dev, part).value();
    CHECK(&whole->member.get() == &part.get());
    const auto name = devres::detail::token::record(part);
    CHECK(dev.resources().release(name).error() == errc::ebusy);
    CHECK(dev.resources().has(name));
    CHECK(dev.resources().release(devres::detail::token::record(whole)));
    CHECK(dev.resources().release(name));
    CHECK(dev.resources().empty());
}

// Steps.

TEST_CASE("an object with a destructor goes with the actions, one without is matter") {
    struct plain {
        int number = 0;
    };
    test::core_device dev;
    const auto steps_of = [&] {
        const std::size_t code = dev.resources().release_through(release_step::code);
        const std::size_t matter = dev.resources().release_all();
        return std::pair(code, matter);
    };
    REQUIRE(devm_emplace<plain>(dev));
    REQUIRE(devm_emplace<const plain>(dev));
    CHECK(steps_of() == std::pair<std::size_t, std::size_t>(0, 2));
    REQUIRE(devm_emplace<std::string>(dev, "text"));
    REQUIRE(devm_emplace<const std::string>(dev, "text"));
    CHECK(steps_of() == std::pair<std::size_t, std::size_t>(2, 0));
}

TEST_CASE("a destructor and an action may use what is matter, whatever its age") {
    struct plain {
        int number = 7;
    };
    struct code {
        int* seen;
        const plain* const* used;
        ~code() { *seen += (*used)->number; }
    };
    test::core_device dev;
    int seen = 0;
    const plain* used = nullptr;
    REQUIRE(devm_emplace<code>(dev, &seen, &used));
    struct action_of {
        int* seen;
        const plain** used;
    } of{&seen, &used};
    REQUIRE(devm_add_action(
        dev,
        [](void* argument) {
            const auto& at = *static_cast<action_of*>(argument);
            *at.seen += (*at.used)->number;
        },
        &of));
    used = &devm_emplace<plain>(dev).value().get();
    dev.resources().release_all();
    CHECK(seen == 14);
}

namespace {

constexpr resource<struct zone_tag> zone;
struct owns_a_zone {
    static constexpr auto ownership = own(zone = managed);
};
struct device_with_a_zone : test::core_device {
    using driver_type = owns_a_zone;
};

}  // namespace

TEST_CASE("an object for a resource of the driver's own is an object as any other") {
    std::string log;
    device_with_a_zone dev;
    REQUIRE(devm_emplace<noisy, zone>(dev, log, 'z'));
    dev.resources().release_all();
    CHECK(log == "z");
}

TEST_CASE("inside a handler of the device no object is made") {
    std::string log;
    test::handled_device dev;
    dev.inside = true;
    CHECK(devm_emplace<noisy>(dev, log, 'a').error() == errc::edeadlk);
    CHECK(log.empty());
    CHECK(dev.resources().empty());
    dev.inside = false;
    CHECK(devm_emplace<noisy>(dev, log, 'a'));
}

TEST_CASE("a usual device keeps its objects' memory for those that come after") {
    test::core_device dev;
    group g{dev};
    for (int round = 0; round != 100; ++round) {
        REQUIRE(devm_emplace<base>(dev));
        CHECK(g.release() == 1);
        g = group{dev};
    }
    CHECK(dev.memory.allocations == 0);
}
