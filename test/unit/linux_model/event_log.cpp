// SPDX-License-Identifier: BSL-1.0
#include <devres/linux_model/event_log.hpp>

#include <string>

#include "support/catch.hpp"

using namespace devres::linux_model;

// The names are the lab's: test/kernel/README.md.
static_assert(name_of(event_kind::bind) == "bind");
static_assert(name_of(event_kind::probe) == "probe");
static_assert(name_of(event_kind::unbind) == "unbind");
static_assert(name_of(event_kind::unbound) == "unbound");
static_assert(name_of(event_kind::add) == "add");
static_assert(name_of(event_kind::remove) == "remove");
static_assert(name_of(event_kind::release) == "release");
static_assert(name_of(event_kind::alloc) == "alloc");
static_assert(name_of(event_kind::free) == "free");
static_assert(name_of(event_kind::request) == "request");
static_assert(name_of(event_kind::free_irq) == "free_irq");
static_assert(name_of(event_kind::warning) == "warning");
static_assert(name_of(event_kind::message) == "message");
static_assert(name_of(event_kind::oops) == "oops");
static_assert(name_of(event_kind::fire) == "fire");
static_assert(name_of(event_kind::state) == "state");

static_assert(name_of(warning_kind::rpe) == "rpe");
static_assert(name_of(warning_kind::msi_data) == "msi_data");
static_assert(name_of(warning_kind::double_enable) == "double_enable");
static_assert(name_of(warning_kind::already_free) == "already_free");
static_assert(name_of(warning_kind::already_disabled) == "already_disabled");
static_assert(name_of(warning_kind::irq_domain) == "irq_domain");
static_assert(name_of(warning_kind::devres_warn) == "devres_warn");
static_assert(name_of(warning_kind::msi_shutdown) == "msi_shutdown");
static_assert(name_of(warning_kind::other) == "other");

TEST_CASE("a log keeps events in order until they are taken") {
    event_log log;
    const int handler = 0;
    log.add(event_kind::alloc, 4);
    log.add(event_kind::request, -16, &handler);
    log.add(event_kind::message, "a line");
    REQUIRE(log.events().size() == 3);
    const auto taken = log.take_events();
    CHECK(log.events().empty());
    CHECK(taken[0].kind == event_kind::alloc);
    CHECK(taken[0].value == 4);
    CHECK(taken[0].dev_id == nullptr);
    CHECK(taken[1].kind == event_kind::request);
    CHECK(taken[1].value == -16);
    CHECK(taken[1].dev_id == &handler);
    CHECK(taken[2].text == "a line");
}

TEST_CASE("a warning has a kind and a text, and may say where it is") {
    event_log log;
    log.warn(warning_kind::already_free, "Trying to free already-free IRQ 24");
    log.warn_in(warning_kind::devres_warn, "devres_close_group");
    REQUIRE(log.events().size() == 2);
    CHECK(log.events()[0].kind == event_kind::warning);
    CHECK(log.events()[0].warning == warning_kind::already_free);
    CHECK(log.events()[0].text == "Trying to free already-free IRQ 24");
    CHECK(log.events()[1].warning == warning_kind::devres_warn);
    CHECK(log.events()[1].text == "WARNING in devres_close_group");
}

TEST_CASE("a function that warns once does so once, whatever others do, and also after the events were taken") {
    event_log log;
    log.warn_once_in(warning_kind::double_enable, "__pci_enable_msi_range");
    log.warn_once_in(warning_kind::double_enable, "__pci_enable_msi_range");
    log.warn_once_in(warning_kind::double_enable, "__pci_enable_msix_range");
    CHECK(log.take_events().size() == 2);
    log.warn_once_in(warning_kind::double_enable, "__pci_enable_msix_range");
    CHECK(log.events().empty());
    CHECK(log.first("elsewhere"));
    CHECK_FALSE(log.first("elsewhere"));

    event_log another_boot;
    another_boot.warn_once_in(warning_kind::double_enable, "__pci_enable_msi_range");
    CHECK(another_boot.events().size() == 1);
}

TEST_CASE("a kernel that stops says in which function, and stays stopped") {
    event_log log;
    CHECK_FALSE(log.stopped());
    try {
        log.stop("mutex_lock");
    } catch (const oops& stopped) {
        CHECK(stopped.what() == std::string("mutex_lock"));
    }
    CHECK(log.stopped());
    const auto taken = log.take_events();
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].kind == event_kind::oops);
    CHECK(taken[0].text == "mutex_lock");
    CHECK(log.stopped());
}
