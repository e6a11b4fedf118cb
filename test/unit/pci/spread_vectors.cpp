// SPDX-License-Identifier: BSL-1.0
#include <devres/pci/spread_vectors.hpp>

#include <limits>

#include "support/catch.hpp"

using namespace devres;
using namespace devres::pci;

namespace {

constexpr unsigned most = std::numeric_limits<unsigned>::max();

constexpr irq_affinity reserving(unsigned pre, unsigned post) { return {.pre_vectors = pre, .post_vectors = post}; }

}  // namespace

TEST_CASE("M19 and M20: as many vectors as there are CPUs, besides the reserved ones") {
    STATIC_REQUIRE(spread_vector_count({}, 1, 32, 8) == 8U);
    STATIC_REQUIRE(spread_vector_count(reserving(1, 0), 1, 32, 8) == 9U);
    STATIC_REQUIRE(spread_vector_count(reserving(2, 1), 3, 32, 8) == 11U);
}

TEST_CASE("never more vectors than the maximum") {
    STATIC_REQUIRE(spread_vector_count({}, 1, 4, 8) == 4U);
    STATIC_REQUIRE(spread_vector_count(reserving(2, 1), 3, 4, 8) == 4U);
    STATIC_REQUIRE(spread_vector_count(reserving(2, 2), 4, 4, 8) == 4U);
}

TEST_CASE("M21: reserving more vectors than the minimum is refused") {
    STATIC_REQUIRE(spread_vector_count(reserving(2, 1), 2, 32, 8).error() == errc::enospc);
    STATIC_REQUIRE(spread_vector_count(reserving(2, 0), 1, 32, 8).error() == errc::enospc);
    STATIC_REQUIRE(spread_vector_count(reserving(2, 1), 3, 32, 8).has_value());
}

TEST_CASE("a sum of reserved vectors that overflows is refused") {
    STATIC_REQUIRE(spread_vector_count(reserving(most, 1), 1, 32, 8).error() == errc::enospc);
    STATIC_REQUIRE(spread_vector_count(reserving(1, most), most, most, 8).error() == errc::enospc);
    STATIC_REQUIRE(spread_vector_count(reserving(most, most), most, most, 8).error() == errc::enospc);
}

TEST_CASE("the extremes do not overflow") {
    STATIC_REQUIRE(spread_vector_count(reserving(most, 0), most, most, most) == most);
    STATIC_REQUIRE(spread_vector_count({}, 1, most, most) == most);
    STATIC_REQUIRE(spread_vector_count(reserving(1, 1), 2, most, most) == most);
}

TEST_CASE("a driver that makes sets of its own gets the maximum, but no reservation beyond the minimum") {
    constexpr irq_affinity sets{.pre_vectors = 1, .calculate_sets = [](irq_affinity&, unsigned) noexcept {}};
    STATIC_REQUIRE(spread_vector_count(sets, 1, 32, 8) == 32U);
    constexpr irq_affinity greedy{.pre_vectors = 2, .calculate_sets = [](irq_affinity&, unsigned) noexcept {}};
    STATIC_REQUIRE(spread_vector_count(greedy, 1, 32, 8).error() == errc::enospc);
}
