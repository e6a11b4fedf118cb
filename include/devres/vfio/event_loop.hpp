// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include <pthread.h>
#include <signal.h>

#include <devres/pci/platform.hpp>
#include <devres/vfio/event_source.hpp>
#include <devres/vfio/system.hpp>
#include <devres/vfio/timed_work.hpp>

namespace devres::vfio {

/// Calls functions when eventfds are signalled: on a thread of its own, or on whichever thread polls.
///
/// An eventfd is waited for edge by edge and never read, so an event costs its share of one `epoll_wait`, and then one
/// indirect call. Signals that come while a function runs are one more call of it, and so are those that come while a
/// source is not armed, when it is. Functions are called one at a time.
///
/// Nothing on the way from an event to its function allocates, takes a lock, or makes a system call.
///
/// Between events it calls work that is due; how long it waits for events is how long the next piece of work can wait.
template <class System>
class event_loop {
public:
    /// A loop without sources, and without a thread until it is started.
    explicit event_loop(const System& system) noexcept : system_(system) {}
    event_loop(const event_loop&) = delete;
    event_loop& operator=(const event_loop&) = delete;
    ~event_loop() { stop(); }

    /// Makes what the loop waits with. @returns the system's error, and it may be tried again
    result<> open() noexcept {
        if (epoll_)
            return {};
        DEVRES_TRY(const int epoll_fd, detail::checked(system_.make_epoll()));
        detail::file<System> epoll(system_, epoll_fd);
        DEVRES_TRY(const int waker_fd, detail::checked(system_.make_eventfd()));
        detail::file<System> waker(system_, waker_fd);
        DEVRES_TRY(watch(epoll.get(), waker.get(), waker_source_));
        epoll_ = std::move(epoll);
        waker_ = std::move(waker);
        return {};
    }

    /// Waits on a thread from now on; all signals are blocked on it. @returns `eagain` if there can be no thread
    result<> start() noexcept {
        if (thread_.joinable())
            return {};
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        const auto run = [this] {
            dispatcher_.store(std::this_thread::get_id());
            while (!stopping_.load())
                (void)round(-1);
        };
        result<> started;
        stopping_.store(false);
#ifdef __cpp_exceptions
        try {
            thread_ = std::thread(run);
        } catch (const std::system_error&) {
            started = fail(errc::eagain);
        }
#else
        thread_ = std::thread(run);  // which ends the program if there is none to be had
#endif
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return started;
    }

    /// Ends the thread. Not from one of the loop's functions.
    void stop() noexcept {
        if (!thread_.joinable())
            return;
        stopping_.store(true);
        wake();
        thread_.join();
        dispatcher_.store({});
    }

    /// Waits for at most `timeout` milliseconds, -1 without end, and calls what is to be called, on this thread.
    /// @returns how many functions were called; `ebusy` if another thread waits, `edeadlk` inside a function of the loop
    [[nodiscard]] result<unsigned> poll(int timeout) noexcept {
        std::thread::id nobody;
        if (!dispatcher_.compare_exchange_strong(nobody, std::this_thread::get_id()))
            return fail(nobody == std::this_thread::get_id() ? errc::edeadlk : errc::ebusy);
        const auto called = round(timeout);
        dispatcher_.store({});
        return called;
    }

    /// Adds an eventfd; its signals are held until the source is armed. Sources are added and removed on one thread at
    /// a time.
    /// @returns the system's error, and the source is as before
    result<> add(event_source& source, int fd) noexcept {
        DEVRES_TRY(watch(epoll_.get(), fd, source));
        source.fd = fd;
        return {};
    }
    /// Takes it out again. It must not be armed; its memory is needed until `retire` says otherwise.
    void remove(event_source& source) noexcept {
        (void)system_.epoll_control(epoll_.get(), EPOLL_CTL_DEL, source.fd, nullptr);
        source.fd = -1;
    }

    /// Has `entry(context, source.index)` called for each signal from now on, and once for those that were held.
    /// @returns whether there were any
    bool arm(event_source& source, pci::irq_entry entry, void* context) noexcept {
        prepare(source, entry, context);
        return rearm(source);
    }
    /// What `rearm` is to have called; it is neither armed nor running.
    static void prepare(event_source& source, pci::irq_entry entry, void* context) noexcept {
        source.entry = entry;
        source.context = context;
    }
    /// The same, with the function that it had.
    bool rearm(event_source& source) noexcept {
        source.armed.store(true);
        if (!source.held.exchange(false))
            return false;
        (void)was_signalled(source);  // a full counter could not be written to
        const devres::detail::errno_guard keep;
        (void)::eventfd_write(source.fd, 1);
        return true;
    }
    /// Returns when the function is not running, and will not be called again; signals are held from now on. Inside the
    /// function itself it does not wait.
    void disarm(event_source& source) noexcept {
        source.armed.store(false);
        wait_for(source);
    }
    /// Forgets signals that were not taken. The source is not armed, and nobody signals it.
    void forget(event_source& source) noexcept {
        (void)was_signalled(source);
        source.since.store(rounds_.load());
        wait_for(source);
        source.held.store(false);
    }
    /// Returns when no call of the function that had begun is running; at once inside a function of the loop.
    void wait_for(const event_source& source) noexcept {
        if (is_dispatcher())
            return;
        const event_source* running = running_.load();
        while (!running_.compare_exchange_weak(running, running)) {
        }  // what is looked at later sees what was written before
        const std::uint64_t round = rounds_.load();
        while (running_.load() == &source && rounds_.load() == round)
            std::this_thread::yield();
    }

    /// Whether this thread is inside a function of the loop: this source's; one of this owner's.
    [[nodiscard]] bool inside(const event_source& source) const noexcept {
        return is_dispatcher() && running_.load() == &source;
    }
    /// Whether this thread is inside a function of one of the owner's sources.
    [[nodiscard]] bool inside_one_of(const void* owner) const noexcept {
        if (!is_dispatcher())
            return false;
        const event_source* const running = running_.load();
        return running != nullptr && running->owner == owner;
    }

    /// Frees sources that were removed when the loop has let go of them.
    void retire(std::unique_ptr<event_sources> sources) noexcept {
        const std::scoped_lock hold(retired_lock_);
        sources->round = rounds_.load();
        if (sources->round % 2 == 0)
            return;  // nothing is going on
        sources->next = std::move(retired_);
        retired_ = std::move(sources);
        any_retired_.store(true);
    }

    /// Work that is called in the loop, as a platform's primitives have it: `pci::platform_archetype`. Of work that nobody polls
    /// for, what is flushed is called on the thread that flushes.
    /// @{
    result<pci::work_id> add_work(const void* owner, const pci::work_action& action) noexcept {
        return work_.add(owner, action);
    }
    result<bool> schedule_work(pci::work_id id, std::uint64_t nanoseconds, bool again) noexcept;
    result<bool> cancel_work(pci::work_id id, bool wait) noexcept;
    result<bool> flush_work(pci::work_id id) noexcept;
    result<> remove_work(pci::work_id id) noexcept;
    /// @}
    /// Returns when no work of the owner's is running that had begun.
    void wait_for_work_of(const void* owner) noexcept;
    /// How many pieces of work of the owner's there are.
    [[nodiscard]] unsigned count_work_of(const void* owner) const noexcept { return work_.count_of(owner); }

    /// Makes a wait return.
    void wake() noexcept {
        if (waker_) {
            const devres::detail::errno_guard keep;
            (void)::eventfd_write(waker_.get(), 1);
        }
    }

private:
    static constexpr int batch = 64;

    result<> watch(int epoll, int fd, event_source& source) noexcept {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET;
        event.data.ptr = &source;
        DEVRES_TRY(detail::checked(system_.epoll_control(epoll, EPOLL_CTL_ADD, fd, &event)));
        return {};
    }

    [[nodiscard]] bool is_dispatcher() const noexcept { return dispatcher_.load() == std::this_thread::get_id(); }

    /// Whether the eventfd was signalled since it was last asked.
    static bool was_signalled(const event_source& source) noexcept {
        const devres::detail::errno_guard keep;
        eventfd_t count = 0;
        return ::eventfd_read(source.fd, &count) == 0;
    }

    unsigned call_work(std::uint64_t time) noexcept;

    /// A round: rounds_ is odd while it goes on.
    unsigned round(int timeout) noexcept {
        const std::uint64_t number = rounds_.load(std::memory_order_relaxed) + 1;
        rounds_.store(number);
        if (any_retired_.load(std::memory_order_relaxed)) [[unlikely]]
            free_retired(number);
        const int count = system_.epoll_wait(epoll_.get(), events_, batch, work_.at_most(timeout));
        unsigned called = 0;
        for (int i = 0; i < count; ++i) {
            auto* const source = static_cast<event_source*>(events_[i].data.ptr);
            (void)running_.exchange(source);
            // Its past was forgotten after the wait began: what woke the wait may be a part of that.
            if (source->since.load() == number && !was_signalled(*source)) [[unlikely]]
                continue;
            if (!source->armed.load()) [[unlikely]] {
                source->held.store(true);
                if (!source->armed.load() ||
                    !source->held.exchange(false))  // else it was armed just now, and did not see it
                    continue;
            }
            (void)source->entry(source->context, source->index);
            ++called;
        }
        if (work_.any_due()) [[unlikely]]
            called += call_work(timed_work::now());
        running_.store(nullptr, std::memory_order_release);
        rounds_.store(number + 1, std::memory_order_release);
        return called;
    }

    void free_retired(std::uint64_t round) noexcept {
        const std::scoped_lock hold(retired_lock_);
        std::unique_ptr<event_sources>* link = &retired_;
        while (*link != nullptr) {
            if ((*link)->round == round)
                link = &(*link)->next;
            else
                *link = std::move((*link)->next);
        }
        any_retired_.store(retired_ != nullptr);
    }

    [[no_unique_address]] System system_;
    detail::file<System> epoll_;
    detail::file<System> waker_;
    event_source waker_source_;  // never armed
    std::atomic<bool> stopping_{false};
    std::atomic<std::thread::id> dispatcher_{};
    std::atomic<const event_source*> running_{nullptr};  // while there is a dispatcher: what it looks at
    std::atomic<std::uint64_t> rounds_{0};
    std::atomic<bool> any_retired_{false};
    timed_work work_;
    std::mutex retired_lock_;
    std::unique_ptr<event_sources> retired_;
    epoll_event events_[batch]{};
    std::thread thread_;
};

}  // namespace devres::vfio

#include <devres/vfio/detail/loop_work.hpp>
