// SPDX-License-Identifier: BSL-1.0
#include <devres/linux_model/profile.hpp>

#include <iterator>

#include "support/catch.hpp"

using namespace devres::linux_model;

static_assert(find_kernel("5.16") == &linux_5_16);
static_assert(find_kernel("6.1") == &linux_6_1);
static_assert(find_kernel("6.12") == &linux_6_12);
static_assert(find_kernel("6.18") == &linux_6_18);
static_assert(find_kernel("6") == nullptr && find_kernel("") == nullptr && find_kernel("6.13") == nullptr);
static_assert(std::size(kernel_versions) == 4);

static_assert(find_patch("none") == &unpatched);
static_assert(find_patch("v1-1") == &patch_v1_1);
static_assert(find_patch("v1-full") == &patch_v1_full);
static_assert(find_patch("v3") == &patch_v3);
static_assert(find_patch("v1") == nullptr && find_patch("") == nullptr);
static_assert(std::size(patch_versions) == 4);

// What changed from one version to the next stayed changed.
static_assert(linux_5_16.bug_on_live_handler && !linux_6_1.bug_on_live_handler && !linux_6_12.bug_on_live_handler);
static_assert(linux_5_16.vectors_in_pcim_release && !linux_6_1.vectors_in_pcim_release);
static_assert(!linux_6_1.managed_bit_cleared && linux_6_12.managed_bit_cleared && linux_6_18.managed_bit_cleared);
static_assert(!linux_6_1.irq_domain_of_device && linux_6_12.irq_domain_of_device && linux_6_18.irq_domain_of_device);
static_assert(linux_6_1.msix_context_first && !linux_6_12.msix_context_first && !linux_6_18.msix_context_first);

namespace {

constexpr bool same_behaviour(const patch_version& a, const patch_version& b) {
    return a.sets_flag == b.sets_flag && a.wants_managed_device == b.wants_managed_device &&
           a.flag_says_installed == b.flag_says_installed && a.flag_asks_for_action == b.flag_asks_for_action &&
           a.action_clears_flag == b.action_clears_flag;
}

}  // namespace

TEST_CASE("version 3 of the series changes nothing, version 1 does") {
    STATIC_REQUIRE(same_behaviour(patch_v3, unpatched));
    STATIC_REQUIRE_FALSE(same_behaviour(patch_v1_1, unpatched));
    STATIC_REQUIRE_FALSE(same_behaviour(patch_v1_full, unpatched));
    STATIC_REQUIRE_FALSE(same_behaviour(patch_v1_1, patch_v1_full));
}

TEST_CASE("every version and every patch is found by its name, and has one of its own") {
    for (const kernel_version& each : kernel_versions)
        CHECK(find_kernel(each.name) == &each);
    for (const patch_version& each : patch_versions)
        CHECK(find_patch(each.name) == &each);
}
