// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/irq_handler.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pci/fixture.hpp"
#include "support/catch.hpp"
#include "support/death.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

irq_return free_handler(counter& context) { return context.on_irq(); }
irq_return free_vector_handler(counter& context, vector_index vector) noexcept { return context.on_vector(vector); }
irq_return const_handler(const counter&) { return irq_return::none; }
int wrong_result(counter&) { return 0; }
irq_return wrong_context(int&) { return irq_return::none; }

struct derived_counter : counter {};
struct const_counter {
    irq_return on_irq() const noexcept { return irq_return::none; }
};

irq_return const_handler_of(const const_counter&) { return irq_return::none; }

static_assert(irq_handler_of<&counter::on_irq, counter>);
static_assert(irq_handler_of<&counter::on_vector, counter>);
static_assert(irq_handler_of<&counter::on_irq, derived_counter>);
static_assert(irq_handler_of<&const_counter::on_irq, const_counter>);
static_assert(irq_handler_of<&const_counter::on_irq, const const_counter>);
static_assert(irq_handler_of<&free_handler, counter>);
static_assert(irq_handler_of<free_handler, counter>);
static_assert(irq_handler_of<&free_vector_handler, counter>);
static_assert(irq_handler_of<&const_handler, counter>);
static_assert(irq_handler_of<[](counter& context) { return context.on_irq(); }, counter>);
static_assert(irq_handler_of<[](auto& context, vector_index) { return context.on_irq(); }, counter>);
static_assert(!irq_handler_of<&wrong_result, counter>);
static_assert(!irq_handler_of<&wrong_context, counter>);
static_assert(!irq_handler_of<&counter::on_irq, const counter>);
static_assert(!irq_handler_of<&counter::interrupts, counter>);
static_assert(!irq_handler_of<nullptr, counter>);

template <class Vector, class Context>
constexpr bool can_request_managed = requires(const Vector& vector, Context& context) {
    devm_request_irq<&counter::on_irq>(vector, "test", context);
};
template <class Vector, class Context>
constexpr bool can_request_unmanaged = requires(const Vector& vector, Context& context) {
    request_irq<&counter::on_irq>(vector, "test", context);
};
template <class Vector, class Context>
constexpr bool can_request_default = requires(const Vector& vector, Context& context) {
    devm_request_irq(vector, "test", context);
};
template <class Vector, class Context>
constexpr bool can_request_with_flags = requires(const Vector& vector, Context& context) {
    devm_request_irq(vector, "test", context, 0);
} || requires(const Vector& vector, Context& context) { request_irq(vector, "test", context, 0); };
template <class Vector, class Context>
constexpr bool can_request_in_order_of_c = requires(const Vector& vector, Context& context) {
    devm_request_irq(vector, &free_handler, "test", context);
};
template <class Registration>
constexpr bool can_free_managed = requires(Registration registration) { devm_free_irq(std::move(registration)); };
template <class Registration>
constexpr bool can_free_unmanaged = requires(Registration registration) { free_irq(std::move(registration)); };

struct owns_managed_handlers {
    static constexpr auto ownership = own(driver_data = managed, irq_vectors = managed, irq_handler = managed);
};
struct owns_unmanaged_handlers {
    static constexpr auto ownership = own(driver_data = managed, irq_vectors = managed, irq_handler = unmanaged);
};
struct owns_no_handlers {
    static constexpr auto ownership = own(driver_data = managed, irq_vectors = managed);
};
template <class Owner, class Driver = void>
using vector_of = irq_vector<Owner, null_platform, Driver>;

constexpr auto any_message = irq_type::msix | irq_type::msi;

struct fixture : device_fixture {
    using vectors_type = irq_allocation<managed_t, null_platform>;

    enabled_device<managed_t, null_platform> enable() { return pcim_enable_device(*dev).value(); }
    vectors_type allocate() { return pcim_alloc_irq_vectors(enable(), 1, 4, any_message).value(); }
    managed_ref<counter> emplace() { return devm_emplace<counter>(*dev).value(); }
};

}  // namespace

TEST_CASE("D001: a handler is freed by hand only where the driver owns it, and early by devres where devres does") {
    STATIC_REQUIRE(can_free_managed<irq_registration<managed_t, null_platform>>);
    STATIC_REQUIRE(!can_free_managed<irq_registration<unmanaged_t, null_platform>>);
    STATIC_REQUIRE(can_free_unmanaged<irq_registration<unmanaged_t, null_platform>>);
    STATIC_REQUIRE(!can_free_unmanaged<irq_registration<managed_t, null_platform>>);
}

TEST_CASE("D002: a managed handler needs managed vectors and a managed context") {
    STATIC_REQUIRE(can_request_managed<vector_of<managed_t>, managed_ref<counter>>);
    STATIC_REQUIRE(can_request_managed<vector_of<managed_t>, const managed_ref<counter>>);
    STATIC_REQUIRE(!can_request_managed<vector_of<unmanaged_t>, managed_ref<counter>>);
    STATIC_REQUIRE(!can_request_managed<vector_of<managed_t>, counter>);
    STATIC_REQUIRE(!can_request_managed<vector_of<unmanaged_t>, counter>);
    STATIC_REQUIRE(!can_request_managed<vector_of<managed_t>, managed_ref<int>>);
}

TEST_CASE("a handler of the driver's own may be on anybody's vectors and use anybody's object") {
    STATIC_REQUIRE(can_request_unmanaged<vector_of<managed_t>, counter>);
    STATIC_REQUIRE(can_request_unmanaged<vector_of<unmanaged_t>, counter>);
    STATIC_REQUIRE(can_request_unmanaged<vector_of<managed_t>, managed_ref<counter>>);
    STATIC_REQUIRE(!can_request_unmanaged<vector_of<managed_t>, int>);
}

TEST_CASE("D004: a handler is registered as the ownership table says") {
    using data = managed_ref<counter>;
    STATIC_REQUIRE(can_request_managed<vector_of<managed_t, owns_managed_handlers>, data>);
    STATIC_REQUIRE(!can_request_unmanaged<vector_of<managed_t, owns_managed_handlers>, data>);
    STATIC_REQUIRE(can_request_unmanaged<vector_of<managed_t, owns_unmanaged_handlers>, data>);
    STATIC_REQUIRE(!can_request_managed<vector_of<managed_t, owns_unmanaged_handlers>, data>);
    STATIC_REQUIRE(!can_request_managed<vector_of<managed_t, owns_no_handlers>, data>);
    STATIC_REQUIRE(!can_request_unmanaged<vector_of<managed_t, owns_no_handlers>, data>);
}

TEST_CASE_METHOD(fixture, "every form of handler is called with its context, and with its vector if it asks for it") {
    const auto vectors = allocate();
    const auto data = emplace();
    const auto fires = [&](unsigned which) {
        const unsigned before = data->interrupts;
        CHECK(function.fire(which));
        return data->interrupts == before + 1;
    };
    SECTION("a member") {
        REQUIRE(devm_request_irq<&counter::on_irq>(vectors[0], "test", data));
        CHECK(fires(0));
    }
    SECTION("a member that takes the vector") {
        REQUIRE(devm_request_irq<&counter::on_vector>(vectors[3], "test", data));
        CHECK(fires(3));
        CHECK(data->last == vector_index(3));
    }
    SECTION("a function") {
        REQUIRE(devm_request_irq<&free_handler>(vectors[1], "test", data));
        CHECK(fires(1));
    }
    SECTION("a function that takes the vector") {
        REQUIRE(devm_request_irq<&free_vector_handler>(vectors[2], "test", data));
        CHECK(fires(2));
        CHECK(data->last == vector_index(2));
    }
    SECTION("a lambda") {
        REQUIRE(devm_request_irq<[](counter& context) { return context.on_irq(); }>(vectors[0], "test", data));
        CHECK(fires(0));
    }
    SECTION("one handler on every vector") {
        for (unsigned i = 0; i != vectors.size(); ++i)
            REQUIRE(devm_request_irq<&counter::on_vector>(vectors[i], "test", data));
        for (unsigned i = 0; i != vectors.size(); ++i) {
            CHECK(fires(i));
            CHECK(data->last == vector_index(i));
        }
    }
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "a handler may be a member of a base class, wherever that is in the object") {
    struct header {
        unsigned bytes[5]{};
    };
    struct state : header, counter {};
    const auto vectors = allocate();
    const auto data = devm_emplace<state>(*dev).value();
    REQUIRE(devm_request_irq<&counter::on_irq>(vectors[0], "managed", data));
    const auto own = request_irq<&counter::on_vector>(vectors[1], "own", *data).value();
    CHECK(function.fire(0));
    CHECK(function.fire(1));
    CHECK(data->interrupts == 2);
    CHECK(data->last == vector_index(1));
    CHECK(data->bytes[0] + data->bytes[4] == 0);
}

TEST_CASE_METHOD(fixture, "a handler of the driver's own takes a plain reference, const or not, or a managed one") {
    const auto vectors = allocate();
    const auto data = emplace();
    counter plain;
    const const_counter constant;
    const auto first = request_irq<&counter::on_irq>(vectors[0], "test", plain).value();
    const auto second = request_irq<&const_counter::on_irq>(vectors[1], "test", constant).value();
    const auto third = request_irq<&counter::on_irq>(vectors[2], "test", data).value();
    const auto fourth = request_irq<&counter::on_irq>(vectors[3], "test", *data).value();
    for (unsigned i = 0; i != 4; ++i)
        CHECK(function.fire(i));
    CHECK(plain.interrupts == 1);
    CHECK(data->interrupts == 2);
}

TEST_CASE_METHOD(fixture, "where no handler is named it is on_irq of the object, with or without the vector") {
    struct vector_counter {
        vector_index last;
        irq_return on_irq(vector_index vector) noexcept {
            last = vector;
            return irq_return::handled;
        }
    };
    const auto vectors = allocate();
    const auto data = emplace();
    const auto other = devm_emplace<vector_counter>(*dev).value();
    vector_counter plain;
    REQUIRE(devm_request_irq(vectors[0], "test", data));
    REQUIRE(devm_request_irq(vectors[1], "test", other));
    const auto own = request_irq(vectors[2], "test", plain).value();
    const auto own_of_managed = request_irq(vectors[3], "test", data).value();
    for (unsigned i = 0; i != 4; ++i)
        CHECK(function.fire(i));
    CHECK(data->interrupts == 2);
    CHECK(other->last == vector_index(1));
    CHECK(plain.last == vector_index(2));
}

TEST_CASE("D009, D010 and D013: a call that is no request of a handler is refused") {
    using data = managed_ref<counter>;
    STATIC_REQUIRE(can_request_default<vector_of<managed_t>, data>);
    STATIC_REQUIRE(!can_request_default<vector_of<managed_t>, managed_ref<int>>);
    STATIC_REQUIRE(!can_request_default<result<vector_of<managed_t>>, data>);
    STATIC_REQUIRE(!can_request_default<irq_allocation<managed_t, null_platform>, data>);
    STATIC_REQUIRE(!can_request_with_flags<vector_of<managed_t>, data>);
    STATIC_REQUIRE(!can_request_in_order_of_c<vector_of<managed_t>, data>);
}

TEST_CASE_METHOD(fixture, "an object that is shared as const is a context for what does not change it") {
    const auto vectors = allocate();
    const auto data = devm_emplace<const const_counter>(*dev).value();
    REQUIRE(devm_request_irq(vectors[0], "test", data));
    REQUIRE(devm_request_irq<&const_handler_of>(vectors[1], "test", data));
    CHECK(function.fire(0));
    CHECK(function.fire(1));
    STATIC_REQUIRE(!can_request_managed<vector_of<managed_t>, managed_ref<const counter>>);
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "a vector takes one handler, whoever owns it") {
    const auto vectors = allocate();
    const auto data = emplace();
    const auto refused = [&] {
        CHECK(devm_request_irq<&counter::on_irq>(vectors[0], "second", data).error() == errc::ebusy);
        CHECK(request_irq<&counter::on_irq>(vectors[0], "second", *data).error() == errc::ebusy);
    };
    SECTION("a managed one") {
        auto handler = devm_request_irq<&counter::on_irq>(vectors[0], "first", data).value();
        refused();
        CHECK(handler);
        CHECK(devm_free_irq(std::move(handler)));
    }
    SECTION("one of the driver's own") {
        auto handler = request_irq<&counter::on_irq>(vectors[0], "first", *data).value();
        refused();
        CHECK(handler);
        CHECK(free_irq(std::move(handler)));
    }
    CHECK(devm_request_irq<&counter::on_irq>(vectors[0], "again", data));
    CHECK(function.fire(0));
    CHECK(data->interrupts == 1);
}

TEST_CASE_METHOD(fixture, "a managed handler is freed early through its registration, once") {
    const auto vectors = allocate();
    const auto data = emplace();
    auto handler = devm_request_irq<&counter::on_irq>(vectors[0], "test", data).value();
    auto copy = handler;
    CHECK(handler);
    CHECK(devm_free_irq(std::move(handler)));
    CHECK(!handler);  // NOLINT: what is left of it, is the question
    CHECK(!copy);
    CHECK(!function.fire(0));
    CHECK(devm_free_irq(std::move(handler)).error() == errc::enoent);
    CHECK(devm_free_irq(std::move(copy)).error() == errc::enoent);
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "an old registration does not end a newer handler on the same vector") {
    const auto vectors = allocate();
    const auto data = emplace();
    auto old = devm_request_irq<&counter::on_irq>(vectors[0], "old", data).value();
    auto older = old;
    REQUIRE(devm_free_irq(std::move(old)));
    const auto fresh = devm_request_irq<&counter::on_irq>(vectors[0], "new", data).value();
    CHECK(!older);
    CHECK(devm_free_irq(std::move(older)).error() == errc::enoent);
    CHECK(fresh);
    CHECK(function.fire(0));
}

TEST_CASE_METHOD(fixture, "a registration on vectors that were freed is empty, also when there are new ones") {
    const auto enabled = enable();
    const auto data = emplace();
    group g{*dev};
    const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
    auto handler = devm_request_irq<&counter::on_irq>(vectors[3], "test", data).value();
    CHECK(g.release() == 2);
    CHECK(!handler);
    REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 2, any_message));
    CHECK(!handler);
    CHECK(devm_free_irq(std::move(handler)).error() == errc::enoent);
}

TEST_CASE_METHOD(fixture, "a handler of the driver's own is freed when its guard dies or by hand") {
    const auto vectors = allocate();
    counter context;
    { const auto handler = request_irq<&counter::on_irq>(vectors[0], "test", context).value(); }
    CHECK(!function.fire(0));
    auto handler = request_irq<&counter::on_irq>(vectors[0], "test", context).value();  // for which it was held
    CHECK(context.interrupts == 1);
    CHECK(function.fire(0));
    CHECK(free_irq(std::move(handler)));
    CHECK(!handler);  // NOLINT
    CHECK(!function.fire(0));
    CHECK(free_irq(std::move(handler)));  // nothing more to free
    CHECK(context.interrupts == 2);
}

TEST_CASE_METHOD(fixture, "freeing unmanaged vectors frees the handlers on them, whose registrations are empty then") {
    counter context;
    auto vectors = pci_alloc_irq_vectors(enable(), 4, 4, any_message).value();
    auto first = request_irq<&counter::on_irq>(vectors[0], "first", context).value();
    auto second = request_irq<&counter::on_irq>(vectors[1], "second", context).value();
    CHECK(pci_free_irq_vectors(std::move(vectors)));
    CHECK(!first);
    CHECK(!second);
    auto fresh = pci_alloc_irq_vectors(*pcim_enable_device(*dev), 4, 4, any_message).value();
    const auto handler = request_irq<&counter::on_irq>(fresh[0], "new", context).value();
    CHECK(free_irq(std::move(first)));  // does not end the new one
    second = irq_registration<unmanaged_t, null_platform>();
    CHECK(handler);
    CHECK(function.fire(0));
}

TEST_CASE_METHOD(fixture, "managed vectors that go first take a handler of the driver's own with them") {
    counter context;
    group g{*dev};
    const auto vectors = allocate();
    const auto handler = request_irq<&counter::on_irq>(vectors[0], "test", context).value();
    CHECK(g.release());
    CHECK(!handler);
}

TEST_CASE("a managed handler that cannot be had or recorded leaves nothing") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            DEVRES_TRY(const auto data, devm_emplace<counter>(dev));
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 4, any_message));
            fill_own_room(dev, 3);
            DEVRES_TRY(devm_request_irq<&counter::on_irq>(vectors[0], "test", data));
            return {};
        },
        clean);
    CHECK(clean);
    // enable, vectors, the memory for the record and for its place in the list, the handler
    CHECK(errors == std::vector{errc::eio, errc::enospc, errc::enomem, errc::enomem, errc::ebusy});
}

TEST_CASE_METHOD(fixture,
                 "a vector that its allocation no longer has takes no handler, also when there is a new allocation") {
    const auto enabled = enable();
    const auto data = emplace();
    group g{*dev};
    const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
    const auto last = vectors[3];
    const auto first = vectors[0];
    CHECK(g.release() == 1);
    CHECK(devm_request_irq<&counter::on_irq>(last, "test", data).error() == errc::enoent);
    CHECK(request_irq<&counter::on_irq>(last, "test", *data).error() == errc::enoent);
    REQUIRE(pcim_alloc_irq_vectors(enabled, 2, 2, any_message));
    CHECK(devm_request_irq<&counter::on_irq>(last, "test", data).error() == errc::enoent);
    CHECK(devm_request_irq<&counter::on_irq>(first, "test", data).error() == errc::enoent);
    CHECK(request_irq<&counter::on_irq>(first, "test", *data).error() == errc::enoent);
    CHECK(!function.fire(0));
}

TEST_CASE_METHOD(fixture, "a vector of the driver's own that was freed takes no handler") {
    auto vectors = pci_alloc_irq_vectors(enable(), 4, 4, any_message).value();
    counter context;
    const auto last = vectors[3];
    REQUIRE(pci_free_irq_vectors(std::move(vectors)));
    CHECK(request_irq(last, "test", context).error() == errc::einval);
}

TEST_CASE_METHOD(fixture, "an object that has gone, or is another device's, is no context for a handler") {
    device_fixture other;
    const auto foreign = devm_emplace<counter>(*other.dev).value();
    const auto vectors = allocate();
    group g{*dev};
    const auto gone = emplace();
    CHECK(g.release() == 1);
    emplace();  // where it was
    CHECK(devm_request_irq(vectors[0], "test", gone).error() == errc::enoent);
    CHECK(request_irq(vectors[0], "test", gone).error() == errc::enoent);
    CHECK(devm_request_irq(vectors[0], "test", foreign).error() == errc::einval);
    CHECK(request_irq(vectors[0], "test", foreign).error() == errc::einval);
    CHECK(!function.fire(0));
}

// Groups let resources go in another order than the reverse of their acquisition. What uses a resource goes before it.

TEST_CASE_METHOD(fixture, "vectors that a group releases end the handlers outside the group first") {
    const auto data = emplace();
    const auto enabled = enable();
    group g{*dev};
    const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
    g.keep();
    const auto first = devm_request_irq<&counter::on_irq>(vectors[0], "first", data).value();
    const auto second = devm_request_irq<&counter::on_irq>(vectors[2], "second", data).value();
    CHECK(g.release() == 3);
    CHECK(!first);
    CHECK(!second);
    CHECK(function.vectors.count == 0);
    CHECK(!function.fire(0));
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "an object that a group releases ends the handlers that use it first") {
    const auto vectors = allocate();
    group g{*dev};
    const auto data = emplace();
    g.keep();
    const auto other = emplace();
    const auto handler = devm_request_irq<&counter::on_irq>(vectors[0], "test", data).value();
    const auto unaffected = devm_request_irq<&counter::on_irq>(vectors[1], "other", other).value();
    CHECK(g.release() == 2);
    CHECK(!handler);
    CHECK(unaffected);
    CHECK(!function.fire(0));
    CHECK(function.fire(1));
    CHECK(devm_request_irq<&counter::on_irq>(vectors[0], "again", other));
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "an enable that a group releases ends vectors and handlers outside the group first") {
    group g{*dev};
    const auto enabled = enable();
    g.keep();
    const auto data = emplace();
    const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
    const auto handler = devm_request_irq<&counter::on_irq>(vectors[0], "test", data).value();
    CHECK(g.release() == 3);
    CHECK(!handler);
    CHECK(function.enabled == 0);
    CHECK(function.vectors.count == 0);
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "a handler that a group releases leaves vectors and object alone") {
    const auto data = emplace();
    const auto vectors = allocate();
    group g{*dev};
    const auto handler = devm_request_irq<&counter::on_irq>(vectors[0], "test", data).value();
    CHECK(g.release());
    CHECK(!handler);
    CHECK(devm_request_irq<&counter::on_irq>(vectors[0], "again", data));
    CHECK(function.fire(0));
    CHECK(data->interrupts == 1);
}

TEST_CASE_METHOD(fixture, "a handler whose context is a part of an object goes before the object") {
    struct state {
        counter queues[1];
        counter admin;
    };
    const auto vectors = allocate();
    group g{*dev};
    const auto data = devm_emplace<state>(*dev).value();
    g.keep();
    const auto handler = devm_request_irq<&counter::on_irq>(vectors[0], "admin", data.member(&state::admin)).value();
    CHECK(function.fire(0));
    CHECK(data->admin.interrupts == 1);
    CHECK(g.release());
    CHECK(!handler);
    CHECK(clean());
}

TEST_CASE_METHOD(fixture,
                 "a handler of the driver's own ends before what a group takes from under it, and so does its record") {
    counter plain;
    const auto enabled = enable();
    group g{*dev};
    const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
    g.keep();
    group of_objects{*dev};
    const auto data = emplace();
    of_objects.keep();
    auto on_both = request_irq(vectors[0], "both", data).value();
    auto on_vectors = request_irq(vectors[1], "vectors", plain).value();
    CHECK(of_objects.release() == 2);
    CHECK(!on_both);
    CHECK(on_vectors);
    CHECK(free_irq(std::move(on_both)));  // nothing more to free
    CHECK(g.release() == 2);
    CHECK(!on_vectors);
    on_vectors = irq_registration<unmanaged_t, null_platform>();
    CHECK(dev->resources().release_all() == 1);  // the enable
}

TEST_CASE_METHOD(fixture, "a handler of the driver's own that the driver frees takes its record with it") {
    const auto vectors = allocate();
    const auto data = emplace();
    counter plain;
    const std::size_t blocks = platform.blocks();
    for (unsigned round = 0; round != 100; ++round) {
        auto first = request_irq(vectors[0], "first", data).value();
        const auto second = request_irq(vectors[1], "second", plain).value();
        auto moved = std::move(first);
        CHECK(moved);
        CHECK(free_irq(std::move(moved)));
    }
    CHECK(platform.blocks() == blocks);
    CHECK(dev->resources().release_all() == 3);
}

TEST_CASE("a handler of the driver's own that uses what devres owns, and cannot be had or recorded, leaves nothing") {
    bool clean = false;
    counter context;
    const auto errors = failures_of(
        [&](auto& dev) -> result<> {
            DEVRES_TRY(const auto enabled, pcim_enable_device(dev));
            DEVRES_TRY(const auto vectors, pcim_alloc_irq_vectors(enabled, 1, 4, any_message));
            fill_own_room(dev, 2);
            DEVRES_TRY(const auto handler, request_irq(vectors[0], "test", context));
            return {};
        },
        clean);
    CHECK(clean);
    // enable, vectors, the memory for the record and for its place in the list, the handler
    CHECK(errors == std::vector{errc::eio, errc::enospc, errc::enomem, errc::enomem, errc::ebusy});
}

TEST_CASE("handlers of the driver's own end with the managed ones, newest first, and before all that they may use") {
    struct noisy : counter {
        std::string* log;
        explicit noisy(std::string& to) noexcept : log(&to) {}
        noisy(const noisy&) = delete;
        noisy& operator=(const noisy&) = delete;
        ~noisy() { *log += "object "; }
    };
    logging_platform platform;
    function_type function;
    counter plain;
    using registration = irq_registration<unmanaged_t, logging_platform>;
    std::optional<registration> kept;
    std::optional<device<logging_platform>> dev(std::in_place, platform, function);
    const auto enabled = pcim_enable_device(*dev).value();
    REQUIRE(pci_set_master(enabled));
    const auto data = devm_emplace<noisy>(*dev, platform.log).value();
    SECTION("on managed vectors") {
        const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
        SECTION("with a plain object") { kept = request_irq(vectors[0], "own", plain).value(); }
        SECTION("with a managed object") { kept = request_irq(vectors[0], "own", data).value(); }
        REQUIRE(devm_request_irq(vectors[1], "managed", data));
        platform.logged();
        dev->resources().release_through(release_step::handlers);
        CHECK(platform.logged() == "handler handler ");
        CHECK(!*kept);
        kept.reset();
        dev.reset();
        CHECK(platform.logged() == "master-off object vectors disable ");
    }
    SECTION("on vectors of the driver's own, with a managed object") {
        auto vectors = pci_alloc_irq_vectors(enabled, 4, 4, any_message).value();
        kept = request_irq(vectors[0], "own", data).value();
        platform.logged();
        dev->resources().release_through(release_step::handlers);
        CHECK(platform.logged() == "handler ");
        CHECK(!*kept);
        kept.reset();
        vectors = {};
        dev.reset();
        CHECK(platform.logged() == "vectors master-off object disable ");
    }
    CHECK(function.idle());
    CHECK(platform.blocks() == 0);
}

TEST_CASE_METHOD(fixture,
                 "a guard that outlives its handler gives nothing back, and its old id ends no newer handler") {
    const auto vectors = allocate();
    const auto data = emplace();
    auto old = request_irq(vectors[0], "old", data).value();
    dev->resources().release_through(release_step::handlers);
    CHECK(!old);
    const auto fresh = request_irq(vectors[0], "new", data).value();
    old = {};
    CHECK(fresh);
    CHECK(function.fire(0));
}

// Who uses what, over any number of steps.

TEST_CASE_METHOD(fixture, "an object behind handlers and vectors keeps the enable from a group that would release it") {
    struct state {
        vectors_of<null_device> vectors;
    };
    group g{*dev};
    const auto enabled = enable();
    g.keep();
    const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
    const auto handler = devm_request_irq(vectors[0], "test", emplace()).value();
    group users{*dev};
    REQUIRE(devm_emplace<state>(*dev, vectors));
    CHECK(g.release().error() == errc::ebusy);
    CHECK(handler);
    CHECK(function.enabled == 1);
    CHECK(users.release() == 1);
    CHECK(g.release() == 3);
    CHECK(!handler);
    CHECK(function.enabled == 0);
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "access to a vector goes with the vectors") {
    const auto enabled = enable();
    group g{*dev};
    const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
    g.keep();
    const auto file = devm_revocable(*dev, vectors[2]).value();
    CHECK(file.try_access()->index() == vector_index(2));
    CHECK(g.release() == 2);
    CHECK(!file.try_access());
}

// Waiting for a handler, and holding it.

TEST_CASE_METHOD(fixture, "a handler that is disabled holds its interrupts until it is enabled as often") {
    const auto vectors = allocate();
    const auto data = emplace();
    const auto works = [&](const auto& handler) {
        CHECK(enable_irq(handler).error() == errc::einval);
        CHECK(disable_irq(handler));
        CHECK(disable_irq(handler));
        function.fire(0);
        function.fire(0);
        CHECK(data->interrupts == 0);
        CHECK(enable_irq(handler));
        CHECK(data->interrupts == 0);
        CHECK(enable_irq(handler));
        CHECK(data->interrupts == 1);
        CHECK(enable_irq(handler).error() == errc::einval);
        CHECK(function.fire(0));
        CHECK(data->interrupts == 2);
        CHECK(synchronize_irq(handler));
    };
    SECTION("a managed one") { works(devm_request_irq(vectors[0], "test", data).value()); }
    SECTION("one of the driver's own") { works(request_irq(vectors[0], "test", data).value()); }
}

TEST_CASE_METHOD(fixture, "a handler that has been freed is neither waited for nor held") {
    const auto vectors = allocate();
    const auto data = emplace();
    const auto refused = [](const auto& handler) {
        CHECK(synchronize_irq(handler).error() == errc::enoent);
        CHECK(disable_irq(handler).error() == errc::enoent);
        CHECK(enable_irq(handler).error() == errc::enoent);
    };
    refused(irq_registration<managed_t, null_platform>());
    refused(irq_registration<unmanaged_t, null_platform>());
    auto handler = devm_request_irq(vectors[0], "test", data).value();
    const auto copy = handler;
    REQUIRE(devm_free_irq(std::move(handler)));
    refused(handler);  // NOLINT: what is left of it, is the question
    refused(copy);
    auto own = request_irq(vectors[0], "test", data).value();
    REQUIRE(free_irq(std::move(own)));
    refused(own);  // NOLINT
}

TEST_CASE_METHOD(fixture, "from inside the handler it is neither waited for nor held") {
    struct waiting {
        irq_registration<managed_t, null_platform> mine;
        std::vector<errc> answers;
        irq_return on_irq() noexcept {
            answers = {synchronize_irq(mine).error(), disable_irq(mine).error(), enable_irq(mine).error()};
            return irq_return::handled;
        }
    };
    const auto vectors = allocate();
    const auto data = devm_emplace<waiting>(*dev).value();
    data->mine = devm_request_irq(vectors[0], "test", data).value();
    CHECK(function.fire(0));
    CHECK(data->answers == std::vector{errc::edeadlk, errc::edeadlk, errc::einval});
    CHECK(data->mine);
}

TEST_CASE_METHOD(fixture,
                 "waiting for a handler, and holding it, wait for the invocation that is running on another thread") {
    struct slow {
        std::atomic<bool> entered = false;
        std::atomic<bool> left = false;
        irq_return on_irq() noexcept {
            entered = true;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            left = true;
            return irq_return::handled;
        }
    };
    const auto vectors = allocate();
    const auto data = devm_emplace<slow>(*dev).value();
    const auto handler = devm_request_irq(vectors[0], "slow", data).value();
    const auto interrupted = [&](auto wait) {
        std::thread hardware([&] { function.fire(0); });
        while (!data->entered)
            std::this_thread::yield();
        CHECK(wait());
        CHECK(data->left);
        hardware.join();
    };
    SECTION("waiting") {
        interrupted([&] { return synchronize_irq(handler); });
    }
    SECTION("holding") {
        interrupted([&] { return disable_irq(handler); });
        CHECK(enable_irq(handler));
    }
}

TEST_CASE_METHOD(fixture,
                 "a managed_ptr is empty before its object's group waits for the handlers that may have read it") {
    struct younger {
        std::atomic<bool> alive = true;
        std::atomic<unsigned>* late;
        explicit younger(std::atomic<unsigned>& counts) noexcept : late(&counts) {}
        younger(const younger&) = delete;
        younger& operator=(const younger&) = delete;
        ~younger() { alive = false; }
    };
    struct older {
        managed_ptr<younger> weak;
        std::atomic<unsigned> met = 0;
        irq_return on_irq() noexcept {
            if (younger* const found = weak.get(); found != nullptr) {
                if (!found->alive)
                    ++*found->late;
                ++met;
            }
            return irq_return::handled;
        }
    };
    std::atomic<unsigned> late = 0;
    std::atomic<bool> stop = false;
    const auto vectors = allocate();
    const auto data = devm_emplace<older>(*dev).value();
    const auto handler = devm_request_irq(vectors[0], "older", data).value();
    std::thread hardware([&] {
        while (!stop)
            function.fire(0);
    });
    for (int round = 0; round != 200; ++round) {
        group g{*dev};
        const auto object = devm_emplace<younger>(*dev, late).value();
        REQUIRE(disable_irq(handler));
        data->weak = object;
        REQUIRE(enable_irq(handler));
        std::this_thread::yield();
        CHECK(g.release() == 1);
        CHECK(!data->weak);
    }
    stop = true;
    hardware.join();
    CHECK(late == 0);
}

TEST_CASE_METHOD(fixture, "a guard that dies inside its handler stops the program, and says why") {
    struct dropping {
        std::optional<irq_registration<unmanaged_t, null_platform>> mine;
        irq_return on_irq() noexcept {
            mine.reset();
            return irq_return::handled;
        }
    };
    const auto vectors = allocate();
    dropping context;
    context.mine = request_irq(vectors[0], "test", context).value();
    CHECK_THAT(last_words([&] { function.fire(0); }),
               Catch::Matchers::ContainsSubstring("devres: a guard dies inside a handler of its device"));
}

TEST_CASE_METHOD(fixture, "what interrupts before there is a handler is not lost") {
    const auto vectors = allocate();
    const auto data = emplace();
    CHECK(!function.fire(0));
    CHECK(data->interrupts == 0);
    REQUIRE(devm_request_irq(vectors[0], "test", data));
    CHECK(data->interrupts == 1);
}

TEST_CASE_METHOD(fixture, "a thousand handlers come and go without memory") {
    const auto data = emplace();
    const auto vectors = allocate();
    const std::size_t blocks = platform.blocks();
    for (unsigned i = 0; i != 1000; ++i) {
        auto handler = devm_request_irq<&counter::on_irq>(vectors[i % 4], "test", data).value();
        REQUIRE(devm_free_irq(std::move(handler)));
    }
    CHECK(platform.blocks() == blocks);
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "from inside the handler, freeing it is refused and changes nothing") {
    struct freeing {
        irq_registration<managed_t, null_platform> mine;
        std::optional<irq_registration<unmanaged_t, null_platform>> own;
        result<> freed;
        irq_return on_irq() noexcept {
            freed = own ? free_irq(std::move(*own)) : devm_free_irq(std::move(mine));
            return irq_return::handled;
        }
    };
    const auto vectors = allocate();
    const auto data = devm_emplace<freeing>(*dev).value();
    SECTION("a managed one") {
        data->mine = devm_request_irq<&freeing::on_irq>(vectors[0], "test", data).value();
        CHECK(function.fire(0));
        CHECK(data->freed.error() == errc::edeadlk);
        CHECK(data->mine);
        CHECK(function.fire(0));
        CHECK(devm_free_irq(std::move(data->mine)));
    }
    SECTION("one of the driver's own") {
        data->own = request_irq<&freeing::on_irq>(vectors[0], "test", *data).value();
        CHECK(function.fire(0));
        CHECK(data->freed.error() == errc::edeadlk);
        CHECK(*data->own);
        CHECK(function.fire(0));
        CHECK(free_irq(std::move(*data->own)));
    }
    CHECK(clean());
}

TEST_CASE_METHOD(fixture,
                 "a handler frees no other one that devres has a record of: the records are the device's thread's") {
    struct freeing {
        irq_registration<managed_t, null_platform> other;
        std::optional<irq_registration<unmanaged_t, null_platform>> own;
        result<> freed;
        irq_return on_irq() noexcept {
            freed = own ? free_irq(std::move(*own)) : devm_free_irq(std::move(other));
            return irq_return::handled;
        }
    };
    const auto vectors = allocate();
    const auto data = devm_emplace<freeing>(*dev).value();
    const auto object = emplace();
    SECTION("a managed one") { data->other = devm_request_irq(vectors[1], "other", object).value(); }
    SECTION("one of the driver's own on managed vectors") {
        data->own = request_irq(vectors[1], "other", object).value();
    }
    REQUIRE(devm_request_irq(vectors[0], "test", data));
    CHECK(function.fire(0));
    CHECK(data->freed.error() == errc::edeadlk);
    CHECK(function.fire(1));
    CHECK(object->interrupts == 1);
    if (data->own)
        CHECK(free_irq(std::move(*data->own)));
    else
        CHECK(devm_free_irq(std::move(data->other)));
    CHECK(!function.fire(1));
    CHECK(clean());
}

TEST_CASE_METHOD(fixture, "a handler may free another one that is the driver's alone") {
    struct freeing {
        irq_registration<unmanaged_t, null_platform> other;
        result<> freed = fail(errc::ebusy);
        irq_return on_irq() noexcept {
            freed = free_irq(std::move(other));
            return irq_return::handled;
        }
    };
    const auto vectors = pci_alloc_irq_vectors(enable(), 2, 2, any_message).value();
    counter plain;
    freeing context;
    context.other = request_irq(vectors[1], "other", plain).value();
    const auto handler = request_irq(vectors[0], "test", context).value();
    CHECK(function.fire(0));
    CHECK(context.freed);
    CHECK(!function.fire(1));
}

TEST_CASE_METHOD(fixture, "freeing a handler waits for the invocation that is running on another thread") {
    struct slow {
        std::atomic<bool> entered = false;
        std::atomic<bool> left = false;
        irq_return on_irq() noexcept {
            entered = true;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            left = true;
            return irq_return::handled;
        }
    };
    const auto enabled = enable();
    group g{*dev};
    const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
    const auto data = devm_emplace<slow>(*dev).value();
    std::atomic<bool>* left = &data->left;
    bool had_left = false;
    std::optional<irq_registration<unmanaged_t, null_platform>> own;
    irq_registration<managed_t, null_platform> handler;
    slow outside;
    const auto interrupted = [&](slow& context, auto free) {
        std::thread hardware([&] { function.fire(0); });
        while (!context.entered)
            std::this_thread::yield();
        free();
        had_left = *left;
        hardware.join();
    };
    SECTION("by devm_free_irq") {
        handler = devm_request_irq<&slow::on_irq>(vectors[0], "slow", data).value();
        interrupted(*data, [&] { CHECK(devm_free_irq(std::move(handler))); });
    }
    SECTION("by the death of its guard") {
        left = &outside.left;
        own = request_irq<&slow::on_irq>(vectors[0], "slow", outside).value();
        interrupted(outside, [&] { own.reset(); });
    }
    SECTION("with its vectors") {
        left = &outside.left;
        own = request_irq<&slow::on_irq>(vectors[0], "slow", outside).value();
        interrupted(outside, [&] { CHECK(g.release() == 3); });
    }
    CHECK(had_left);
}

TEST_CASE_METHOD(fixture, "interrupts may storm while handlers come and go") {
    struct alive_counter {
        std::atomic<unsigned> interrupts = 0;
        std::atomic<bool> alive = true;
        std::atomic<unsigned>* late;
        explicit alive_counter(std::atomic<unsigned>& counts) noexcept : late(&counts) {}
        ~alive_counter() { alive = false; }
        irq_return on_irq() noexcept {
            if (!alive)
                ++*late;
            ++interrupts;
            return irq_return::handled;
        }
    };
    std::atomic<unsigned> late = 0;
    std::atomic<bool> stop = false;
    const auto enabled = enable();
    std::thread hardware([&] {
        for (unsigned i = 0; !stop; ++i)
            function.fire(i % 4);
    });
    for (int round = 0; round != 200; ++round) {
        group g{*dev};
        const auto data = devm_emplace<alive_counter>(*dev, late).value();
        const auto vectors = pcim_alloc_irq_vectors(enabled, 4, 4, any_message).value();
        for (unsigned i = 0; i != 4; ++i)
            REQUIRE(devm_request_irq<&alive_counter::on_irq>(vectors[i], "storm", data));
        std::this_thread::yield();
    }
    stop = true;
    hardware.join();
    CHECK(late == 0);
}
