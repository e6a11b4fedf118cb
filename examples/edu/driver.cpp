// SPDX-License-Identifier: BSL-1.0
#include "driver.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "registers.hpp"

/// The driver for QEMU's educational device: ordinary classes, compiled for every platform here.
namespace edu {

namespace {

namespace pci = devres::pci;
using devres::errc;
using devres::fail;
using devres::result;

struct driver;
using edu_device = pci::device<pci::any_platform, driver>;
using register_bar = pci::bar_of<edu_device>;

/// The driver data.
class device_state final : public unit {
public:
    device_state(const register_bar& registers, const pci::coherent_of<edu_device>& memory) noexcept
        : registers_(registers), memory_(memory) {}

    void start() const noexcept { registers_.write32(registers::status, interrupt_when_computed); }
    /// The device neither interrupts nor reaches the memory afterwards: a transfer that nobody waits for ends first.
    void stop() const noexcept {
        for (auto waited = std::chrono::milliseconds(0); waited < long_enough && is_transferring(); waited += a_look)
            std::this_thread::sleep_for(a_look);
        registers_.write32(registers::status, 0);
        registers_.write32(registers::irq_acknowledge, registers_.read32(registers::irq_status));
    }

    /// Interrupt handler. The line may be another device's too.
    pci::irq_return on_irq() noexcept {
        const std::uint32_t why = registers_.read32(registers::irq_status);
        if (why == 0 || why == registers::all_ones)
            return pci::irq_return::none;
        registers_.write32(registers::irq_acknowledge, why);
        {
            const std::scoped_lock hold(lock_);
            seen_ |= why;
            ++interrupts_;
        }
        changed_.notify_all();
        return pci::irq_return::handled;
    }

    result<std::uint32_t> factorial(std::uint32_t n) noexcept override {
        DEVRES_TRY(wait_for(factorial_computed, [&] { registers_.write32(registers::factorial, n); }));
        return registers_.read32(registers::factorial);
    }

    result<> store(std::span<const std::byte> bytes) noexcept override {
        if (bytes.size() > buffer_size)
            return fail(errc::einval);
        std::ranges::copy(bytes, shared());
        return transfer(static_cast<std::uint64_t>(memory_.address()), buffer_begin, bytes.size(), 0);
    }
    result<> load(std::span<std::byte> bytes) noexcept override {
        if (bytes.size() > buffer_size)
            return fail(errc::einval);
        DEVRES_TRY(transfer(buffer_begin, static_cast<std::uint64_t>(memory_.address()), bytes.size(), dma::to_memory));
        std::copy_n(shared(), bytes.size(), bytes.begin());
        return {};
    }

    [[nodiscard]] std::uint64_t interrupts() noexcept override {
        const std::scoped_lock hold(lock_);
        return interrupts_;
    }

private:
    static constexpr std::chrono::milliseconds long_enough{2000};
    static constexpr std::chrono::milliseconds a_look{10};

    [[nodiscard]] std::byte* shared() const noexcept { return static_cast<std::byte*>(memory_.data()); }
    [[nodiscard]] bool is_transferring() const noexcept {
        const std::uint32_t command = registers_.read32(registers::dma_command);
        return command != registers::all_ones && (command & dma::run) != 0;
    }

    result<> transfer(std::uint64_t from, std::uint64_t to, std::size_t count, std::uint32_t direction) noexcept {
        registers_.write64(registers::dma_source, from);
        registers_.write64(registers::dma_destination, to);
        registers_.write64(registers::dma_count, count);
        return wait_for(dma_done, [&] {
            registers_.write32(registers::dma_command, dma::run | direction | dma::interrupt_when_done);
        });
    }

    template <class Start>
    result<> wait_for(std::uint32_t what, Start start) noexcept {
        {
            const std::scoped_lock hold(lock_);
            seen_ &= ~what;
        }
        start();
        for (auto waited = std::chrono::milliseconds(0); waited < long_enough; waited += a_look) {
            if (has_come(what))
                return {};
            if (registers_.read32(registers::identification) == registers::all_ones)
                return fail(errc::enodev);
        }
        return fail(errc::etimedout);
    }

    [[nodiscard]] bool has_come(std::uint32_t what) noexcept {
        std::unique_lock hold(lock_);
        return changed_.wait_for(hold, a_look, [&] { return (seen_ & what) != 0; });
    }

    register_bar registers_;
    pci::coherent_of<edu_device> memory_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::uint32_t seen_ = 0;  // reasons to interrupt, since somebody waits for them
    std::uint64_t interrupts_ = 0;
};

struct driver {
    static constexpr pci::device_id ids[] = {{.vendor = vendor, .device = edu::device}};

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,
        pci::enable = devres::managed,
        pci::bar<0> = devres::managed,
        pci::dma_coherent = devres::managed,
        pci::irq_vectors = devres::managed,
        pci::irq_handler = devres::managed);

    /// @returns the state; `enodev` if it is no edu device or gone, otherwise the platform's error
    static devres::probed<device_state> probe(edu_device& dev, const pci::device_id&) {
        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(auto registers, pci::pcim_iomap_region<0, registers::dma_command + 8>(enabled, "edu"));
        if (!is_edu(registers))
            return fail(errc::enodev);
        DEVRES_TRY(auto memory, pci::dmam_alloc_coherent(enabled, buffer_size));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(enabled, 1, 1, pci::irq_type::msi | pci::irq_type::intx));
        DEVRES_TRY(auto data, devres::devm_emplace<device_state>(dev, registers, memory));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "edu", data));
        DEVRES_TRY(devres::devm_start(dev, data));
        return data;
    }

private:
    static bool is_edu(const register_bar& bar) noexcept {
        constexpr std::uint32_t sample = 0x1234'5678;
        bar.write32(registers::liveness, sample);
        return (bar.read32(registers::identification) & 0xffU) == 0xed && bar.read32(registers::liveness) == ~sample;
    }
};

}  // namespace

}  // namespace edu

constinit const devres::pci::driver_entry<edu::unit> edu_driver = devres::pci::compiled<edu::driver, edu::unit>("edu");
