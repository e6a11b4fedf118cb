// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <ostream>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace examples {

/// Says on a terminal what is being done and for how long, from the first second on, and erases that when it
/// is done.
class progress {
public:
    /// `terminal` may be null, then nothing is said. Nobody else writes on it while this lives.
    [[nodiscard]] progress(std::ostream* terminal, std::string what) : terminal_(terminal), what_(std::move(what)) {
        if (terminal_ != nullptr)
            clock_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

private:
    void run(const std::stop_token& stop) const {
        constexpr std::size_t most = 70;  // a line that wraps could not be erased
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any never;
        std::size_t width = 0;
        for (unsigned seconds = 1;; ++seconds) {
            never.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
            if (stop.stop_requested())
                break;
            const std::string text = what_.substr(0, most) + ": " + std::to_string(seconds) + " s";
            width = text.size();
            *terminal_ << '\r' << text << std::flush;
        }
        if (width != 0)
            *terminal_ << '\r' << std::string(width, ' ') << '\r' << std::flush;
    }

    std::ostream* terminal_;
    std::string what_;
    std::jthread clock_;  // last: it ends first
};

}  // namespace examples
