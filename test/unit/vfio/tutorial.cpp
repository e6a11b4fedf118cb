// SPDX-License-Identifier: BSL-1.0
// The driver of docs/tutorial.md on the vfio platform, with a device that is a thread.
#include "../../../examples/tutorial/driver.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>

#include "fake_kernel.hpp"
#include "support/catch.hpp"

using namespace devres;
using namespace devres::test;

namespace {

/// Serves requests as a Kestrel does, but that every checksum is the first byte of the memory.
class kestrel_thread {
public:
    kestrel_thread(fake_kernel& kernel, fake_kernel::device& hardware) : kernel_(&kernel), hardware_(&hardware) {
        kernel.config(hardware, PCI_VENDOR_ID, 2, kestrel::vendor);
        kernel.config(hardware, PCI_DEVICE_ID, 2, kestrel::device);
        set(kestrel::registers::identity, kestrel::identity);
        thread_ = std::jthread([this](const std::stop_token& over) { run(over); });
    }

private:
    void set(std::size_t offset, std::uint32_t value) const {
        REQUIRE(::pwrite(hardware_->memory, &value, sizeof(value), static_cast<off_t>(offset)) == sizeof(value));
    }
    [[nodiscard]] std::uint32_t get(std::size_t offset) const {
        std::uint32_t value = 0;
        (void)!::pread(hardware_->memory, &value, sizeof(value), static_cast<off_t>(offset));
        return value;
    }

    /// Where the memory at an I/O virtual address is.
    [[nodiscard]] std::byte* reach(std::uint64_t address) const {
        const std::scoped_lock hold(kernel_->lock);
        auto above = kernel_->dma.upper_bound(address);
        const auto& mapping = (--above)->second;
        return reinterpret_cast<std::byte*>(mapping.vaddr) + (address - mapping.iova);
    }

    /// A sanitizer does not see what orders a driver's memory and a device's look at it: a register.
    __attribute__((no_sanitize("thread"))) void run(const std::stop_token& over) const {
        for (std::uint32_t completed = 0; !over.stop_requested(); std::this_thread::yield()) {
            if (get(kestrel::registers::control) != 1 || get(kestrel::registers::submitted) == completed)
                continue;
            const std::uint64_t ring = get(kestrel::registers::ring_low) |
                                       std::uint64_t{get(kestrel::registers::ring_high)} << 32U;
            auto* const request = reinterpret_cast<kestrel::descriptor*>(reach(ring)) +
                                  completed++ % get(kestrel::registers::entries);
            request->checksum = static_cast<std::uint32_t>(*reach(request->address));
            std::atomic_thread_fence(std::memory_order_release);
            *const_cast<volatile kestrel::request_state*>(&request->state) = kestrel::request_state::done;
            (void)kernel_->raise(*hardware_, VFIO_PCI_MSIX_IRQ_INDEX, kestrel::vectors::done);
        }
    }

    fake_kernel* kernel_;
    fake_kernel::device* hardware_;
    std::jthread thread_;
};

}  // namespace

TEST_CASE("the tutorial's driver works on the vfio platform, where interrupts come on another thread") {
    fake_kernel kernel;
    fake_kernel::device& hardware = kernel.add({});
    const kestrel_thread device(kernel, hardware);
    fake_bus bus(kernel.options(vfio::delivery::threaded), fake_calls{&kernel});
    fake_function& f = *bus.open("0000:01:00.0").value();
    {
        auto bound = pci::bind<kestrel::driver>(bus, f);
        REQUIRE(bound);
        const auto file = bound->state().open();
        for (const std::string_view text : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"})
            CHECK(file.checksum(std::as_bytes(std::span(text))) == static_cast<std::uint32_t>(text[0]));
    }
    CHECK(bus.held(f).empty());
    CHECK(kernel.dma.empty());
}
