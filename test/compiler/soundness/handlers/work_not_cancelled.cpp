// SPDX-License-Identifier: BSL-1.0
// VERDICT: C
// remove() cancels nothing: work that schedules itself, a timer that sets itself, and a handler that schedules work.
#include "support.hpp"

struct driver {
    template <class Device>
    struct state {
        pci::bar_of<Device> bar;
        pci::delayed_work_of<Device> poll = {};
        pci::work_of<Device> drain = {};
        pci::timer_of<Device> watchdog = {};
        void on_poll() noexcept {
            bar.write32(0, 1);
            pci::schedule_delayed_work(poll, std::chrono::milliseconds(1));
        }
        void on_drain() noexcept { bar.write32(4, 1); }
        void on_watchdog() noexcept {
            pci::schedule_work(drain);
            pci::mod_timer(watchdog, std::chrono::milliseconds(1));
        }
        pci::irq_return on_irq() noexcept { return pci::schedule_work(drain), pci::irq_return::handled; }
        ~state() { pci::schedule_work(drain); }
    };
    template <class Device>
    static probed<state<Device>> probe(Device& dev, const pci::device_id&) {
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0>(device, "x"));
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 1, 1, pci::irq_type::msix));
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, bar));
        DEVRES_TRY(data->poll, pci::devm_delayed_work<&state<Device>::on_poll>(dev, data));
        DEVRES_TRY(pci::devm_request_irq(vectors[0], "x", data));
        DEVRES_TRY(data->drain, pci::devm_work<&state<Device>::on_drain>(dev, data));
        DEVRES_TRY(data->watchdog, pci::devm_timer<&state<Device>::on_watchdog>(dev, data));
        pci::schedule_delayed_work(data->poll, std::chrono::milliseconds(1));
        pci::mod_timer(data->watchdog, std::chrono::milliseconds(1));
        return data;
    }
};

int main() {
    sim::bus bus;
    MUST(stormy<driver>(bus, [&](sim::function& f) {
        all_vectors(f);
        (void)bus.advance(std::chrono::milliseconds(1));
        (void)bus.run_work();
    }));
    (void)bus.advance(std::chrono::hours(1));
    MUST(bus.run_work() == 0);
    MUST(clean(bus));
    return 0;
}
