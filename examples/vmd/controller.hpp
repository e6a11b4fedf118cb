// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <devres/devres.hpp>

#include "child_bus.hpp"
#include "discovery.hpp"
#include "platform_array.hpp"
#include "unique_number.hpp"

namespace vmd {

/// The numbers that are the driver's own: which VMD of the machine, and its PCI domain. Linux's own domains
/// are below.
struct instance_number : unique_number<instance_number> {};
struct domain : unique_number<domain, 0x10000> {};
inline constexpr devres::resource<struct instance_id_tag> instance_id;
inline constexpr devres::resource<struct domain_number_tag> domain_number;

/// What the driver knows of a VMD that it is bound to.
template <class Device, class... ChildDrivers>
class controller {
public:
    using bus_type = child_bus<Device>;

    /// In bypass, where children interrupt without VMD, there are no vectors.
    controller(Device& dev, devres::managed_ref<instance_number> instance, devres::managed_ref<domain> number,
               devres::managed_ref<bus_type> bus, const std::optional<pci::vectors_of<Device>>& vectors) noexcept
        : dev_(dev), instance_(instance), domain_(number), bus_(bus), vectors_(vectors) {
        (void)std::snprintf(name_.data(), name_.size(), "vmd%u", instance->value());
    }
    /// Makes room for what it keeps. @returns `enomem`
    result<> init() noexcept {
        const devres::memory_hooks& memory = dev_.resources().memory();
        DEVRES_TRY(handlers_, platform_array<handler>::make(memory, vectors()));
        DEVRES_TRY(children_, platform_array<child_binding>::make(memory, bus_->functions().size()));
        return {};
    }

    /// "vmd0"
    [[nodiscard]] const char* name() const noexcept { return name_.data(); }
    [[nodiscard]] unsigned instance() const noexcept { return instance_->value(); }
    [[nodiscard]] unsigned domain_number() const noexcept { return domain_->value(); }
    /// VMD's vectors; 0 in bypass.
    [[nodiscard]] unsigned vectors() const noexcept { return vectors_ ? vectors_->size() : 0; }
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

    /// Has the messages of children become VMD's, except in bypass, and puts a driver on each child that one is for. A
    /// child that its driver cannot have stays without, as a device anywhere does.
    result<> start() noexcept {
        DEVRES_TRY(set_remapping(dev_, vectors_.has_value()));
        std::size_t index = 0;
        for (child_function& function : bus_->functions()) {
            (void)(bind_child<ChildDrivers>(children_[index], function) || ...);
            ++index;
        }
        return {};
    }
    /// Takes the drivers off again, the last one first. Remapping is left on for whoever comes next: there are
    /// firmwares that do not turn it on again at a restart.
    void stop() noexcept {
        for (std::size_t i = children_.size(); i-- != 0;)
            children_[i] = std::monostate();
        (void)set_remapping(dev_, true);
    }

    /// Registers a handler on each vector that has none.
    result<> request_handlers() noexcept {
        for (unsigned i = 0; i != handlers_.size(); ++i) {
            if (!handlers_[i]) {
                DEVRES_TRY(handlers_[i], pci::devm_request_irq((*vectors_)[i], name(), *bus_->interrupts()));
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

    /// What the PM core does: children go to sleep before the parent, and wake after it.
    result<> suspend_children() noexcept {
        for (std::size_t i = children_.size(); i-- != 0;) {
            if (const auto asleep = ask(children_[i], [](auto& bound) { return bound.suspend(); }); !asleep) {
                (void)resume_children();
                return asleep;
            }
        }
        return {};
    }
    result<> resume_children() noexcept {
        for (child_binding& child : children_) {
            DEVRES_TRY(ask(child, [](auto& bound) { return bound.resume(); }));
        }
        return {};
    }
    /// What the platform does not know of a VMD that was asleep.
    result<> restore() const noexcept { return set_remapping(dev_, vectors_.has_value()); }

private:
    using handler =
        pci::irq_registration<devres::managed_t, typename Device::platform_type, typename Device::driver_type>;
    using child_binding = std::variant<std::monostate, pci::binding<ChildDrivers, bus_type>...>;

    template <class ChildDriver>
    bool bind_child(child_binding& child, child_function& function) noexcept {
        if (pci::match<ChildDriver>(function.identity) == nullptr)
            return false;
        if (auto bound = pci::bind<ChildDriver>(*bus_, function))
            child = std::move(*bound);
        return true;
    }
    /// A child that sleeps already, or is awake (`einval`), is left alone.
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

    Device& dev_;
    devres::managed_ref<instance_number> instance_;
    devres::managed_ref<domain> domain_;
    devres::managed_ref<bus_type> bus_;
    std::optional<pci::vectors_of<Device>> vectors_;
    std::array<char, 8> name_{};
    platform_array<handler> handlers_;
    platform_array<child_binding> children_;
};

}  // namespace vmd
