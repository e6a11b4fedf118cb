// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <devres/devres.hpp>

#include "endpoint.hpp"

namespace switchtec {

/// Access to an endpoint for those who may outlive it, as a node in /dev: good for opening files.
template <class Endpoint>
using node = devres::revocable<Endpoint>;

/// A user's handle on an endpoint, which may outlive the device: from remove() on, every function answers `enodev`, and
/// those that wait do so at once. So it is while the device sleeps. One thread at a time uses a file; files do not
/// disturb each other.
template <class Endpoint>
class file {
public:
    using milliseconds = std::chrono::milliseconds;

    file(file&&) noexcept = default;
    file& operator=(file&& other) noexcept {
        if (this != &other) {
            close();
            device_ = std::move(other.device_);
            request_ = std::move(other.request_);
            seen_ = other.seen_;
            timeout_ = other.timeout_;
        }
        return *this;
    }
    ~file() { close(); }

    /// Submits a command; `read` gets the answer. `wanted` is how many bytes of output are of interest.
    /// @returns `einval` if input or output exceed 1024 bytes, `ebusy` if there is an answer to be read first,
    /// `enodev`.
    /// @throws std::bad_alloc
    result<> write(std::uint32_t command, std::span<const std::byte> input, std::size_t wanted = gas::mrpc::max_data) {
        if (input.size() > gas::mrpc::max_data || wanted > gas::mrpc::max_data)
            return fail(errc::einval);
        const auto device = device_.try_access();
        if (!device)
            return fail(errc::enodev);
        if (request_ != nullptr)
            return fail(errc::ebusy);
        auto request = std::make_shared<mrpc_request>();
        request->command = command;
        request->input_size = input.size();
        request->output_size = wanted;
        if (!input.empty())
            std::memcpy(request->data.data(), input.data(), input.size());
        DEVRES_TRY(device->submit(request));
        request_ = std::move(request);
        return {};
    }

    /// Waits for the answer to the command that was written, for `timeout` at most.
    /// @returns the answer, its output in `output` as far as it fits; `enodata` if no command was written,
    /// `etimedout` if there was no answer (it is not waited for any more: the next command can be written),
    /// `enxio` if the firmware gave the command up, `ebadmsg` if it answered nonsense, `enodev`.
    result<mrpc_reply> read(std::span<std::byte> output, milliseconds timeout) noexcept {
        const auto device = device_.try_access();
        if (!device)
            return fail(errc::enodev);
        if (request_ == nullptr)
            return fail(errc::enodata);
        auto reply = device->wait_for(*request_, clock::now() + timeout);
        if (reply) {
            reply->size = std::min(reply->size, output.size());
            if (reply->size != 0)
                std::memcpy(output.data(), request_->data.data(), reply->size);
        }
        request_.reset();
        return reply;
    }
    result<mrpc_reply> read(std::span<std::byte> output) noexcept { return read(output, timeout_); }

    /// `write` and `read` in one.
    result<mrpc_reply> command(std::uint32_t number, std::span<const std::byte> input, std::span<std::byte> output) {
        DEVRES_TRY(write(number, input, std::min(output.size(), gas::mrpc::max_data)));
        return read(output);
    }

    /// How long `read` and `command` wait where nothing else is said.
    void set_timeout(milliseconds timeout) noexcept { timeout_ = timeout; }

    /// What can be had without waiting.
    struct readiness {
        bool reply = false;
        bool event = false;
    };
    [[nodiscard]] result<readiness> poll() const noexcept {
        const auto device = device_.try_access();
        if (!device)
            return fail(errc::enodev);
        readiness out;
        if (request_ != nullptr) {
            DEVRES_TRY(out.reply, device->answered(*request_));
        }
        DEVRES_TRY(const occurrences now, device->happened());
        out.event = now != seen_;
        return out;
    }

    /// Waits for events and link changes since the last time, or since the file was opened.
    /// @returns how many there were; `etimedout` if none, `enodev`.
    result<occurrences> wait_for_event(milliseconds timeout) noexcept {
        const auto device = device_.try_access();
        if (!device)
            return fail(errc::enodev);
        DEVRES_TRY(const occurrences now, device->wait_beyond(seen_, clock::now() + timeout));
        const occurrences before = std::exchange(seen_, now);
        return occurrences{.events = now.events - before.events,
                           .link_changes = now.link_changes - before.link_changes};
    }

    /// The ioctls: see `endpoint`.
    [[nodiscard]] result<partition_info> partition() const noexcept {
        return with_device([](Endpoint& device) { return result<partition_info>(device.info()); });
    }
    [[nodiscard]] result<event_summary> summary() const noexcept {
        return with_device([](Endpoint& device) { return device.summary(); });
    }
    result<event_status> control(event what, unsigned instance, const event_control& change = {}) noexcept {
        return with_device([&](Endpoint& device) { return device.control(what, instance, change); });
    }

private:
    template <class E>
    friend result<file<E>> open(const node<E>& device) noexcept;

    file(const node<Endpoint>& device, const occurrences& seen) noexcept : device_(device), seen_(seen) {}

    template <class Use>
    [[nodiscard]] std::invoke_result_t<Use&, Endpoint&> with_device(Use use) const noexcept {
        const auto device = device_.try_access();
        if (!device)
            return fail(errc::enodev);
        DEVRES_TRY(device->happened());
        return use(*device);
    }

    void close() noexcept {
        if (request_ == nullptr)
            return;
        if (const auto device = device_.try_access())
            device->abandon(*request_);
        request_.reset();
    }

    node<Endpoint> device_;
    std::shared_ptr<mrpc_request> request_;
    occurrences seen_;
    milliseconds timeout_{500};
};

/// Opens a file. @returns `enodev` if the device is gone or going.
template <class Endpoint>
[[nodiscard]] result<file<Endpoint>> open(const node<Endpoint>& device) noexcept {
    const auto opened = device.try_access();
    if (!opened)
        return fail(errc::enodev);
    DEVRES_TRY(const occurrences so_far, opened->happened());
    return file<Endpoint>(device, so_far);
}

}  // namespace switchtec
