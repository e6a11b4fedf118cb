// SPDX-License-Identifier: BSL-1.0
// expected-no-diagnostics
// What drivers write all the time, without a false alarm.
#include <optional>
#include <utility>

#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>

using namespace devres;
using namespace devres::pci;

using platform_type = platform_archetype;
using function_type = platform_type::function_type;

struct driver {
    using vectors_type = irq_allocation<unmanaged_t, platform_type, driver>;
    using handler_type = irq_registration<unmanaged_t, platform_type, driver>;

    struct state {
        enabled_device<unmanaged_t, platform_type, driver> enabled;
        bar_mapping<unmanaged_t, platform_type, driver> registers;
        dma_allocation<unmanaged_t, platform_type, driver> ring;
        vectors_type vectors;
        std::optional<handler_type> handler;
        group queues;

        irq_return on_irq(vector_index) noexcept { return irq_return::handled; }
        irq_return on_error() noexcept { return irq_return::handled; }
    };

    static probed<state> probe(device<platform_type, driver>& dev, const device_id&) {
        DEVRES_TRY(auto data, devm_emplace<state>(dev));

        // Filled one by one, moved into a member.
        DEVRES_TRY(auto enabled, pci_enable_device(dev));
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(auto registers, pci_iomap_region<0>(enabled, "registers"));
        if (registers.read32(0) == ~0U)
            return fail(errc::enodev);
        data->registers = std::move(registers);
        data->registers.write32(4, 1);

        // Assigned to a member in one line, used there.
        DEVRES_TRY(data->vectors, pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix | irq_type::msi));
        for (unsigned i = 0; i != data->vectors.size(); ++i)
            (void)data->vectors[i].number();

        // In an optional.
        DEVRES_TRY(data->handler, request_irq<&state::on_irq>(data->vectors[0], "queue", *data));
        if (data->handler && *data->handler) {
            DEVRES_TRY(data->ring, dma_alloc_coherent(enabled, 4096));
        }

        // A group that is kept at the end, or rolls back; released again later, or not.
        group queues{dev};
        DEVRES_TRY(devm_add_action(dev, [](void*) {}, nullptr));
        queues.keep();
        if (data->vectors.size() == 1) {
            DEVRES_TRY(queues.release());
        }
        data->queues = std::move(queues);

        data->enabled = std::move(enabled);
        return data;
    }

    static void remove(state& data) noexcept {
        data.handler.reset();
        (void)pci_free_irq_vectors(std::move(data.vectors));
    }

    /// Freed and allocated again.
    static result<unsigned> reallocate(state& data, unsigned wanted) {
        auto vectors = std::move(data.vectors);
        DEVRES_TRY(pci_free_irq_vectors(std::move(vectors)));
        DEVRES_TRY(vectors, pci_alloc_irq_vectors(data.enabled, 1, wanted, irq_type::msix));
        for (unsigned i = 0; i != vectors.size(); ++i)
            (void)vectors[i].number();
        const unsigned count = vectors.size();
        data.vectors = std::move(vectors);
        return count;
    }

    /// Moved on one path only.
    static unsigned moved_perhaps(vectors_type given, state& data, bool keep) {
        if (keep)
            data.vectors = std::move(given);
        if (given)
            return given.size();
        return data.vectors.size();
    }

    /// Made empty, filled later.
    static result<> filled_later(device<platform_type, driver>& dev, bool msix) {
        enabled_device<unmanaged_t, platform_type, driver> enabled;
        vectors_type vectors;
        DEVRES_TRY(enabled, pci_enable_device(dev));
        if (msix) {
            DEVRES_TRY(vectors, pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
        }
        if (!vectors) {
            DEVRES_TRY(vectors, pci_alloc_irq_vectors(enabled, 1, 1, irq_type::intx));
        }
        (void)enabled.dev();
        return vectors.at(0).has_value() ? result<>{} : fail(errc::enospc);
    }

    /// Handed to and back from functions.
    static vectors_type pass(vectors_type vectors) { return vectors; }
    static result<vectors_type> wrap(vectors_type vectors) {
        if (vectors.size() < 2)
            return fail(errc::enospc);
        return vectors;
    }
    static result<unsigned> pass_through(const enabled_device<managed_t, platform_type, driver>& enabled) {
        DEVRES_TRY(auto vectors, pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
        vectors = pass(std::move(vectors));
        DEVRES_TRY(auto wrapped, wrap(std::move(vectors)));
        auto& alias = wrapped;
        return alias.size() + wrapped.size();
    }
};

/// Parts, the state made from them, its handlers, its start.
struct managed_driver {
    template <class Device>
    struct state {
        bar_of<Device> registers;
        coherent_of<Device> ring;
        std::optional<vectors_of<Device>> vectors;
        managed_ptr<driver::state> other;
        irq_registration<managed_t, typename Device::platform_type, typename Device::driver_type> handler;

        irq_return on_irq() noexcept { return registers.read32(0) == 0 ? irq_return::none : irq_return::handled; }
        void start() noexcept { registers.write32(8, 1); }
        void stop() noexcept { registers.write32(8, 0); }
    };

    template <class Device>
    static probed<state<Device>> probe(Device& dev, const device_id& id) {
        DEVRES_TRY(auto device, pcim_enable_device(dev));
        DEVRES_TRY(auto registers, pcim_iomap_region<0, 16>(device, "registers"));
        DEVRES_TRY(auto ring, dmam_alloc_coherent(device, 4096));
        std::optional<vectors_of<Device>> vectors;
        if (id.driver_data != 0) {
            DEVRES_TRY(auto allocated, pcim_alloc_irq_vectors(device, 1, 4, irq_type::msix));
            vectors.emplace(allocated);
        }
        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, registers, ring, vectors));
        if (vectors) {
            DEVRES_TRY(data->handler, devm_request_irq((*vectors)[0], "queue", data));
        }
        DEVRES_TRY(devm_start(dev, data));
        const auto copy = registers;
        (void)copy.size();
        return data;
    }
};

irq_return read(const revocable<driver::state>& file) {
    if (auto data = file.try_access())
        return data->on_error();
    const auto again = file.try_access();
    if (!again)
        return irq_return::none;
    return again->on_error();
}

result<> use(platform_type& platform, function_type& function) {
    DEVRES_TRY(auto bound, bind<driver>(platform, function));
    DEVRES_TRY(driver::reallocate(bound.state(), 4));
    DEVRES_TRY(bound.suspend());
    DEVRES_TRY(bound.resume());
    auto other = std::move(bound);
    bound = std::move(other);
    (void)bound.dev();
    DEVRES_TRY(auto managed_one, bind<managed_driver>(platform, function));
    (void)managed_one.state().on_irq();
    return bound.unbind();
}
