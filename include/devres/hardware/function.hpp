// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <devres/core/detail/exceptions.hpp>
#include <devres/hardware/bar_mappings.hpp>
#include <devres/hardware/config_space.hpp>
#include <devres/hardware/detail/blueprint.hpp>
#include <devres/hardware/detail/exchanged_flag.hpp>
#include <devres/hardware/detail/text.hpp>
#include <devres/hardware/device_model.hpp>
#include <devres/hardware/dma_space.hpp>
#include <devres/hardware/intx_line.hpp>
#include <devres/hardware/irq_domain.hpp>
#include <devres/hardware/ledger.hpp>
#include <devres/hardware/occupant.hpp>
#include <devres/hardware/snapshot.hpp>
#include <devres/hardware/sparse_memory.hpp>

namespace devres::hardware {

/// Interrupts that a function raised and nobody got, by reason. None of them is a fault of the driver by itself.
struct lost_interrupts {
    std::uint64_t gone = 0;       ///< the device was pulled out, or is not in D0
    std::uint64_t no_master = 0;  ///< COMMAND does not let it send messages: is `pci_set_master` missing?
    std::uint64_t no_vector = 0;  ///< it has no such vector, or no way to interrupt

    friend bool operator==(const lost_interrupts&, const lost_interrupts&) noexcept = default;
};

/// One PCI function as its hardware is: configuration space, BARs, interrupts, DMA.
///
/// A test, or a device model, makes it act: `raise`, `dma_write`, `surprise_remove`. Drivers reach it through a platform,
/// which is an operating system to it (the last part). Everything but `insert` may be called on any thread at any time.
class function {
public:
    /// For `machine::add`.
    function(detail::blueprint plan, irq_domain& irqs, hardware::ledger& books);
    function(const function&) = delete;
    function& operator=(const function&) = delete;

    [[nodiscard]] pci::address address() const noexcept { return address_; }  ///< where it is on the bus
    /// What `machine::add` chose that nobody said: the sizes of BARs that come from a dump.
    [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

    /// Interrupts, as the hardware does: sends the message of MSI-X table entry `vector`, or MSI message
    /// `vector`, or asserts INTx, whichever the driver enabled; the handler runs before this returns, unless it
    /// is running already. A vector that is masked, or whose handler is disabled or not there yet, holds it until that
    /// ends. If both are off and the function has no INTx, or a message may not be sent, the interrupt is lost: see `lost`.
    ///
    /// INTx stays asserted, and its handler is called again, until the model calls `lower_intx`. A function without
    /// a model lowers it when a handler has handled the interrupt.
    void raise(pci::vector_index vector) noexcept;

    /// Takes INTx back: what the model's registers do when the driver acknowledges the last reason to interrupt.
    void lower_intx() noexcept;

    /// The device reads (writes) `size` bytes of memory at `at`.
    /// @returns false if it may not: bus mastering off, no such memory, not in D0, gone. The first two are
    /// violations (`dma_fault`).
    bool dma_read(pci::bus_address at, void* to, std::size_t size) noexcept;
    /// As `dma_read`, the other way.
    bool dma_write(pci::bus_address at, const void* from, std::size_t size) noexcept;

    /// Pulls the device out. From now on everything reads as all ones, writes are dropped, nothing interrupts.
    void surprise_remove() noexcept;

    /// Puts a new device of the same kind into the slot.
    /// @throws std::logic_error if the old one is still there, or a driver still has it.
    void insert();

    [[nodiscard]] bool present() const noexcept { return !gone_.load(std::memory_order_acquire); }  ///< not pulled out

    /// Starts the function over, as a function-level reset: registers, MSI-X table, memory, model.
    void reset() noexcept;

    /// A register of configuration space as software sees it.
    /// @returns `einval` unless `width` is 1, 2 or 4 and divides `offset`, which is below 4096
    [[nodiscard]] result<std::uint32_t> read_config(unsigned offset, unsigned width) const noexcept;
    /// A write by software, with all that it sets off.
    result<> write_config(unsigned offset, unsigned width, std::uint32_t value) noexcept;

    /// A BAR as an access on the bus sees it; `offset` and `width` (1, 2, 4, 8) are within the BAR and aligned.
    [[nodiscard]] std::uint64_t read_bar(pci::bar_number bar, std::uint64_t offset, unsigned width) noexcept;
    /// As `read_bar`, the other way.
    void write_bar(pci::bar_number bar, std::uint64_t offset, unsigned width, std::uint64_t value) noexcept;
    /// In bytes; 0 if there is no such BAR.
    [[nodiscard]] std::uint64_t bar_size(pci::bar_number bar) const noexcept {
        return bar.value() < pci::bar_count ? bars_[bar.value()].size : 0;
    }
    /// The plain memory that a BAR has where its model does not answer.
    [[nodiscard]] sparse_memory& memory(pci::bar_number bar) noexcept { return *memory_[bar.value()]; }

    /// Where in configuration space the registers for power and interrupts are.
    [[nodiscard]] const capability_layout& capabilities() const noexcept { return layout_; }

    /// Entries of the MSI-X table; 0 without MSI-X.
    [[nodiscard]] unsigned msix_vectors() const noexcept { return table_.size(); }
    /// Whether a driver has MSI-X on: what a device looks at that takes note of its vectors.
    [[nodiscard]] bool msix_enabled() const noexcept { return (msix_control() & pci::registers::msix::enable) != 0; }
    /// Vectors that the MSI capability offers; 0 without MSI.
    [[nodiscard]] unsigned msi_vectors() const noexcept;
    /// can assert INTx
    [[nodiscard]] bool intx() const noexcept { return config_.read(pci::registers::interrupt_pin, 1) != 0; }

    /// Interrupts that nobody got.
    [[nodiscard]] lost_interrupts lost() const noexcept;

    /// What a driver that is bound later could notice. Not in it: the content of BARs and the model's state,
    /// which belong to the device.
    [[nodiscard]] snapshot state() const;

    // For an operating system: what it keeps, the registers that it writes without looking back, and what has the function
    // act on what it wrote.

    /// What it keeps beside the function: set once; null until then.
    void occupy(hardware::occupant& by) noexcept { occupant_.store(&by, std::memory_order_release); }
    /// what an operating system keeps of it, or null
    [[nodiscard]] hardware::occupant* occupant() const noexcept { return occupant_.load(std::memory_order_acquire); }
    [[nodiscard]] device_model* model() const noexcept { return model_; }  ///< null: plain memory

    /// A part of the function, for an operating system or a model to look at or change without setting anything off.
    /// @{
    [[nodiscard]] config_space& config() noexcept { return config_; }
    [[nodiscard]] const config_space& config() const noexcept { return config_; }
    [[nodiscard]] hardware::msix_table& vector_table() noexcept { return table_; }
    [[nodiscard]] dma_space& dma() noexcept { return dma_; }
    [[nodiscard]] const dma_space& dma() const noexcept { return dma_; }
    [[nodiscard]] bar_mappings& mappings() noexcept { return mappings_; }
    [[nodiscard]] const bar_mappings& mappings() const noexcept { return mappings_; }
    /// @}

    /// the COMMAND register
    [[nodiscard]] unsigned command() const noexcept { return config_.read(pci::registers::command, 2); }
    /// Message Control of the MSI capability; 0 without.
    [[nodiscard]] unsigned msi_control() const noexcept {
        return layout_.msi == 0 ? 0 : config_.read(layout_.msi + pci::registers::msi::control, 2);
    }
    [[nodiscard]] bool io_bar(unsigned bar) const noexcept { return bars_[bar].io; }  ///< is in I/O space
    /// The bits of COMMAND that let it answer in the address spaces that its BARs are in.
    [[nodiscard]] unsigned decode_bits() const noexcept;

    /// In D0, and there.
    [[nodiscard]] bool awake() const noexcept { return !asleep_.load(std::memory_order_acquire); }
    /// To D3hot, and to D0: by its power management capability where it has one.
    void sleep() noexcept;
    void wake() noexcept;  ///< to D0, with a reset where the function needs one

    /// Who is called while INTx is asserted; null for nobody. Ends a "nobody cared".
    void connect_intx(irq_slot* slot) noexcept;
    /// The line may call again after "nobody cared".
    void revive_intx() noexcept { intx_line_->revive(); }
    /// Calls the handler for as long as the line is asserted and nothing holds it back.
    void service_intx() noexcept { intx_line_->service(); }
    /// Sends what is pending of a vector, or of all, and not masked any more.
    void send_pending(unsigned vector) noexcept;
    void send_pending() noexcept;  ///< of all

private:
    friend intx_line;
    /// Whether its pin is asserted, and nothing holds that back: COMMAND, sleep, or a listener that waits for a handler.
    [[nodiscard]] bool asserts_intx() const noexcept;
    /// Its own handler has answered for the pin, which had been raised so often before.
    void intx_handled(unsigned raises) noexcept;

    [[nodiscard]] unsigned msix_control() const noexcept {
        return layout_.msix == 0 ? 0 : config_.read(layout_.msix + pci::registers::msix::control, 2);
    }

    void set_up_registers();
    void config_written(unsigned offset, config_space::change change) noexcept;
    void set_power(bool asleep) noexcept;

    void raise_msix(unsigned vector) noexcept;
    void raise_msi(unsigned vector) noexcept;
    void raise_intx() noexcept;
    bool send(const interrupt_message& message) noexcept;
    [[nodiscard]] bool msix_masked(unsigned vector) const noexcept;
    [[nodiscard]] interrupt_message msi_message(unsigned vector) const noexcept;
    [[nodiscard]] bool msi_enabled(unsigned vector) const noexcept;
    [[nodiscard]] bool msi_masked(unsigned vector) const noexcept;
    void send_msix(unsigned vector) noexcept;
    void send_msi(unsigned vector) noexcept;
    void send_pending_msix(unsigned vector) noexcept;
    void send_pending_msi(unsigned vector) noexcept;

    /// Whether `offset` of a BAR is in the MSI-X table (in its pending bits).
    [[nodiscard]] bool in_table(unsigned bar, std::uint64_t offset) const noexcept {
        return bar == place_.table_bar && offset - place_.table_offset < table_.table_bytes();
    }
    [[nodiscard]] bool in_pending(unsigned bar, std::uint64_t offset) const noexcept {
        return bar == place_.pba_bar && offset - place_.pba_offset < table_.pending_bytes();
    }

    pci::address address_;
    irq_domain* irqs_;
    hardware::ledger* ledger_;
    device_model* model_;
    std::vector<std::string> notes_;

    config_space config_;
    capability_layout layout_;
    detail::bar_window bars_[pci::bar_count];
    std::unique_ptr<sparse_memory> memory_[pci::bar_count];
    msix_table table_;
    detail::msix_place place_;
    dma_space dma_;
    bar_mappings mappings_;

    detail::exchanged_flag gone_{0};
    detail::exchanged_flag asleep_{0};  // in D3hot, or gone
    std::atomic<bool> intx_asserted_{false};
    std::atomic<unsigned> intx_raises_{0};
    std::atomic<irq_slot*> intx_slot_{nullptr};
    intx_line* intx_line_;
    std::atomic<function*> next_on_line_{nullptr};

    struct {
        std::atomic<std::uint64_t> gone{0}, no_master{0}, no_vector{0};
    } lost_;

    std::atomic<hardware::occupant*> occupant_{nullptr};
};

}  // namespace devres::hardware

#include <devres/hardware/detail/function_interrupts.hpp>
#include <devres/hardware/detail/function_registers.hpp>
