// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <devres/sim.hpp>

#include "model_registers.hpp"
#include "registers.hpp"

namespace switchtec {

/// A command that the simulated firmware understands: inverts each byte of its input.
inline constexpr std::uint32_t mrpc_echo = 65;

/// What the firmware makes of a command.
struct mrpc_answer {
    std::uint32_t status = gas::mrpc::done;
    std::uint32_t return_code = 0;
    std::vector<std::byte> output{};
};

/// A Switchtec management endpoint on the simulated bus: registers, firmware and events, as the hardware has
/// them. Commands are executed as they are written, or, after `hold`, when the test says so.
///
/// Any thread may call any function. Interrupts are raised, so handlers run, when the model's lock is free.
class model : public devres::sim::device_model {
public:
    using firmware = std::function<mrpc_answer(std::uint32_t command, std::span<const std::byte> input)>;

    explicit model(model_config config = {}) : config_(std::move(config)) { power_on(); }

    /// A function with this model: `bus.add(model.function())`.
    [[nodiscard]] devres::sim::function_config function(unsigned msix_vectors = 4, unsigned msi_vectors = 0) {
        return {.vendor = 0x11f8,
                .device = config_.device_id,
                .class_code = 0x058000,
                .msix_vectors = msix_vectors,
                .msi_vectors = msi_vectors,
                .bar_sizes = {gas::size},
                .model = this};
    }

    /// Has commands executed by `commands` instead of the built-in one, which knows `mrpc_echo` only. It must
    /// not use the model.
    void set_firmware(firmware commands) {
        const std::scoped_lock locked(lock_);
        firmware_ = std::move(commands);
    }

    /// From now on, commands stay in progress until `complete`.
    void hold() {
        const std::scoped_lock locked(lock_);
        held_ = true;
    }
    /// Commands are executed as they are written again; one that is in progress still needs `complete`.
    void proceed() {
        const std::scoped_lock locked(lock_);
        held_ = false;
    }

    /// Finishes the command that is in progress. @returns false if there is none.
    bool complete() {
        return complete([this] { return execute(); });
    }
    bool complete(mrpc_answer answer) {
        return complete([&] { return std::move(answer); });
    }

    /// The command that is in progress.
    [[nodiscard]] std::optional<std::uint32_t> in_progress() const {
        const std::scoped_lock locked(lock_);
        return command_;
    }

    /// From now on, completed commands do not interrupt (or do, again).
    void lose_interrupts(bool lose) {
        const std::scoped_lock locked(lock_);
        lossy_ = lose;
    }

    /// Something happens. `instance` is a partition or a port function, and nothing for global events.
    void fire(event what, unsigned instance = 0, std::array<std::uint32_t, gas::event_header::data_words> data = {}) {
        interrupt([&] {
            const std::size_t at = header_offset(what, instance);
            for (std::size_t i = 0; i != data.size(); ++i)
                registers_.put(at + 4 * (i + 1), data[i]);
            return event_vector_if(registers_.occur(what, instance));
        });
    }

    /// How many commands were executed, and how many were written while another was in progress: lost.
    struct counters {
        unsigned executed = 0;
        unsigned overrun = 0;
    };
    [[nodiscard]] counters commands() const {
        const std::scoped_lock locked(lock_);
        return commands_;
    }

    /// A register as the driver would read it.
    [[nodiscard]] std::uint32_t peek(std::size_t offset) const {
        const std::scoped_lock locked(lock_);
        return registers_.get(offset);
    }
    /// Sets a register, read-only ones too.
    void poke(std::size_t offset, std::uint32_t value) {
        const std::scoped_lock locked(lock_);
        registers_.put(offset, value);
    }

    /// The registers that a driver can leave in another state than it found them: interrupts that are enabled,
    /// DMA. A driver that was unbound leaves none.
    [[nodiscard]] std::vector<std::size_t> left_enabled() const {
        const std::scoped_lock locked(lock_);
        return registers_.left_enabled();
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
        command_.reset();
    }

    [[nodiscard]] std::uint64_t read(devres::sim::function&, devres::pci::bar_number bar, std::uint64_t offset,
                                     unsigned width) override {
        if (bar != devres::pci::bar_number(0))
            return 0;
        const std::scoped_lock locked(lock_);
        const std::uint64_t low = registers_.get(offset & ~std::uint64_t{3});
        if (width == 8)
            return low | std::uint64_t{registers_.get(offset + 4)} << 32U;
        return width == 4 ? low : low >> offset % 4 * 8 & ((1U << 8 * width) - 1);
    }

    void write(devres::sim::function&, devres::pci::bar_number bar, std::uint64_t offset, unsigned width,
               std::uint64_t value) override {
        if (bar != devres::pci::bar_number(0) || width < 4)
            return;  // this device has no narrower registers that can be written
        interrupt([&] { return set(offset, static_cast<std::uint32_t>(value)); });
        if (width == 8)
            interrupt([&] { return set(offset + 4, static_cast<std::uint32_t>(value >> 32U)); });
    }

private:
    using vector = std::optional<unsigned>;

    /// Changes something under the lock, and interrupts with the vector that comes of it, outside of the lock:
    /// the handler runs before this returns, and reads registers.
    template <class Change>
    void interrupt(Change change) {
        devres::sim::function* self = nullptr;
        vector raised;
        {
            const std::scoped_lock locked(lock_);
            raised = change();
            self = function_;
        }
        if (raised && self != nullptr)
            self->raise(*raised);
    }

    void power_on() {
        registers_.power_on(config_);
        command_.reset();
    }

    [[nodiscard]] vector event_vector_if(bool interrupts) const {
        return interrupts ? vector(config_.event_vector) : std::nullopt;
    }

    vector set(std::size_t offset, std::uint32_t value) {
        if (offset < gas::mrpc::output) {
            registers_.put_input(offset, value);
        } else if (offset == gas::mrpc::command) {
            return start(value);
        } else if (offset == gas::mrpc::dma_enable || offset == gas::mrpc::dma_address ||
                   offset == gas::mrpc::dma_address + 4) {
            registers_.put(offset, value);
        } else if (registers_.is_event_header(offset)) {
            return event_vector_if(registers_.write_header(offset, value));
        }
        return std::nullopt;  // whatever else there is, is read-only
    }

    vector start(std::uint32_t command) {
        if (command_) {
            ++commands_.overrun;
            return std::nullopt;
        }
        command_ = command;
        registers_.put(gas::mrpc::command, command);
        registers_.put(gas::mrpc::status, gas::mrpc::in_progress);
        return held_ ? std::nullopt : finish(execute());
    }

    template <class Answer>
    bool complete(Answer answer) {
        bool done = false;
        interrupt([&]() -> vector {
            if (!command_)
                return std::nullopt;
            done = true;
            return finish(answer());
        });
        return done;
    }

    mrpc_answer execute() {
        if (firmware_)
            return firmware_(*command_, registers_.input());
        if (*command_ != mrpc_echo)
            return {.status = gas::mrpc::error, .return_code = 0x6400'0001};
        const auto input = registers_.input();
        std::vector<std::byte> inverted(input.begin(), input.end());
        for (std::byte& value : inverted)
            value = ~value;
        return {.output = std::move(inverted)};
    }

    vector finish(const mrpc_answer& answer) {
        const std::uint32_t command = *std::exchange(command_, std::nullopt);
        ++commands_.executed;
        const std::size_t size = std::min(answer.output.size(), gas::mrpc::max_data);
        for (std::size_t i = 0; i < gas::mrpc::max_data; i += 4) {
            std::uint32_t word = 0;
            if (i < size)
                std::memcpy(&word, answer.output.data() + i, std::min<std::size_t>(4, size - i));
            registers_.put(gas::mrpc::output + i, word);
        }
        const bool by_dma = registers_.get(gas::mrpc::dma_enable) != 0;
        if (by_dma)
            write_to_memory(command, answer, size);
        registers_.put(gas::mrpc::return_code, answer.return_code);
        registers_.put(gas::mrpc::status, answer.status);  // last: the driver trusts the rest to be there then
        if (lossy_)
            return std::nullopt;
        return by_dma ? vector(config_.dma_vector)
                      : event_vector_if(registers_.occur(event::mrpc_comp, config_.partition));
    }

    void write_to_memory(std::uint32_t command, const mrpc_answer& answer, std::size_t size) {
        gas::mrpc::dma_output memory{.status = answer.status,
                                     .command = command,
                                     .return_code = answer.return_code,
                                     .size = static_cast<std::uint32_t>(size),
                                     .data = {}};
        std::copy_n(answer.output.begin(), size, memory.data);
        const std::uint64_t address = registers_.get(gas::mrpc::dma_address) |
                                      std::uint64_t{registers_.get(gas::mrpc::dma_address + 4)} << 32U;
        if (function_ != nullptr)
            (void)function_->dma_write(devres::pci::bus_address{address}, &memory, sizeof(memory));
    }

    const model_config config_;
    mutable std::mutex lock_;
    devres::sim::function* function_ = nullptr;
    firmware firmware_;
    model_registers registers_;
    std::optional<std::uint32_t> command_;  // in progress
    bool held_ = false;
    bool lossy_ = false;
    counters commands_;
};

}  // namespace switchtec
