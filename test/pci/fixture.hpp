// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the tests of pci share: a device on the null platform, and a way to run out of everything.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <devres/devres.hpp>
#include <devres/testing/faulty.hpp>

#include "support/null_platform.hpp"

namespace devres::test {

using function_type = null_platform::function_type;
using null_device = pci::device<null_platform>;

/// A device without a driver; after it nothing is held.
struct device_fixture {
    null_platform platform;
    function_type function;
    std::optional<null_device> dev;

    device_fixture() { dev.emplace(platform, function); }
    device_fixture(const device_fixture&) = delete;
    device_fixture& operator=(const device_fixture&) = delete;

    /// Releases the device. @returns whether nothing is held any more.
    bool clean() {
        dev.reset();
        const bool idle = function.idle() && platform.blocks() == 0;
        dev.emplace(platform, function);
        return idle;
    }
};

/// What a handler is registered with: counts.
struct counter {
    unsigned interrupts = 0;
    pci::vector_index last;

    pci::irq_return on_irq() noexcept {
        ++interrupts;
        return pci::irq_return::handled;
    }
    pci::irq_return on_vector(pci::vector_index vector) noexcept {
        last = vector;
        return on_irq();
    }
};

/// Runs `acquire(dev)` again and again, each time with the next fallible step failing, until none is left.
/// @returns the errors, in the order of the steps; checks that each failure leaves nothing behind.
template <class Acquire>
std::vector<errc> failures_of(Acquire acquire, bool& clean) {
    using platform_type = testing::faulty<null_platform>;
    std::vector<errc> errors;
    clean = true;
    for (std::size_t step = 1;; ++step) {
        null_platform inner;
        function_type function;
        platform_type platform(inner, {step});
        {
            pci::device<platform_type> dev(platform, function);
            const auto acquired = acquire(dev);
            if (platform.injected().empty())
                return errors;
            clean &= !acquired.has_value();
            errors.push_back(acquired ? errc{} : acquired.error());
        }
        clean &= function.idle() && inner.blocks() == 0;
    }
}

/// Fills the inline records of the device's list, of which `used` are taken, so that the next record takes memory.
template <class Device>
void fill_inline_records(Device& dev, std::size_t used = 0) {
    for (std::size_t i = used; i != list::inline_records; ++i)
        (void)dev.resources().add([](void*) {}, nullptr).value();
}

/// Sets errno and says whether `function` left it alone.
template <class Function>
bool keeps_errno(Function function) {
    errno = ENOTTY;
    function();
    return errno == ENOTTY;
}

}  // namespace devres::test
