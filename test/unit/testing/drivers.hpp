// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <string>
#include <utility>

#include <devres/devres.hpp>

#include "support/null_platform.hpp"

namespace devres::test {

/// A driver that leaves everything to devres: one BAR, two vectors, a handler on each. A handler answers
/// `handled` while bit 0 of register 0 is set.
struct managed_driver {
    struct state {
        std::atomic<unsigned> interrupts = 0;
        std::atomic<bool> ours = true;

        pci::irq_return on_irq() noexcept {
            ++interrupts;
            return ours ? pci::irq_return::handled : pci::irq_return::none;
        }
    };

    static result<managed_ref<state>> probe(auto& dev, const pci::device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));
        DEVRES_TRY(auto device, pci::pcim_enable_device(dev));
        DEVRES_TRY(pci::pci_set_master(device));
        DEVRES_TRY(auto bar, pci::pcim_iomap_region<0>(device, "registers"));
        bar.write32(0, 1);
        DEVRES_TRY(auto vectors, pci::pcim_alloc_irq_vectors(device, 2, 2, pci::irq_type::all));
        DEVRES_TRY(pci::devm_request_irq<&state::on_irq>(vectors[0], "event", data));
        DEVRES_TRY(pci::devm_request_irq<&state::on_irq>(vectors[1], "dma", data));
        return data;
    }
};

/// The same, but the driver frees everything itself; its vectors go before its handlers' guards.
struct unmanaged_driver {
    template <class P>
    struct state_of {
        pci::device<P, unmanaged_driver>& dev;
        unsigned interrupts = 0;

        pci::irq_return on_irq() noexcept {
            ++interrupts;
            return pci::irq_return::handled;
        }
    };

    /// What a probe and a remove in one function would do.
    template <class P>
    static result<> run(P& platform, typename P::function_type& function, auto&& meanwhile) {
        DEVRES_TRY(platform.attach(function));
        struct detach_at_end {
            P& platform;
            typename P::function_type& function;
            ~detach_at_end() { platform.detach(function); }
        } end{platform, function};
        pci::device<P, unmanaged_driver> dev(platform, function);
        state_of<P> state{dev};
        DEVRES_TRY(auto device, pci::pci_enable_device(dev));
        DEVRES_TRY(auto small, pci::pci_iomap_region<0>(device, "small"));
        DEVRES_TRY(auto large, pci::pci_iomap_region<2>(device, "large"));
        DEVRES_TRY(auto vectors, pci::pci_alloc_irq_vectors(device, 1, 2, pci::irq_type::all));
        DEVRES_TRY(auto first, pci::request_irq<&state_of<P>::on_irq>(vectors[0], "first", state));
        DEVRES_TRY(auto second, pci::request_irq<&state_of<P>::on_irq>(vectors[1], "second", state));
        meanwhile();
        DEVRES_TRY(pci::free_irq(std::move(second)));
        return pci::pci_free_irq_vectors(std::move(vectors));
    }
};

/// Forgets to disable the device when it has no BAR, and does without DMA memory where there is none.
struct leaky_driver {
    template <class P>
    static result<> run(P& platform, typename P::function_type& function) {
        DEVRES_TRY(platform.attach(function));
        if (const auto enabled = platform.enable(function); !enabled) {
            platform.detach(function);
            return enabled;
        }
        auto bar = platform.map_bar(function, pci::bar_number(0), "registers");
        if (!bar) {
            platform.detach(function);
            return fail(bar.error());
        }
        if (const auto memory = platform.allocate_dma(function, 4096))
            platform.free_dma(function, *memory);
        platform.unmap_bar(function, *bar);
        platform.disable(function);
        platform.detach(function);
        return {};
    }
};

/// Whether nothing is held on the platform and the function: a checker of the explorers.
inline auto idle(null_platform::function_type& function) {
    return [&function](null_platform& platform) -> std::string {
        if (platform.blocks() != 0)
            return std::to_string(platform.blocks()) + " blocks of memory held";
        return function.idle() ? "" : "function not idle";
    };
}

}  // namespace devres::test
