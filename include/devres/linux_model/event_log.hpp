// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <devres/core/detail/stop.hpp>

namespace devres::linux_model {

/// What the kernel did.
enum class event_kind {
    bind,      ///< a driver: `text` is its name
    probe,     ///< returned `value`
    unbind,    ///< remove() begins
    unbound,   ///< everything is released
    add,       ///< a node of the release list: `text` is its name
    remove,    ///< a node is taken off the list, its release function not called by the list
    release,   ///< a node is taken off the list and released
    alloc,     ///< an allocation of vectors answered `value`
    free,      ///< `value` vectors are taken down
    request,   ///< of a handler with `dev_id`: answered `value`
    free_irq,  ///< of the handler with `dev_id`: `value` is 1, or 0 if there was none
    warning,   ///< a WARNING: `warning` and `text`
    message,   ///< a line of the kernel's log that is no warning
    oops,      ///< the kernel stopped, in the function `text`
    fire,      ///< (by a program that is replayed) a vector was fired: `value` calls of the handler with `dev_id`
    state,     ///< (by a program that is replayed) the state was asked for, the `value`th time
};

/// Which warning.
enum class warning_kind {
    rpe,               ///< remove_proc_entry: a vector goes, and a handler is on it
    msi_data,          ///< the MSI data goes, and vectors are in it
    double_enable,     ///< MSI or MSI-X is enabled already
    already_free,      ///< free_irq of a handler that is not there
    already_disabled,  ///< one pci_disable_device too many
    irq_domain,        ///< an interrupt domain goes, and vectors are in it
    devres_warn,       ///< no such node, action or group
    msi_shutdown,      ///< MSI is enabled, and there is no descriptor of it
    other,
};

/// As it is written above.
[[nodiscard]] constexpr std::string_view name_of(warning_kind kind) noexcept {
    constexpr std::string_view names[] = {"rpe",          "msi_data",         "double_enable",
                                          "already_free", "already_disabled", "irq_domain",
                                          "devres_warn",  "msi_shutdown",     "other"};
    return names[static_cast<unsigned>(kind)];
}

/// As it is written above.
[[nodiscard]] constexpr std::string_view name_of(event_kind kind) noexcept {
    constexpr std::string_view names[] = {"bind",    "probe", "unbind", "unbound", "add",      "remove",
                                          "release", "alloc", "free",   "request", "free_irq", "warning",
                                          "message", "oops",  "fire",   "state"};
    return names[static_cast<unsigned>(kind)];
}

/// One thing that happened; which members mean something is said at `event_kind`.
struct event {
    event_kind kind{};                           ///< what happened
    warning_kind warning = warning_kind::other;  ///< which, of a warning
    int value = 0;                               ///< a number: of vectors, of an interrupt
    const void* dev_id = nullptr;                ///< of a handler
    std::string text{};                          ///< a name, or the kernel's own words
};

/// The kernel stopped: it would have dereferenced a null pointer, run into a BUG, or waited for itself for ever.
class oops : public std::exception {
public:
    /// Stopped in that function of the kernel.
    explicit oops(std::string function) : function_(std::move(function)) {}
    /// The function.
    [[nodiscard]] const char* what() const noexcept override { return function_.c_str(); }

private:
    std::string function_;  // in which it stopped
};

/// What happened since the beginning, in order, and which of the warnings that come once have come.
class event_log {
public:
    /// Writes down what happened.
    /// @{
    void add(event what) { events_.push_back(std::move(what)); }
    void add(event_kind kind, int value, const void* dev_id = nullptr) {
        add({.kind = kind, .value = value, .dev_id = dev_id});
    }
    void add(event_kind kind, std::string text) { add({.kind = kind, .text = std::move(text)}); }
    /// @}

    /// Writes down a warning, with the kernel's text.
    void warn(warning_kind kind, std::string text) {
        add({.kind = event_kind::warning, .warning = kind, .text = std::move(text)});
    }

    /// Says that the kernel warns in `function`, which has no text for it.
    void warn_in(warning_kind kind, const char* function) { warn(kind, std::string("WARNING in ") + function); }
    /// Likewise, but only the first time in that function.
    void warn_once_in(warning_kind kind, const char* function) {
        if (first(function))
            warn_in(kind, function);
    }

    /// Whether it is the first time that this is asked, for a place in the kernel that warns once.
    [[nodiscard]] bool first(std::string_view place) {
        for (const std::string_view seen : warned_) {
            if (seen == place)
                return false;
        }
        warned_.push_back(place);
        return true;
    }

    /// Stops the kernel. @throws oops; a program without exceptions ends
    [[noreturn]] void stop(std::string function) {
        add(event_kind::oops, function);
        stopped_ = true;
#ifdef __cpp_exceptions
        throw oops(std::move(function));
#else
        devres::detail::stop(("the kernel stopped in " + function).c_str());
#endif
    }

    /// Whether the kernel stopped. Nothing that it is asked for from then on is done.
    [[nodiscard]] bool stopped() const noexcept { return stopped_; }

    [[nodiscard]] const std::vector<event>& events() const noexcept { return events_; }  ///< in order
    /// As `events`, which are forgotten.
    std::vector<event> take_events() { return std::exchange(events_, {}); }

private:
    std::vector<event> events_;
    std::vector<std::string_view> warned_;
    bool stopped_ = false;
};

}  // namespace devres::linux_model
