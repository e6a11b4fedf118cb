// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include <devres/devres.hpp>

#include "mrpc_request.hpp"
#include "partition.hpp"
#include "registers.hpp"

namespace switchtec {

/// The registers by which the firmware is given commands, one at a time. It answers in memory where there is some, else
/// in registers. A view: it is made where it is used.
template <class Registers, class Memory>
class mrpc_registers {
public:
    mrpc_registers(const Registers& registers, const std::optional<Memory>& answers) noexcept
        : registers_(registers), answers_(answers) {}

    /// Lets the device answer in memory.
    void enable() const noexcept {
        if (!answers_)
            return;
        const auto address = static_cast<std::uint64_t>(answers_->address());
        write32(gas::mrpc::dma_address, static_cast<std::uint32_t>(address));
        write32(gas::mrpc::dma_address + 4, static_cast<std::uint32_t>(address >> 32U));
        write32(gas::mrpc::dma_enable, 1);
    }
    void disable() const noexcept {
        if (answers_)
            write32(gas::mrpc::dma_enable, 0);
    }

    /// Gives the device a command; it has none.
    void run(const mrpc_request& request) const noexcept {
        if (answers_)
            answer_in_memory() = {};
        for (std::size_t i = 0; i < request.input_size; i += 4) {
            std::uint32_t word = 0;
            std::memcpy(&word, request.data.data() + i, sizeof(word));
            write32(gas::mrpc::input + i, word);
        }
        write32(gas::mrpc::command, request.command);
    }

    /// How far it is with that.
    [[nodiscard]] std::uint32_t status() const noexcept { return read32(gas::mrpc::status); }

    /// The answer to the command, whose status was read.
    /// @returns `enxio` if it was interrupted, `ebadmsg` for a status that is not known, `enodev` if the device is gone
    [[nodiscard]] devres::result<mrpc_reply> answer(mrpc_request& request, std::uint32_t status) const noexcept {
        switch (status) {
        case gas::mrpc::done:
        case gas::mrpc::error: break;
        case gas::mrpc::interrupted: return devres::fail(devres::errc::enxio);
        case gas::all_ones: return devres::fail(devres::errc::enodev);
        default: return devres::fail(devres::errc::ebadmsg);
        }
        mrpc_reply reply{.failed = status == gas::mrpc::error, .size = request.output_size};
        if (answers_) {  // what was read from the status register made sure that it has arrived
            const gas::mrpc::dma_output& output = answer_in_memory();
            reply.return_code = output.return_code;
            reply.size = std::min<std::size_t>(reply.size, output.size);
            std::memcpy(request.data.data(), output.data, std::min(reply.size, gas::mrpc::max_data));
        } else {
            reply.return_code = read32(gas::mrpc::return_code);
            for (std::size_t i = 0; i < reply.size; i += 4) {
                const std::uint32_t word = read32(gas::mrpc::output + i);
                std::memcpy(request.data.data() + i, &word, sizeof(word));
            }
        }
        return is_present(registers_) ? devres::result<mrpc_reply>(reply) : devres::fail(devres::errc::enodev);
    }

private:
    [[nodiscard]] std::uint32_t read32(std::size_t offset) const noexcept { return registers_.read32(offset); }
    void write32(std::size_t offset, std::uint32_t value) const noexcept { registers_.write32(offset, value); }
    [[nodiscard]] gas::mrpc::dma_output& answer_in_memory() const noexcept {
        return *static_cast<gas::mrpc::dma_output*>(answers_->data());
    }

    const Registers& registers_;
    const std::optional<Memory>& answers_;  // none: answers are read from the registers
};

}  // namespace switchtec
