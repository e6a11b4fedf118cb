// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <devres/core/errno_guard.hpp>
#include <devres/pci/platform_archetype.hpp>
#include <devres/testing/decorator.hpp>
#include <devres/testing/trace.hpp>

namespace devres::testing {

/// A platform that tells what drivers do on it: who acquired what, which interrupts were delivered, what was
/// released in which order, and what failed.
///
/// Resources are told of by the library, with their owner; primitives only where they fail, or are attach,
/// detach, set_master, suspend or resume. Interrupts are seen by a handler put around the driver's, so that
/// waiting for it, or being refused from inside it, is as on the platform underneath. Of each handler, the
/// first `shown_interrupts` deliveries are entries; if there are more, their number is one when it ends.
///
/// @par Example
/// @code
/// testing::trace_recorder trace;
/// testing::traced platform{bus, std::ref(trace)};
/// { auto binding = DEVRES_TRY(pci::bind<driver>(platform, function)); }
/// CHECK(trace.lines().back() == "detached");
/// @endcode
template <pci::platform P>
class traced : public decorator<traced<P>, P> {
    using base = decorator<traced<P>, P>;

public:
    using typename base::function_type;

    static constexpr std::uint64_t shown_interrupts = 3;

    /// Tells `sink` what happens on `inner`, which must outlive this platform; `label` names a function.
    [[nodiscard]] traced(P& inner, trace_sink sink, std::function<std::string(function_type&)> label = {})
        : base(inner), sink_(std::move(sink)), label_(std::move(label)) {}

    /// Puts a line of one's own in the trace: `platform.remark(function, "surprise removal")`.
    void remark(function_type& f, std::string text) { tell({.who = who(f), .step = trace_step::remark, .detail = std::move(text)}); }

    void note(function_type& f, const resource_event& event) noexcept {
        if constexpr (requires(P& inner) { inner.note(f, event); })
            this->inner().note(f, event);
        const std::string_view resource = event.resource;
        const bool acquired = event.what == resource_event::step::acquired;
        const bool numbered = resource == "bar" || resource == "irq_handler";
        if (numbered && !event.managed) {  // the driver's guards do not know the number when they release
            if (!acquired)
                return;
            own(f, resource, event.index);
        }
        trace_entry entry{.who = who(f),
                          .step = acquired ? trace_step::acquired : trace_step::released,
                          .resource = numbered ? numbered_name(resource, event.index) : std::string(resource),
                          .owner = event.managed ? trace_owner::managed : trace_owner::unmanaged,
                          .detail = event.name == nullptr ? "" : quoted(event.name)};
        if (resource == "irq_vectors" && event.index != 0)
            entry.detail = counted(event.index, "vector");
        tell(entry);
    }

    result<> free_vectors(function_type& f) noexcept {
        const result<> outcome = base::free_vectors(f);
        if (outcome)
            forget_ended(f);
        return outcome;
    }

    result<pci::handler_id> register_handler(function_type& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept {
        std::list<watched> fresh;
        watched& handler = fresh.emplace_back(*this, f, vector, action);
        const auto id = base::register_handler(
            f, vector, {.entry = &watched::deliver, .context = &handler, .name = action.name});
        if (!id)
            return id;
        const std::lock_guard lock(mutex_);
        handler.id = *id;
        handlers_.splice(handlers_.end(), fresh);
        return id;
    }

    result<> unregister_handler(function_type& f, pci::handler_id id) noexcept {
        const result<> outcome = base::unregister_handler(f, id);
        if (!outcome)
            return outcome;
        std::list<watched> ended = take([&](const watched& handler) { return handler.function == &f && handler.id == id; });
        for (const watched& handler : ended) {
            tell_total(handler);
            if (handler.owned)
                tell({.who = handler.who, .step = trace_step::released, .resource = handler.resource,
                      .owner = trace_owner::unmanaged, .detail = handler.name});
        }
        return outcome;
    }

private:
    friend decorator<traced<P>, P>;

    /// A driver's handler, and what has been delivered to it.
    struct watched {
        traced& self;
        function_type* function;
        unsigned vector;
        pci::irq_action action;
        std::string who;
        std::string resource;
        std::string name;
        pci::handler_id id = pci::handler_id::none;
        bool owned = false;  // by the driver
        std::atomic<std::uint64_t> delivered = 0;
        std::atomic<std::uint64_t> handled = 0;

        watched(traced& platform, function_type& f, pci::vector_index index, const pci::irq_action& driver)
            : self(platform), function(&f), vector(index.value()), action(driver), who(platform.who(f)),
              resource(numbered_name("irq_handler", vector)),
              name(driver.name == nullptr ? "" : quoted(driver.name)) {}

        static pci::irq_return deliver(void* context, pci::vector_index index) noexcept {
            watched& handler = *static_cast<watched*>(context);
            const pci::irq_return answer = handler.action.entry(handler.action.context, index);
            const bool good = answer == pci::irq_return::handled;
            if (good)
                ++handler.handled;
            if (++handler.delivered <= shown_interrupts)
                handler.self.tell({.who = handler.who, .step = trace_step::interrupt, .resource = handler.resource,
                                   .detail = joined(handler.name, good ? "handled" : "none")});
            return answer;
        }
    };

    template <class Forward>
    std::invoke_result_t<Forward> around(const primitive_call& call, function_type* f, Forward forward) noexcept {
        using outcome_type = std::invoke_result_t<Forward>;
        if constexpr (std::is_void_v<outcome_type>) {
            forward();
            if (call.what == primitive::detach) {
                forget_ended(*f);
                tell({.who = who(*f), .step = trace_step::detached});
            } else if (call.what == primitive::unmap_bar && disown_bar(*f, call.number)) {
                tell({.who = who(*f), .step = trace_step::released, .resource = numbered_name("bar", call.number),
                      .owner = trace_owner::unmanaged});
            }
        } else {
            outcome_type outcome = forward();
            if constexpr (std::is_same_v<outcome_type, void*>) {
                if (outcome == nullptr)
                    tell({.step = trace_step::failed, .resource = to_string(call), .detail = message(errc::enomem)});
            } else if constexpr (requires { outcome.error(); }) {
                if (!outcome)
                    tell({.who = who(*f), .step = trace_step::failed, .resource = to_string(call),
                          .detail = message(outcome.error())});
                else if (call.what == primitive::attach)
                    tell({.who = who(*f), .step = trace_step::attached});
                else if (call.what == primitive::set_master || call.what == primitive::suspend ||
                         call.what == primitive::resume)
                    tell({.who = who(*f), .step = trace_step::called, .resource = to_string(call)});
            }
            return outcome;
        }
    }

    /// Remembers that a BAR or a handler is the driver's.
    void own(function_type& f, std::string_view resource, unsigned number) noexcept {
        const std::lock_guard lock(mutex_);
        if (resource == "bar")
            bars_.emplace(&f, number);
        for (watched& handler : handlers_) {
            if (resource == "irq_handler" && handler.function == &f && handler.vector == number)
                handler.owned = true;
        }
    }
    bool disown_bar(function_type& f, unsigned number) noexcept {
        const std::lock_guard lock(mutex_);
        return bars_.erase({&f, number}) != 0;
    }

    /// Drops, newest first, the handlers of `f` that ended otherwise than by `unregister_handler`.
    void forget_ended(function_type& f) noexcept {
        std::list<watched> candidates = take([&](const watched& handler) { return handler.function == &f; });
        std::list<watched> ended;
        for (auto next = candidates.begin(); next != candidates.end();) {
            const auto handler = next++;
            if (!this->inner().handler_registered(f, handler->id))
                ended.splice(ended.begin(), candidates, handler);
        }
        {
            const std::lock_guard lock(mutex_);
            handlers_.splice(handlers_.end(), candidates);
        }
        for (const watched& handler : ended) {
            tell_total(handler);
            tell({.who = handler.who, .step = trace_step::ended, .resource = handler.resource,
                  .owner = handler.owned ? trace_owner::unmanaged : trace_owner::none, .detail = handler.name});
        }
    }

    template <class Which>
    std::list<watched> take(Which which) noexcept {
        const std::lock_guard lock(mutex_);
        std::list<watched> taken;
        for (auto next = handlers_.begin(); next != handlers_.end();) {
            const auto handler = next++;
            if (which(*handler))
                taken.splice(taken.end(), handlers_, handler);
        }
        return taken;
    }

    void tell_total(const watched& handler) noexcept {
        if (handler.delivered > shown_interrupts)
            tell({.who = handler.who, .step = trace_step::interrupts, .resource = handler.resource,
                  .detail = joined(handler.name, counted(handler.delivered, "interrupt") + ", " +
                                                     std::to_string(handler.handled) + " handled")});
    }

    void tell(const trace_entry& entry) noexcept {
        const devres::detail::errno_guard keep;
        const std::lock_guard lock(telling_);
        sink_(entry);
    }

    [[nodiscard]] std::string who(function_type& f) const { return label_ ? label_(f) : std::string(); }

    static std::string numbered_name(std::string_view name, unsigned number) {
        return std::string(name) + ' ' + std::to_string(number);
    }
    static std::string quoted(const char* name) { return '"' + std::string(name) + '"'; }
    static std::string counted(std::uint64_t count, const char* what) {
        return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
    }
    static std::string joined(std::string name, const std::string& rest) {
        return name.empty() ? rest : std::move(name) + ' ' + rest;
    }

    trace_sink sink_;
    std::function<std::string(function_type&)> label_;
    std::mutex mutex_;
    std::list<watched> handlers_;
    std::set<std::pair<function_type*, unsigned>> bars_;  // of the driver
    std::mutex telling_;
};

static_assert(pci::platform<traced<pci::platform_archetype>>);

}  // namespace devres::testing
