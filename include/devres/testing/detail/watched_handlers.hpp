// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include <devres/core/detail/errno_guard.hpp>
#include <devres/pci/platform.hpp>
#include <devres/testing/trace.hpp>

namespace devres::testing::detail {

/// A sink that is called for one entry at a time, and that errno survives.
class trace_writer {
public:
    explicit trace_writer(trace_sink sink) : sink_(std::move(sink)) {}

    void operator()(const trace_entry& entry) noexcept {
        const devres::detail::errno_guard keep;
        const std::lock_guard lock(mutex_);
        sink_(entry);
    }

private:
    trace_sink sink_;
    std::mutex mutex_;
};

[[nodiscard]] inline std::string numbered(const char* name, unsigned number) {
    return std::string(name) + ' ' + std::to_string(number);
}
[[nodiscard]] inline std::string counted(std::uint64_t count, const char* what) {
    return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}
[[nodiscard]] inline std::string quoted(const char* name) {
    return name == nullptr ? std::string() : '"' + std::string(name) + '"';
}

class watched_handler;

/// One watched handler that this thread is running, and the one it interrupted.
struct watched_frame {
    watched_handler* handler;
    watched_frame* outer;
};

inline constinit thread_local watched_frame* running_watched = nullptr;

/// A handler that is registered in the place of a driver's: it calls that one and says what came of it.
class watched_handler {
public:
    static constexpr std::uint64_t shown_interrupts = 3;

    const void* const function;
    const unsigned vector;
    pci::handler_id id = pci::handler_id::none;
    bool unmanaged = false;

    watched_handler(trace_writer& write, std::string who, const void* of, unsigned index, const pci::irq_action& driver)
        : function(of), vector(index), write_(write), who_(std::move(who)), driver_(driver),
          name_(quoted(driver.name)) {}

    [[nodiscard]] pci::irq_action action() noexcept {
        return {.entry = &deliver,
                .context = this,
                .name = driver_.name,
                .keeps_off_bars = driver_.keeps_off_bars,
                .disabled = driver_.disabled};
    }

    /// The handler of function `of` that this thread is inside, as `writer` watches it; null if there is none.
    [[nodiscard]] static watched_handler* running_here(const trace_writer& writer, const void* of) noexcept {
        const watched_frame* frame = running_watched;
        while (frame != nullptr && &frame->handler->write_ != &writer)  // there may be a trace of a trace
            frame = frame->outer;
        return frame != nullptr && frame->handler->function == of ? frame->handler : nullptr;
    }

    /// Says, once for each BAR, that the handler uses one which it is said to keep off.
    void uses_bar(unsigned bar, const char* does) noexcept {
        const unsigned bit = 1U << bar;
        if ((driver_.keeps_off_bars & bit) != 0 && (told_kept_off_.fetch_or(bit, std::memory_order_relaxed) & bit) == 0)
            write_(
                {.who = who_,
                 .step = trace_step::violation,
                 .detail = "handler " + name_ + ' ' + does + ' ' + numbered("BAR", bar) +
                           ", which its driver's table says it keeps off: take the BAR out of irq_handler.without, or "
                           "out of the handler"});
    }

    /// Says how many interrupts the handler had, if that has not been shown one by one.
    void tell_interrupts() const noexcept {
        if (handled_ > shown_interrupts || passed_ > shown_interrupts)
            tell(trace_step::interrupts, trace_owner::none,
                 counted(handled_ + passed_, "interrupt") + ", " + std::to_string(handled_) + " handled");
    }
    /// Says that the handler is no longer registered, because its vectors were freed.
    void tell_end_with_vectors() const noexcept {
        tell_interrupts();
        tell(trace_step::ended, unmanaged ? trace_owner::unmanaged : trace_owner::none, {});
    }

private:
    static pci::irq_return deliver(void* context, pci::vector_index index) noexcept {
        auto& self = *static_cast<watched_handler*>(context);
        watched_frame frame{&self, running_watched};
        running_watched = &frame;
        const pci::irq_return answer = self.driver_.entry(self.driver_.context, index);
        running_watched = frame.outer;
        const bool handled = answer == pci::irq_return::handled;
        if (++(handled ? self.handled_ : self.passed_) <= shown_interrupts)
            self.tell(trace_step::interrupt, trace_owner::none, handled ? "handled" : "none");
        return answer;
    }

    void tell(trace_step step, trace_owner owner, const std::string& rest) const noexcept {
        write_({.who = who_,
                .step = step,
                .resource = numbered("irq_handler", vector),
                .owner = owner,
                .detail = name_ + (name_.empty() || rest.empty() ? "" : " ") + rest});
    }

    trace_writer& write_;
    std::string who_;
    pci::irq_action driver_;
    std::string name_;
    std::atomic<std::uint64_t> handled_ = 0;
    std::atomic<std::uint64_t> passed_ = 0;  // of which it said none
    std::atomic<unsigned> told_kept_off_ = 0;
};

/// The handlers that are registered, of each function by themselves, oldest first. They stay at their addresses.
class watched_handlers {
public:
    using handlers = std::list<watched_handler>;

    /// One handler; its id is known. @throws std::bad_alloc, and it is not added
    void add(handlers&& one) {
        const std::lock_guard lock(mutex_);
        const auto added = one.begin();
        of_function& function = functions_[added->function];
        function.by_id.emplace(added->id, added);
        function.all.splice(function.all.end(), one);
    }

    /// Takes out a handler of a function's, and gives it to the caller; nothing if there is no such handler.
    [[nodiscard]] handlers take(const void* function, pci::handler_id id) noexcept {
        const std::lock_guard lock(mutex_);
        handlers taken;
        const auto found = functions_.find(function);
        if (found == functions_.end())
            return taken;
        if (const auto handler = found->second.by_id.find(id); handler != found->second.by_id.end())
            found->second.move(handler->second, taken, taken.end());
        return taken;
    }

    /// Takes out the handlers of a function's that are not `registered(id)`, newest first.
    template <class Registered>
    [[nodiscard]] handlers take_ended(const void* function, Registered registered) noexcept {
        const std::lock_guard lock(mutex_);
        handlers taken;
        const auto found = functions_.find(function);
        if (found == functions_.end())
            return taken;
        for (auto next = found->second.all.begin(); next != found->second.all.end();) {
            const auto handler = next++;
            if (!registered(handler->id))
                found->second.move(handler, taken, taken.begin());
        }
        return taken;
    }

    /// The driver itself owns the youngest handler on a vector of the function's.
    void is_drivers(const void* function, unsigned vector) noexcept {
        const std::lock_guard lock(mutex_);
        const auto found = functions_.find(function);
        if (found == functions_.end())
            return;
        handlers& all = found->second.all;
        const auto youngest = std::find_if(all.rbegin(), all.rend(),
                                           [&](const watched_handler& handler) { return handler.vector == vector; });
        if (youngest != all.rend())
            youngest->unmanaged = true;
    }

private:
    struct of_function {
        handlers all;
        std::unordered_map<pci::handler_id, handlers::iterator> by_id;

        void move(handlers::iterator handler, handlers& to, handlers::iterator before) noexcept {
            by_id.erase(handler->id);
            to.splice(before, all, handler);
        }
    };

    std::mutex mutex_;
    std::unordered_map<const void*, of_function> functions_;
};

}  // namespace devres::testing::detail
