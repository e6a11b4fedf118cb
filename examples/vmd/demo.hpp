// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <devres/sim.hpp>
#include <devres/testing.hpp>

#include "hex.hpp"
#include "output.hpp"

#include "driver.hpp"
#include "model.hpp"

namespace vmd {

/// A trace of a VMD and of its children, whose resources stand under their own addresses.
class watched_platform : public devres::testing::traced<with_vmd> {
    using base = devres::testing::traced<with_vmd>;

public:
    watched_platform(with_vmd& inner, examples::output& out)
        : base(inner, examples::trace_to(out),
               [this](sim::function& f) { return child_.empty() ? std::string(f.address().text()) : child_; }) {}

    /// The child bus gives an address for a name.
    void note(sim::function& f, devres::resource_event event) noexcept {
        if (event.name != nullptr && devres::pci::address::parse(event.name, std::string_view(event.name).size()))
            child_ = std::exchange(event.name, nullptr);
        base::note(f, event);
        child_.clear();
    }

private:
    std::string child_{};  // whose resource is being noted; empty: VMD's
};

/// What `examples/run vmd` shows: a VMD with three functions behind it, from probe to unbind.
class demonstration {
public:
    explicit demonstration(examples::output out) : out_(std::move(out)) {}

    /// @returns whether everything went as it should and nothing was left behind
    bool run() {
        bool good = life();
        good = surprise() && good;
        good = bypass() && good;
        out_.summary(std::to_string(commands_) + " commands on the functions behind it, ledger " +
                     (good ? "clean" : "not clean"));
        return good;
    }

private:
    bool life() {
        out_.heading("bind: a VMD with 6 vectors, and two NVMe controllers and a network port behind it");
        machine m({.msix_vectors = 6});
        bool good = false;
        {
            watched_platform platform(m.platform, out_);
            auto bound = devres::pci::bind<driver>(platform, m.function);
            if (!bound)
                return failed("bind", bound.error());
            auto& state = bound->state();
            show_children(state);
            show_load(state);
            out_.heading("commands on every queue, and a frame: what arrives at VMD's vectors");
            good = use(m, state);
            out_.heading("suspend: the handlers go, the vectors stay; resume: new handlers");
            if (const auto asleep = bound->suspend(); !asleep)
                return failed("suspend", asleep.error());
            if (const auto awake = bound->resume(); !awake)
                return failed("resume", awake.error());
            good = use(m, state) && good;
            out_.heading("unbind: children first, then VMD's handlers, newest first");
        }
        return verdict(m) && good;
    }

    bool surprise() {
        out_.heading("pulled out while it is in use");
        machine m({.msix_vectors = 3});
        {
            watched_platform platform(m.platform, out_);
            auto bound = devres::pci::bind<driver>(platform, m.function);
            if (!bound)
                return failed("bind", bound.error());
            platform.remark(m.function, "pulled out");
            m.function.surprise_remove();
            m.disks[0].complete(0);
            m.port.receive();
        }
        return verdict(m);
    }

    bool bypass() {
        out_.heading("a VMD that does not remap: no vectors, no handlers, and children that poll");
        machine m({.device = 0x28c0});
        bool good = false;
        {
            watched_platform platform(m.platform, out_);
            auto bound = devres::pci::bind<driver>(platform, m.function);
            if (!bound)
                return failed("bind", bound.error());
            auto& state = bound->state();
            show_children(state);
            auto* const disk = state.child<nvme::driver>(0);
            if (disk == nullptr)
                return missing();
            disk->submit(0, 8);
            m.disks[0].complete(0);
            good = state.vectors() == 0 && disk->poll(0) && disk->completed(0) == 8;
            out_.check("polled", good, std::to_string(disk->completed(0)) + " commands");
        }
        return verdict(m) && good;
    }

    template <class State>
    void show_children(State& state) {
        out_.line(std::string("  ") + state.name() + ": domain " + examples::hex(state.domain_number()) + ", " +
                  std::to_string(state.vectors()) + " vectors, " + std::to_string(state.bound_children()) +
                  " children with a driver:");
        std::size_t index = 0;
        for (const auto& child : state.bus().functions()) {
            const bool is_nvme = state.template child<nvme::driver>(index) != nullptr;
            const bool is_port = state.template child<ethernet::driver>(index) != nullptr;
            std::string driver_name = is_nvme ? "nvme" : is_port ? "ethernet" : "-";
            driver_name.resize(8, ' ');
            std::string text = "    " + std::string(child.address.text()) + "  " +
                               examples::hex(child.identity.vendor, 4) + ":" + examples::hex(child.identity.device, 4) +
                               "  class " + examples::hex(child.identity.class_code, 6) + "  " + driver_name +
                               "  on vectors";
            const unsigned vectors = child.vectors.load();
            for (unsigned i = 0; i != vectors; ++i)
                text += ' ' + std::to_string(child.irqs[i].vector);
            out_.line(text + (vectors == 0 ? " -" : ""));
            ++index;
        }
    }

    template <class State>
    void show_load(State& state) {
        child_interrupts& interrupts = **state.bus().interrupts();
        std::string text = "  child interrupts per vector:";
        for (unsigned i = 0; i != interrupts.vectors(); ++i)
            text += ' ' + std::to_string(interrupts.list(i).size());
        if (interrupts.first_vector() != 0)
            text += " (the first carries none, the second is for all but NVMe)";
        out_.line(text);
    }

    /// Commands on every queue, and a frame. @returns whether all completed
    template <class State>
    bool use(machine& m, State& state) {
        unsigned asked = 0;
        unsigned completed = 0;
        for (unsigned i = 0; i != m.disks.size(); ++i) {
            auto* const disk = state.template child<nvme::driver>(i);
            if (disk == nullptr)
                return missing();
            for (unsigned queue = 0; queue != disk->queues(); ++queue) {
                const auto before = disk->completed(queue);
                disk->submit(queue, 100);
                m.disks[i].complete(queue);
                asked += 100;
                completed += static_cast<unsigned>(disk->completed(queue) - before);
            }
        }
        auto* const port = state.template child<ethernet::driver>(2);
        if (port == nullptr)
            return missing();
        const unsigned before = port->received();
        m.port.receive();
        const unsigned frames = port->received() - before;
        commands_ += completed;
        const bool all = out_.check("commands completed", completed == asked,
                                    std::to_string(completed) + " of " + std::to_string(asked));
        return out_.check("frames received", frames == 1, std::to_string(frames) + " of 1") && all;
    }

    bool missing() {
        out_.problem("  a child has no driver");
        return false;
    }
    bool failed(std::string_view what, devres::errc error) { return out_.check(what, false, devres::message(error)); }
    bool verdict(machine& m) { return out_.check(m.bus.ledger()); }

    examples::output out_;
    unsigned commands_ = 0;  // that completed
};

/// @returns the exit status: 0 if every ledger is clean
inline int run_vmd(examples::output out) { return demonstration(std::move(out)).run() ? 0 : 1; }

}  // namespace vmd
