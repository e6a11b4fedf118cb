// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <devres/devres.hpp>

#include "registers.hpp"
#include "reports.hpp"

namespace switchtec {

/// A command on its way: shared by the user who waits for it and the endpoint that runs it, so that either may
/// go first.
struct mrpc_request {
    enum class phase { queued, running, done };

    std::uint32_t command = 0;
    std::size_t input_size = 0;
    std::size_t output_size = gas::mrpc::max_data;                 ///< how much of the output is wanted
    alignas(4) std::array<std::byte, gas::mrpc::max_data> data{};  ///< the input, later the output
    devres::result<mrpc_reply> outcome{};

    // Guarded by the endpoint's lock.
    phase state = phase::queued;
    bool abandoned = false;  ///< its user has stopped waiting
    std::shared_ptr<mrpc_request> next{};
};

/// Commands in the order they were submitted. It takes no memory, and no lock: that is the endpoint's.
class mrpc_queue {
public:
    void push(std::shared_ptr<mrpc_request> request) noexcept {
        auto& end = newest_ != nullptr ? newest_->next : oldest_;
        newest_ = request.get();
        end = std::move(request);
    }

    /// The oldest, or null.
    [[nodiscard]] std::shared_ptr<mrpc_request> pop() noexcept {
        std::shared_ptr<mrpc_request> first = std::move(oldest_);
        if (first != nullptr)
            oldest_ = std::move(first->next);
        if (oldest_ == nullptr)
            newest_ = nullptr;
        return first;
    }

    /// Takes a command out, if it is in the queue. The caller keeps it alive meanwhile.
    void remove(mrpc_request& request) noexcept {
        std::shared_ptr<mrpc_request>* link = &oldest_;
        mrpc_request* older = nullptr;
        while (*link != nullptr && link->get() != &request) {
            older = link->get();
            link = &older->next;
        }
        if (*link == nullptr)
            return;
        if (newest_ == &request)
            newest_ = older;
        *link = std::move(request.next);
    }

private:
    std::shared_ptr<mrpc_request> oldest_;
    mrpc_request* newest_ = nullptr;
};

}  // namespace switchtec
