// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <devres/sim.hpp>

#include "commands.hpp"
#include "device_memory.hpp"
#include "identification.hpp"

namespace nvme {

/// A namespace of a simulated controller: its blocks, in memory as far as they were written, and the commands on them.
class simulated_namespace {
public:
    static constexpr namespace_id id{1};

    /// `max_bytes`: of one command.
    simulated_namespace(std::uint64_t blocks, unsigned block_size_exponent, std::size_t max_bytes)
        : blocks_(blocks), exponent_(block_size_exponent), max_bytes_(max_bytes),
          zero_(std::size_t{1} << block_size_exponent) {}

    /// What Identify tells about it.
    void describe(identify_page& page) const {
        for (const std::size_t size : {std::size_t{0}, std::size_t{8}, std::size_t{16}})  // size, capacity, in use
            page.set(identify_page::blocks + size, blocks_);
        page.set<std::uint32_t>(identify_page::formats, exponent_ << 16U);
    }

    /// Executes a command of an I/O queue.
    [[nodiscard]] status execute(devres::sim::function& self, const command& what) {
        const auto opcode = static_cast<io_opcode>(what.opcode);
        if (opcode != io_opcode::read && opcode != io_opcode::write && opcode != io_opcode::flush)
            return status::invalid_opcode;
        if (what.nsid != id && !(opcode == io_opcode::flush && what.nsid == namespace_id::all))
            return status::invalid_namespace;
        if (opcode == io_opcode::flush)
            return status::success;
        const std::uint64_t first = what.cdw10[0] | std::uint64_t{what.cdw10[1]} << 32U;
        const std::size_t count = (what.cdw10[2] & 0xffffU) + 1;
        if (count << exponent_ > max_bytes_)
            return status::invalid_field;
        if (first > blocks_ || count > blocks_ - first)
            return status::lba_out_of_range;
        return each_piece(self, what, count << exponent_,
                          [&](devres::pci::bus_address at, std::size_t offset, std::size_t size) {
                              return move(self, opcode, first, at, offset, size);
                          });
    }

private:
    /// Moves a piece of memory from or to the blocks behind `first`.
    bool move(devres::sim::function& self, io_opcode what, std::uint64_t first, devres::pci::bus_address at,
              std::size_t offset, std::size_t size) {
        while (size != 0) {
            const std::uint64_t block = first + (offset >> exponent_);
            const std::size_t within = offset % zero_.size();
            const std::size_t part = std::min(size, zero_.size() - within);
            if (!(what == io_opcode::read ? self.dma_write(at, block_at(block).data() + within, part)
                                          : self.dma_read(at, written_block_at(block).data() + within, part)))
                return false;
            at = devres::pci::bus_address{static_cast<std::uint64_t>(at) + part};
            offset += part;
            size -= part;
        }
        return true;
    }

    [[nodiscard]] const std::vector<std::byte>& block_at(std::uint64_t block) const {
        const auto found = written_.find(block);
        return found == written_.end() ? zero_ : found->second;
    }
    [[nodiscard]] std::vector<std::byte>& written_block_at(std::uint64_t block) {
        return written_.try_emplace(block, zero_).first->second;
    }

    std::uint64_t blocks_;
    unsigned exponent_;
    std::size_t max_bytes_;
    std::vector<std::byte> zero_;
    std::unordered_map<std::uint64_t, std::vector<std::byte>> written_;
};

}  // namespace nvme
