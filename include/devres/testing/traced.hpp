// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <devres/pci/irq_handler.hpp>
#include <devres/pci/platform_archetype.hpp>
#include <devres/testing/decorator.hpp>
#include <devres/testing/detail/watched_handlers.hpp>
#include <devres/testing/trace.hpp>

namespace devres::testing {

/// A platform that tells what drivers do on it: who acquired what, which interrupts were delivered, what was
/// released in which order, and what failed.
///
/// Resources are told of by the library, with their owner; primitives only where they fail, or are attach,
/// detach, set_master, suspend or resume. Interrupts are seen by a handler in the place of the driver's, so
/// that waiting for it, and being refused from inside it, is as on the platform underneath. Of each handler,
/// the first three deliveries that it handled are entries, and the first three that it did not; if there are more, their
/// number is one when it ends. A handler that uses a BAR which its driver's table says it keeps off is told of, once for each.
///
/// Example:
/// @code
/// testing::trace_recorder trace;
/// testing::traced platform{bus, std::ref(trace)};
/// { auto binding = pci::bind<driver>(platform, function); }
/// CHECK(trace.lines().back() == "detached");
/// @endcode
template <pci::platform P>
class traced : public decorator<traced<P>, P> {
    using base = decorator<traced<P>, P>;

public:
    using typename base::function_type;
    using labeller = std::function<std::string(function_type&)>;  ///< names a function

    /// Tells `sink` what happens on `inner`, which must outlive this platform. `label` names a function, for
    /// the first column.
    [[nodiscard]] traced(P& inner, trace_sink sink, labeller label = {})
        : base(inner), write_(std::move(sink)), label_(std::move(label)) {}

    /// Puts a line of one's own in the trace: `platform.remark(function, "surprise removal")`.
    void remark(function_type& f, std::string text) {
        write_({.who = who(f), .step = trace_step::remark, .detail = std::move(text)});
    }

    /// Says that a group of `f` is open, until what this returns ends. The library itself tells nobody of groups:
    /// `const auto mark = platform.group(function, "queues");` beside `devres::group queues{dev};`.
    [[nodiscard]] auto group(function_type& f, std::string name) {
        return group_mark(write_, {.who = who(f), .resource = "group", .detail = detail::quoted(name.c_str())});
    }

    /// What the library says of a resource.
    void note(function_type& f, const resource_event& event) noexcept {
        if constexpr (requires(P& inner) { inner.note(f, event); })
            this->inner().note(f, event);
        const bool acquired = event.what == resource_event::step::acquired;
        // by name: a driver in a plugin has constants of its own
        if (acquired && !event.managed &&
            std::string_view(event.resource->name) == pci::detail::handler_kind::about.name)
            handlers_.is_drivers(std::addressof(f), event.index);
        const numbering number = event.resource->number;
        write_({.who = who(f),
                .step = acquired ? trace_step::acquired : trace_step::released,
                .resource = number == numbering::which ? detail::numbered(event.resource->name, event.index)
                                                       : event.resource->name,
                .owner = event.managed ? trace_owner::managed : trace_owner::unmanaged,
                .detail = number == numbering::how_many ? detail::counted(event.index, "vector")
                                                        : detail::quoted(event.name)});
    }

    /// The primitive, with what becomes of the handlers.
    /// @{
    result<> free_vectors(function_type& f) noexcept {
        const result<> outcome = base::free_vectors(f);
        if (outcome)
            forget_ended(f);
        return outcome;
    }

    result<pci::handler_id> register_handler(function_type& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept {
        handlers fresh;
        auto& handler = fresh.emplace_back(write_, who(f), std::addressof(f), vector.value(), action);
        const auto id = base::register_handler(f, vector, handler.action());
        if (id) {
            handler.id = *id;
            handlers_.add(std::move(fresh));
        }
        return id;
    }

    result<> unregister_handler(function_type& f, pci::handler_id id) noexcept {
        const result<> outcome = base::unregister_handler(f, id);
        if (outcome) {
            for (const auto& handler : handlers_.take(std::addressof(f), id))
                handler.tell_interrupts();
        }
        return outcome;
    }
    /// @}

private:
    friend base;

    class group_mark {
    public:
        group_mark(detail::trace_writer& write, trace_entry entry) : write_(write), entry_(std::move(entry)) {
            tell(trace_step::opened);
        }
        group_mark(const group_mark&) = delete;
        group_mark& operator=(const group_mark&) = delete;
        ~group_mark() { tell(trace_step::closed); }

    private:
        void tell(trace_step step) noexcept {
            entry_.step = step;
            write_(entry_);
        }
        detail::trace_writer& write_;
        trace_entry entry_;
    };

    using handlers = detail::watched_handlers::handlers;

    template <class Forward>
    std::invoke_result_t<Forward> around(const primitive_call& call, function_type* f, Forward forward) noexcept {
        using outcome_type = std::invoke_result_t<Forward>;
        if (detail::running_watched != nullptr && (call.what == primitive::read || call.what == primitive::write)) {
            if (auto* const handler = detail::watched_handler::running_here(write_, f))
                handler->uses_bar(call.number, call.what == primitive::read ? "reads" : "writes");
        }
        if constexpr (std::is_void_v<outcome_type>) {
            forward();
            if (call.what == primitive::detach) {
                forget_ended(*f);
                write_({.who = who(*f), .step = trace_step::detached});
            }
        } else {
            outcome_type outcome = forward();
            if constexpr (std::is_same_v<outcome_type, void*>) {
                if (outcome == nullptr)
                    write_({.step = trace_step::failed, .resource = to_string(call), .detail = message(errc::enomem)});
            } else if constexpr (requires { outcome.error(); }) {
                tell(call, *f, outcome ? nullptr : message(outcome.error()));
            }
            return outcome;
        }
    }

    void tell(const primitive_call& call, function_type& f, const char* error) noexcept {
        if (error != nullptr && call.what == primitive::set_master && is_release(call))
            return;  // on a device that is gone; nobody minds
        if (error != nullptr)
            write_({.who = who(f), .step = trace_step::failed, .resource = to_string(call), .detail = error});
        else if (call.what == primitive::attach)
            write_({.who = who(f), .step = trace_step::attached});
        else if (call.what == primitive::set_master || call.what == primitive::suspend ||
                 call.what == primitive::resume)
            write_({.who = who(f), .step = trace_step::called, .resource = to_string(call)});
    }

    /// Drops, newest first, the handlers of `f` that ended otherwise than by `unregister_handler`.
    void forget_ended(function_type& f) noexcept {
        const auto registered = [&](pci::handler_id id) { return this->inner().handler_registered(f, id); };
        for (const auto& handler : handlers_.take_ended(std::addressof(f), registered))
            handler.tell_end_with_vectors();
    }

    [[nodiscard]] std::string who(function_type& f) const { return label_ ? label_(f) : std::string(); }

    detail::trace_writer write_;
    labeller label_;
    detail::watched_handlers handlers_;
};

static_assert(pci::platform<traced<pci::platform_archetype>>);

}  // namespace devres::testing
