// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hazards/tour/text.hpp"

namespace hazards {

/// Events of the model as lines, for people: a verb, and what it is about. What happens to one vector after the other
/// is one line. Of the release list, only what decides who frees the vectors has a line.
///
/// Handlers are known by the order in which they are requested after an allocation: the first is on vector 0. So one
/// object is used for all events of a function.
class event_text {
public:
    [[nodiscard]] std::vector<std::string> lines(std::span<const lm::event> events) {
        out_.clear();
        for (const lm::event& each : events)
            add(each);
        end_run();
        return std::move(out_);
    }

    /// A line of the same kind, for what the model does not know of.
    [[nodiscard]] static std::string line(std::string_view verb, std::string_view what) {
        constexpr std::size_t width = std::string_view("request_irq").size() + 2;
        return std::string(verb).append(width - verb.size(), ' ').append(what);
    }

private:
    void add(const lm::event& of) {
        using enum lm::event_kind;
        switch (of.kind) {
        case request:
            if (of.value == 0)
                vectors_[of.dev_id] = requested_++;
            on_vector("request_irq", of, of.value == 0 ? "" : ": " + answer_named(of.value));
            return;
        case free_irq: on_vector("free_irq", of, of.value != 0 ? "" : ": there is no such handler"); return;
        case fire: on_vector("interrupt", of, of.value != 0 ? ": handled" : ": lost, no handler is called"); return;
        case warning: add_warning(of); return;
        case add:
            if (of.text.starts_with("grp"))
                say("group", of.text == "grp<" ? "opened" : "closed");
            else if (of.text == "pcim_msi_release")
                say("devres gets", of.text);
            return;
        case release:
            if (of.text == "grp<")
                say("group", "released");
            else if (of.text == "pcim_msi_release" || of.text == "msi_device_data_release")
                say("release", of.text);
            return;
        case alloc:
            requested_ = 0;
            say("allocate", of.value > 0 ? counted(static_cast<unsigned>(of.value), "vector") : answer_named(of.value));
            return;
        case free: say("free", counted(static_cast<unsigned>(of.value), "vector")); return;
        case probe: say("probe says", answer_named(of.value)); return;
        case message: say("log", of.text); return;
        case oops: say("the kernel", "stops in " + of.text); return;
        case bind:
        case unbind:
        case unbound:
        case remove:
        case state: return;
        }
    }

    void add_warning(const lm::event& of) {
        if (of.warning == lm::warning_kind::rpe && !warned_.empty()) {
            ++more_;
            return;
        }
        constexpr std::string_view prefix = "WARNING ";
        end_run();
        out_.push_back((of.text.starts_with(prefix) ? "" : "WARNING ") + of.text);
        if (of.warning == lm::warning_kind::rpe)
            warned_ = of.text;
    }

    void say(std::string_view verb, std::string_view what) {
        end_run();
        out_.push_back(line(verb, what));
    }

    void on_vector(std::string_view verb, const lm::event& of, std::string how) {
        if (run_.empty() || verb_ != verb || how_ != how) {
            end_run();
            verb_ = verb;
            how_ = std::move(how);
        }
        run_.push_back(vectors_[of.dev_id]);
    }

    void end_run() {
        if (!run_.empty())
            out_.push_back(line(verb_, vectors_named(run_) + how_));
        if (more_ != 0)
            out_.push_back(line("", "(and " + std::to_string(more_) + " more of these)"));
        run_.clear();
        warned_.clear();
        more_ = 0;
    }

    std::vector<std::string> out_;
    std::map<const void*, unsigned> vectors_;  // by what their handlers are called with
    unsigned requested_ = 0;
    std::string_view verb_;  // these three: a line that may go on
    std::string how_;
    std::vector<unsigned> run_;
    std::string warned_;  // these two: warnings that are alike
    unsigned more_ = 0;
};

}  // namespace hazards
