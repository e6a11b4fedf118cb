// SPDX-License-Identifier: BSL-1.0
#include <devres/core/event.hpp>

#include <string>
#include <vector>

#include <devres/core/action.hpp>
#include <devres/core/managed_ref.hpp>
#include <devres/core/start.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;

namespace {

/// A device whose platform listens.
class watched_device : public test::core_device {
public:
    struct function_type {};

    std::vector<std::string> heard;
    std::vector<const resource_kind*> kinds;
    std::vector<std::string> names;

    watched_device& platform() noexcept { return *this; }
    function_type& function() noexcept { return function_; }
    void note(function_type&, const resource_event& event) {
        heard.push_back((event.what == resource_event::step::acquired ? "+" : "-") + std::string(event.resource->name));
        kinds.push_back(event.resource);
        names.emplace_back(event.name == nullptr ? "" : event.name);
        managed_only &= event.managed;
    }
    bool managed_only = true;

private:
    function_type function_;
};

struct queue {};

static_assert(devres::detail::watched<watched_device>);
static_assert(!devres::detail::watched<test::core_device>);

}  // namespace

TEST_CASE("a platform that watches hears of objects when they are made and gone, and of actions when they are added") {
    watched_device dev;
    REQUIRE(devm_emplace<int>(dev, 1));
    REQUIRE(devm_add_action(dev, [](void*) {}, nullptr));
    CHECK(dev.heard == std::vector<std::string>{"+driver_data", "+action"});
    dev.resources().release_all();
    CHECK(dev.heard.back() == "-driver_data");
    CHECK(dev.managed_only);
}

TEST_CASE("a platform that watches does not hear of what failed") {
    watched_device dev;
    dev.memory.allowance = 0;
    struct large {
        char bytes[1000]{};
    };
    CHECK(!devm_emplace<large>(dev));
    CHECK(!devm_add_action(dev, nullptr, nullptr));
    CHECK(dev.heard.empty());
}

TEST_CASE("objects are told by the name of their type, and kinds by their address") {
    watched_device dev;
    REQUIRE(devm_emplace<queue>(dev));
    dev.resources().release_all();
    CHECK(dev.kinds == std::vector<const resource_kind*>{&object_kind, &object_kind});
    REQUIRE(dev.names.size() == 2);
    CHECK_THAT(dev.names[0], Catch::Matchers::ContainsSubstring("queue"));
    CHECK(dev.names[1] == dev.names[0]);
    CHECK(object_kind.number == numbering::nothing);
    CHECK(action_kind.number == numbering::nothing);
}

TEST_CASE("a platform that watches hears of what is started and stopped") {
    struct engine {
        void start() noexcept {}
        void stop() noexcept {}
    };
    watched_device dev;
    const auto object = devm_emplace<engine>(dev).value();
    REQUIRE(devm_start(dev, object));
    dev.resources().release_all();
    CHECK(dev.heard == std::vector<std::string>{"+driver_data", "+start", "-start", "-driver_data"});
    CHECK(dev.kinds[1] == &start_kind);
    CHECK_THAT(dev.names[1], Catch::Matchers::ContainsSubstring("engine"));
}
