// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <ranges>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <devres/sim.hpp>
#include <devres/testing/traced.hpp>

#include "hex.hpp"
#include "lspci/drivers.hpp"
#include "lspci/report.hpp"

namespace lspci {

namespace pci = devres::pci;
namespace sim = devres::sim;

/// The bus of a machine that somebody dumped, with a driver on each of its functions.
class machine {
public:
    using platform = devres::testing::traced<sim::bus>;

    explicit machine(std::vector<sim::dumped_function> dumps) {
        for (sim::dumped_function& dump : dumps)
            add(std::move(dump));
    }

    /// Binds every function, so that all are live at once as in the machine; fires every vector once; unbinds
    /// everything, last bound first.
    [[nodiscard]] machine_report exercise() {
        for (part& p : parts_)
            bind(p);
        for (part& p : parts_)
            fire(p);
        for (part& p : std::views::reverse(parts_))
            p.binding.reset();
        return conclude();
    }

private:
    /// A function of the machine.
    struct part {
        const known_driver<platform>* driver;
        sim::function* function;
        sim::snapshot before{};
        std::shared_ptr<void> binding{};
        function_report report{};
    };

    void add(sim::dumped_function dump) {
        const auto id = id_of(dump);
        const auto& wanted = driver_for<platform>(id);
        const bool known = knows_vectors(dump);
        const auto& driver = known ? wanted : std::end(known_drivers<platform>)[-1];
        const auto said = std::to_array(dump.bar_sizes);
        auto& model = models_.emplace_back(driver.model(dump));
        auto& function = bus_.add(dump, model.get());
        part& p = parts_.emplace_back(&driver, &function);
        p.before = function.state();
        p.report = {.address = function.address(),
                    .vendor = id.vendor,
                    .device = id.device,
                    .what = class_of(dump),
                    .msix = function.msix_vectors(),
                    .msi = function.msi_vectors(),
                    .without_msix = word_for(dump.msix()),
                    .without_msi = word_for(dump.msi()),
                    .pin = function.read_config(pci::registers::interrupt_pin, 1).value_or(0),
                    .present = function.present(),
                    .bars = dump.bars()};
        for (unsigned i = 0; i != pci::bar_count; ++i) {
            if (const auto size = function.bar_size(pci::bar_number(i)); size != 0 && !said[i])
                p.report.chosen_bar_sizes[i] = size;
        }
        for (const std::string& note : function.notes()) {
            // The report has other words for those left out.
            const bool is_root_needed = note.starts_with("capabilities: ") && dump.config.size() == 64;
            if (!is_root_needed && note.find(": size not in the dump") == std::string::npos)
                p.report.assumptions.push_back(note);
            if (is_root_needed)
                p.report.assumptions.emplace_back("capabilities unknown (64 bytes only; run lspci as root)");
        }
        if (&driver != &wanted)
            p.report.assumptions.push_back(std::string("the ") + wanted.name +
                                           " driver is not tried: whether it has its vectors is not known");
    }

    /// Whether the dump says what a driver's vectors can be: it has MSI-X, or its list of capabilities is whole.
    static bool knows_vectors(const sim::dumped_function& dump) {
        using state = devres::hardware::capability_state;
        const bool broken = devres::hardware::walk_capabilities(dump.config, [](unsigned, unsigned) {}).has_value();
        return dump.msix() == state::whole || (dump.msix() == state::none && dump.msi() != state::cut && !broken);
    }

    /// What the table has in place of no vectors.
    static const char* word_for(devres::hardware::capability_state state) {
        using devres::hardware::capability_state;
        return state == capability_state::cut ? "cut" : state == capability_state::unknown ? "?" : "-";
    }

    void bind(part& p) {
        if (!p.report.present)
            return;
        auto bound = p.driver->bind(platform_, *p.function);
        if (!bound) {
            p.report.faults.push_back(std::string(p.driver->name) + ": " + message(bound.error()));
            return;
        }
        p.binding = std::move(*bound);
        p.report.driver = p.driver->name;
        p.report.vectors = bus_.vectors(*p.function);
        p.report.type = type_of(*p.function);
        const unsigned offered = p.report.type == pci::irq_type::msix  ? p.report.msix
                                 : p.report.type == pci::irq_type::msi ? p.report.msi
                                                                       : 1;
        if (p.report.vectors > offered)
            p.report.assumptions.push_back("more vectors than the device has (" + std::to_string(p.report.vectors) +
                                           " of " + std::to_string(offered) + "): the driver asks for numbers " +
                                           "beyond the table too, which the device never sends (PCI_IRQ_VIRTUAL)");
    }

    /// Exactly the vector's handler is to see its interrupt, whatever else is on the bus; nobody, if the
    /// driver has no use for the vector.
    void fire(part& p) {
        const unsigned in_hardware = std::max({p.report.msix, p.report.msi, 1U});  // more may be granted
        for (unsigned vector = 0; vector != std::min(p.report.vectors, in_hardware); ++vector) {
            const std::string handler = p.report.address.text().c_str() + (" irq_handler " + std::to_string(vector));
            const bool handled = handlers_.contains(handler);
            raised_ = handler;
            seen_.clear();
            const auto lost = p.function->lost();
            p.function->raise(vector);
            p.report.handled += handled ? 1 : 0;
            if (handled && seen_.size() == 1 && seen_[0] == handler)
                ++p.report.fired;
            else if (handled || !seen_.empty())
                p.report.faults.push_back("vector " + std::to_string(vector) + " fired: " + who_saw(lost, *p.function));
        }
    }

    /// Who shares a line is called for the others, and says that it was not for him.
    void note_call(const std::string& handler, bool handled) {
        if (handled || handler == raised_)
            seen_.push_back(handler);
    }

    [[nodiscard]] std::string who_saw(const sim::lost_interrupts& before, sim::function& f) const {
        if (seen_.empty()) {
            const auto after = f.lost();
            return after.no_master != before.no_master   ? "lost, the driver did not set_master"
                   : after.no_vector != before.no_vector ? "lost, the function has no such vector"
                                                         : "no handler saw it";
        }
        std::string text = "seen by";
        for (const std::string& handler : seen_)
            text += ' ' + handler + ',';
        text.pop_back();
        return text;
    }

    [[nodiscard]] machine_report conclude() {
        machine_report out;
        auto held = bus_.ledger().live();
        auto violations = bus_.ledger().violations();
        for (part& p : parts_) {
            const std::string of_function = p.report.address.text().c_str() + std::string(" ");
            const auto move_out = [&](auto& lines, const std::string& prefix, auto text) {
                std::erase_if(lines, [&](const auto& line) {
                    const bool mine = text(line).starts_with(of_function);
                    if (mine)
                        p.report.faults.push_back(prefix + text(line).substr(of_function.size()));
                    return mine;
                });
            };
            move_out(held, "still held: ", [](const std::string& line) { return line; });
            move_out(violations, "", [](const sim::violation& v) { return v.text; });
            if (const std::string changed = difference(p.before, p.function->state()); !changed.empty())
                p.report.faults.push_back("not as it was before: " + changed);
            out.functions.push_back(std::move(p.report));
        }
        for (const std::string& line : held)
            out.faults.push_back("still held: " + line);
        for (const auto& violation : violations)
            out.faults.push_back(violation.text);
        return out;
    }

    static pci::device_id id_of(const sim::dumped_function& dump) {
        const auto config = dump.to_config();
        return {.vendor = config.vendor,
                .device = config.device,
                .subsystem_vendor = config.subsystem_vendor,
                .subsystem_device = config.subsystem_device,
                .class_code = config.class_code};
    }

    /// "PCI bridge" of "PCI bridge [0604]: Red Hat, Inc. QEMU PCIe Root port", or of "\"PCI bridge [0604]\" \"Red Hat, ..."
    static std::string class_of(const sim::dumped_function& dump) {
        const std::string& said = dump.description;
        std::string text = said.starts_with('"') ? said.substr(1, said.find('"', 1) - 1)
                                                 : said.substr(0, said.find(':'));
        text.resize(std::min(text.find(" ["), text.size()));
        if (text.starts_with("Class "))
            text.erase(0, 6);
        if (text != "Class" && text.find_first_not_of("0123456789abcdef") != std::string::npos)
            return text;
        const auto code = static_cast<std::uint16_t>(id_of(dump).class_code >> 8U);  // lspci -n, or no name for it
        return "class " + examples::hex(code, 4);
    }

    /// How a function that has vectors interrupts now, by its registers.
    static pci::irq_type type_of(const sim::function& f) {
        namespace registers = pci::registers;
        using pci::irq_type;
        const unsigned msi = f.capabilities().msi;
        const bool by_msi = msi != 0 &&
                            (f.read_config(msi + registers::msi::control, 2).value_or(0) & registers::msi::enable) != 0;
        return f.msix_enabled() ? irq_type::msix : by_msi ? irq_type::msi : irq_type::intx;
    }

    std::vector<std::unique_ptr<sim::device_model>> models_;
    sim::bus bus_;
    std::set<std::string> handlers_;  // and other resources that were acquired: "0000:00:02.0 irq_handler 0"
    std::string raised_;              // the handler whose interrupt was raised last
    std::vector<std::string> seen_;   // those that have seen it
    platform platform_{bus_,
                       [this](const devres::testing::trace_entry& entry) {
                           using devres::testing::trace_step;
                           if (entry.step == trace_step::acquired)
                               handlers_.insert(entry.who + ' ' + entry.resource);
                           else if (entry.step == trace_step::interrupt)
                               note_call(entry.who + ' ' + entry.resource, entry.detail.ends_with("handled"));
                       },
                       [](auto& function) { return std::string(function.address().text().c_str()); }};
    std::deque<part> parts_;  // last: unbound before the bus goes
};

}  // namespace lspci
