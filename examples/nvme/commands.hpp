// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <devres/devres.hpp>

#include "registers.hpp"

/// What goes through the queues: commands, completions, status codes (NVM Express 1.4, sections 4 to 6). As the
/// controller, this is little-endian.
namespace nvme {

static_assert(std::endian::native == std::endian::little);

enum class namespace_id : std::uint32_t { none = 0, all = 0xffff'ffff };

enum class admin_opcode : std::uint8_t {
    delete_io_submission_queue = 0x00,
    create_io_submission_queue = 0x01,
    delete_io_completion_queue = 0x04,
    create_io_completion_queue = 0x05,
    identify = 0x06,
    set_features = 0x09,
};

enum class io_opcode : std::uint8_t { flush = 0x00, write = 0x01, read = 0x02 };

/// What Identify tells about (CNS).
enum class identify_what : std::uint32_t { of_namespace = 0, of_controller = 1, active_namespaces = 2 };

enum class feature : std::uint32_t { number_of_queues = 0x07 };

/// An entry of a submission queue.
struct command {
    std::uint8_t opcode = 0;
    std::uint8_t flags = 0;
    std::uint16_t id = 0;
    namespace_id nsid{};
    std::uint64_t reserved = 0;
    std::uint64_t metadata = 0;
    std::uint64_t prp1 = 0;  ///< where the data is: see prp.hpp
    std::uint64_t prp2 = 0;
    std::array<std::uint32_t, 6> cdw10{};  ///< to dword 15
};
static_assert(sizeof(command) == 64);

/// How a command ended: status code type and status code, with the names of the specification.
enum class status : std::uint16_t {
    success = 0x000,
    invalid_opcode = 0x001,
    invalid_field = 0x002,
    data_transfer_error = 0x004,
    abort_requested = 0x007,
    abort_queue_deleted = 0x008,
    invalid_namespace = 0x00b,
    command_sequence_error = 0x00c,
    invalid_prp_offset = 0x013,
    lba_out_of_range = 0x080,
    capacity_exceeded = 0x081,
    invalid_completion_queue = 0x100,
    invalid_queue_identifier = 0x101,
    invalid_queue_size = 0x102,
    invalid_interrupt_vector = 0x108,
    invalid_queue_deletion = 0x10c,
};

/// An entry of a completion queue.
struct completion {
    std::uint32_t result = 0;
    std::uint32_t reserved = 0;
    std::uint16_t submission_head = 0;
    std::uint16_t submission_queue = 0;
    std::uint16_t command_id = 0;
    std::uint16_t phase_and_status = 0;

    [[nodiscard]] bool phase() const noexcept { return (phase_and_status & 1U) != 0; }
    [[nodiscard]] status outcome() const noexcept { return static_cast<status>(phase_and_status >> 1U & 0x7ffU); }
    /// One that the controller has not written.
    [[nodiscard]] static completion of(status how) noexcept {
        completion made;
        made.phase_and_status = static_cast<std::uint16_t>(static_cast<unsigned>(how) << 1U);
        return made;
    }
};
static_assert(sizeof(completion) == 16);

/// The error that a status is for the driver's users; none for success.
[[nodiscard]] constexpr devres::result<> to_result(status of) noexcept {
    using devres::errc;
    using devres::fail;
    switch (of) {
    case status::success: return {};
    case status::invalid_opcode: return fail(errc::eopnotsupp);
    case status::abort_requested:
    case status::abort_queue_deleted: return fail(errc::ecanceled);
    case status::command_sequence_error: return fail(errc::eproto);
    case status::lba_out_of_range: return fail(errc::erange);
    case status::capacity_exceeded: return fail(errc::enospc);
    case status::invalid_field:
    case status::invalid_namespace:
    case status::invalid_prp_offset:
    case status::invalid_completion_queue:
    case status::invalid_queue_identifier:
    case status::invalid_queue_size:
    case status::invalid_interrupt_vector:
    case status::invalid_queue_deletion: return fail(errc::einval);
    default: return fail(errc::eio);
    }
}

/// The commands that the driver gives. Where their data is, is added when they are submitted.
namespace commands {

[[nodiscard]] constexpr command identify(identify_what what, namespace_id of = namespace_id::none) noexcept {
    return {.opcode = static_cast<std::uint8_t>(admin_opcode::identify),
            .nsid = of,
            .cdw10 = {static_cast<std::uint32_t>(what)}};
}

/// Asks for `count` pairs of I/O queues. The result has what is granted: see `granted_queues`.
[[nodiscard]] constexpr command set_number_of_queues(unsigned count) noexcept {
    return {.opcode = static_cast<std::uint8_t>(admin_opcode::set_features),
            .cdw10 = {static_cast<std::uint32_t>(feature::number_of_queues), (count - 1) << 16U | (count - 1)}};
}
[[nodiscard]] constexpr unsigned granted_queues(std::uint32_t result) noexcept {
    const unsigned submission = (result & 0xffffU) + 1;
    const unsigned completion = (result >> 16U) + 1;
    return submission < completion ? submission : completion;
}

inline constexpr std::uint32_t contiguous = 1;      // PC
inline constexpr std::uint32_t with_interrupt = 2;  // IEN

/// A completion queue of `entries` at `at` that interrupts with `vector`.
[[nodiscard]] constexpr command create_completion_queue(queue_id id, std::uint32_t entries, devres::pci::bus_address at,
                                                        devres::pci::vector_index vector) noexcept {
    return {.opcode = static_cast<std::uint8_t>(admin_opcode::create_io_completion_queue),
            .prp1 = static_cast<std::uint64_t>(at),
            .cdw10 = {(entries - 1) << 16U | static_cast<std::uint32_t>(id),
                      vector.value() << 16U | with_interrupt | contiguous}};
}
/// A submission queue whose completions go to the completion queue of the same number.
[[nodiscard]] constexpr command create_submission_queue(queue_id id, std::uint32_t entries,
                                                        devres::pci::bus_address at) noexcept {
    return {.opcode = static_cast<std::uint8_t>(admin_opcode::create_io_submission_queue),
            .prp1 = static_cast<std::uint64_t>(at),
            .cdw10 = {(entries - 1) << 16U | static_cast<std::uint32_t>(id),
                      static_cast<std::uint32_t>(id) << 16U | contiguous}};
}
[[nodiscard]] constexpr command delete_queue(admin_opcode which, queue_id id) noexcept {
    return {.opcode = static_cast<std::uint8_t>(which), .cdw10 = {static_cast<std::uint32_t>(id)}};
}

/// Reads or writes `blocks` blocks, 1 to 65536, from `lba` on.
[[nodiscard]] constexpr command transfer(io_opcode what, namespace_id of, std::uint64_t lba,
                                         std::uint32_t blocks) noexcept {
    return {.opcode = static_cast<std::uint8_t>(what),
            .nsid = of,
            .cdw10 = {static_cast<std::uint32_t>(lba), static_cast<std::uint32_t>(lba >> 32U), blocks - 1}};
}
[[nodiscard]] constexpr command flush(namespace_id of) noexcept {
    return {.opcode = static_cast<std::uint8_t>(io_opcode::flush), .nsid = of};
}

}  // namespace commands
}  // namespace nvme
