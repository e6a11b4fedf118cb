// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "registers.hpp"

namespace nvme {

/// The registers of a simulated controller below its doorbells.
struct device_registers {
    std::uint64_t cap = 0;
    std::uint32_t cc = 0;
    std::uint32_t csts = 0;
    std::uint32_t aqa = 0;
    std::uint32_t intms = 0;
    std::uint64_t asq = 0;
    std::uint64_t acq = 0;

    /// As when the power comes.
    void reset() noexcept { *this = {.cap = cap}; }

    /// 32 bits of them; 0 where there is no register.
    [[nodiscard]] std::uint32_t get(std::uint64_t offset) const noexcept {
        const auto half = [&](std::uint64_t whole, std::size_t at) {
            return static_cast<std::uint32_t>(offset == at ? whole : whole >> 32U);
        };
        switch (offset) {
        case registers::cap:
        case registers::cap + 4: return half(cap, registers::cap);
        case registers::vs: return 0x0001'0400;
        case registers::intms:
        case registers::intmc: return intms;
        case registers::cc: return cc;
        case registers::csts: return csts;
        case registers::aqa: return aqa;
        case registers::asq:
        case registers::asq + 4: return half(asq, registers::asq);
        case registers::acq:
        case registers::acq + 4: return half(acq, registers::acq);
        default: return 0;
        }
    }

    /// Sets 32 bits of a register with which nothing begins; others keep what they have.
    void set(std::uint64_t offset, std::uint32_t value) noexcept {
        const auto set_half = [&](std::uint64_t& whole, bool high) {
            const unsigned shift = high ? 32 : 0;
            whole = (whole & ~(0xffff'ffffULL << shift)) | std::uint64_t{value} << shift;
        };
        switch (offset) {
        case registers::intms: intms |= value; break;
        case registers::intmc: intms &= ~value; break;
        case registers::aqa: aqa = value; break;
        case registers::asq:
        case registers::asq + 4: set_half(asq, offset != registers::asq); break;
        case registers::acq:
        case registers::acq + 4: set_half(acq, offset != registers::acq); break;
        default: break;
        }
    }
};

}  // namespace nvme
