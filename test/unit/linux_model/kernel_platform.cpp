// SPDX-License-Identifier: BSL-1.0
#include <devres/linux_model/detail/kernel_platform.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <devres/devres.hpp>
#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "linux_model/fixture.hpp"
#include "support/catch.hpp"

using namespace devres;
using linux_model::event_kind;
using linux_model::kernel;
using linux_model::kernel_version;
using linux_model::oops;
using linux_model::pci_dev;
using pci::irq_return;
using pci::irq_type;
namespace pci_irq = linux_model::pci_irq;
namespace reg = devres::pci::registers;

static_assert(pci::platform<kernel>);
static_assert(kernel::hybrid_irq_vectors);
static_assert(pci::platform<testing::faulty<kernel>> && pci::platform<testing::traced<kernel>>);

namespace {

template <class P>
constexpr bool can_alloc_unmanaged = requires(const pci::enabled_device<managed_t, P>& enabled) {
    pci::pci_alloc_irq_vectors(enabled, 1, 4, irq_type::all);
};

}  // namespace

static_assert(can_alloc_unmanaged<sim::bus>);
static_assert(!can_alloc_unmanaged<kernel>, "D003: Linux would free them as well");

namespace {

const hardware::function_config usual{.msix_vectors = 4, .msi_vectors = 4, .intx = true, .bar_sizes = {4096}};
const hardware::function_config with_msi{.msi_vectors = 4, .bar_sizes = {4096}};
const hardware::function_config with_intx{.intx = true, .bar_sizes = {4096}};

/// A driver that leaves everything to devres: a BAR, as many vectors as there are up to four, a handler on each.
struct managed_driver {
    struct state {
        std::array<std::atomic<unsigned>, 4> calls{};
        unsigned vectors = 0;
        irq_type type{};

        irq_return on_irq(pci::vector_index vector) noexcept {
            ++calls[vector.value()];
            return irq_return::handled;
        }
    };

    static result<managed_ref<state>> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(pci::pcim_iomap_region<0>(enabled, "registers"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(enabled, 1, 4, irq_type::all));
        data->vectors = vectors.size();
        data->type = vectors.type();
        for (unsigned v = 0; v != vectors.size(); ++v) {
            DEVRES_TRY(pci::devm_request_irq<&state::on_irq>(vectors[v], "event", data));
        }
        return data;
    }
};

using devres::test::any_kernel;

/// A machine with one function, and what a driver could have left behind there.
struct machine {
    explicit machine(const kernel_version& version, const hardware::function_config& config = usual,
                     const linux_model::patch_version& patch = linux_model::unpatched)
        : linux_(version, patch), dev(linux_.add(config)) {}

    auto bind() { return pci::bind<managed_driver>(linux_, dev); }

    unsigned vectors_left() {
        return hardware::irq_domain::max_numbers - hardware::irq_domain::first_message -
               linux_.hardware().interrupts().available();
    }
    /// Empty if nothing is left and nothing was said.
    std::string left_behind() {
        std::ostringstream out;
        if (!linux_.hardware().ledger().clean())
            out << linux_.hardware().ledger() << "; ";
        if (vectors_left() != 0)
            out << vectors_left() << " vectors; ";
        if (dev.enable_cnt != 0)
            out << "enabled " << dev.enable_cnt << " times; ";
        if (dev.has_resources())
            out << "nodes on the release list; ";
        if (dev.msix_enabled || dev.msi_enabled || dev.is_msi_managed)
            out << "MSI enabled; ";
        for (const auto& each : linux_.log().events()) {
            if (each.kind == event_kind::warning || each.kind == event_kind::message || each.kind == event_kind::oops)
                out << each.text << "; ";
        }
        return out.str();
    }

    kernel linux_;
    pci_dev& dev;
};

/// Configuration space, without the number of the MSI message that was sent last.
std::vector<std::uint8_t> without_message(pci_dev& dev) {
    const auto config = dev.hardware.state().config;
    std::vector<std::uint8_t> out(config.begin(), config.end());
    if (const unsigned at = dev.hardware.capabilities().msi_data; at != 0)
        out[at] = 0;
    return out;
}

/// Has a C driver leak the function's vectors.
void poison(machine& m, unsigned flags) {
    REQUIRE(m.linux_.bind(m.dev, {.name = "wrong", .probe = [&](pci_dev& dev) {
                                      m.linux_.pci_enable_device(dev);
                                      return m.linux_.pci_alloc_irq_vectors(dev, 4, 4, flags) == 4 ? 0 : -28;
                                  }}) == 0);
    m.linux_.unbind(m.dev);
    m.linux_.pci_disable_device(m.dev);
    m.linux_.log().take_events();
}

}  // namespace

TEST_CASE("a driver written with the library binds and unbinds on every version, without a word and nothing left") {
    const hardware::function_config& config = *GENERATE(&usual, &with_msi, &with_intx);
    machine m(any_kernel(), config);
    const auto before = without_message(m.dev);
    std::vector<std::uint8_t> first;
    for (unsigned round = 0; round != 2; ++round) {
        auto bound = m.bind();
        REQUIRE(bound);
        const unsigned vectors = bound->state().vectors;
        CHECK(vectors == (config.intx && config.msi_vectors == 0 ? 1 : 4));
        CHECK(m.dev.enable_cnt == 1);
        CHECK_FALSE(m.dev.is_managed);
        for (unsigned v = 0; v != vectors; ++v)
            m.dev.hardware.raise(v);
        for (unsigned v = 0; v != vectors; ++v)
            CHECK(bound->state().calls[v] == 1);
        REQUIRE(bound->unbind());
        CHECK(m.left_behind() == "");
        // As before, but for what Linux leaves: memory is decoded, and MSI's registers have been written.
        const auto after = without_message(m.dev);
        CHECK((first.empty() || after == first));
        first = after;
    }
    CHECK(((before[reg::command] ^ first[reg::command]) & ~reg::command_bits::memory) == 0);
    CHECK(m.linux_.log().events().back().kind == event_kind::unbound);
    CHECK(m.dev.hardware.lost() == hardware::lost_interrupts{});
}

TEST_CASE("Linux itself has nothing to free for such a driver but the data of MSI") {
    machine m(any_kernel());
    REQUIRE(m.bind());
    std::string nodes;
    for (const auto& each : m.linux_.log().events())
        nodes += each.kind == event_kind::add ? each.text + '\n' : "";
    CHECK(nodes ==
          (m.linux_.version().vectors_in_pcim_release ? "" : "devm_attr_group_remove\nmsi_device_data_release\n"));
}

TEST_CASE("on a device that a managed driver left managed, such a driver's vectors are its own all the same") {
    machine m(linux_model::linux_6_1);
    REQUIRE(m.linux_.bind(m.dev, {.name = "managed",
                                  .probe = [&](pci_dev& dev) { return m.linux_.pcim_enable_device(dev); }}) == 0);
    m.linux_.unbind(m.dev);
    REQUIRE(m.dev.is_managed);
    REQUIRE(m.bind());  // and unbound again
    CHECK(m.left_behind() == "");
}

TEST_CASE("the patches change nothing for such a driver") {
    const linux_model::patch_version& patch = *GENERATE(&linux_model::patch_v1_1, &linux_model::patch_v1_full,
                                                        &linux_model::patch_v3);
    machine plain(linux_model::linux_6_12);
    machine patched(linux_model::linux_6_12, usual, patch);
    REQUIRE(plain.bind());
    REQUIRE(patched.bind());
    CHECK(patched.left_behind() == "");
    CHECK(patched.linux_.log().events().size() == plain.linux_.log().events().size());
}

TEST_CASE("a vector's number is the kernel's") {
    machine m(any_kernel());
    REQUIRE(m.linux_.attach(m.dev));
    REQUIRE(m.linux_.enable(m.dev));
    CHECK(m.linux_.vector_number(m.dev, 0) == pci::irq_number());
    REQUIRE(m.linux_.allocate_vectors(m.dev, {.min = 2, .max = 2, .types = irq_type::msix}));
    CHECK(static_cast<int>(m.linux_.vector_number(m.dev, 1).value()) == m.linux_.pci_irq_vector(m.dev, 1));
    CHECK(m.linux_.vector_number(m.dev, 2) == pci::irq_number());
    REQUIRE(m.linux_.free_vectors(m.dev));
    CHECK(m.linux_.vector_number(m.dev, 0) == pci::irq_number());
    REQUIRE(m.linux_.allocate_vectors(m.dev, {.min = 1, .max = 1, .types = irq_type::intx}));
    CHECK(static_cast<int>(m.linux_.vector_number(m.dev, 0).value()) == m.dev.irq);
    REQUIRE(m.linux_.free_vectors(m.dev));
    m.linux_.disable(m.dev);
    m.linux_.detach(m.dev);
    CHECK(m.left_behind() == "");
}

TEST_CASE("vectors work after a sleep, also where the device forgets its registers") {
    for (const bool keeps_registers : {true, false}) {
        for (hardware::function_config config : {usual, with_msi, with_intx}) {
            config.no_soft_reset = keeps_registers;
            machine m(linux_model::linux_6_1, config);
            auto bound = m.bind();
            REQUIRE(bound);
            const unsigned last = bound->state().vectors - 1;
            REQUIRE(bound->suspend());
            CHECK(m.dev.current_state == linux_model::power_state::d3hot);
            m.dev.hardware.raise(last);
            CHECK(bound->state().calls[last] == 0);
            REQUIRE(bound->resume());
            m.dev.hardware.raise(last);
            CHECK(bound->state().calls[last] == 1);
            REQUIRE(bound->suspend());
            REQUIRE(bound->unbind());
            CHECK(m.left_behind() == "");
        }
    }
}

TEST_CASE("a device sleeps once, wakes once, and not when it is gone") {
    machine m(any_kernel());
    CHECK(m.linux_.resume(m.dev).error() == errc::einval);
    REQUIRE(m.linux_.suspend(m.dev));
    CHECK(m.linux_.suspend(m.dev).error() == errc::einval);
    REQUIRE(m.linux_.resume(m.dev));
    REQUIRE(m.linux_.suspend(m.dev));
    m.dev.hardware.surprise_remove();
    CHECK(m.linux_.resume(m.dev).error() == errc::enodev);
    CHECK(m.linux_.resume(m.dev).error() == errc::enodev);
    CHECK(m.linux_.suspend(m.dev).error() == errc::enodev);
}

TEST_CASE("a device that is pulled out under such a driver leaves nothing behind") {
    const hardware::function_config& config = *GENERATE(&usual, &with_msi, &with_intx);
    machine m(any_kernel(), config);
    auto bound = m.bind();
    REQUIRE(bound);
    m.dev.hardware.surprise_remove();
    m.dev.hardware.raise(0);
    CHECK(bound->state().calls[0] == 0);
    REQUIRE(bound->unbind());
    CHECK(m.left_behind() == "");
    CHECK(m.bind().error() == errc::enodev);
    m.dev.hardware.insert();
    bound = m.bind();
    REQUIRE(bound);
    m.dev.hardware.raise(0);
    CHECK(bound->state().calls[0] == 1);
}

TEST_CASE("every fault and pair of faults of a probe comes out as an error, and nothing is left") {
    const hardware::function_config& config = *GENERATE(&usual, &with_msi, &with_intx);
    machine m(any_kernel(), config);
    const auto explored = testing::explore_faults(
        m.linux_,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<managed_driver>(platform, m.dev));
            return bound.unbind();
        },
        [&](kernel&) { return m.left_behind(); }, testing::fault_depth::pairs);
    INFO(explored);
    CHECK(explored.clean());
    CHECK(explored.tolerated() == 0);
    CHECK(explored.runs.size() > 6);
}

TEST_CASE("an interrupt may arrive at any step of a probe and an unbind") {
    machine m(any_kernel());
    unsigned interrupts = 0;
    const auto explored = testing::explore_interrupts(
        m.linux_,
        [&](auto& platform) -> result<> {
            DEVRES_TRY(auto bound, pci::bind<managed_driver>(platform, m.dev));
            interrupts += bound.state().calls[0];
            return bound.unbind();
        },
        [&](kernel&) { m.dev.hardware.raise(0); }, [&](kernel&) { return m.left_behind(); });
    INFO(explored);
    CHECK(explored.clean());
    CHECK(interrupts > 1);
}

TEST_CASE("a second allocation is refused while one is live, INTx included, and nothing is said") {
    machine m(any_kernel());
    REQUIRE(m.linux_.attach(m.dev));
    REQUIRE(m.linux_.enable(m.dev));
    for (const irq_type live : {irq_type::msix, irq_type::msi, irq_type::intx}) {
        REQUIRE(m.linux_.allocate_vectors(m.dev, {.min = 1, .max = 4, .types = live})->type == live);
        for (const irq_type wanted : {irq_type::all, irq_type::intx, irq_type::msi, irq_type::msix})
            CHECK(m.linux_.allocate_vectors(m.dev, {.min = 1, .max = 4, .types = wanted}).error() == errc::ebusy);
        REQUIRE(m.linux_.free_vectors(m.dev));
        REQUIRE(m.linux_.free_vectors(m.dev));
    }
    m.linux_.disable(m.dev);
    m.linux_.detach(m.dev);
    CHECK(m.left_behind() == "");
}

TEST_CASE("allocations fail as in Linux, and vectors are spread as there") {
    machine m(any_kernel(), {.msix_vectors = 16});
    REQUIRE(m.linux_.attach(m.dev));
    CHECK(m.linux_.allocate_vectors(m.dev, {.min = 1, .max = 4, .types = irq_type::msix}).error() == errc::einval);
    REQUIRE(m.linux_.enable(m.dev));
    CHECK(m.linux_.allocate_vectors(m.dev, {.min = 17, .max = 32, .types = irq_type::msix}).error() == errc::enospc);
    CHECK(m.linux_.allocate_vectors(m.dev, {.min = 1, .max = 4, .types = irq_type::msi}).error() == errc::einval);
    CHECK(m.linux_.allocate_vectors(m.dev, {.min = 1, .max = 4, .types = {}}).error() == errc::enospc);
    const pci::irq_affinity affinity{.pre_vectors = 1};
    const auto granted = m.linux_.allocate_vectors(
        m.dev, {.min = 2, .max = 16, .types = irq_type::msix, .affinity = &affinity});
    REQUIRE(granted);
    CHECK(granted->count == 9);
    CHECK(m.linux_.pci_irq_get_affinity(m.dev, 8) == 0x80);
    REQUIRE(m.linux_.free_vectors(m.dev));
    CHECK(m.linux_.allocate_vectors(m.dev, {.min = 1, .max = 32, .types = irq_type::msix | irq_type::virtual_entries})
              ->count == 32);
    REQUIRE(m.linux_.free_vectors(m.dev));
    m.linux_.disable(m.dev);
    m.linux_.detach(m.dev);
    CHECK(m.left_behind() == "");
}

namespace {

irq_return ignore(void*, pci::vector_index) noexcept { return irq_return::handled; }

}  // namespace

TEST_CASE("a vector has one handler, and a registration has a name of its own") {
    machine m(any_kernel());
    REQUIRE(m.linux_.attach(m.dev));
    REQUIRE(m.linux_.enable(m.dev));
    CHECK(m.linux_.register_handler(m.dev, 0, {.entry = ignore}).error() == errc::einval);
    std::vector<pci::handler_id> ids;
    for (unsigned round = 0; round != 3; ++round) {
        REQUIRE(m.linux_.allocate_vectors(m.dev, {.min = 1, .max = 2, .types = irq_type::msix}));
        CHECK(m.linux_.register_handler(m.dev, 2, {.entry = ignore}).error() == errc::einval);
        CHECK(m.linux_.register_handler(m.dev, 1, {}).error() == errc::einval);
        ids.push_back(m.linux_.register_handler(m.dev, 1, {.entry = ignore, .name = "one"}).value());
        CHECK(m.linux_.register_handler(m.dev, 1, {.entry = ignore, .name = "two"}).error() == errc::ebusy);
        CHECK(m.linux_.handler_registered(m.dev, ids.back()));
        REQUIRE(m.linux_.unregister_handler(m.dev, ids.front()));
        CHECK(m.linux_.handler_registered(m.dev, ids.back()) == (round != 0));
        REQUIRE(m.linux_.free_vectors(m.dev));  // ends it
        CHECK_FALSE(m.linux_.handler_registered(m.dev, ids.back()));
    }
    CHECK(ids[0] != ids[1]);
    CHECK(ids[1] != ids[2]);
    CHECK_FALSE(m.linux_.handler_registered(m.dev, pci::handler_id::none));
    m.linux_.disable(m.dev);
    m.linux_.detach(m.dev);
    for (const auto& each : m.linux_.log().take_events())  // messages: flags do not match
        CHECK(each.kind != event_kind::warning);
    CHECK(m.left_behind() == "");
}

TEST_CASE("handlers that are left end with the vectors, newest first") {
    machine m(any_kernel());
    REQUIRE(m.linux_.attach(m.dev));
    REQUIRE(m.linux_.enable(m.dev));
    REQUIRE(m.linux_.allocate_vectors(m.dev, {.min = 3, .max = 3, .types = irq_type::msix}));
    std::vector<const void*> requested;
    std::vector<const void*> freed;
    for (const unsigned v : {2U, 0U, 1U})
        REQUIRE(m.linux_.register_handler(m.dev, v, {.entry = ignore, .name = "left"}));
    REQUIRE(m.linux_.free_vectors(m.dev));
    for (const auto& each : m.linux_.log().events()) {
        if (each.kind == event_kind::request)
            requested.insert(requested.begin(), each.dev_id);
        else if (each.kind == event_kind::free_irq)
            freed.push_back(each.dev_id);
        else if (each.kind == event_kind::free)
            CHECK(freed.size() == 3);
    }
    CHECK(requested == freed);
    m.linux_.disable(m.dev);
    m.linux_.detach(m.dev);
    CHECK(m.left_behind() == "");
}

TEST_CASE("from inside a handler, neither it nor its vectors can be freed, and the kernel goes on") {
    struct self_freeing {
        machine* m;
        pci::handler_id id{};
        errc handler_error{};
        errc vectors_error{};
        bool inside = false;
        static irq_return on_irq(void* context, pci::vector_index) noexcept {
            auto& self = *static_cast<self_freeing*>(context);
            self.inside = self.m->linux_.in_handler(self.m->dev);
            self.handler_error = self.m->linux_.unregister_handler(self.m->dev, self.id).error();
            self.vectors_error = self.m->linux_.free_vectors(self.m->dev).error();
            return irq_return::handled;
        }
    };
    machine m(any_kernel());
    REQUIRE(m.linux_.attach(m.dev));
    REQUIRE(m.linux_.enable(m.dev));
    REQUIRE(m.linux_.set_master(m.dev, true));
    REQUIRE(m.linux_.allocate_vectors(m.dev, {.min = 2, .max = 2, .types = irq_type::msix}));
    self_freeing self{&m};
    self.id = m.linux_.register_handler(m.dev, 0, {self_freeing::on_irq, &self, "self"}).value();
    CHECK_FALSE(m.linux_.in_handler(m.dev));
    m.dev.hardware.raise(0);
    CHECK(self.inside);
    CHECK(self.handler_error == errc::edeadlk);
    CHECK(self.vectors_error == errc::edeadlk);
    CHECK(m.linux_.handler_registered(m.dev, self.id));
    CHECK_FALSE(m.linux_.log().stopped());
    CHECK(m.linux_.log().take_events().back().kind == event_kind::message);
    REQUIRE(m.linux_.free_vectors(m.dev));
    m.linux_.disable(m.dev);
    m.linux_.detach(m.dev);
    CHECK(m.left_behind() == "");
}

TEST_CASE("a function has one driver, of whichever language, and none when it is gone or has old resources") {
    machine m(any_kernel());
    auto bound = m.bind();
    REQUIRE(bound);
    CHECK(m.bind().error() == errc::ebusy);
    CHECK(m.linux_.bind(m.dev, {.name = "C", .probe = [](pci_dev&) { return 0; }}) == -16);
    REQUIRE(bound->unbind());
    m.dev.devres_add(m.dev.devres_alloc([](linux_model::device&, void*) {}, 0, "old"));
    CHECK(m.bind().error() == errc::ebusy);
    m.dev.hardware.surprise_remove();
    CHECK(m.bind().error() == errc::enodev);
    CHECK(m.linux_.hardware().ledger().clean());
}

TEST_CASE("a device whose vectors a C driver leaked answers einval with a warning, and nothing more is lost") {
    const auto [flags, config] = GENERATE(table<unsigned, const hardware::function_config*>({
        {pci_irq::msix, &usual},
        {pci_irq::msi, &usual},
        {pci_irq::msi, &with_msi},
    }));
    machine m(any_kernel(), *config);
    poison(m, flags);
    for (unsigned round = 0; round != 2; ++round) {
        CHECK(m.bind().error() == errc::einval);  // not INTx beside them, either
        CHECK(m.linux_.hardware().ledger().clean());
        CHECK(m.vectors_left() == 4);
        CHECK(m.dev.enable_cnt == 0);
        CHECK_FALSE(m.dev.has_resources());
        CHECK_FALSE(m.linux_.log().stopped());
        unsigned warnings = 0;
        for (const auto& each : m.linux_.log().take_events())
            warnings += each.warning == linux_model::warning_kind::double_enable ? 1U : 0U;
        CHECK(warnings == (round == 0 ? 1 : 0));
    }
    REQUIRE(m.linux_.attach(m.dev));
    REQUIRE(m.linux_.enable(m.dev));
    CHECK(m.linux_.allocate_vectors(m.dev, {.min = 1, .max = 1, .types = irq_type::intx}).error() == errc::enospc);
}

TEST_CASE("a kernel that stops while it cleans up after such a driver answers eio from then on") {
    machine m(linux_model::linux_6_1, with_msi);
    poison(m, pci_irq::msi);
    m.dev.is_managed = true;  // as a managed driver leaves it
    CHECK(m.bind().error() == errc::einval);
    CHECK(m.linux_.log().stopped());
    CHECK(m.linux_.hardware().ledger().clean());
    CHECK(m.bind().error() == errc::eio);
}

TEST_CASE("after the kernel stopped, what is asked for is refused, and what is given back is taken") {
    machine m(any_kernel());
    pci_dev& other = m.linux_.add(usual);
    auto bound = m.bind();
    REQUIRE(bound);
    CHECK_THROWS_AS(
        m.linux_.bind(other, {.name = "bad", .probe = [&](pci_dev&) -> int { m.linux_.log().stop("bad"); }}), oops);
    CHECK(m.linux_.attach(m.dev).error() == errc::eio);
    CHECK(m.linux_.enable(m.dev).error() == errc::eio);
    CHECK(m.linux_.suspend(m.dev).error() == errc::eio);
    CHECK(m.linux_.resume(m.dev).error() == errc::eio);
    CHECK(m.linux_.allocate_vectors(m.dev, {.types = irq_type::all}).error() == errc::eio);
    CHECK(m.linux_.register_handler(m.dev, 0, {.entry = ignore}).error() == errc::eio);
    CHECK(m.bind().error() == errc::eio);
    REQUIRE(bound->unbind());
    m.dev.hardware.raise(0);  // its handler is gone, as is what it used
    CHECK(m.linux_.hardware().ledger().live().empty());
    CHECK(m.dev.msix_enabled);
    CHECK(m.dev.enable_cnt == 1);
    m.linux_.disable(m.dev);
    m.linux_.detach(m.dev);
    CHECK(m.dev.enable_cnt == 1);
}

TEST_CASE("BARs and DMA are the simulated bus's, whose ledger knows them") {
    STATIC_REQUIRE(pci::describes_bars<kernel> && pci::describes_bars<testing::traced<kernel>>);
    machine m(linux_model::linux_6_1);
    REQUIRE(m.linux_.attach(m.dev));
    REQUIRE(m.linux_.enable(m.dev));
    auto mapped = m.linux_.map_bar(m.dev, pci::bar_number(0), "registers").value();
    m.linux_.write<std::uint32_t>(mapped, 8, 42);
    CHECK(m.linux_.read<std::uint32_t>(mapped, 8) == 42);
    CHECK(m.linux_.bar_size(mapped) == 4096);
    const auto block = m.linux_.allocate_dma(m.dev, 100).value();
    CHECK(m.linux_.hardware().ledger().live().size() == 2);
    m.linux_.free_dma(m.dev, block);
    m.linux_.unmap_bar(m.dev, mapped);
    CHECK(m.linux_.hardware().ledger().clean());
    CHECK(m.linux_.id(m.dev).vendor == 0x1234);
}

namespace {

/// A device whose vectors a driver of the library's has by hand.
struct taken : machine {
    taken(const kernel_version& version, const hardware::function_config& config, irq_type type)
        : machine(version, config) {
        REQUIRE(linux_.attach(dev));
        REQUIRE(linux_.enable(dev));
        REQUIRE(linux_.set_master(dev, true));
        REQUIRE(linux_.allocate_vectors(dev, {.min = 1, .max = 2, .types = type}));
    }
    ~taken() {
        (void)linux_.free_vectors(dev);
        linux_.disable(dev);
        linux_.detach(dev);
    }
    pci::handler_id handler(unsigned vector = 0) {
        const auto count = [](void* counted, pci::vector_index) noexcept {
            ++*static_cast<unsigned*>(counted);
            return irq_return::handled;
        };
        return linux_.register_handler(dev, vector, {.entry = count, .context = &calls, .name = "count"}).value();
    }

    unsigned calls = 0;
};

hardware::function_config hardware_that(bool can_mask) {
    hardware::function_config config = usual;
    config.msi_maskable = can_mask;
    return config;
}

constexpr irq_type each_type[] = {irq_type::msix, irq_type::msi, irq_type::intx};

}  // namespace

TEST_CASE("to a driver of the library's, a vector holds one interrupt until it has a handler, again and again") {
    const kernel_version& tested = any_kernel();
    for (const bool can_mask : {true, false}) {
        for (const irq_type type : each_type) {
            taken t(tested, hardware_that(can_mask), type);
            t.dev.hardware.raise(0);
            t.dev.hardware.raise(0);
            const auto first = t.handler();
            CHECK(t.calls == 1);
            REQUIRE(t.linux_.unregister_handler(t.dev, first));
            t.dev.hardware.raise(0);
            CHECK(t.calls == 1);
            t.handler();
            CHECK(t.calls == 2);
            t.dev.hardware.raise(0);
            CHECK(t.calls == 3);
            CHECK(t.dev.hardware.lost() == hardware::lost_interrupts{});
        }
    }
}

TEST_CASE("to a driver of the library's, a handler that is disabled is called once for what came meanwhile") {
    const kernel_version& tested = any_kernel();
    for (const bool can_mask : {true, false}) {
        for (const irq_type type : each_type) {
            taken t(tested, hardware_that(can_mask), type);
            const auto id = t.handler();
            REQUIRE(t.linux_.disable_handler(t.dev, id));
            REQUIRE(t.linux_.disable_handler(t.dev, id));
            t.dev.hardware.raise(0);
            t.dev.hardware.raise(0);
            REQUIRE(t.linux_.enable_handler(t.dev, id));
            CHECK(t.calls == 0);
            REQUIRE(t.linux_.enable_handler(t.dev, id));
            CHECK(t.calls == 1);
            CHECK(t.linux_.enable_handler(t.dev, id).error() == errc::einval);
            REQUIRE(t.linux_.disable_handler(t.dev, id));
            t.dev.hardware.raise(0);
            REQUIRE(t.linux_.unregister_handler(t.dev, id));
            CHECK(t.linux_.disable_handler(t.dev, id).error() == errc::enoent);
            CHECK(t.linux_.enable_handler(t.dev, id).error() == errc::enoent);
            CHECK(t.linux_.synchronize_handler(t.dev, id));
            t.handler();
            CHECK(t.calls == 2);
            CHECK(devres::test::said(t.linux_.log()).empty());
        }
    }
}

TEST_CASE("what is disabled, or has no handler, is so after a sleep on Linux too") {
    for (const bool keeps_registers : {true, false}) {
        for (const irq_type type : {irq_type::msix, irq_type::msi}) {
            hardware::function_config config = usual;
            config.no_soft_reset = keeps_registers;
            taken t(linux_model::linux_6_12, config, type);
            const auto first = t.handler(0);
            const auto second = t.handler(1);
            REQUIRE(t.linux_.suspend(t.dev));
            REQUIRE(t.linux_.disable_handler(t.dev, first));
            REQUIRE(t.linux_.unregister_handler(t.dev, second));
            REQUIRE(t.linux_.resume(t.dev));
            for (unsigned vector = 0; vector != 2; ++vector) {
                if (type == irq_type::msix)
                    CHECK(t.dev.hardware.state().msix_table[vector * 4 + 3] == 1);
                else
                    CHECK((t.linux_.read_config(t.dev, t.dev.hardware.capabilities().msi_mask, 4).value() >> vector &
                           1U) == 1);
                t.dev.hardware.raise(vector);
            }
            CHECK(t.calls == 0);
            REQUIRE(t.linux_.enable_handler(t.dev, first));
            CHECK(t.calls == 1);
        }
    }
}

TEST_CASE("from inside a handler on Linux, nothing is acquired, and it is not waited for") {
    struct inside {
        kernel& linux_;
        pci_dev& dev;
        pci::handler_id id{};
        unsigned refused = 0;
        static irq_return on_irq(void* context, pci::vector_index) noexcept {
            auto& self = *static_cast<inside*>(context);
            const auto count = [&](const auto& outcome) {
                self.refused += !outcome && outcome.error() == errc::edeadlk ? 1U : 0U;
            };
            count(self.linux_.enable(self.dev));
            count(self.linux_.map_bar(self.dev, pci::bar_number(0), "inside"));
            count(self.linux_.allocate_vectors(self.dev, {.min = 1, .max = 1, .types = irq_type::msix}));
            count(self.linux_.register_handler(self.dev, 1, {.entry = ignore}));
            count(self.linux_.allocate_dma(self.dev, 64));
            count(self.linux_.map_dma(self.dev, context, 8));
            count(self.linux_.disable_handler(self.dev, self.id));
            count(self.linux_.synchronize_handler(self.dev, self.id));
            count(self.linux_.synchronize_handler(self.dev, pci::handler_id::none));
            return irq_return::handled;
        }
    };
    taken t(any_kernel(), usual, irq_type::msix);
    inside handler{t.linux_, t.dev};
    handler.id = t.linux_.register_handler(t.dev, 0, {.entry = &inside::on_irq, .context = &handler}).value();
    t.dev.hardware.raise(0);
    CHECK(handler.refused == 9);
    CHECK(t.dev.enable_cnt == 1);
    CHECK_FALSE(t.linux_.log().stopped());
    REQUIRE(t.linux_.synchronize_handler(t.dev, pci::handler_id::none));
}
