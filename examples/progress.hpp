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

#include "output_options.hpp"

namespace examples {

/// Says what is being done from the first second on: on a terminal with the time, and erased when it is done; elsewhere in one
/// line.
class progress {
public:
    /// Nobody else writes there while this lives.
    [[nodiscard]] progress(progress_options where, std::string what) : where_(where), what_(std::move(what)) {
        if (where_.to != nullptr)
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
            if (!where_.terminal) {
                *where_.to << what_ << std::endl;
                return;
            }
            const std::string text = what_.substr(0, most) + ": " + std::to_string(seconds) + " s";
            width = text.size();
            *where_.to << '\r' << text << std::flush;
        }
        if (width != 0)
            *where_.to << '\r' << std::string(width, ' ') << '\r' << std::flush;
    }

    progress_options where_;
    std::string what_;
    std::jthread clock_;  // last: it ends first
};

}  // namespace examples
