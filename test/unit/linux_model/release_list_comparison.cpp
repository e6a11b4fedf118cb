// SPDX-License-Identifier: BSL-1.0

// The library's release list beside Linux's: the same programs of actions and groups on both, which are all of one step.
// What differs on purpose, the steps among it, is in the tests behind; docs/linux_model.md lists it.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <devres/devres.hpp>
#include <devres/linux_model.hpp>

#include "core/fixture.hpp"
#include "support/catch.hpp"

using devres::group;
using devres::linux_model::device;
using devres::linux_model::event_log;
using devres::linux_model::oops;

namespace {

/// What an action writes its number into.
struct mark {
    std::vector<int>* order;
    int number;
};
void write_number(void* argument) {
    const auto& self = *static_cast<mark*>(argument);
    self.order->push_back(self.number);
}

/// One list of each kind, with the same marks on both.
struct pair_of_lists {
    static constexpr int numbers = 6;  // few, so that an action is there several times

    pair_of_lists() {
        for (int i = 0; i != numbers; ++i) {
            ours.push_back({&our_order, i});
            theirs.push_back({&their_order, i});
        }
    }

    void add(int i) {
        REQUIRE(list.add(write_number, &ours[unsigned(i)]));
        linux_dev.devm_add_action(write_number, &theirs[unsigned(i)]);
    }
    void remove(int i) {
        const auto found = list.find(write_number, &ours[unsigned(i)]);
        if (!found)
            return;
        REQUIRE(list.remove(found));
        linux_dev.devm_remove_action(write_number, &theirs[unsigned(i)]);
    }
    void release(int i) {
        const auto found = list.find(write_number, &ours[unsigned(i)]);
        if (!found)
            return;
        REQUIRE(list.release(found));
        linux_dev.devm_release_action(write_number, &theirs[unsigned(i)]);
    }

    struct open_group {
        group guard;
        const void* id;
        bool closed = false;
    };
    void open() {
        groups.push_back({group(list), nullptr});
        groups.back().id = linux_dev.devres_open_group();
    }
    void close(std::size_t i) {
        if (!groups[i].guard || groups[i].closed)
            return;
        groups[i].guard.keep();
        linux_dev.devres_close_group(groups[i].id);
        groups[i].closed = true;
    }
    void dissolve(std::size_t i) {
        if (!groups[i].guard)
            return;
        groups[i].guard.dissolve();
        linux_dev.devres_remove_group(groups[i].id);
    }
    void release_group(std::size_t i) {
        if (!groups[i].guard)
            return;
        CHECK(int(groups[i].guard.release().value()) == linux_dev.devres_release_group(groups[i].id));
    }
    void release_all() { CHECK(int(list.release_all()) == linux_dev.devres_release_all()); }

    std::vector<int> our_order, their_order;
    std::deque<mark> ours, theirs;
    devres::test::counting_memory memory;
    devres::list list{devres::hooks_of(memory)};
    event_log log;
    device linux_dev{log};
    std::deque<open_group> groups;
};

/// One random operation; `program` says which it was.
void step(pair_of_lists& both, std::mt19937& random, std::string& program) {
    const auto below = [&](std::size_t n) { return random() % n; };
    const auto number = static_cast<int>(below(pair_of_lists::numbers));
    const auto some_group = [&](const char* what, auto act) {
        if (both.groups.empty())
            return;
        const std::size_t i = below(both.groups.size());
        program += what + std::to_string(i) + ' ';
        act(i);
    };
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
        program += "open ";
        both.open();
        break;
    case 3:
    case 4: some_group("close ", [&](std::size_t i) { both.close(i); }); break;
    case 5: some_group("dissolve ", [&](std::size_t i) { both.dissolve(i); }); break;
    case 6: some_group("release group ", [&](std::size_t i) { both.release_group(i); }); break;
    case 7:
        program += "remove " + std::to_string(number) + ' ';
        both.remove(number);
        break;
    case 8:
        program += "release " + std::to_string(number) + ' ';
        both.release(number);
        break;
    default: program += "add " + std::to_string(number) + ' '; both.add(number);
    }
}

}  // namespace

TEST_CASE("the release list releases in Linux's order, whatever actions and groups are on it") {
    for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
        std::mt19937 random(seed);
        pair_of_lists both;
        std::string program;
        INFO("seed " << seed);
        const std::size_t steps = 4 + random() % 60;
        for (std::size_t i = 0; i != steps; ++i) {
            step(both, random, program);
            INFO(program);
            REQUIRE(both.our_order == both.their_order);
        }
        INFO(program);
        both.release_all();
        REQUIRE(both.our_order == both.their_order);
        REQUIRE(both.list.empty());
        REQUIRE_FALSE(both.linux_dev.has_resources());
        for (const auto& each : both.log.events())
            REQUIRE(each.kind != devres::linux_model::event_kind::warning);
        for (const auto& each : both.groups)
            REQUIRE_FALSE(each.guard);
    }
}

namespace {

/// An action that does something to its list.
template <class Act>
struct acting {
    Act act;
    static void call(void* argument) { static_cast<acting*>(argument)->act(); }
};
template <class Act>
acting(Act) -> acting<Act>;

}  // namespace

TEST_CASE("difference: what a release function adds is released too, Linux leaves it on the list") {
    pair_of_lists both;
    acting ours{[&] { REQUIRE(both.list.add(write_number, &both.ours[1])); }};
    acting theirs{[&] { both.linux_dev.devm_add_action(write_number, &both.theirs[1]); }};
    both.add(0);
    REQUIRE(both.list.add(ours.call, &ours));
    both.linux_dev.devm_add_action(theirs.call, &theirs);

    CHECK(both.list.release_all() == 3);
    CHECK(both.our_order == std::vector{1, 0});
    CHECK(both.list.empty());
    CHECK(both.linux_dev.devres_release_all() == 2);
    CHECK(both.their_order == std::vector{0});
    CHECK(both.linux_dev.has_resources());
}

TEST_CASE("difference: what a release function of an open group adds is in the group, in Linux it stays") {
    pair_of_lists both;
    acting ours{[&] { REQUIRE(both.list.add(write_number, &both.ours[1])); }};
    acting theirs{[&] { both.linux_dev.devm_add_action(write_number, &both.theirs[1]); }};
    both.open();
    REQUIRE(both.list.add(ours.call, &ours));
    both.linux_dev.devm_add_action(theirs.call, &theirs);

    CHECK(both.groups[0].guard.release() == 2);
    CHECK(both.our_order == std::vector{1});
    CHECK(both.linux_dev.devres_release_group(both.groups[0].id) == 1);
    CHECK(both.their_order.empty());
}

TEST_CASE("difference: while the list is released, what is older can be found and released, Linux finds nothing") {
    pair_of_lists both;
    both.add(0);
    acting ours{[&] {
        const auto older = both.list.find(write_number, &both.ours[0]);
        REQUIRE(older);
        REQUIRE(both.list.release(older));
    }};
    acting theirs{[&] { both.linux_dev.devm_release_action(write_number, &both.theirs[0]); }};
    REQUIRE(both.list.add(ours.call, &ours));
    both.linux_dev.devm_add_action(theirs.call, &theirs);

    CHECK(both.list.release_all() == 1);
    CHECK(both.our_order == std::vector{0});
    CHECK(both.linux_dev.devres_release_all() == 2);
    CHECK(both.their_order == std::vector{0});
    REQUIRE_FALSE(both.log.events().empty());
    CHECK(std::ranges::count(both.log.events(), devres::linux_model::warning_kind::devres_warn,
                             &devres::linux_model::event::warning) == 1);
}

TEST_CASE("difference: a group is kept once, however often that is said, Linux halts when it is closed again") {
    pair_of_lists both;
    both.open();
    both.add(0);
    both.close(0);
    both.groups[0].guard.keep();
    both.add(1);
    CHECK(both.groups[0].guard.release() == 1);
    CHECK_THROWS_AS(both.linux_dev.devres_close_group(both.groups[0].id), oops);
}

TEST_CASE("difference: a group that nobody closed is released with its guard, in Linux it stays until the unbind") {
    pair_of_lists both;
    {
        const group ours(both.list);
        both.linux_dev.devres_open_group();
        both.add(0);
    }
    CHECK(both.our_order == std::vector{0});
    CHECK(both.their_order.empty());
    CHECK(both.linux_dev.devres_release_all() == 1);
}

namespace {

/// One driver of each kind, on functions of one kernel: the C driver has Linux's list, the library's has devres::list.
/// What is there while something is released is looked at in the hardware.
struct two_drivers {
    devres::linux_model::kernel linux_kernel{devres::linux_model::linux_6_1};
    devres::linux_model::pci_dev& ours = add();
    devres::linux_model::pci_dev& theirs = add();

    two_drivers() { REQUIRE(linux_kernel.attach(ours)); }
    ~two_drivers() { linux_kernel.detach(ours); }
    two_drivers(const two_drivers&) = delete;
    two_drivers& operator=(const two_drivers&) = delete;

    /// Binds the C driver and unbinds it.
    template <class Steps, class Probe>
    void bind_and_unbind_theirs(Probe probe) {
        const auto probe_theirs = [&](auto& dev) { return probe(Steps{linux_kernel, dev}), 0; };
        REQUIRE(linux_kernel.bind(theirs, {.name = "c", .probe = probe_theirs}) == 0);
        linux_kernel.unbind(theirs);
    }
    [[nodiscard]] auto warnings() {
        return std::ranges::count(linux_kernel.log().events(), devres::linux_model::event_kind::warning,
                                  &devres::linux_model::event::kind);
    }

private:
    devres::linux_model::pci_dev& add() { return linux_kernel.add({.msix_vectors = 2, .bar_sizes = {4096}}); }
};

/// A driver's state, which interrupts count in.
struct counted {
    int calls = 0;
    devres::pci::irq_return on_irq() noexcept { return ++calls, devres::pci::irq_return::handled; }
};
const devres::linux_model::irq_handler count_call = [](unsigned, void* context) {
    return static_cast<counted*>(context)->on_irq();
};

/// What a release function sees: whether an interrupt reaches the handler, and how the device stands.
struct view {
    bool handled = false, mastering = false, enabled = false, vectors = false;
    friend bool operator==(const view&, const view&) = default;
};
struct looking {
    devres::linux_model::pci_dev* dev = nullptr;
    counted* state = nullptr;
    view seen{};

    void look() noexcept {
        const int before = state->calls;
        seen.mastering = (dev->hardware.read_config(4, 2).value_or(0) & 4U) != 0;
        seen.enabled = dev->enable_cnt != 0;
        seen.vectors = dev->msix_enabled;
        dev->hardware.raise(0);
        seen.handled = state->calls != before;
    }
    static void call(void* argument) { static_cast<looking*>(argument)->look(); }
};

/// An object that looks when it is stopped, or destroyed.
struct looks_at_stop {
    looking* at;
    void start() const noexcept {}
    void stop() const noexcept { at->look(); }
};
struct looks_at_end {
    looking* at;
    explicit looks_at_end(looking& where) noexcept : at(&where) {}
    ~looks_at_end() { at->look(); }
};

/// The steps of the two drivers.
struct c_steps {
    devres::linux_model::kernel& linux_kernel;
    devres::linux_model::pci_dev& dev;

    void enable() const {
        REQUIRE(linux_kernel.pcim_enable_device(dev) == 0);
        linux_kernel.pci_set_master(dev);
    }
    void allocate_vectors() const {
        REQUIRE(linux_kernel.pci_alloc_irq_vectors(dev, 2, 2, devres::linux_model::pci_irq::msix) == 2);
    }
    void request(counted& state) const {
        const int irq = linux_kernel.pci_irq_vector(dev, 0);
        REQUIRE(linux_kernel.devm_request_irq(dev, irq, count_call, 0, "c", &state) == 0);
    }
};
struct our_steps {
    using device_type = devres::pci::device<devres::linux_model::kernel>;
    device_type dev;

    explicit our_steps(two_drivers& both) : dev(both.linux_kernel, both.ours) {}
    auto enable() {
        const auto enabled = pcim_enable_device(dev).value();
        REQUIRE(pci_set_master(enabled));
        return enabled;
    }
    auto allocate_vectors(const devres::pci::enabled_of<device_type>& enabled) {
        return pcim_alloc_irq_vectors(enabled, 2, 2, devres::pci::irq_type::msix).value();
    }
    /// With a managed object that counts in `calls`.
    void request(const devres::pci::vectors_of<device_type>& vectors, counted& calls) {
        struct state {
            counted* calls;
            devres::pci::irq_return on_irq() noexcept { return calls->on_irq(); }
        };
        const auto data = devres::devm_emplace<state>(dev, &calls).value();
        REQUIRE(devm_request_irq(vectors[0], "ours", data));
    }
};

}  // namespace

TEST_CASE("difference: a handler ends before objects and actions, younger ones too, Linux calls it while they go") {
    two_drivers both;
    counted state, calls;
    looking their_action{&both.theirs, &state}, our_action{&both.ours, &calls}, our_object{&both.ours, &calls};
    both.bind_and_unbind_theirs<c_steps>([&](const c_steps& c) {
        c.enable();
        c.allocate_vectors();
        c.request(state);
        c.dev.devm_add_action(looking::call, &their_action);
    });
    {
        our_steps our(both);
        const auto enabled = our.enable();
        our.request(our.allocate_vectors(enabled), calls);
        REQUIRE(devres::devm_emplace<looks_at_end>(our.dev, our_object));
        REQUIRE(devres::devm_add_action(our.dev, looking::call, &our_action));
        both.ours.hardware.raise(0);
        CHECK(calls.calls == 1);
    }
    CHECK(their_action.seen.handled);
    CHECK_FALSE(our_action.seen.handled);
    CHECK_FALSE(our_object.seen.handled);
}

TEST_CASE("difference: what was started stops first, whatever its age, a Linux action that stops it has its turn") {
    two_drivers both;
    counted state, calls;
    looking their_stop{&both.theirs, &state}, our_stop{&both.ours, &calls};
    both.bind_and_unbind_theirs<c_steps>([&](const c_steps& c) {
        c.enable();
        c.allocate_vectors();
        c.dev.devm_add_action(looking::call, &their_stop);
        c.request(state);
    });
    {
        our_steps our(both);
        const auto enabled = our.enable();
        const auto vectors = our.allocate_vectors(enabled);
        REQUIRE(devm_start(our.dev, devres::devm_emplace<looks_at_stop>(our.dev, &our_stop).value()));
        our.request(vectors, calls);
    }
    CHECK_FALSE(their_stop.seen.handled);
    CHECK(our_stop.seen == view{.handled = true, .mastering = true, .enabled = true, .vectors = true});
}

TEST_CASE("difference: mastering goes off when the handlers have ended, in Linux when the enable goes") {
    two_drivers both;
    counted state, calls;
    looking their_action{&both.theirs, &state}, our_action{&both.ours, &calls};
    both.bind_and_unbind_theirs<c_steps>([&](const c_steps& c) {
        c.enable();
        c.dev.devm_add_action(looking::call, &their_action);
    });
    {
        our_steps our(both);
        our.enable();
        REQUIRE(devres::devm_add_action(our.dev, looking::call, &our_action));
    }
    CHECK((their_action.seen.mastering && their_action.seen.enabled));
    CHECK((!our_action.seen.mastering && our_action.seen.enabled));
}

TEST_CASE("difference: an action finds the vectors, younger ones too, in Linux they have gone by then") {
    two_drivers both;
    counted state, calls;
    looking their_action{&both.theirs, &state}, our_action{&both.ours, &calls};
    both.bind_and_unbind_theirs<c_steps>([&](const c_steps& c) {
        c.enable();
        c.dev.devm_add_action(looking::call, &their_action);
        c.allocate_vectors();
    });
    {
        our_steps our(both);
        const auto enabled = our.enable();
        REQUIRE(devres::devm_add_action(our.dev, looking::call, &our_action));
        our.allocate_vectors(enabled);
    }
    CHECK_FALSE(their_action.seen.vectors);
    CHECK(our_action.seen.vectors);
}

TEST_CASE("no difference: an action that is older than the enable is called after the disable") {
    two_drivers both;
    counted state, calls;
    looking their_clock{&both.theirs, &state}, our_clock{&both.ours, &calls}, our_object{&both.ours, &calls};
    both.bind_and_unbind_theirs<c_steps>([&](const c_steps& c) {
        c.dev.devm_add_action(looking::call, &their_clock);
        c.enable();
        c.allocate_vectors();
    });
    {
        our_steps our(both);
        REQUIRE(devres::devm_emplace<looks_at_end>(our.dev, our_object));  // older than the clock: it may need it
        REQUIRE(devres::devm_add_action(our.dev, looking::call, &our_clock));
        const auto enabled = our.enable();
        our.allocate_vectors(enabled);
    }
    CHECK(their_clock.seen == view{});
    CHECK(our_clock.seen == view{});
    CHECK(our_object.seen == view{});
}

TEST_CASE("difference: access from outside is closed first, whatever its age, a Linux action has its turn") {
    two_drivers both;
    bool their_alive = true, their_file = false, our_file = false;
    acting close_theirs{[&] { their_alive = false; }};
    acting use_theirs{[&] { their_file = their_alive; }};
    both.bind_and_unbind_theirs<c_steps>([&](const c_steps& c) {
        c.dev.devm_add_action(close_theirs.call, &close_theirs);
        c.dev.devm_add_action(use_theirs.call, &use_theirs);
    });
    {
        our_steps our(both);
        const auto file = devm_revocable(our.dev, devres::devm_emplace<int>(our.dev).value()).value();
        acting use_ours{[&] { our_file = static_cast<bool>(file.try_access()); }};
        REQUIRE(devres::devm_add_action(our.dev, use_ours.call, &use_ours));
        CHECK(file.try_access());
        REQUIRE(our.dev.resources().release_all() == 3);
    }
    CHECK(their_file);
    CHECK_FALSE(our_file);
}

TEST_CASE("difference: a group ends the handlers outside that are on its vectors, Linux leaks them with a warning") {
    two_drivers both;
    counted state, calls;
    both.bind_and_unbind_theirs<c_steps>([&](const c_steps& c) {
        c.enable();
        const void* const group = c.dev.devres_open_group();
        c.allocate_vectors();
        c.dev.devres_close_group(group);
        c.request(state);
        c.dev.devres_release_group(group);
    });
    const auto warnings = both.warnings();
    CHECK(warnings != 0);
    {
        our_steps our(both);
        const auto enabled = our.enable();
        group with_vectors(our.dev);
        const auto vectors = our.allocate_vectors(enabled);
        with_vectors.keep();
        our.request(vectors, calls);
        CHECK(with_vectors.release() == 2);
    }
    CHECK(both.warnings() == warnings);
}

TEST_CASE("difference: a group stays while an object outside is built on it, Linux releases it under the object") {
    pair_of_lists theirs_only;
    theirs_only.open();
    theirs_only.add(0);
    theirs_only.close(0);
    theirs_only.add(1);  // which uses 0
    CHECK(theirs_only.linux_dev.devres_release_group(theirs_only.groups[0].id) == 1);
    CHECK(theirs_only.their_order == std::vector{0});

    devres::test::core_device dev;
    group parts(dev);
    const auto part = devres::devm_emplace<int>(dev, 1).value();
    parts.keep();
    struct whole {
        devres::managed_ref<int> part;
    };
    REQUIRE(devres::devm_emplace<whole>(dev, part));
    CHECK(parts.release() == devres::fail(devres::errc::ebusy));
    CHECK(parts);
    CHECK(dev.resources().release_all() == 2);
}
