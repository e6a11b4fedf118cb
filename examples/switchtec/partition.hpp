// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <devres/devres.hpp>

#include "registers.hpp"
#include "reports.hpp"

/// What there is to be found out about a device before anything is made for it. `Registers` is what its BAR 0 is read
/// through.
namespace switchtec {

template <class Registers>
[[nodiscard]] bool is_present(const Registers& device) noexcept {
    return device.read32(gas::sys_info::device_id) != gas::all_ones;
}

/// Finds out what the device is, but for the vectors.
/// @returns `eopnotsupp` if it is of a generation that this driver does not know, `enodev` if it is gone or contradicts
/// itself.
template <class Registers>
[[nodiscard]] devres::result<partition_info> identify(const Registers& device) noexcept {
    using devres::errc;
    using devres::fail;
    partition_info info;
    info.device_id = device.read32(gas::sys_info::device_id);
    info.firmware_version = device.read32(gas::sys_info::firmware_version);
    if (info.device_id == gas::all_ones)
        return fail(errc::enodev);
    switch (info.device_id & 0xf000U) {
    case 0x8000: info.gen = generation::gen3; break;
    case 0x4000: info.gen = generation::gen4; break;
    case 0x5000: info.gen = generation::gen5; break;
    default: return fail(errc::eopnotsupp);
    }
    const std::uint32_t partitions = device.read32(gas::ntb::partitions);
    info.partitions = partitions & 0xffU;
    info.partition = partitions >> 8U & 0xffU;
    if (info.partitions > gas::partition::max || info.partition >= info.partitions)
        return fail(errc::enodev);

    const auto of_partition = [&](std::size_t offset) {
        return device.read32(gas::partition::at(info.partition, offset));
    };
    const auto add_port = [&](std::uint32_t instance) {
        if (instance < gas::port_function::max)
            info.ports[info.port_count++] = static_cast<std::uint8_t>(instance);
    };
    add_port(of_partition(gas::partition::upstream_port));
    add_port(of_partition(gas::partition::endpoint_port));
    const std::uint32_t downstream = of_partition(gas::partition::port_count);
    for (unsigned i = 0; i != gas::partition::max_downstream && i < downstream; ++i)
        add_port(of_partition(gas::partition::downstream_ports + 4 * i));
    info.event_vector = of_partition(gas::partition::event_vector) & 0xffffU;
    if (!is_present(device))
        return fail(errc::enodev);
    return info;
}

/// Whether the firmware has DMA-MRPC.
template <class Registers>
[[nodiscard]] bool offers_dma_mrpc(const Registers& device) noexcept {
    const std::uint32_t version = device.read32(gas::mrpc::dma_version);
    return version != 0 && version != gas::all_ones;
}

}  // namespace switchtec
