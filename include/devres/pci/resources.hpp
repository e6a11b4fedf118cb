// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/ownership.hpp>
#include <devres/pci/types.hpp>

/// What a PCI driver can own, as ownership tables name it.
namespace devres::pci {

template <unsigned Number>
struct bar_tag;

using enable_t = resource<struct enable_tag>;
template <unsigned Number>
using bar_t = resource<bar_tag<Number>, enable_t>;
using dma_coherent_t = resource<struct dma_coherent_tag, enable_t>;
using dma_streaming_t = resource<struct dma_streaming_tag, enable_t>;
using irq_vectors_t = resource<struct irq_vectors_tag, enable_t>;
using irq_handler_resource = resource<struct irq_handler_tag, irq_vectors_t>;

/// The handlers on the function's vectors. Called with other resources, it says what else a handler touches:
/// `irq_handler(driver_data, queues) = managed` needs both to be managed.
struct irq_handler_t : irq_handler_resource {
    using irq_handler_resource::operator=;

    template <class... Touched>
    [[nodiscard]] constexpr touching<irq_handler_resource, Touched...> operator()(Touched...) const noexcept {
        return {};
    }
};

/// The function being enabled.
inline constexpr enable_t enable;
/// A base address register, requested and mapped.
template <unsigned Number>
    requires(Number < bar_count)
inline constexpr bar_t<Number> bar;
/// Memory shared with the device.
inline constexpr dma_coherent_t dma_coherent;
/// Memory of the driver's that is mapped for the device.
inline constexpr dma_streaming_t dma_streaming;
/// The function's interrupt vectors.
inline constexpr irq_vectors_t irq_vectors;
inline constexpr irq_handler_t irq_handler;

}  // namespace devres::pci
