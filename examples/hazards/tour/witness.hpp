// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hazards/tour/event_text.hpp"
#include "rocker/model.hpp"

namespace hazards {

/// A machine with a rocker, and what is written down of a driver on it.
class witness {
public:
    explicit witness(const lm::kernel_version& version) : kernel_(version) {}
    witness(const witness&) = delete;
    witness& operator=(const witness&) = delete;

    [[nodiscard]] lm::kernel& kernel() noexcept { return kernel_; }

    /// What follows happens in `phase`.
    void enter(std::string_view phase) { phase_ = phase; }

    /// A step of the driver, which answers what a C function does.
    int step(const std::string& call, const std::function<int(lm::pci_dev&)>& act) {
        add_line(steps, step_phase_, phase_, call);
        const int answer = act(dev_);
        hear();
        return answer;
    }
    /// A step that the model has no part in, and which says something of what goes.
    void step(const std::string& call, std::string_view verb = "", std::string_view what = "") {
        add_line(steps, step_phase_, phase_, call);
        if (!verb.empty())
            record(verb, what);
    }
    void record(std::string_view verb, std::string_view what) { add(event_text::line(verb, what)); }

    /// The device interrupts with a vector. @returns whether a handler was called
    bool interrupt(unsigned vector) {
        const unsigned before = calls_;
        dev_.hardware.raise(vector);
        return calls_ != before;
    }
    /// For handlers.
    void called() noexcept { ++calls_; }

    /// What the kernel did, as far as it is not in `events` yet. After a probe that failed it is devres's doing.
    void hear() {
        const auto log = kernel_.log().take_events();
        const auto failed = std::ranges::find_if(
            log, [](const lm::event& each) { return each.kind == lm::event_kind::probe && each.value < 0; });
        const auto split = failed == log.end() ? failed : std::next(failed);
        for (std::string& line : text_.lines({log.begin(), split}))
            add(std::move(line));
        if (failed != log.end())
            enter("devres");
        for (std::string& line : text_.lines({split, log.end()}))
            add(std::move(line));
    }

    [[nodiscard]] lm::pci_dev& dev() noexcept { return dev_; }
    [[nodiscard]] unsigned vectors_live() {
        unsigned live = 0;
        for (const int irq : irqs)
            live += kernel_.find_irq(irq) != nullptr ? 1U : 0U;
        return live;
    }

    std::vector<phase_line> steps;
    std::vector<phase_line> events;
    std::vector<int> irqs;  ///< that the driver found

private:
    void add(std::string line) { add_line(events, event_phase_, phase_, std::move(line)); }

    rocker::model rocker_;
    lm::kernel kernel_;
    lm::pci_dev& dev_ = kernel_.add(rocker::config(rocker_));
    event_text text_;
    std::string phase_ = "probe";
    std::string step_phase_;
    std::string event_phase_;
    unsigned calls_ = 0;
};

}  // namespace hazards
