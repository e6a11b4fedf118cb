// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/enable.hpp>

#include <list>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pci/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;
using namespace devres::test;

namespace {

template <class Driver>
constexpr bool can_enable_managed = requires(device<null_platform, Driver>& dev) { pcim_enable_device(dev); };
template <class Driver>
constexpr bool can_enable_unmanaged = requires(device<null_platform, Driver>& dev) { pci_enable_device(dev); };

struct owns_managed_enable {
    static constexpr auto ownership = own(enable = managed);
};
struct owns_unmanaged_enable {
    static constexpr auto ownership = own(enable = unmanaged);
};
struct owns_no_enable {
    static constexpr auto ownership = own(driver_data = managed);
};

}  // namespace

TEST_CASE("D004: a device is enabled as the ownership table says") {
    STATIC_REQUIRE(can_enable_managed<owns_managed_enable>);
    STATIC_REQUIRE(!can_enable_unmanaged<owns_managed_enable>);
    STATIC_REQUIRE(can_enable_unmanaged<owns_unmanaged_enable>);
    STATIC_REQUIRE(!can_enable_managed<owns_unmanaged_enable>);
    STATIC_REQUIRE(!can_enable_managed<owns_no_enable>);
    STATIC_REQUIRE(!can_enable_unmanaged<owns_no_enable>);
    STATIC_REQUIRE(can_enable_managed<void>);
    STATIC_REQUIRE(can_enable_unmanaged<void>);
}

TEST_CASE_METHOD(device_fixture, "a managed enable lasts until the device is unbound") {
    const auto enabled = pcim_enable_device(*dev).value();
    CHECK(function.enabled == 1);
    CHECK(&enabled.dev() == &*dev);
    const auto copy = enabled;
    CHECK(&copy.dev() == &*dev);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "an unmanaged enable lasts until its guard dies, and leaves no record") {
    {
        const auto enabled = pci_enable_device(*dev).value();
        CHECK(function.enabled == 1);
        CHECK(dev->resources().empty());
    }
    CHECK(function.enabled == 0);
}

TEST_CASE_METHOD(device_fixture, "enables are counted") {
    REQUIRE(pcim_enable_device(*dev));
    REQUIRE(pcim_enable_device(*dev));
    {
        const auto enabled = pci_enable_device(*dev).value();
        CHECK(function.enabled == 3);
    }
    CHECK(function.enabled == 2);
    CHECK(clean());
}

TEST_CASE_METHOD(device_fixture, "bus mastering is switched by either owner, and off after the last disable") {
    {
        const auto enabled = pci_enable_device(*dev).value();
        CHECK(pci_set_master(enabled));
        CHECK(function.master);
        CHECK(pci_clear_master(enabled));
        CHECK(!function.master);
        CHECK(pci_set_master(pcim_enable_device(*dev).value()));
    }
    CHECK(function.master);
    CHECK(clean());
}

TEST_CASE("an enable that fails or cannot be recorded leaves the function as it was") {
    bool clean = false;
    const auto errors = failures_of(
        [](auto& dev) -> result<> {
            fill_own_room(dev);
            DEVRES_TRY(pcim_enable_device(dev));
            return {};
        },
        clean);
    CHECK(clean);
    // the memory for the record and for its place in the list, the enable
    CHECK(errors == std::vector{errc::enomem, errc::enomem, errc::eio});
    CHECK(failures_of([](auto& dev) { return pci_enable_device(dev); }, clean) == std::vector{errc::eio});
    CHECK(clean);
}

TEST_CASE_METHOD(device_fixture, "everything acquired from an enable that a group releases goes before the disable") {
    group g{*dev};
    const auto enabled = pcim_enable_device(*dev).value();
    g.keep();
    REQUIRE(pcim_iomap_region<0>(enabled, "zero"));
    REQUIRE(pcim_iomap_region<5>(enabled, "five"));
    REQUIRE(dmam_alloc_coherent(enabled, 64));
    REQUIRE(pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
    CHECK(g.release() == 5);
    CHECK(function.enabled == 0);
    CHECK(!function.mapped[0]);
    CHECK(!function.mapped[5]);
    CHECK(function.vectors.count == 0);
    CHECK(clean());
}

TEST_CASE("a view of an enabled device is made full and stays what it is") {
    using view = enabled_of<null_device>;
    STATIC_REQUIRE(std::is_same_v<view, enabled_device<managed_t, null_platform>>);
    STATIC_REQUIRE(!std::is_default_constructible_v<view>);
    STATIC_REQUIRE(!std::is_constructible_v<view, null_device&>);
    STATIC_REQUIRE(!std::is_constructible_v<enabled_device<unmanaged_t, null_platform>, null_device&>);
    STATIC_REQUIRE(std::is_copy_constructible_v<view>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<view>);
}

TEST_CASE_METHOD(device_fixture, "an enable that has been released switches bus mastering no more") {
    group g{*dev};
    const auto gone = pcim_enable_device(*dev).value();
    CHECK(g.release() == 1);
    REQUIRE(pcim_enable_device(*dev));
    CHECK(pci_set_master(gone).error() == errc::enoent);
    CHECK(!function.master);
    CHECK(pci_clear_master(gone).error() == errc::enoent);
}

TEST_CASE_METHOD(device_fixture,
                 "a disable is put off until the last BAR and the vectors of the driver's own have gone") {
    auto enabled = pci_enable_device(*dev).value();
    auto first = pci_iomap_region<0>(enabled, "first").value();
    auto second = pci_iomap_region<1>(enabled, "second").value();
    auto vectors = pci_alloc_irq_vectors(enabled, 1, 4, irq_type::msix).value();
    enabled = {};
    CHECK(function.enabled == 1);
    SECTION("in one order") {
        first = {};
        CHECK(pci_free_irq_vectors(std::move(vectors)));
        CHECK(function.enabled == 1);
        second.write32(0, 7);
        CHECK(second.read32(0) == 7);
        second = {};
    }
    SECTION("in another") {
        second = {};
        first = {};
        CHECK(function.enabled == 1);
        vectors = {};
    }
    SECTION("with an enable meanwhile, which takes its place") {
        const auto again = pci_enable_device(*dev).value();
        first = {};
        second = {};
        vectors = {};
        CHECK(function.enabled == 1);
    }
    CHECK(function.enabled == 0);
    CHECK(function.idle());
}

TEST_CASE_METHOD(device_fixture,
                 "a managed enable that a group releases leaves the function enabled for the driver's own") {
    group g{*dev};
    const auto enabled = pcim_enable_device(*dev).value();
    auto registers = pci_iomap_region<0>(enabled, "own").value();
    CHECK(g.release() == 1);
    CHECK(function.enabled == 1);
    registers = {};
    CHECK(function.enabled == 0);
}

// What comes before and after an enable.

namespace {

struct logging_fixture {
    logging_platform platform;
    function_type function;
    std::optional<device<logging_platform>> dev;

    logging_fixture() { dev.emplace(platform, function); }
    void act(const char* name) {
        names.push_back({&platform.log, name});
        REQUIRE(devm_add_action(*dev, &write, &names.back()));
    }
    std::string unbound() {
        platform.logged();
        dev.reset();
        return platform.logged();
    }

private:
    struct named {
        std::string* log;
        const char* name;
    };
    static void write(void* argument) {
        const auto& at = *static_cast<named*>(argument);
        *at.log += at.name;
        *at.log += ' ';
    }
    std::list<named> names;  // that stay where they are
};

}  // namespace

TEST_CASE_METHOD(logging_fixture, "an action that is older than the enable is called after the function is disabled") {
    act("clock");
    const auto enabled = pcim_enable_device(*dev).value();
    act("younger");
    REQUIRE(pcim_iomap_region<0>(enabled, "registers"));
    act("youngest");
    CHECK(unbound() == "youngest younger bar0 disable clock ");
}

TEST_CASE_METHOD(logging_fixture, "all that is older than the newest of such actions keeps its place") {
    struct noisy {
        std::string* log;
        explicit noisy(std::string& to) noexcept : log(&to) {}
        noisy(const noisy&) = delete;
        noisy& operator=(const noisy&) = delete;
        ~noisy() { *log += "object "; }
    };
    REQUIRE(devm_emplace<noisy>(*dev, platform.log));
    act("regulator");
    act("clock");
    REQUIRE(devm_emplace<noisy>(*dev, platform.log));
    const auto enabled = pcim_enable_device(*dev).value();
    REQUIRE(pcim_iomap_region<0>(enabled, "registers"));
    CHECK(unbound() == "object bar0 disable clock regulator object ");
}

TEST_CASE_METHOD(logging_fixture, "a second enable pins nothing more, one after the last has gone does") {
    REQUIRE(pcim_enable_device(*dev));
    act("between");
    SECTION("a second") {
        REQUIRE(pcim_enable_device(*dev));
        CHECK(unbound() == "between disable disable ");
    }
    SECTION("one after the last") {
        dev->resources().release_all();
        platform.logged();
        act("clock");
        REQUIRE(pcim_enable_device(*dev));
        CHECK(unbound() == "disable clock ");
    }
    CHECK(function.idle());
}

TEST_CASE_METHOD(logging_fixture,
                 "the unbind takes bus mastering back once the handlers have ended, before anything else goes") {
    const auto enabled = pcim_enable_device(*dev).value();
    REQUIRE(pci_set_master(enabled));
    const auto vectors = pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::msix).value();
    REQUIRE(devm_request_irq(vectors[0], "test", devm_emplace<counter>(*dev).value()));
    act("action");
    REQUIRE(dmam_alloc_coherent(enabled, 64));
    CHECK(unbound() == "handler master-off action dma vectors disable ");
}

TEST_CASE_METHOD(logging_fixture, "bus mastering that the driver has taken back, or never had, is left alone") {
    const auto enabled = pcim_enable_device(*dev).value();
    SECTION("never had") {}
    SECTION("taken back") {
        REQUIRE(pci_set_master(enabled));
        REQUIRE(pci_clear_master(enabled));
    }
    CHECK(unbound() == "disable ");
}

TEST_CASE_METHOD(logging_fixture, "a device that is gone cannot be told to stop mastering, which does not matter") {
    const auto enabled = pcim_enable_device(*dev).value();
    REQUIRE(pci_set_master(enabled));
    REQUIRE(dmam_alloc_coherent(enabled, 64));
    platform.gone = true;
    CHECK(pci_set_master(enabled).error() == errc::enodev);
    CHECK(unbound() == "master-off dma-while-mastering disable ");
    CHECK(function.idle());
}

TEST_CASE_METHOD(device_fixture, "inside a handler nothing is acquired") {
    struct acquiring {
        null_device* dev;
        enabled_of<null_device> enabled;
        vectors_of<null_device> vectors;
        managed_ref<int> number;
        std::vector<errc> answers;
        counter own;

        acquiring(null_device& device, const enabled_of<null_device>& device_enabled,
                  const vectors_of<null_device>& of_device, const managed_ref<int>& some) noexcept
            : dev(&device), enabled(device_enabled), vectors(of_device), number(some) {}
        acquiring(const acquiring&) = delete;
        acquiring& operator=(const acquiring&) = delete;
        ~acquiring() = default;

        irq_return on_irq() noexcept {
            const auto note = [&](const auto& outcome) { answers.push_back(outcome ? errc{} : outcome.error()); };
            note(pcim_enable_device(*dev));
            note(pci_enable_device(*dev));
            note(pcim_iomap_region<0>(enabled, "no"));
            note(pci_iomap_region<0>(enabled, "no"));
            note(dmam_alloc_coherent(enabled, 64));
            note(dma_alloc_coherent(enabled, 64));
            note(dmam_map_single(enabled, number));
            note(dma_map_single(enabled, &number.get(), 4));
            note(pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::intx));
            note(pci_alloc_irq_vectors(enabled, 1, 1, irq_type::intx));
            note(request_irq(vectors[1], "no", own));
            note(devm_emplace<int>(*dev, 1));
            note(devm_revocable(*dev, number));
            note(devm_add_action(*dev, [](void*) {}, nullptr));
            return irq_return::handled;
        }
    };
    const auto enabled = pcim_enable_device(*dev).value();
    const auto vectors = pcim_alloc_irq_vectors(enabled, 2, 2, irq_type::msix).value();
    const auto number = devm_emplace<int>(*dev, 1).value();
    const auto data = devm_emplace<acquiring>(*dev, *dev, enabled, vectors, number).value();
    REQUIRE(devm_request_irq(vectors[0], "acquiring", data));
    const std::size_t blocks = platform.blocks();
    CHECK(function.fire(0));
    CHECK(data->answers == std::vector(14, errc::edeadlk));
    CHECK(platform.blocks() == blocks);
    CHECK(function.enabled == 1);
    CHECK(clean());
}
