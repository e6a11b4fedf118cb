// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include <devres/linux_model.hpp>

#include "edu/model.hpp"
#include "replay/outcome.hpp"
#include "replay/program.hpp"
#include "rocker/model.hpp"

namespace replay {

/// A machine with one device, on which the drivers of a scenario program (test/kernel/README.md) run, on the model of
/// Linux.
class machine {
public:
    machine(const lm::kernel_version& version, const lm::patch_version& patch, device_kind kind)
        : kind_(kind), linux_(version, patch),
          dev_(kind == device_kind::rocker ? linux_.add(rocker::config(rocker_)) : linux_.add(edu::config(edu_))) {}
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    /// Binds and unbinds the program's drivers in turn, then the correct driver. A machine runs one program.
    outcome run(const program& what) {
        outcome out;
        try {
            for (const driver& each : what.drivers)
                bind_and_unbind(each, out);
        } catch (const lm::oops& stopped) {
            out.oops = stopped.what();
        }
        out.after = look();
        out.events = linux_.log().take_events();
        for (const lm::event& each : out.events) {
            if (each.kind == lm::event_kind::warning)
                out.warnings.push_back(each.warning);
        }
        if (out.oops.empty())
            rebind(out);
        return out;
    }

    /// Of which vector a handler is, that an event names.
    [[nodiscard]] static unsigned vector_of(const lm::event& of) noexcept {
        return static_cast<const handler*>(of.dev_id)->vector;
    }

private:
    /// What a handler is registered with.
    struct handler {
        machine* owner;
        unsigned vector;
        unsigned calls = 0;
        std::string name;
    };
    struct group {
        bool open = true;
    };
    /// What a driver knows while it is bound. It stays: handlers and groups outlive their driver.
    struct driver_state {
        std::vector<int> irqs;  // of the last successful allocation, by vector
        std::deque<handler> handlers;
        std::deque<group> groups;  // opened without a number; the address is the id
        std::vector<group*> left;
    };

    static devres::pci::irq_return on_interrupt(unsigned, void* dev_id) {
        auto& self = *static_cast<handler*>(dev_id);
        if (self.owner->firing_)
            self.owner->acknowledge();
        ++self.calls;
        return devres::pci::irq_return::handled;
    }

    void bind_and_unbind(const driver& what, outcome& out) {
        driver_state& mine = drivers_.emplace_back();
        out.probe.reset();
        out.probe = linux_.bind(dev_, {.name = "devres_lab",
                                       .probe = [&](lm::pci_dev&) { return perform(what.probe, mine, out, true); },
                                       .remove = [&](lm::pci_dev&) { perform(what.remove, mine, out, false); }});
        linux_.unbind(dev_);
    }

    void rebind(outcome& out) try {
        driver_state& mine = drivers_.emplace_back();
        const operation steps[] = {{'E', 0}, {'B', 0}, {'A', vectors_of(kind_)}, {'Q', 0}, {'T', 0}, {'P', 0}};
        out.rebind = linux_.bind(
            dev_, {.name = "devres_lab", .probe = [&](lm::pci_dev&) { return perform(steps, mine, out, true); }});
    } catch (const lm::oops& stopped) {
        out.oops = stopped.what();
    }

    template <class Operations>
    int perform(const Operations& what, driver_state& mine, outcome& out, bool stop) {
        for (const operation& each : what) {
            const int error = perform(each, mine, out);
            if (error < 0 && stop)
                return error;
        }
        return 0;
    }

    int perform(const operation& what, driver_state& mine, outcome& out) {
        switch (what.code) {
        case 'E': return linux_.pcim_enable_device(dev_);
        case 'e': return linux_.pci_enable_device(dev_);
        case 'd': linux_.pci_disable_device(dev_); return 0;
        case 'B': linux_.pci_set_master(dev_); return 0;
        case 'A':
            return found(mine, linux_.pcim_alloc_irq_vectors(dev_, what.number, what.number,
                                                             lm::pci_irq::msix | lm::pci_irq::msi));
        case 'a':
            return found(mine, linux_.pci_alloc_irq_vectors(dev_, what.number, what.number,
                                                            lm::pci_irq::msix | lm::pci_irq::msi));
        case 'i': return found(mine, linux_.pci_alloc_irq_vectors(dev_, 1, what.number, lm::pci_irq::all_types));
        case 'F': linux_.pci_free_irq_vectors(dev_); return 0;
        case 'I': look_up(mine); return 0;
        case 'Q':
        case 'q': return request_all(mine, what.code == 'Q');
        case 'V':
        case 'f': free_all(mine, what.code == 'V'); return 0;
        case 'M':
        case 'm': dev_.is_msi_managed = what.code == 'M'; return 0;
        case 'G': open_group(mine, what.number); return 0;
        case 'g': close_group(mine, what.number); return 0;
        case 'R': dev_.devres_release_group(take_group(mine, what.number)); return 0;
        case 'r': dev_.devres_remove_group(take_group(mine, what.number)); return 0;
        case 'K': return dev_.devm_add_action(marker, &markers_[what.number], "action", static_cast<int>(what.number));
        case 'T': fire(mine); return 0;
        case 'P':
            linux_.log().add(lm::event_kind::state, static_cast<int>(out.states.size()));
            out.states.push_back(look());
            return 0;
        default: return lm::negative(devres::errc::eio);  // X
        }
    }

    static void marker(void*) noexcept {}

    int found(driver_state& mine, int answer) {
        if (answer > 0) {
            mine.irqs.resize(static_cast<unsigned>(answer));
            look_up(mine);
        }
        return answer;
    }

    void look_up(driver_state& mine) {
        for (unsigned v = 0; v != mine.irqs.size(); ++v) {
            mine.irqs[v] = linux_.pci_irq_vector(dev_, v);
            if (mine.irqs[v] > 0)
                numbers_.insert(mine.irqs[v]);
        }
        for (auto v = static_cast<unsigned>(mine.handlers.size()); v < mine.irqs.size(); ++v)
            mine.handlers.push_back({this, v, 0, "lab" + std::to_string(v)});
    }

    int request_all(driver_state& mine, bool is_managed) {
        for (unsigned v = 0; v != mine.irqs.size(); ++v) {
            handler& each = mine.handlers[v];
            const char* const name = each.name.c_str();
            const int error = is_managed ? linux_.devm_request_irq(dev_, mine.irqs[v], on_interrupt, 0, name, &each)
                                         : linux_.request_irq(mine.irqs[v], on_interrupt, 0, name, &each);
            if (error != 0)
                return error;
        }
        return 0;
    }

    void free_all(driver_state& mine, bool is_managed) {
        for (unsigned v = 0; v != mine.irqs.size(); ++v) {
            if (is_managed)
                linux_.devm_free_irq(dev_, mine.irqs[v], &mine.handlers[v]);
            else
                linux_.free_irq(mine.irqs[v], &mine.handlers[v]);
        }
    }

    void open_group(driver_state& mine, unsigned number) {
        if (number != 0) {
            dev_.devres_open_group(&group_numbers_[number]);
            return;
        }
        mine.left.push_back(&mine.groups.emplace_back());
        dev_.devres_open_group(mine.left.back());
    }

    void close_group(driver_state& mine, unsigned number) {
        const void* id = number == 0 ? nullptr : &group_numbers_[number];
        if (number == 0) {
            for (auto each = mine.left.rbegin(); each != mine.left.rend(); ++each) {
                if ((*each)->open) {
                    (*each)->open = false;
                    id = *each;
                    break;
                }
            }
        }
        dev_.devres_close_group(id);
    }

    /// The id of the group to release or to remove.
    const void* take_group(driver_state& mine, unsigned number) {
        if (number != 0)
            return &group_numbers_[number];
        if (mine.left.empty())
            return nullptr;
        const void* const id = mine.left.back();
        mine.left.pop_back();
        return id;
    }

    void write(std::size_t offset, unsigned value) {
        namespace reg = devres::pci::registers;
        if ((*linux_.read_config(dev_, reg::command, 2) & reg::command_bits::memory) != 0)
            dev_.hardware.write_bar(devres::pci::bar_number(0), offset, 4, value);
    }

    void acknowledge() {
        if (kind_ == device_kind::edu)
            write(edu::registers::irq_acknowledge, 1);
    }

    void fire(driver_state& mine) {
        firing_ = true;
        for (unsigned v = 0; v != mine.irqs.size(); ++v) {
            const handler& target = mine.handlers[v];
            const unsigned before = target.calls;
            if (kind_ == device_kind::rocker)
                write(rocker::registers::test_irq, v);
            else
                write(edu::registers::irq_raise, 1);
            acknowledge();
            linux_.log().add(lm::event_kind::fire, static_cast<int>(target.calls - before), &target);
        }
        firing_ = false;
    }

    [[nodiscard]] state look() {
        state out{.msix_enabled = dev_.msix_enabled,
                  .msi_enabled = dev_.msi_enabled,
                  .is_managed = dev_.is_managed,
                  .is_msi_managed = dev_.is_msi_managed,
                  .enable_cnt = dev_.enable_cnt};
        for (const int irq : numbers_) {
            if (const lm::irq_desc* const desc = linux_.find_irq(irq)) {
                ++out.vectors_live;
                out.handlers_live += static_cast<unsigned>(desc->actions.size());
            }
        }
        return out;
    }

    device_kind kind_;
    rocker::model rocker_;
    edu::model edu_;
    lm::kernel linux_;
    lm::pci_dev& dev_;
    std::deque<driver_state> drivers_;
    std::set<int> numbers_;
    std::array<char, 10> group_numbers_{};
    std::array<char, 1000> markers_{};
    bool firing_ = false;
};

}  // namespace replay
