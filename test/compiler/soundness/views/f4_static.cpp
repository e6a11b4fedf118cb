// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// What is refused, asked by concepts: tokens cannot be made by hand, nor turned into one another.
#include "support.hpp"

struct s {
    pci::irq_return on_irq() noexcept { return pci::irq_return::handled; }
};
using P = sim::bus;
template <class V, class C>
concept can_devm = requires(V v, C c) { pci::devm_request_irq(v, "x", c); };
using mv = pci::irq_vector<managed_t, P>;
using uv = pci::irq_vector<unmanaged_t, P>;
struct derived_tag : managed_t {};
static_assert(can_devm<mv, managed_ref<s>>);
static_assert(!can_devm<uv, managed_ref<s>>);
static_assert(!can_devm<mv, s>);
static_assert(!can_devm<mv, std::reference_wrapper<s>>);
static_assert(!can_devm<mv, std::unique_ptr<s>>);
static_assert(!can_devm<mv, managed_ptr<s>>);
static_assert(!can_devm<mv, revocable<s>>);
static_assert(!can_devm<pci::irq_vector<derived_tag, P>, managed_ref<s>>);
static_assert(!std::is_constructible_v<managed_ref<s>, s&>);
static_assert(!std::is_constructible_v<managed_ref<s>, managed_ptr<s>>);
static_assert(!std::is_default_constructible_v<managed_ref<s>> && !std::is_copy_assignable_v<managed_ref<s>>);
static_assert(!std::is_aggregate_v<managed_ref<s>>);
static_assert(!std::is_constructible_v<pci::irq_allocation<unmanaged_t, P>, pci::irq_allocation<managed_t, P>>);
static_assert(!std::is_constructible_v<pci::irq_allocation<managed_t, P>, pci::irq_allocation<unmanaged_t, P>>);
static_assert(!std::is_constructible_v<mv, uv>);
static_assert(!std::is_constructible_v<pci::bar_mapping<unmanaged_t, P>, pci::bar_mapping<managed_t, P>>);
static_assert(!std::is_copy_constructible_v<pci::irq_allocation<unmanaged_t, P>>);
static_assert(!std::is_copy_constructible_v<pci::irq_registration<unmanaged_t, P>>);
static_assert(!std::is_copy_constructible_v<pci::enabled_device<unmanaged_t, P>>);
static_assert(!std::is_copy_constructible_v<group> && !std::is_move_constructible_v<pci::device<P>>);
template <class A>
concept frees = requires(A a) { pci::pci_free_irq_vectors(std::move(a)); };
static_assert(frees<pci::irq_allocation<unmanaged_t, P>>);
static_assert(!frees<pci::irq_allocation<managed_t, P>>);
static_assert(!frees<pci::irq_allocation<derived_tag, P>>);
// These got through in the first version.
static_assert(!std::is_constructible_v<pci::enabled_device<managed_t, P>, pci::device<P>&>);
static_assert(!std::is_constructible_v<pci::irq_allocation<unmanaged_t, P>, pci::device<P>&, pci::vector_grant>);
static_assert(!std::is_constructible_v<pci::dma_allocation<unmanaged_t, P>, pci::device<P>&, pci::dma_block>);
using by_hand = ownership_table<claim<pci::irq_vectors_t, unmanaged_t>, claim<pci::irq_handler_t, managed_t>>;
static_assert(!std::is_default_constructible_v<by_hand>);

int main() { return 0; }
