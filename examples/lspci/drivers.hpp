// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include <devres/devres.hpp>
#include <devres/sim.hpp>

#include "lspci/generic_driver.hpp"
#include "switchtec/driver.hpp"
#include "switchtec/model.hpp"
#include "vmd/driver.hpp"
#include "vmd/model.hpp"

namespace lspci {

namespace pci = devres::pci;
namespace sim = devres::sim;

/// A driver, without its type: what it takes to put it on a function of a dump.
template <class P>
struct known_driver {
    using function_type = typename P::function_type;
    using model_maker = std::unique_ptr<sim::device_model> (*)(sim::dumped_function& dump);

    const char* name;
    bool (*matches)(const pci::device_id& function);
    /// Makes what stands for the hardware behind the function's registers, null for plain memory. It may add
    /// what the dump does not say.
    model_maker model;
    /// Binds the driver, until what is returned dies.
    devres::result<std::shared_ptr<void>> (*bind)(P& platform, function_type& function);

    template <class Driver>
    [[nodiscard]] static constexpr known_driver of(const char* name, model_maker model = &plain_memory) noexcept {
        return {name, &matches_ids<Driver>, model, &bind_to<Driver>};
    }

private:
    static std::unique_ptr<sim::device_model> plain_memory(sim::dumped_function&) { return nullptr; }

    template <class Driver>
    static bool matches_ids(const pci::device_id& function) noexcept {
        return pci::match<Driver>(function) != nullptr;
    }
    template <class Driver>
    static devres::result<std::shared_ptr<void>> bind_to(P& platform, function_type& function) {
        using binding = pci::binding<Driver, P>;
        DEVRES_TRY(auto bound, pci::bind<Driver>(platform, function));
        return std::make_shared<binding>(std::move(bound));
    }
};

/// A Switchtec as the dump says it is, with room for its registers.
[[nodiscard]] inline std::unique_ptr<sim::device_model> switchtec_model(sim::dumped_function& dump) {
    const auto config = dump.to_config();
    if (!dump.bar_sizes[0])
        dump.bar_sizes[0] = switchtec::gas::size;
    switchtec::model_config wanted{.device_id = config.device};
    if (std::max(config.msix_vectors, config.msi_vectors) <= wanted.dma_vector)
        wanted.dma_version = 0;
    return std::make_unique<switchtec::model>(wanted);
}

/// A VMD with nothing behind it: what is there is not in the dump.
[[nodiscard]] inline std::unique_ptr<sim::device_model> vmd_model(sim::dumped_function& dump) {
    const auto choose = [&dump](unsigned bar, std::uint64_t size) {
        dump.bar_sizes[bar] = dump.bar_sizes[bar].value_or(size);
    };
    choose(vmd::cfgbar, vmd::bus_ecam_size);
    choose(vmd::membar1, vmd::endpoint_model::membar1_size);
    choose(vmd::membar2, vmd::endpoint_model::membar2_size);
    return std::make_unique<vmd::endpoint_model>(vmd::endpoint_kind{});
}

/// The drivers of the examples, a line each, and last the one that is for any function.
template <class P>
inline constexpr known_driver<P> known_drivers[] = {
    known_driver<P>::template of<switchtec::driver>("switchtec", &switchtec_model),
    known_driver<P>::template of<vmd::driver>("vmd", &vmd_model),
    known_driver<P>::template of<generic_driver>("generic"),
};

/// The first driver that is for a function.
template <class P>
[[nodiscard]] const known_driver<P>& driver_for(const pci::device_id& function) noexcept {
    const known_driver<P>* driver = known_drivers<P>;
    while (!driver->matches(function))
        ++driver;
    return *driver;
}

}  // namespace lspci
