// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>
#include <variant>

#include <devres/devres.hpp>

#include "child_bus.hpp"
#include "child_drivers.hpp"
#include "child_interrupts.hpp"
#include "platform_array.hpp"
#include "registers.hpp"
#include "unique_number.hpp"

/// A driver for Intel's Volume Management Device: an endpoint that hides other functions behind its BARs
/// and sends their interrupts as its own. It is written against the guards of devres and knows no platform;
/// what is behind it is a platform again (`child_bus`), on which it binds ordinary drivers.
///
/// # What has to outlive what
/// Children go first, in remove(): each is unbound, which ends its handlers and waits for them. Then devres
/// frees, newest first: VMD's handlers, the lists that they walk, VMD's vectors, the child bus, CFGBAR, the
/// enable, the driver data.
///
/// Upstream has the last step of remove() and the first of devres the other way round: it cleans up the
/// SRCU structures of the lists itself, while the handlers that walk them are managed and still there. Said
/// as a table, that is
///
///     inline constexpr devres::resource<struct irq_lists_tag> irq_lists;
///     irq_lists = devres::unmanaged,
///     pci::irq_handler(devres::driver_data, irq_lists) = devres::managed
///
/// and it does not compile: D002, see test/compile_fail/D002_vmd_upstream.cpp. Here the lists are managed
/// objects, made before the handlers, and devm_request_irq would take nothing else. Errors in probe, of
/// which upstream leaks the SRCU structures that were set up so far, need no line of code here.
///
/// suspend() frees the handlers and not the vectors; resume() registers new ones, at the end of the list,
/// where they are again the first to go.
namespace vmd {

/// The numbers that are the driver's own: which VMD of the machine, and its PCI domain. Linux's own domains
/// are below.
using instance_number = unique_number<struct instance_kind>;
using domain = unique_number<struct domain_kind, 0x10000>;
inline constexpr devres::resource<struct instance_id_tag> instance_id;
inline constexpr devres::resource<struct domain_number_tag> domain_number;

/// What the driver knows of a VMD that it is bound to.
template <class P, class Driver, class... ChildDrivers>
class controller {
    using device_type = pci::device<P, Driver>;

public:
    using bus_type = child_bus<device_type>;

    explicit controller(device_type& dev) noexcept : dev_(&dev) {}

    /// "vmd0"
    [[nodiscard]] const char* name() const noexcept { return name_.data(); }
    [[nodiscard]] unsigned instance() const noexcept { return instance_.value(); }
    [[nodiscard]] unsigned domain_number() const noexcept { return domain_.value(); }
    /// VMD's vectors; 0 if children interrupt without it (bypass).
    [[nodiscard]] unsigned vectors() const noexcept { return vectors_.size(); }
    /// How many handlers are registered on them.
    [[nodiscard]] unsigned handlers() const noexcept {
        unsigned count = 0;
        for (std::size_t i = 0; i != handlers_.size(); ++i)
            count += handlers_[i] ? 1U : 0U;
        return count;
    }
    /// The bus behind it.
    [[nodiscard]] bus_type& bus() const noexcept { return *bus_; }
    /// How many children have a driver.
    [[nodiscard]] unsigned bound_children() const noexcept {
        unsigned count = 0;
        for (std::size_t i = 0; i != children_.size(); ++i)
            count += children_[i].index() != 0 ? 1U : 0U;
        return count;
    }
    /// The state of child `index` of `bus().functions()`, or null if it has another driver or none.
    template <class ChildDriver>
    [[nodiscard]] auto* child(std::size_t index) noexcept {
        const auto* const bound = std::get_if<pci::binding<ChildDriver, bus_type>>(&children_[index]);
        return bound == nullptr ? nullptr : &bound->state();
    }

private:
    template <class, class...>
    friend struct driver_for;

    using handler = pci::irq_registration<devres::managed_t, P, Driver>;
    using child_binding = std::variant<std::monostate, pci::binding<ChildDrivers, bus_type>...>;

    result<std::uint64_t> bar_address(unsigned bar) const noexcept {
        constexpr unsigned first_bar = 0x10;
        DEVRES_TRY(const std::uint64_t low, pci::pci_read_config_dword(*dev_, first_bar + 4 * bar));
        if ((low & 6U) != 4)
            return low & ~std::uint64_t{15};
        DEVRES_TRY(const std::uint64_t high, pci::pci_read_config_dword(*dev_, first_bar + 4 * bar + 4));
        return (low & ~std::uint64_t{15}) | high << 32U;
    }

    /// The first of its buses' numbers.
    /// @returns `enodev` for a restriction that is not known.
    result<std::uint8_t> first_bus(std::uint64_t features) const noexcept {
        if ((features & feature::bus_restrictions) == 0)
            return std::uint8_t{0};
        DEVRES_TRY(const auto capabilities, pci::pci_read_config_word(*dev_, config::capabilities));
        if ((capabilities & config::bus_restrict_capable) == 0)
            return std::uint8_t{0};
        DEVRES_TRY(const auto control, pci::pci_read_config_word(*dev_, config::control));
        switch (control >> config::bus_restrict_shift & 3U) {
        case 0: return std::uint8_t{0};
        case 1: return std::uint8_t{128};
        case 2: return std::uint8_t{224};
        default: return fail(errc::enodev);
        }
    }

    /// Where the windows are on the child bus. In a virtual machine, that is not where the BARs are: the
    /// children have host addresses.
    struct found_windows {
        std::array<window_space, 2> windows{};
        bool shifted = false;
    };
    template <class Enabled>
    result<found_windows> find_windows(const Enabled& enabled, std::uint64_t features) const noexcept {
        found_windows found;
        auto& windows = found.windows;
        const std::uint64_t bars[] = {DEVRES_TRY(bar_address(membar1)), DEVRES_TRY(bar_address(membar2))};
        windows[0].address = bars[0];
        windows[1].address = bars[1];
        windows[1].first = shadow::offset;
        windows[0].size = DEVRES_TRY((pci::pci_iomap_region<membar1>(enabled, name()))).size();
        DEVRES_TRY(const auto registers, pci::pci_iomap_region<membar2>(enabled, name()));  // until we know
        windows[1].size = registers.size();
        if ((features & feature::membar_shadow) != 0) {
            windows[1].first += shadow::size;
            DEVRES_TRY(const auto lock, pci::pci_read_config_dword(*dev_, config::lock));
            if (lock == ~0U)
                return fail(errc::enodev);
            if ((lock & config::membar2_shadow_enable) != 0) {
                windows[0].address = registers.read64(shadow::offset) & ~std::uint64_t{15};
                windows[1].address = registers.read64(shadow::offset + 8) & ~std::uint64_t{15};
            }
        } else if ((features & feature::membar_shadow_vscap) != 0) {
            DEVRES_TRY(const unsigned at, find_capability(vendor_specific));
            if (at != 0 && DEVRES_TRY(pci::pci_read_config_dword(*dev_, at + 4)) == shadow::signature) {
                DEVRES_TRY(windows[0].address, read_address(at + shadow::capability_addresses));
                DEVRES_TRY(windows[1].address, read_address(at + shadow::capability_addresses + 8));
            }
        }
        found.shifted = windows[0].address != bars[0] || windows[1].address != bars[1];
        return found;
    }
    result<std::uint64_t> read_address(unsigned where) const noexcept {
        DEVRES_TRY(const std::uint64_t low, pci::pci_read_config_dword(*dev_, where));
        DEVRES_TRY(const std::uint64_t high, pci::pci_read_config_dword(*dev_, where + 4));
        return (high << 32U | low) & ~std::uint64_t{15};
    }

    static constexpr unsigned vendor_specific = 0x09;
    static constexpr unsigned msix = 0x11;
    /// Where a capability is; 0 if there is none.
    result<unsigned> find_capability(unsigned wanted) const noexcept {
        unsigned at = DEVRES_TRY(pci::pci_read_config_byte(*dev_, 0x34)) & 0xfcU;
        for (unsigned left = 48; at >= 0x40 && left != 0; --left) {
            if (DEVRES_TRY(pci::pci_read_config_byte(*dev_, at)) == wanted)
                return at;
            at = DEVRES_TRY(pci::pci_read_config_byte(*dev_, at + 1)) & 0xfcU;
        }
        return 0U;
    }
    /// `pci_msix_vec_count()`. @returns `enodev` without MSI-X
    result<unsigned> msix_table_size() const noexcept {
        DEVRES_TRY(const unsigned at, find_capability(msix));
        if (at == 0)
            return fail(errc::enodev);
        return (DEVRES_TRY(pci::pci_read_config_word(*dev_, at + 2)) & 0x7ffU) + 1;
    }

    /// Whether the messages of children become VMD's, or pass unchanged.
    result<> set_remapping(bool on) const noexcept {
        DEVRES_TRY(const auto control, pci::pci_read_config_word(*dev_, config::control));
        const unsigned others = control & ~unsigned{config::remapping_off};
        return pci::pci_write_config_word(
            *dev_, config::control, static_cast<std::uint16_t>(others | (on ? 0U : config::remapping_off)));
    }
    /// For whoever comes next: there are firmwares that do not turn it on again at a restart.
    static void remap_again(void* self) noexcept {
        (void)static_cast<controller*>(self)->set_remapping(true);
    }

    /// Takes every vector there is, and registers a handler on each.
    template <class Enabled>
    result<> remap(const Enabled& enabled, unsigned first_vector) noexcept {
        DEVRES_TRY(const unsigned table_size, msix_table_size());
        if (table_size <= first_vector)
            return fail(errc::enospc);
        DEVRES_TRY(vectors_,
            pci::pcim_alloc_irq_vectors(enabled, first_vector + 1, table_size, pci::irq_type::msix));
        const unsigned count = vectors_.size();
        const devres::memory_hooks& memory = dev_->resources().memory();
        DEVRES_TRY(interrupts_, devres::devm_emplace<child_interrupts>(*dev_));
        DEVRES_TRY((*interrupts_)->make(memory, bus_->irqs_wanted(count), count, first_vector));
        DEVRES_TRY(handlers_, platform_array<handler>::make(memory, count));
        DEVRES_TRY(request_handlers());
        bus_->remap_to(**interrupts_);
        return set_remapping(true);
    }
    result<> request_handlers() noexcept {
        for (unsigned i = 0; i != handlers_.size(); ++i) {
            if (!handlers_[i]) {
                DEVRES_TRY(handlers_[i],
                    pci::devm_request_irq<&child_interrupts::on_irq>(vectors_[i], name(), *interrupts_));
            }
        }
        return {};
    }
    result<> free_handlers() noexcept {
        for (handler& each : handlers_) {
            const auto freed = pci::devm_free_irq(std::move(each));
            if (!freed && freed.error() != errc::enoent)
                return freed;
        }
        return {};
    }

    /// Puts a driver on each child that one is for. A child that its driver cannot have stays without, as a
    /// device anywhere does.
    void bind_children() noexcept {
        std::size_t index = 0;
        for (child_function& function : bus_->functions()) {
            (void)(bind_child<ChildDrivers>(children_[index], function) || ...);
            ++index;
        }
    }
    template <class ChildDriver>
    bool bind_child(child_binding& child, child_function& function) noexcept {
        if (pci::match<ChildDriver>(function.identity) == nullptr)
            return false;
        if (auto bound = pci::bind<ChildDriver>(*bus_, function))
            child = std::move(*bound);
        return true;
    }
    void unbind_children() noexcept {
        for (std::size_t i = children_.size(); i-- != 0;)
            children_[i] = std::monostate();
    }
    /// What the PM core does: children go to sleep before the parent, and wake after it. A child that
    /// sleeps already, or is awake (`einval`), is left alone.
    template <class Call>
    static result<> ask(child_binding& child, Call call) noexcept {
        return std::visit(
            [&](auto& bound) -> result<> {
                if constexpr (std::is_same_v<std::remove_cvref_t<decltype(bound)>, std::monostate>) {
                    return {};
                } else {
                    const result<> answer = call(bound);
                    return !answer && answer.error() == errc::einval ? result<>() : answer;
                }
            },
            child);
    }
    result<> resume_children() noexcept {
        for (child_binding& child : children_) {
            DEVRES_TRY(ask(child, [](auto& bound) { return bound.resume(); }));
        }
        return {};
    }
    result<> suspend_children() noexcept {
        for (std::size_t i = children_.size(); i-- != 0;) {
            if (const auto asleep = ask(children_[i], [](auto& bound) { return bound.suspend(); }); !asleep) {
                (void)resume_children();
                return asleep;
            }
        }
        return {};
    }

    device_type* dev_;
    std::array<char, 8> name_{};
    bus_type* bus_ = nullptr;
    pci::irq_allocation<devres::managed_t, P, Driver> vectors_;
    std::optional<devres::managed_ref<child_interrupts>> interrupts_;
    platform_array<handler> handlers_;
    platform_array<child_binding> children_;

    // Ours, freed in remove().
    instance_number instance_;
    domain domain_;
};

/// The driver for a machine whose functions behind VMD have drivers among `ChildDrivers`. `Driver` is the
/// type it is bound as.
template <class Driver, class... ChildDrivers>
struct driver_for {
    static constexpr pci::device_id ids[] = {
        {.vendor = 0x8086, .device = 0x201d, .driver_data = feature::membar_shadow_vscap},
        {.vendor = 0x8086, .device = 0x28c0,
         .driver_data = feature::membar_shadow | feature::bus_restrictions | feature::can_bypass_remapping},
        {.vendor = 0x8086, .device = 0x467f, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0x4c3d, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0xa77f, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0x7d0b, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0xad0b, .driver_data = feature::client},
        {.vendor = 0x8086, .device = 0x9a0b, .driver_data = feature::client},
    };

    static constexpr auto ownership = devres::own(
        devres::driver_data = devres::managed,  // the lists that the handlers walk are in it
        pci::enable = devres::managed,
        pci::bar<cfgbar> = devres::managed,
        pci::bar<membar1> = devres::unmanaged,  // windows: mapped while children have BARs in them
        pci::bar<membar2> = devres::unmanaged,
        pci::irq_vectors = devres::managed,
        pci::irq_handler(devres::driver_data) = devres::managed,
        instance_id = devres::unmanaged,
        domain_number = devres::unmanaged);

    /// Brings VMD up, and then the functions behind it. If a step fails, those before it are undone, newest
    /// first. That a child cannot be brought up is no failure of VMD's.
    /// @returns the state; `enomem` if CFGBAR holds less than a bus or memory is short, `enodev` without MSI-X
    /// or for bus numbers that are not known, `enospc` with too few vectors or too many VMDs, or the
    /// platform's error.
    template <class P>
    static auto probe(pci::device<P, Driver>& dev, const pci::device_id& id)
        -> result<devres::managed_ref<controller<P, Driver, ChildDrivers...>>> {
        using state = controller<P, Driver, ChildDrivers...>;
        using bus_type = typename state::bus_type;
        const std::uint64_t features = id.driver_data;
        DEVRES_TRY(auto data, devres::devm_emplace<state>(dev, dev));  // first, so that it goes last
        DEVRES_TRY(auto instance, instance_number::take());
        (void)std::snprintf(data->name_.data(), data->name_.size(), "vmd%u", instance.value());

        DEVRES_TRY(auto enabled, pci::pcim_enable_device(dev));
        DEVRES_TRY(auto cfg, pci::pcim_iomap_region<cfgbar>(enabled, data->name()));
        if (cfg.size() < bus_ecam_size)
            return fail(errc::enomem);
        DEVRES_TRY(pci::pci_set_master(enabled));
        DEVRES_TRY(const auto found, data->find_windows(enabled, features));
        DEVRES_TRY(const std::uint8_t first_bus, data->first_bus(features));
        DEVRES_TRY(auto number, domain::take());

        DEVRES_TRY(auto bus,
            devres::devm_emplace<bus_type>(dev, enabled, cfg, number.value(), first_bus, found.windows));
        data->bus_ = &bus.get();
        DEVRES_TRY(bus->scan());
        DEVRES_TRY(devres::devm_add_action(dev, &state::remap_again, &data.get()));
        if ((features & feature::can_bypass_remapping) == 0 || found.shifted) {
            DEVRES_TRY(data->remap(enabled, (features & feature::offset_first_vector) != 0 ? 1 : 0));
        } else {
            DEVRES_TRY(data->set_remapping(false));
        }
        DEVRES_TRY(data->children_, platform_array<typename state::child_binding>::make(
            dev.resources().memory(), bus->functions().size()));

        // Nothing fails from here on.
        data->instance_ = std::move(instance);
        data->domain_ = std::move(number);
        data->bind_children();
        return data;
    }

    /// The children go, newest first, while everything they stand on is still there; then what is the
    /// driver's own.
    template <class State>
    static void remove(State& data) noexcept {
        data.unbind_children();
        data.domain_ = {};
        data.instance_ = {};
    }

    /// Frees the handlers; the vectors stay.
    template <class State>
    static result<> suspend(State& data) noexcept {
        DEVRES_TRY(data.suspend_children());
        return data.free_handlers();
    }

    /// Restores what the platform does not know of, and the handlers. After an error, some are missing; VMD
    /// may be suspended and resumed again, or unbound.
    template <class State>
    static result<> resume(State& data) noexcept {
        DEVRES_TRY(data.set_remapping(data.vectors() != 0));
        DEVRES_TRY(data.request_handlers());
        return data.resume_children();
    }
};

struct driver : driver_for<driver, nvme::driver, ethernet::driver> {};

}  // namespace vmd
