// SPDX-License-Identifier: BSL-1.0
#include <devres/linux_model/detail/kernel_handlers.hpp>

#include <array>
#include <functional>
#include <string>
#include <utility>

#include "linux_model/fixture.hpp"
#include "support/catch.hpp"

using namespace devres::linux_model;
using devres::pci::irq_return;
using pci_irq::msi;
using pci_irq::msix;
namespace hardware = devres::hardware;

namespace {

const hardware::function_config with_msix{.msix_vectors = 4, .intx = true};
const hardware::function_config with_msi{.msi_vectors = 4, .intx = true};
const hardware::function_config with_intx{.intx = true};

/// A handler that counts its calls.
struct counter {
    unsigned calls = 0;
    static irq_return on_irq(unsigned, void* dev_id) {
        ++static_cast<counter*>(dev_id)->calls;
        return irq_return::handled;
    }
};

/// A machine with one function, to which drivers come and go; what its log says of handlers and vectors.
struct machine {
    explicit machine(const kernel_version& version = linux_6_1, const hardware::function_config& config = with_msix)
        : linux_(version), dev(linux_.add(config)) {}

    int bind(const std::function<int()>& probe, const std::function<void()>& remove = nullptr) {
        return linux_.bind(dev, {.name = "test",
                                 .probe = [probe](pci_dev&) { return probe(); },
                                 .remove =
                                     [remove](pci_dev&) {
                                         if (remove)
                                             remove();
                                     }});
    }
    int run(const std::function<int()>& probe, const std::function<void()>& remove = nullptr) {
        const int probed = bind(probe, remove);
        linux_.unbind(dev);
        return probed;
    }

    /// What managed drivers start with: all vectors, whose numbers are kept.
    int acquire() {
        linux_.pcim_enable_device(dev);
        linux_.pci_set_master(dev);
        const int count = linux_.pci_alloc_irq_vectors(dev, 4, 4, msix | msi);
        for (unsigned v = 0; v != irqs.size(); ++v)
            irqs[v] = linux_.pci_irq_vector(dev, v);
        return count < 0 ? count : 0;
    }
    int devm_request(unsigned vector) {
        return linux_.devm_request_irq(dev, irqs[vector], counter::on_irq, 0, "test", &handlers[vector]);
    }
    int request(unsigned vector) {
        return linux_.request_irq(irqs[vector], counter::on_irq, 0, "test", &handlers[vector]);
    }
    int devm_request_all() {
        int error = 0;
        for (unsigned v = 0; v != irqs.size() && error == 0; ++v)
            error = devm_request(v);
        return error;
    }
    /// How many handlers are on the numbers that the driver had.
    std::size_t handlers_left() {
        std::size_t out = 0;
        for (const int irq : irqs) {
            if (const irq_desc* const desc = linux_.find_irq(irq))
                out += desc->actions.size();
        }
        return out;
    }

    /// What happened to handlers and vectors since this was asked last, and what was said of it.
    std::string told() {
        std::string out;
        const auto add = [&](const std::string& what) { out += (out.empty() ? "" : ", ") + what; };
        for (const event& each : linux_.log().take_events()) {
            const auto vector = [&] {
                return std::to_string(static_cast<const counter*>(each.dev_id) - handlers.data());
            };
            if (each.kind == event_kind::request)
                add("request " + vector() + (each.value == 0 ? "" : " failed"));
            else if (each.kind == event_kind::free_irq)
                add("free_irq " + vector() + (each.value == 1 ? "" : " none"));
            else if (each.kind == event_kind::free)
                add("free " + std::to_string(each.value));
            else if (each.kind == event_kind::warning)
                add(std::string(name_of(each.warning)));
            else if (each.kind == event_kind::oops)
                add("oops " + each.text);
            else if (each.kind == event_kind::unbind)
                add("unbind");
        }
        return out;
    }
    /// The texts of the warnings and lines since this was asked last.
    std::string said() { return devres::test::said(linux_.log()); }

    kernel linux_;
    pci_dev& dev;
    std::array<int, 4> irqs{};
    std::array<counter, 4> handlers{};
};

using devres::test::any_kernel;
const kernel_version& kernel_without_bug() { return *GENERATE(&linux_6_1, &linux_6_12, &linux_6_18); }

}  // namespace

TEST_CASE("managed handlers go newest first, before their vectors") {
    for (const auto& config : {with_msix, with_msi}) {
        machine m(any_kernel(), config);
        CHECK(m.run([&] {
            REQUIRE(m.acquire() == 0);
            return m.devm_request_all();
        }) == 0);
        CHECK(m.told() == "request 0, request 1, request 2, request 3, unbind, free_irq 3, free_irq 2, free_irq 1, "
                          "free_irq 0, free 4");
        CHECK(m.handlers_left() == 0);
        CHECK_FALSE(m.dev.has_resources());
    }
}

TEST_CASE("a managed handler is a node with its vector's number, which is added once the request succeeded [1.4 #3]") {
    machine m;
    m.bind([&] {
        REQUIRE(m.acquire() == 0);
        m.linux_.log().take_events();
        CHECK(m.devm_request(2) == 0);
        CHECK(m.devm_request(2) == -16);
        CHECK(m.linux_.devm_request_irq(m.dev, -22, counter::on_irq, 0, "negative", &m.handlers[0]) == -22);
        return 0;
    });
    std::string nodes;
    for (const event& each : m.linux_.log().events())
        nodes += each.kind == event_kind::add ? each.text + '\n' : "";
    CHECK(nodes == "devm_irq_release 2\n");
}

TEST_CASE("vectors that are freed under managed handlers leak them with a warning each, and no more is said") {
    for (const auto& config : {with_msix, with_msi}) {
        machine m(kernel_without_bug(), config);
        CHECK(m.run(
                  [&] {
                      REQUIRE(m.acquire() == 0);
                      return m.devm_request_all();
                  },
                  [&] { m.linux_.pci_free_irq_vectors(m.dev); }) == 0);
        CHECK(m.told() == "request 0, request 1, request 2, request 3, unbind, free 4, rpe, rpe, rpe, rpe, "
                          "free_irq 3 none, free_irq 2 none, free_irq 1 none, free_irq 0 none");
        CHECK(m.dev.enable_cnt == 0);
        CHECK(m.run([&] { return m.acquire(); }) == 0);  // the device itself is none the worse
    }
}

TEST_CASE("the warning names the interrupt and the handler that leaks") {
    machine m;
    m.bind([&] {
        REQUIRE(m.acquire() == 0);
        return m.devm_request(1);
    });
    m.linux_.log().take_events();
    m.linux_.pci_free_irq_vectors(m.dev);
    CHECK(m.said() == "remove_proc_entry: removing non-empty directory 'irq/25', leaking at least 'test'\n");
}

TEST_CASE("up to 5.16 the kernel halts when vectors are freed under a handler") {
    machine m(linux_5_16);
    REQUIRE(m.bind(
                [&] {
                    REQUIRE(m.acquire() == 0);
                    return m.devm_request_all();
                },
                [&] { m.linux_.pci_free_irq_vectors(m.dev); }) == 0);
    CHECK_THROWS_AS(m.linux_.unbind(m.dev), oops);
    CHECK(m.told() == "request 0, request 1, request 2, request 3, unbind, free 4, oops free_msi_irqs");
}

namespace {

/// A second function, whose driver takes vectors and one handler.
struct other_driver {
    explicit other_driver(machine& on) : linux_(on.linux_), dev(linux_.add(with_msix)) {
        linux_.pci_enable_device(dev);
        linux_.pci_set_master(dev);
    }
    int take(void* dev_id) {
        REQUIRE(linux_.pci_alloc_irq_vectors(dev, 4, 4, msix) == 4);
        REQUIRE(linux_.request_irq(linux_.pci_irq_vector(dev, 0), counter::on_irq, 0, "other", dev_id) == 0);
        return linux_.pci_irq_vector(dev, 0);
    }
    kernel& linux_;
    pci_dev& dev;
};

}  // namespace

TEST_CASE("a stale number that is another device's by now is warned of, and the other is left alone") {
    machine m(kernel_without_bug());
    other_driver other(m);
    counter others;
    CHECK(m.run(
              [&] {
                  REQUIRE(m.acquire() == 0);
                  return m.devm_request(0);
              },
              [&] {
                  m.linux_.pci_free_irq_vectors(m.dev);
                  CHECK(other.take(&others) == m.irqs[0]);
                  m.linux_.log().take_events();
              }) == 0);
    CHECK(m.said() == "Trying to free already-free IRQ 24\n");
    other.dev.hardware.raise(0);
    CHECK(others.calls == 1);
}

TEST_CASE("a stale number with the other device's dev_id frees the other's handler") {
    machine m(kernel_without_bug());
    other_driver other(m);
    CHECK(m.run(
              [&] {
                  REQUIRE(m.acquire() == 0);
                  return m.devm_request(0);
              },
              [&] {
                  m.linux_.pci_free_irq_vectors(m.dev);
                  CHECK(other.take(&m.handlers[0]) == m.irqs[0]);
                  m.linux_.log().take_events();
              }) == 0);
    CHECK(m.told() == "free_irq 0");
    other.dev.hardware.raise(0);
    CHECK(m.handlers[0].calls == 0);
    CHECK(m.linux_.find_irq(m.irqs[0])->actions.empty());
}

TEST_CASE("devm_free_irq twice is warned of by both") {
    machine m(any_kernel());
    CHECK(m.run([&] {
        REQUIRE(m.acquire() == 0);
        REQUIRE(m.devm_request(0) == 0);
        m.linux_.devm_free_irq(m.dev, m.irqs[0], &m.handlers[0]);
        m.linux_.devm_free_irq(m.dev, m.irqs[0], &m.handlers[0]);
        return 0;
    }) == 0);
    CHECK(m.told() == "request 0, free_irq 0, devres_warn, already_free, free_irq 0 none, unbind, free 4");
}

TEST_CASE("devm_free_irq of a handler that is not managed frees it all the same [1.4 #3]") {
    machine m(any_kernel());
    CHECK(m.run([&] {
        REQUIRE(m.acquire() == 0);
        REQUIRE(m.request(0) == 0);
        m.linux_.devm_free_irq(m.dev, m.irqs[0], &m.handlers[0]);
        return 0;
    }) == 0);
    CHECK(m.told() == "request 0, devres_warn, free_irq 0, unbind, free 4");
}

TEST_CASE("devm_free_irq frees the handler that is meant, and its node") {
    machine m(any_kernel());
    CHECK(m.run([&] {
        REQUIRE(m.acquire() == 0);
        REQUIRE(m.devm_request_all() == 0);
        m.linux_.devm_free_irq(m.dev, m.irqs[2], &m.handlers[2]);
        return 0;
    }) == 0);
    CHECK(m.told() == "request 0, request 1, request 2, request 3, free_irq 2, unbind, free_irq 3, free_irq 1, "
                      "free_irq 0, free 4");
}

TEST_CASE("devm_free_irq tells handlers apart by their interrupt and by their dev_id") {
    machine m(any_kernel());
    CHECK(m.run([&] {
        REQUIRE(m.acquire() == 0);
        for (const auto& [vector, dev_id] : {std::pair{0U, 0U}, {0U, 1U}, {1U, 0U}})
            REQUIRE(m.linux_.devm_request_irq(m.dev, m.irqs[vector], counter::on_irq, irqf::shared, "test",
                                              &m.handlers[dev_id]) == 0);
        m.linux_.log().take_events();
        m.linux_.devm_free_irq(m.dev, m.irqs[0], &m.handlers[0]);
        return 0;
    }) == 0);
    CHECK(m.told() == "free_irq 0, unbind, free_irq 0, free_irq 1, free 4");
}

TEST_CASE("free_irq of a managed handler leaves its node, which finds none at the unbind") {
    machine m(any_kernel());
    CHECK(m.run([&] {
        REQUIRE(m.acquire() == 0);
        REQUIRE(m.devm_request(0) == 0);
        m.linux_.free_irq(m.irqs[0], &m.handlers[0]);
        return 0;
    }) == 0);
    CHECK(m.told() == "request 0, free_irq 0, unbind, already_free, free_irq 0 none, free 4");
}

TEST_CASE("plain handlers that nobody frees are under the vectors when Linux frees those") {
    machine m(kernel_without_bug());
    CHECK(m.run([&] {
        REQUIRE(m.acquire() == 0);
        REQUIRE(m.request(0) == 0);
        return m.request(3);
    }) == 0);
    CHECK(m.told() == "request 0, request 3, unbind, free 4, rpe, rpe");
    CHECK(m.handlers_left() == 0);
    machine halting(linux_5_16);
    REQUIRE(halting.bind([&] {
        REQUIRE(halting.acquire() == 0);
        return halting.request(0);
    }) == 0);
    CHECK_THROWS_AS(halting.linux_.unbind(halting.dev), oops);
}

TEST_CASE("plain handlers that are freed before their vectors are fine") {
    machine m(any_kernel());
    CHECK(m.run(
              [&] {
                  REQUIRE(m.acquire() == 0);
                  return m.request(0);
              },
              [&] {
                  m.linux_.free_irq(m.irqs[0], &m.handlers[0]);
                  m.linux_.pci_free_irq_vectors(m.dev);
              }) == 0);
    CHECK(m.told() == "request 0, unbind, free_irq 0, free 4");
}

TEST_CASE("pci_free_irq finds the vector by its index: after the vectors are gone it means INTx") {
    machine m(kernel_without_bug());
    REQUIRE(m.acquire() == 0);
    REQUIRE(m.linux_.pci_request_irq(m.dev, 0, counter::on_irq, "test", &m.handlers[0]) == 0);
    m.linux_.pci_free_irq_vectors(m.dev);
    m.linux_.log().take_events();
    m.linux_.pci_free_irq(m.dev, 0, &m.handlers[0]);
    CHECK(m.said() == "Trying to free already-free IRQ " + std::to_string(m.dev.irq) + '\n');
    m.linux_.pci_free_irq(m.dev, 1, &m.handlers[0]);  // there is no such vector
    m.linux_.pci_disable_device(m.dev);               // and now no such interrupt
    m.linux_.pci_free_irq(m.dev, 0, &m.handlers[0]);
    CHECK(m.said().empty());
}

TEST_CASE("two handlers that do not share cannot be on one vector, and a line says so") {
    machine m(any_kernel());
    CHECK(m.run([&] {
        REQUIRE(m.acquire() == 0);
        REQUIRE(m.devm_request(0) == 0);
        return m.linux_.devm_request_irq(m.dev, m.irqs[0], counter::on_irq, irqf::shared, "other", &m.handlers[1]);
    }) == -16);
    const std::string said = m.said();
    CHECK(said.find("Flags mismatch irq 24. 00000080 (other) vs. 00000000 (test)\n") == 0);
    CHECK(m.handlers_left() == 0);
}

TEST_CASE("freeing the vectors by an action that is older than the handlers is in order") {
    machine m(any_kernel());
    CHECK(m.run([&] {
        REQUIRE(m.acquire() == 0);
        m.dev.devm_add_action(
            [](void* on) {
                auto& self = *static_cast<machine*>(on);
                self.linux_.pci_free_irq_vectors(self.dev);
            },
            &m);
        return m.devm_request_all();
    }) == 0);
    CHECK(m.told() == "request 0, request 1, request 2, request 3, unbind, free_irq 3, free_irq 2, free_irq 1, "
                      "free_irq 0, free 4");
}

TEST_CASE("a probe whose error path frees the vectors first leaks its managed handlers") {
    machine m(kernel_without_bug());
    CHECK(m.run([&] {
        REQUIRE(m.acquire() == 0);
        REQUIRE(m.devm_request(0) == 0);
        m.linux_.pci_free_irq_vectors(m.dev);
        return -5;
    }) == -5);
    CHECK(m.told() == "request 0, free 4, rpe, free_irq 0 none");
}

TEST_CASE("interrupts that the device raises arrive at the handler of their vector") {
    const auto& config = GENERATE(0, 1) == 0 ? with_msix : with_msi;
    machine m(any_kernel(), config);
    REQUIRE(m.acquire() == 0);
    for (unsigned v = 0; v != 4; ++v)
        REQUIRE(m.request(v) == 0);
    for (unsigned v = 0; v != 4; ++v) {
        for (unsigned i = 0; i <= v; ++i)
            m.dev.hardware.raise(v);
    }
    for (unsigned v = 0; v != 4; ++v)
        CHECK(m.handlers[v].calls == v + 1);
    m.linux_.free_irq(m.irqs[3], &m.handlers[3]);
    m.dev.hardware.raise(3);
    m.dev.hardware.raise(2);
    CHECK(m.handlers[3].calls == 4);
    CHECK(m.handlers[2].calls == 4);
    CHECK(m.dev.hardware.lost() == hardware::lost_interrupts{});
    CHECK(m.linux_.hardware().ledger().violations().empty());
}

TEST_CASE("an interrupt that is raised before its handler is there is delivered when it comes") {
    for (const auto& config : {with_msix, with_msi}) {
        machine m(any_kernel(), config);
        REQUIRE(m.acquire() == 0);
        m.dev.hardware.raise(2);
        CHECK(m.handlers[2].calls == 0);
        REQUIRE(m.request(1) == 0);
        CHECK(m.handlers[1].calls == 0);
        REQUIRE(m.request(2) == 0);
        CHECK(m.handlers[2].calls == 1);
    }
}

TEST_CASE("no message leaves a device that is no bus master") {
    machine m;
    REQUIRE(m.acquire() == 0);
    REQUIRE(m.request(0) == 0);
    m.linux_.pci_clear_master(m.dev);
    m.dev.hardware.raise(0);
    CHECK(m.handlers[0].calls == 0);
    CHECK(m.dev.hardware.lost().no_master == 1);
    m.linux_.pci_set_master(m.dev);
    m.dev.hardware.raise(0);
    CHECK(m.handlers[0].calls == 1);
}

TEST_CASE("handlers that are shared are all called, and each is freed by its dev_id [1.4 #4]") {
    machine m(any_kernel());
    REQUIRE(m.acquire() == 0);
    REQUIRE(m.linux_.pci_request_irq(m.dev, 0, counter::on_irq, "first", &m.handlers[0]) == 0);
    REQUIRE(m.linux_.pci_request_irq(m.dev, 0, counter::on_irq, "second", &m.handlers[1]) == 0);
    m.dev.hardware.raise(0);
    m.linux_.pci_free_irq(m.dev, 0, &m.handlers[0]);
    m.dev.hardware.raise(0);
    m.linux_.pci_free_irq(m.dev, 0, &m.handlers[1]);
    m.dev.hardware.raise(0);
    CHECK(m.handlers[0].calls == 1);
    CHECK(m.handlers[1].calls == 2);
    CHECK(m.linux_.pci_request_irq(m.dev, 4, counter::on_irq, "third", &m.handlers[2]) == -22);
}

TEST_CASE("INTx is delivered while the device is enabled and INTx is on") {
    machine m(any_kernel(), with_intx);
    m.linux_.pci_enable_device(m.dev);
    REQUIRE(m.linux_.pci_alloc_irq_vectors(m.dev, 1, 1, pci_irq::all_types) == 1);
    REQUIRE(m.linux_.pci_request_irq(m.dev, 0, counter::on_irq, "line", &m.handlers[0]) == 0);
    m.dev.hardware.raise(0);
    CHECK(m.handlers[0].calls == 1);
    m.linux_.pci_intx(m.dev, false);
    m.dev.hardware.raise(0);
    CHECK(m.handlers[0].calls == 1);
    m.linux_.pci_free_irq(m.dev, 0, &m.handlers[0]);
    m.linux_.pci_intx(m.dev, true);
    m.dev.hardware.raise(0);  // nobody is connected to it
    CHECK(m.dev.hardware.lost().no_vector == 1);
    CHECK(m.handlers[0].calls == 1);
}

TEST_CASE("a handler is called as long as it is registered, all through remove [C08, I11]") {
    machine m(any_kernel());
    REQUIRE(m.bind(
                [&] {
                    REQUIRE(m.acquire() == 0);
                    return m.devm_request_all();
                },
                [&] { m.dev.hardware.raise(1); }) == 0);
    m.linux_.unbind(m.dev);
    CHECK(m.handlers[1].calls == 1);
    m.dev.hardware.raise(1);
    CHECK(m.handlers[1].calls == 1);
}

TEST_CASE("handlers of a device that is gone are freed without it") {
    for (const auto& config : {with_msix, with_msi}) {
        machine m(any_kernel(), config);
        REQUIRE(m.bind([&] {
            REQUIRE(m.acquire() == 0);
            return m.devm_request_all();
        }) == 0);
        m.dev.hardware.surprise_remove();
        m.dev.hardware.raise(0);
        m.linux_.unbind(m.dev);
        CHECK(m.told() == "request 0, request 1, request 2, request 3, unbind, free_irq 3, free_irq 2, free_irq 1, "
                          "free_irq 0, free 4");
        CHECK(m.handlers[0].calls == 0);
        CHECK(m.handlers_left() == 0);
    }
}
