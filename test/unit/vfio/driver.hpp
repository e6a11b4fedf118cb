// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>

#include <devres/devres.hpp>

namespace devres::test {

/// A driver that has devres own one of everything, and counts the interrupts of each vector. The lab's programs use it too.
struct everything_driver {
    static constexpr unsigned max_vectors = 8;

    struct state {
        std::array<std::atomic<unsigned>, max_vectors> interrupts{};
        std::atomic<unsigned> wrong{0};  // interrupts of no vector
        std::array<char, 256> ring{};
        unsigned vectors = 0;
        std::uint64_t ring_address = 0;

        pci::irq_return on_irq(pci::vector_index vector) noexcept {
            ++(vector.value() < vectors ? interrupts[vector.value()] : wrong);
            return pci::irq_return::handled;
        }
        [[nodiscard]] unsigned all() const noexcept {
            unsigned sum = 0;
            for (const auto& each : interrupts)
                sum += each;
            return sum;
        }
    };

    static constexpr auto ownership = own(driver_data = managed, pci::enable = managed, pci::bar<0> = managed,
        pci::dma_coherent = managed,
            pci::dma_streaming = managed, pci::irq_vectors = managed, pci::irq_handler = managed);

    static result<managed_ref<state>> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(pci::pcim_iomap_region<0>(enabled, "registers"));
        DEVRES_TRY(pci::dmam_alloc_coherent(enabled, 4096));
        DEVRES_TRY(auto ring, pci::dmam_map_single(enabled, data.member(&state::ring)));
        data->ring_address = static_cast<std::uint64_t>(ring.address());
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(enabled, 1, max_vectors, pci::irq_type::all));
        data->vectors = vectors.size();
        for (unsigned i = 0; i != vectors.size(); ++i) {
            DEVRES_TRY(pci::devm_request_irq<&state::on_irq>(vectors[i], "everything", data));
        }
        return data;
    }
};

}  // namespace devres::test
