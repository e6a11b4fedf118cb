// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include <devres/devres.hpp>

#include "commands.hpp"
#include "registers.hpp"

namespace nvme {

/// A queue as a simulated controller knows it.
struct device_ring {
    std::uint64_t base = 0;
    std::uint32_t entries = 0;
    std::uint32_t head = 0;
    std::uint32_t tail = 0;

    [[nodiscard]] bool empty() const noexcept { return head == tail; }
    [[nodiscard]] bool full() const noexcept { return (tail + 1) % entries == head; }
    [[nodiscard]] std::uint32_t waiting() const noexcept { return (tail + entries - head) % entries; }
    [[nodiscard]] devres::pci::bus_address entry(std::uint32_t index, std::size_t size) const noexcept {
        return devres::pci::bus_address{base + index * size};
    }
};
struct device_submission_queue : device_ring {
    queue_id completes_to{};
};
struct device_completion_queue : device_ring {
    unsigned vector = 0;
    bool interrupts = false;
    bool phase = true;
};

/// The queues of a simulated controller: which there are, and the commands and doorbells that are about them.
class device_queues {
public:
    device_queues(unsigned max_queues, std::uint32_t max_entries, unsigned vectors)
        : max_queues_(max_queues), max_entries_(max_entries), vectors_(vectors) {}

    [[nodiscard]] std::map<queue_id, device_submission_queue>& submissions() noexcept { return submissions_; }
    [[nodiscard]] const std::map<queue_id, device_submission_queue>& submissions() const noexcept {
        return submissions_;
    }
    [[nodiscard]] std::map<queue_id, device_completion_queue>& completions() noexcept { return completions_; }
    [[nodiscard]] const std::map<queue_id, device_completion_queue>& completions() const noexcept {
        return completions_;
    }

    /// The admin queue, from registers. As with QEMU's controllers, it interrupts only if vectors are on when it is
    /// made.
    /// @returns false if there can be none like that
    bool start(std::uint32_t attributes, std::uint64_t submissions, std::uint64_t completions, bool vectors_are_on) {
        const std::uint32_t submission_entries = (attributes & 0xfffU) + 1;
        const std::uint32_t completion_entries = (attributes >> 16U & 0xfffU) + 1;
        for (const std::uint64_t base : {submissions, completions}) {
            if (base == 0 || base % page_size != 0)
                return false;
        }
        if (submission_entries < 2 || completion_entries < 2)
            return false;
        submissions_[queue_id::admin] = {{submissions, submission_entries}, queue_id::admin};
        completions_[queue_id::admin] = {{completions, completion_entries}, 0, vectors_are_on};
        return true;
    }
    void stop() {
        submissions_.clear();
        completions_.clear();
        made_ = false;
    }

    /// A doorbell rings, `offset` bytes behind the first. @returns false if there is no such queue, or no such entry
    bool ring(std::size_t offset, std::size_t stride, std::uint32_t value) {
        const auto id = static_cast<queue_id>(offset / (2 * stride));
        const auto set = [&](auto& queues, auto end) {
            const auto found = queues.find(id);
            if (offset % stride != 0 || found == queues.end() || value >= found->second.entries)
                return false;
            found->second.*end = value;
            return true;
        };
        return offset / stride % 2 == 0 ? set(submissions_, &device_submission_queue::tail)
                                        : set(completions_, &device_completion_queue::head);
    }

    /// Set Features, Number of Queues. The result is set if it is granted.
    status set_count(const command& what, std::uint32_t& result) const {
        const std::uint32_t wanted = what.cdw10[1];
        if (made_)
            return status::command_sequence_error;
        if ((wanted & 0xffffU) == 0xffffU || wanted >> 16U == 0xffffU)
            return status::invalid_field;
        const auto granted = [&](std::uint32_t count) { return count < max_queues_ - 1 ? count : max_queues_ - 1; };
        result = granted(wanted >> 16U) << 16U | granted(wanted & 0xffffU);
        return status::success;
    }

    status create_completion_queue(const command& what) {
        if (const status checked = check_new_queue(completions_, what); checked != status::success)
            return checked;
        const unsigned vector = what.cdw10[1] >> 16U;
        if (vector >= vectors_)
            return status::invalid_interrupt_vector;
        completions_[id_in(what)] = {
            {what.prp1, entries_in(what)}, vector, (what.cdw10[1] & commands::with_interrupt) != 0};
        made_ = true;
        return status::success;
    }

    status create_submission_queue(const command& what) {
        const auto completes_to = static_cast<queue_id>(what.cdw10[1] >> 16U);
        if (completes_to == queue_id::admin || !completions_.contains(completes_to))
            return status::invalid_completion_queue;
        if (const status checked = check_new_queue(submissions_, what); checked != status::success)
            return checked;
        submissions_[id_in(what)] = {{what.prp1, entries_in(what)}, completes_to};
        return status::success;
    }

    status delete_completion_queue(const command& what) {
        const queue_id id = id_in(what);
        if (id == queue_id::admin || !completions_.contains(id))
            return status::invalid_queue_identifier;
        for (const auto& [other, queue] : submissions_) {
            if (queue.completes_to == id)
                return status::invalid_queue_deletion;
        }
        completions_.erase(id);
        return status::success;
    }

    /// Commands that are still in it are gone with it.
    status delete_submission_queue(const command& what) {
        const queue_id id = id_in(what);
        return id == queue_id::admin || submissions_.erase(id) == 0 ? status::invalid_queue_identifier
                                                                    : status::success;
    }

private:
    static queue_id id_in(const command& what) noexcept { return static_cast<queue_id>(what.cdw10[0] & 0xffffU); }
    static std::uint32_t entries_in(const command& what) noexcept { return (what.cdw10[0] >> 16U) + 1; }

    /// What both kinds of queue have to be. @returns success if it may be made
    template <class Queues>
    [[nodiscard]] status check_new_queue(const Queues& queues, const command& what) const {
        const queue_id id = id_in(what);
        if (id == queue_id::admin || static_cast<unsigned>(id) > max_queues_ || queues.contains(id))
            return status::invalid_queue_identifier;
        if (entries_in(what) < 2 || entries_in(what) > max_entries_)
            return status::invalid_queue_size;
        if ((what.cdw10[1] & commands::contiguous) == 0)
            return status::invalid_field;
        return what.prp1 == 0 || what.prp1 % page_size != 0 ? status::invalid_prp_offset : status::success;
    }

    unsigned max_queues_;
    std::uint32_t max_entries_;
    unsigned vectors_;
    std::map<queue_id, device_submission_queue> submissions_;
    std::map<queue_id, device_completion_queue> completions_;
    bool made_ = false;  // one of the I/O queues, since the controller was started
};

}  // namespace nvme
