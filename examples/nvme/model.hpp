// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <devres/sim.hpp>

#include "commands.hpp"
#include "device_identification.hpp"
#include "device_queues.hpp"
#include "device_registers.hpp"
#include "registers.hpp"
#include "simulated_namespace.hpp"

namespace nvme {

/// What a simulated controller is like. Whatever is left out has a sensible value: those of QEMU's.
struct model_config {
    unsigned msix_vectors = 65;
    std::uint32_t max_entries = 2048;       ///< of a queue (MQES)
    unsigned doorbell_stride_exponent = 0;  ///< DSTRD
    unsigned max_queues = 64;               ///< pairs of I/O queues
    std::uint8_t max_transfer = 7;          ///< an exponent of pages (MDTS); 0: any
    std::uint64_t blocks = 1U << 16U;       ///< of its only namespace
    unsigned block_size_exponent = 9;
};

/// An NVMe controller on the simulated bus: registers, queues in memory, a namespace. Commands are executed as their
/// doorbell rings, or, after `hold`, when the test says so.
///
/// Any thread may call any function. Interrupts are raised, so handlers run, when the model's lock is free.
class model : public devres::sim::device_model {
public:
    explicit model(model_config config = {})
        : config_(config), registers_{.cap = capabilities(config)},
          queues_(config.max_queues, config.max_entries, config.msix_vectors),
          namespace_(config.blocks, config.block_size_exponent,
                     config.max_transfer == 0 ? std::size_t{1} << 31U : page_size << config.max_transfer) {}

    /// A function with this model: `bus.add(model.function())`.
    [[nodiscard]] devres::sim::function_config function() {
        return {.vendor = 0x1b36,
                .device = 0x0010,
                .class_code = 0x010802,
                .revision = 2,
                .msix_vectors = config_.msix_vectors,
                .bar_sizes = {0x4000},
                .model = this};
    }

    /// From now on, commands stay in their queues until `proceed`: those of I/O queues, or the admin queue's too.
    void hold(bool admin_too = false) {
        const std::scoped_lock locked(lock_);
        held_ = admin_too ? held::all : held::io;
    }
    void proceed() {
        act([this] { held_ = held::none; });
    }

    /// From now on, completions do not interrupt (or do, again).
    void lose_interrupts(bool lose) {
        const std::scoped_lock locked(lock_);
        lossy_ = lose;
    }

    /// Has commands refused: `reason` answers what with, success for one to be executed, or nothing for one that is
    /// never completed. It must not use the model.
    void refuse(std::function<std::optional<status>(queue_id, const command&)> reason) {
        const std::scoped_lock locked(lock_);
        refusal_ = std::move(reason);
    }

    /// The controller fails, as when its firmware crashes.
    void crash() {
        const std::scoped_lock locked(lock_);
        registers_.csts |= status_bits::fatal;
    }

    /// What a test may want to know. The first three are nothing once a driver was unbound.
    struct facts {
        bool enabled = false;
        std::size_t submission_queues = 0;
        std::size_t completion_queues = 0;
        std::size_t waiting = 0;     ///< commands in I/O queues
        std::uint64_t executed = 0;  ///< commands, of all queues
        unsigned shutdowns = 0;
        unsigned wrong_doorbells = 0;  ///< for queues that are not there, or with values they cannot have
    };
    [[nodiscard]] facts look() const {
        const std::scoped_lock locked(lock_);
        facts out = facts_;
        out.enabled = (registers_.cc & configuration::enable) != 0;
        out.submission_queues = queues_.submissions().size();
        out.completion_queues = queues_.completions().size();
        for (const auto& [id, queue] : queues_.submissions())
            out.waiting += id == queue_id::admin ? 0 : queue.waiting();
        return out;
    }

    void attached(devres::sim::function& self) override {
        const std::scoped_lock locked(lock_);
        function_ = &self;
    }
    void reset(devres::sim::function&) override {
        const std::scoped_lock locked(lock_);
        power_on();
    }
    void removed(devres::sim::function&) override {
        const std::scoped_lock locked(lock_);
        power_on();
    }

    [[nodiscard]] std::uint64_t read(devres::sim::function&, devres::pci::bar_number bar, std::uint64_t offset,
                                     unsigned width) override {
        if (bar != devres::pci::bar_number(0) || width < 4)
            return 0;
        const std::scoped_lock locked(lock_);
        const std::uint64_t low = registers_.get(offset);
        return width == 8 ? low | std::uint64_t{registers_.get(offset + 4)} << 32U : low;
    }

    void write(devres::sim::function&, devres::pci::bar_number bar, std::uint64_t offset, unsigned width,
               std::uint64_t value) override {
        if (bar != devres::pci::bar_number(0) || width < 4)
            return;
        act([&] {
            set(offset, static_cast<std::uint32_t>(value));
            if (width == 8)
                set(offset + 4, static_cast<std::uint32_t>(value >> 32U));
        });
    }

private:
    enum class held { none, io, all };

    /// What came of a command.
    struct answer {
        status outcome = status::success;
        std::uint32_t result = 0;
    };

    /// Changes something under the lock, does what there is to do then, and interrupts outside of the lock: the
    /// handlers run before this returns, and ring doorbells.
    template <class Change>
    void act(Change change) {
        std::vector<unsigned> raised;
        devres::sim::function* self = nullptr;
        {
            const std::scoped_lock locked(lock_);
            change();
            while (serve_one()) {}
            raised = std::exchange(raised_, {});
            self = function_;
        }
        for (const unsigned vector : raised)
            self->raise(vector);
    }

    [[nodiscard]] static std::uint64_t capabilities(const model_config& of) noexcept {
        return (of.max_entries - 1) | 1U << 16U | 2ULL << 24U | std::uint64_t{of.doorbell_stride_exponent} << 32U |
               1ULL << 37U;
    }

    void power_on() {
        stop();
        registers_.reset();
    }

    void set(std::uint64_t offset, std::uint32_t value) {
        if (offset == registers::cc)
            configure(value);
        else if (offset < registers::doorbells)
            registers_.set(offset, value);
        else if (!queues_.ring(offset - registers::doorbells, std::size_t{4} << config_.doorbell_stride_exponent,
                               value) &&
                 function_->present())  // it may be pulled out just now
            ++facts_.wrong_doorbells;
    }

    void configure(std::uint32_t value) {
        const std::uint32_t before = std::exchange(registers_.cc, value);
        if ((~before & value & configuration::enable) != 0)
            start();
        else if ((before & ~value & configuration::enable) != 0)
            stop();
        if ((value & configuration::shutdown_mask) != 0 && (before & configuration::shutdown_mask) == 0) {
            registers_.csts = (registers_.csts & ~status_bits::shutdown_mask) | status_bits::shutdown_complete;
            ++facts_.shutdowns;
        }
    }

    void start() {
        const bool good = (registers_.cc & configuration::entry_sizes_mask) == configuration::entry_sizes &&
                          queues_.start(registers_.aqa, registers_.asq, registers_.acq, function_->msix_enabled());
        registers_.csts = good ? status_bits::ready : status_bits::fatal;
    }

    void stop() {
        queues_.stop();
        raised_.clear();
        registers_.csts = 0;
    }

    /// Executes the next command of a queue that has one, and room for its completion. @returns false if there is none
    bool serve_one() {
        if ((registers_.csts & (status_bits::ready | status_bits::fatal)) != status_bits::ready || held_ == held::all)
            return false;
        for (auto& [id, queue] : queues_.submissions()) {
            if (queue.empty() || (held_ == held::io && id != queue_id::admin) ||
                queues_.completions().at(queue.completes_to).full())
                continue;
            command what;
            if (!function_->dma_read(queue.entry(queue.head, sizeof(what)), &what, sizeof(what))) {
                registers_.csts |= status_bits::fatal;
                return false;
            }
            queue.head = (queue.head + 1) % queue.entries;
            ++facts_.executed;
            const completion done{.submission_head = static_cast<std::uint16_t>(queue.head),
                                  .submission_queue = static_cast<std::uint16_t>(id),
                                  .command_id = what.id};
            const queue_id completes_to = queue.completes_to;
            if (const auto how = execute(id, what))  // which may end another queue
                post(completes_to, done, *how);
            return true;
        }
        return false;
    }

    void post(queue_id to, completion done, answer how) {
        device_completion_queue& queue = queues_.completions().at(to);
        done.result = how.result;
        done.phase_and_status = static_cast<std::uint16_t>(static_cast<unsigned>(how.outcome) << 1U |
                                                           (queue.phase ? 1U : 0U));
        if (!function_->dma_write(queue.entry(queue.tail, sizeof(done)), &done, sizeof(done))) {
            registers_.csts |= status_bits::fatal;
            return;
        }
        if (++queue.tail == queue.entries) {
            queue.tail = 0;
            queue.phase = !queue.phase;
        }
        if (queue.interrupts && !lossy_ && std::ranges::find(raised_, queue.vector) == raised_.end())
            raised_.push_back(queue.vector);
    }

    std::optional<answer> execute(queue_id queue, const command& what) {
        if (refusal_) {
            const auto refused = refusal_(queue, what);
            if (!refused)
                return std::nullopt;
            if (*refused != status::success)
                return answer{*refused};
        }
        return queue == queue_id::admin ? execute_admin(what) : answer{namespace_.execute(*function_, what)};
    }

    answer execute_admin(const command& what) {
        switch (static_cast<admin_opcode>(what.opcode)) {
        case admin_opcode::identify: return {identify(*function_, what, config_.max_transfer, namespace_)};
        case admin_opcode::set_features: return set_features(what);
        case admin_opcode::create_io_completion_queue: return {queues_.create_completion_queue(what)};
        case admin_opcode::create_io_submission_queue: return {queues_.create_submission_queue(what)};
        case admin_opcode::delete_io_completion_queue: return {queues_.delete_completion_queue(what)};
        case admin_opcode::delete_io_submission_queue: return {queues_.delete_submission_queue(what)};
        }
        return {status::invalid_opcode};
    }

    answer set_features(const command& what) const {
        answer out{status::invalid_field};
        if (static_cast<feature>(what.cdw10[0] & 0xffU) == feature::number_of_queues)
            out.outcome = queues_.set_count(what, out.result);
        return out;
    }

    const model_config config_;
    mutable std::mutex lock_;
    devres::sim::function* function_ = nullptr;
    device_registers registers_;
    device_queues queues_;
    simulated_namespace namespace_;
    std::vector<unsigned> raised_;  // to be raised when the lock is free
    held held_ = held::none;
    bool lossy_ = false;
    std::function<std::optional<status>(queue_id, const command&)> refusal_;
    facts facts_;
};

}  // namespace nvme
