// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include <devres/sim.hpp>
#include <devres/testing/decorator.hpp>

#include "child_models.hpp"
#include "registers.hpp"

/// A simulated VMD: the endpoint with its windows, and a machine that has one.
namespace vmd {

namespace sim = devres::sim;

/// What a simulated VMD is.
struct endpoint_kind {
    std::uint16_t device = 0x9a0b;
    unsigned msix_vectors = 64;  ///< 0: it has no MSI-X
    std::uint64_t cfgbar_size = bus_ecam_size;
    std::uint16_t capabilities = 0;  ///< VMCAP
    std::uint16_t control = 0;       ///< VMCONFIG at power on
    /// In a virtual machine: the host's addresses of MEMBAR1 and MEMBAR2, shown where the device id says.
    std::optional<std::array<std::uint64_t, 2>> host_addresses = {};
};

/// The model of a VMD: CFGBAR shows the configuration spaces of its children, MEMBAR1 and MEMBAR2 their
/// BARs; their messages become interrupts of its own.
class endpoint_model final : public sim::device_model, public upstream_port {
public:
    static constexpr std::uint64_t membar1_size = 2U << 20U;
    static constexpr std::uint64_t membar2_size = 4U << 20U;

    explicit endpoint_model(const endpoint_kind& what) : kind_(what), control_(what.control) {}

    /// Puts a function behind the VMD, which it outlives.
    void add(unsigned device, unsigned function, child_model& child) {
        children_[device * 8 + function] = &child;
        present_.push_back(&child);
        child.connect(*this);
    }

    /// The function that a bus has to have for this model.
    [[nodiscard]] sim::dumped_function description(pci::address where) const {
        namespace reg = pci::registers;
        sim::dumped_function out;
        out.address = where;
        out.description = "RAID bus controller: Intel Corporation Volume Management Device";
        out.config.resize(256);
        const auto put = [&](unsigned offset, unsigned width, std::uint64_t value) {
            for (unsigned i = 0; i != width; ++i)
                out.config[offset + i] = static_cast<std::uint8_t>(value >> 8 * i);
        };
        put(reg::vendor_id, 2, 0x8086);
        put(reg::device_id, 2, kind_.device);
        put(reg::status, 2, reg::status_bits::capabilities);
        put(reg::revision, 4, 0x010400U << 8U);
        put(reg::bar + 4 * cfgbar, 8, 0x38'0000'0000U | 4U);
        put(reg::bar + 4 * membar1, 4, 0x9000'0000U);
        put(reg::bar + 4 * membar2, 8, 0x39'0000'0000U | 4U);
        out.bar_sizes[cfgbar] = kind_.cfgbar_size;
        out.bar_sizes[membar1] = membar1_size;
        out.bar_sizes[membar2] = membar2_size;

        // Its own registers are where capabilities usually begin; these are behind them.
        constexpr unsigned power = 0x80, msix = 0x90, vendor = 0xa0;
        put(reg::capabilities, 1, power);
        put(power, 2, reg::capability_id::power_management | (kind_.msix_vectors != 0 ? msix : vendor) << 8U);
        if (kind_.msix_vectors != 0) {
            put(msix, 2, reg::capability_id::msix | vendor << 8U);
            put(msix + reg::msix::control, 2, kind_.msix_vectors - 1);
            put(msix + reg::msix::table, 4, membar2);
            put(msix + reg::msix::pba, 4, 0x1000U | membar2);
        }
        put(vendor, 1, reg::capability_id::vendor_specific);
        put(vendor + 2, 1, 24);
        if (kind_.host_addresses) {
            put(vendor + 4, 4, shadow::signature);
            put(vendor + shadow::capability_addresses, 8, (*kind_.host_addresses)[0]);
            put(vendor + shadow::capability_addresses + 8, 8, (*kind_.host_addresses)[1]);
        }
        return out;
    }

    /// Whether messages of children become VMD's.
    [[nodiscard]] bool is_remapping() const noexcept { return (control_ & config::remapping_off) == 0; }
    /// How many messages of children went past it.
    [[nodiscard]] unsigned passed_by() const noexcept { return passed_by_; }
    [[nodiscard]] sim::function& function() const noexcept { return *self_; }

    // Its own registers in configuration space.

    [[nodiscard]] static bool has_register(unsigned offset) noexcept {
        const unsigned at = offset & ~3U;
        return at == config::capabilities || at == config::control || at == config::lock;
    }
    [[nodiscard]] std::uint32_t read_register(unsigned offset, unsigned width) const noexcept {
        const unsigned at = offset & ~3U;
        const std::uint32_t value = at == config::capabilities ? kind_.capabilities
                                    : at == config::control    ? control_.load()
                                    : kind_.host_addresses     ? config::membar2_shadow_enable
                                                               : 0;
        return value >> offset % 4 * 8 & (width == 4 ? ~0U : (1U << 8 * width) - 1);
    }
    void write_register(unsigned offset, unsigned, std::uint32_t value) noexcept {
        if (offset == config::control)
            control_ = static_cast<std::uint16_t>((control_ & ~config::remapping_off) |
                                                  (value & config::remapping_off));
    }
    /// It comes out of D3: remapping is off.
    void wake() noexcept { control_ |= config::remapping_off; }

    // sim::device_model

    void attached(sim::function& self) override { self_ = &self; }
    void removed(sim::function&) override {
        for (child_model* const child : present_)
            child->unplugged();
    }
    void reset(sim::function&) override {
        control_ = kind_.control;
        for (child_model* const child : present_)
            child->reset();
    }

    [[nodiscard]] std::uint64_t read(sim::function&, pci::bar_number bar, std::uint64_t offset,
                                     unsigned width) override {
        const std::uint64_t all_ones = width == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * width) - 1;
        if (bar.value() == cfgbar) {
            child_model* const child = child_at(offset);
            if (child == nullptr)
                return all_ones;
            const auto where = static_cast<unsigned>(offset & 0xfffU);
            if (width == 8)
                return child->read_config(where, 4) | std::uint64_t{child->read_config(where + 4, 4)} << 32U;
            return child->read_config(where, width);
        }
        if (bar.value() == membar2 && offset - shadow::offset < shadow::size && kind_.host_addresses)
            return (*kind_.host_addresses)[(offset - shadow::offset) / 8] >> offset % 8 * 8 & all_ones;
        const std::uint64_t address = window(bar.value()) + offset;
        for (child_model* const child : present_) {
            if (const auto place = child->decode(address))
                return child->read(*place, width);
        }
        return all_ones;
    }
    void write(sim::function&, pci::bar_number bar, std::uint64_t offset, unsigned width,
               std::uint64_t value) override {
        if (bar.value() == cfgbar) {
            child_model* const child = child_at(offset);
            if (child != nullptr && width <= 4)
                child->write_config(static_cast<unsigned>(offset & 0xfffU), width, static_cast<std::uint32_t>(value));
            return;
        }
        const std::uint64_t address = window(bar.value()) + offset;
        for (child_model* const child : present_) {
            if (const auto place = child->decode(address)) {
                child->write(*place, width, value);
                return;
            }
        }
    }

    // upstream_port

    void message(const devres::hardware::interrupt_message& sent) noexcept override {
        if (is_remapping())
            self_->raise(message::vector(sent.address));
        else
            ++passed_by_;
    }
    bool dma_write(pci::bus_address at, const void* from, std::size_t size) noexcept override {
        return self_->dma_write(at, from, size);
    }

private:
    [[nodiscard]] child_model* child_at(std::uint64_t offset) const noexcept {
        return offset < bus_ecam_size ? children_[offset >> 12U] : nullptr;
    }
    /// Where a window begins on the child bus.
    [[nodiscard]] std::uint64_t window(unsigned bar) const noexcept {
        if (kind_.host_addresses)
            return (*kind_.host_addresses)[bar == membar1 ? 0 : 1];
        return bar == membar1 ? 0x9000'0000 : 0x39'0000'0000;
    }

    endpoint_kind kind_;
    std::atomic<std::uint16_t> control_;
    std::atomic<unsigned> passed_by_{0};
    std::array<child_model*, 256> children_{};
    std::vector<child_model*> present_;
    sim::function* self_ = nullptr;
};

/// The bus as a machine with a VMD has it: the VMD's own configuration registers, which a device model of
/// the simulated bus is not asked for, are its model's.
class with_vmd : public devres::testing::decorator<with_vmd, sim::bus> {
    using base = devres::testing::decorator<with_vmd, sim::bus>;

public:
    with_vmd(sim::bus& inner, endpoint_model& model) noexcept : base(inner), model_(&model) {}

    result<std::uint32_t> read_config(sim::function& f, unsigned offset, unsigned width) noexcept {
        const auto value = base::read_config(f, offset, width);
        return value && is_register(f, offset) ? model_->read_register(offset, width) : value;
    }
    result<> write_config(sim::function& f, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        const auto written = base::write_config(f, offset, width, value);
        if (written && is_register(f, offset))
            model_->write_register(offset, width, value);
        return written;
    }
    result<> resume(sim::function& f) noexcept {
        const auto awake = base::resume(f);
        if (awake && &f == &model_->function())
            model_->wake();
        return awake;
    }

private:
    friend base;
    template <class Forward>
    std::invoke_result_t<Forward> around(const devres::testing::primitive_call&, sim::function*,
                                         Forward forward) noexcept {
        return forward();
    }
    [[nodiscard]] bool is_register(sim::function& f, unsigned offset) const noexcept {
        return &f == &model_->function() && f.present() && endpoint_model::has_register(offset);
    }

    endpoint_model* model_;
};

static_assert(pci::platform<with_vmd>);

/// A machine with a VMD, and two NVMe controllers and a network port behind it.
struct machine {
    explicit machine(const endpoint_kind& kind = {}, unsigned queues = 4)
        : endpoint(kind), disks{nvme_model(queues), nvme_model(queues)} {
        endpoint.add(1, 0, disks[0]);
        endpoint.add(2, 0, disks[1]);
        endpoint.add(3, 0, port);
    }

    sim::bus bus;
    endpoint_model endpoint;
    std::array<nvme_model, 2> disks;
    ethernet_model port;
    sim::function& function = bus.add(endpoint.description("0000:00:0e.0"), &endpoint);
    with_vmd platform{bus, endpoint};
};

}  // namespace vmd
