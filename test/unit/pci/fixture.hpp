// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the tests of pci share: a device on the null platform, and a way to run out of everything.
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
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

/// A platform that writes down what is given back, in its order.
class logging_platform : public null_platform {
public:
    std::string log;
    bool gone = false;  ///< the device is, and cannot be told to stop mastering

    void disable(function_type& f) noexcept {
        log += "disable ";
        null_platform::disable(f);
    }
    result<> set_master(function_type& f, bool on) noexcept {
        log += on ? "master " : "master-off ";
        if (gone)
            return fail(errc::enodev);
        return null_platform::set_master(f, on);
    }
    result<> suspend(function_type& f) noexcept {
        log += "sleep ";
        return null_platform::suspend(f);
    }
    result<> resume(function_type& f) noexcept {
        log += "wake ";
        if (gone)
            return fail(errc::enodev);
        return null_platform::resume(f);
    }
    void unmap_bar(function_type& f, region_type& region) noexcept {
        log += "bar" + std::to_string(region.bar) + ' ';
        null_platform::unmap_bar(f, region);
    }
    result<> free_vectors(function_type& f) noexcept {
        if (f.vectors.count != 0)
            log += "vectors ";
        return null_platform::free_vectors(f);
    }
    result<> unregister_handler(function_type& f, pci::handler_id id) noexcept {
        if (handler_registered(f, id))
            log += "handler ";
        return null_platform::unregister_handler(f, id);
    }
    void free_dma(function_type& f, const pci::dma_block& block) noexcept {
        log += f.master ? "dma-while-mastering " : "dma ";
        null_platform::free_dma(f, block);
    }
    void unmap_dma(function_type& f, const pci::dma_block& block) noexcept {
        log += "mapping ";
        null_platform::unmap_dma(f, block);
    }
    void detach(function_type& f) noexcept {
        log += "detach ";
        null_platform::detach(f);
    }
    std::string logged() { return std::exchange(log, {}); }
};
static_assert(pci::platform<logging_platform>);

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

/// Takes the room that the device has of its own for records and their data, of which `records` and `blocks` are taken, so
/// that the next record takes memory for both.
template <class Device>
void fill_own_room(Device& dev, std::size_t records, std::size_t blocks) {
    for (; blocks < devres::detail::record_memory::first_block; ++blocks, ++records)
        (void)devm_emplace<int>(dev, 0).value();
    for (; records < list::inline_records; ++records)
        (void)dev.resources().add([](void*) {}, nullptr).value();
}
template <class Device>
void fill_own_room(Device& dev, std::size_t used = 0) {
    fill_own_room(dev, used, used);
}

/// Sets errno and says whether `function` left it alone.
template <class Function>
bool keeps_errno(Function function) {
    errno = ENOTTY;
    function();
    return errno == ENOTTY;
}

}  // namespace devres::test
