// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/resources.hpp>

#include <type_traits>

#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;

namespace {

template <class... Claims>
constexpr bool can_own(Claims...) {
    return requires { own(Claims{}...); };
}

constexpr resource<struct minor_number_tag> minor_number;

struct keeps_off_two_bars {
    static constexpr auto ownership = own(irq_vectors = managed, bar<1> = unmanaged, bar<3> = unmanaged,
                                          irq_handler.without(bar<1>, bar<5>).guarding(bar<3>) = managed);
};
struct keeps_off_none {
    static constexpr auto ownership = own(irq_vectors = managed, irq_handler = managed);
};

}  // namespace

static_assert(!std::is_same_v<bar_t<0>, bar_t<1>>);

TEST_CASE("the table of the contract's example compiles") {
    STATIC_REQUIRE(can_own(driver_data = managed, enable = managed, bar<0> = managed, irq_vectors = managed,
                           irq_handler.without(minor_number) = managed, minor_number = unmanaged));
}

TEST_CASE("D002: BARs, vectors and shared memory that devres owns need an enable that is not the driver's") {
    STATIC_REQUIRE(!can_own(enable = unmanaged, bar<0> = managed));
    STATIC_REQUIRE(can_own(enable = unmanaged, bar<0> = unmanaged));
    STATIC_REQUIRE(can_own(enable = managed, bar<0> = unmanaged));
    STATIC_REQUIRE(!can_own(enable = unmanaged, irq_vectors = managed));
    STATIC_REQUIRE(can_own(enable = managed, irq_vectors = unmanaged));
    STATIC_REQUIRE(!can_own(enable = unmanaged, dma_coherent = managed));
    STATIC_REQUIRE(can_own(enable = unmanaged, dma_coherent = unmanaged));
    STATIC_REQUIRE(!can_own(enable = unmanaged, dma_streaming = managed));
    STATIC_REQUIRE(can_own(enable = unmanaged, dma_streaming = unmanaged));
}

TEST_CASE("D002: handlers that devres owns need vectors that are not the driver's") {
    STATIC_REQUIRE(!can_own(irq_vectors = unmanaged, irq_handler = managed));
    STATIC_REQUIRE(!can_own(irq_vectors = unmanaged, irq_handler.without(irq_vectors) = managed));
    STATIC_REQUIRE(can_own(irq_vectors = managed, irq_handler = managed));
    STATIC_REQUIRE(can_own(irq_vectors = managed, irq_handler = unmanaged));
    STATIC_REQUIRE(can_own(irq_vectors = unmanaged, irq_handler = unmanaged));
}

TEST_CASE(
    "D002: a managed handler is taken to touch every line that is the driver's, unless the table says otherwise") {
    STATIC_REQUIRE(!can_own(irq_vectors = managed, driver_data = unmanaged, irq_handler = managed));
    STATIC_REQUIRE(!can_own(irq_vectors = managed, dma_streaming = unmanaged, irq_handler = managed));
    STATIC_REQUIRE(!can_own(irq_vectors = managed, bar<1> = unmanaged, irq_handler = managed));
    STATIC_REQUIRE(!can_own(irq_vectors = managed, minor_number = unmanaged, irq_handler = managed));
    STATIC_REQUIRE(can_own(irq_vectors = managed, bar<1> = unmanaged, irq_handler.without(bar<1>) = managed));
    STATIC_REQUIRE(
        can_own(irq_vectors = managed, dma_streaming = unmanaged, irq_handler.guarding(dma_streaming) = managed));
    STATIC_REQUIRE(can_own(irq_vectors = managed, dma_streaming = unmanaged, minor_number = unmanaged,
                           irq_handler.without(minor_number).guarding(dma_streaming) = managed));
    STATIC_REQUIRE(!can_own(irq_vectors = managed, dma_streaming = unmanaged, minor_number = unmanaged,
                            irq_handler.without(minor_number) = managed));
    STATIC_REQUIRE(can_own(irq_vectors = managed, minor_number = unmanaged, irq_handler = unmanaged));
    STATIC_REQUIRE(
        can_own(irq_vectors = managed, minor_number = unmanaged, irq_handler.without(minor_number) = unmanaged));
}

TEST_CASE("D002: upstream switchtec's table, managed handlers beside data that the driver frees, is refused") {
    STATIC_REQUIRE(!can_own(driver_data = unmanaged, enable = managed, bar<0> = managed, irq_vectors = managed,
                            irq_handler = managed));
}

TEST_CASE("D008: a handler that keeps off something and one that does not are the same resource, two BARs are not") {
    STATIC_REQUIRE(!can_own(irq_handler = managed, driver_data = managed, irq_handler.without(driver_data) = managed));
    STATIC_REQUIRE(!can_own(irq_handler.guarding(bar<0>) = managed, irq_handler.without(bar<0>) = managed));
    STATIC_REQUIRE(can_own(bar<0> = managed, bar<1> = unmanaged));
    STATIC_REQUIRE(!can_own(bar<1> = managed, bar<1> = unmanaged));
}

TEST_CASE("the platform is told which BARs a driver's handlers keep off") {
    STATIC_REQUIRE(devres::pci::detail::kept_off_bars<keeps_off_two_bars> == 0b100010);
    STATIC_REQUIRE(devres::pci::detail::kept_off_bars<keeps_off_none> == 0);
    STATIC_REQUIRE(devres::pci::detail::kept_off_bars<void> == 0);
}
