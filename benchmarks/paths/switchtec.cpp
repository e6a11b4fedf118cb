// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <utility>

#include <devres/sim.hpp>

#include "paths.hpp"
#include "switchtec/driver.hpp"
#include "switchtec/model.hpp"

namespace devres::benchmarks {

namespace {

using namespace devres::pci;

struct machine {
    switchtec::model hardware;
    sim::bus bus;
    sim::function& function = bus.add(hardware.function());
};
machine& here() {
    static machine only;
    return only;
}

/// What the endpoint of the driver is made from, without the tokens of devres.
struct raw_registers {
    sim::bus* bus;
    sim::region mapped;

    [[nodiscard]] std::uint32_t read32(std::size_t offset) const noexcept {
        return bus->read<std::uint32_t>(mapped, offset);
    }
    void write32(std::size_t offset, std::uint32_t value) const noexcept {
        bus->write<std::uint32_t>(mapped, offset, value);
    }
};
struct raw_memory {
    dma_block block;

    [[nodiscard]] void* data() const noexcept { return block.cpu; }
    [[nodiscard]] bus_address address() const noexcept { return block.bus; }
};
using raw_endpoint = switchtec::endpoint<raw_registers, raw_memory>;

/// What devres keeps for open files, made by hand.
struct shared_access {
    unsigned long accesses = 0;
    unsigned long references = 1;
    raw_endpoint* object = nullptr;
    memory_hooks memory;
};

/// The driver as a C programmer would write it against the platform's primitives: what was acquired is in the
/// state, probe unwinds by goto, remove in the opposite order. What it does with the device is the same code.
class by_hand {
public:
    static int probe(sim::bus& bus, sim::function& function, by_hand*& made) noexcept {
        vector_request wanted{.min = 1,
                              .max = switchtec::parameters{}.nirqs,
                              .types = irq_types(irq_type::msix) | irq_type::msi | irq_type::virtual_entries};
        result<sim::region> registers = fail(errc::enodev);
        result<switchtec::partition_info> info = fail(errc::enodev);
        result<dma_block> memory = fail(errc::enodev);
        result<vector_grant> vectors = fail(errc::enodev);
        result<handler_id> handler = fail(errc::enodev);
        result<switchtec::device_number> number = fail(errc::enodev);
        std::optional<raw_memory> answers;
        result<> step;
        void* place = nullptr;
        by_hand* state = nullptr;
        int error = 0;

        step = bus.attach(function);
        if (!step)
            return static_cast<int>(step.error());
        number = switchtec::device_number::take();
        if (!number) {
            error = static_cast<int>(number.error());
            goto detach;
        }
        step = bus.enable(function);
        if (!step) {
            error = static_cast<int>(step.error());
            goto detach;
        }
        step = bus.set_master(function, true);
        if (!step) {
            error = static_cast<int>(step.error());
            goto disable;
        }
        registers = bus.map_bar(function, bar_number(0), "switchtec");
        if (!registers) {
            error = static_cast<int>(registers.error());
            goto disable;
        }
        if (bus.bar_size(*registers) < switchtec::gas::size) {
            error = static_cast<int>(errc::enodev);
            goto unmap;
        }
        info = switchtec::identify(raw_registers{&bus, *registers});
        if (!info) {
            error = static_cast<int>(info.error());
            goto unmap;
        }
        if (switchtec::offers_dma_mrpc(raw_registers{&bus, *registers})) {
            memory = bus.allocate_dma(function, sizeof(switchtec::gas::mrpc::dma_output));
            if (!memory) {
                error = static_cast<int>(memory.error());
                goto unmap;
            }
            answers = raw_memory{*memory};
            info->dma_vector = raw_registers{&bus, *registers}.read32(switchtec::gas::mrpc::dma_vector);
        }
        vectors = bus.allocate_vectors(function, wanted);
        if (!vectors) {
            error = static_cast<int>(vectors.error());
            goto free_dma;
        }
        info->vectors = vectors->count;
        if (info->event_vector >= vectors->count || info->dma_vector.value_or(0) >= vectors->count) {
            error = static_cast<int>(errc::efault);
            goto free_vectors;
        }
        place = bus.allocate(sizeof(by_hand), alignof(by_hand));
        if (place == nullptr) {
            error = static_cast<int>(errc::enomem);
            goto free_vectors;
        }
        state = ::new (place) by_hand(bus, function, *registers, *info, answers);
        handler = bus.register_handler(
            function, info->event_vector,
            {.entry = &on<&raw_endpoint::on_irq>, .context = &state->endpoint_, .name = "switchtec"});
        if (!handler) {
            error = static_cast<int>(handler.error());
            goto free_state;
        }
        state->event_handler_ = *handler;
        if (answers) {
            handler = bus.register_handler(
                function, *info->dma_vector,
                {.entry = &on<&raw_endpoint::on_dma_mrpc>, .context = &state->endpoint_, .name = "switchtec-dma"});
            if (!handler) {
                error = static_cast<int>(handler.error());
                goto free_event_handler;
            }
            state->dma_handler_ = *handler;
        }
        place = bus.allocate(sizeof(shared_access), alignof(shared_access));
        if (place == nullptr) {
            error = static_cast<int>(errc::enomem);
            goto free_dma_handler;
        }
        state->files_ = ::new (place) shared_access{.object = &state->endpoint_, .memory = hooks_of(bus)};
        state->minor_ = std::move(*number);
        state->endpoint_.start();
        made = state;
        return 0;

    free_dma_handler:
        if (answers)
            (void)bus.unregister_handler(function, state->dma_handler_);
    free_event_handler:
        (void)bus.unregister_handler(function, state->event_handler_);
    free_state:
        state->~by_hand();
        bus.deallocate(state, sizeof(by_hand), alignof(by_hand));
    free_vectors:
        (void)bus.free_vectors(function);
    free_dma:
        if (answers)
            bus.free_dma(function, answers->block);
    unmap:
        bus.unmap_bar(function, *registers);
    disable:
        bus.disable(function);
    detach:
        bus.detach(function);
        return error;
    }

    static void remove(by_hand* state) noexcept {
        sim::bus& bus = state->bus_;
        sim::function& function = state->function_;
        sim::region registers = state->registers_;
        const std::optional<raw_memory> answers = state->answers_;

        state->endpoint_.close();
        state->minor_ = {};
        __atomic_or_fetch(&state->files_->accesses, 1UL, __ATOMIC_ACQ_REL);
        while (__atomic_load_n(&state->files_->accesses, __ATOMIC_ACQUIRE) != 1UL)
            bus.relax();
        if (__atomic_sub_fetch(&state->files_->references, 1UL, __ATOMIC_ACQ_REL) == 0)
            bus.deallocate(state->files_, sizeof(shared_access), alignof(shared_access));
        state->endpoint_.stop();
        if (answers)
            (void)bus.unregister_handler(function, state->dma_handler_);
        (void)bus.unregister_handler(function, state->event_handler_);
        (void)bus.set_master(function, false);
        state->~by_hand();
        bus.deallocate(state, sizeof(by_hand), alignof(by_hand));
        (void)bus.free_vectors(function);
        if (answers)
            bus.free_dma(function, answers->block);
        bus.unmap_bar(function, registers);
        bus.disable(function);
        bus.detach(function);
    }

private:
    by_hand(sim::bus& bus, sim::function& function, const sim::region& registers, const switchtec::partition_info& info,
            const std::optional<raw_memory>& answers) noexcept
        : bus_(bus), function_(function), registers_(registers), answers_(answers),
          endpoint_(raw_registers{&bus, registers}, info, answers) {}

    template <auto Handler>
    static irq_return on(void* context, vector_index) noexcept {
        return (static_cast<raw_endpoint*>(context)->*Handler)();
    }

    sim::bus& bus_;
    sim::function& function_;
    sim::region registers_;
    std::optional<raw_memory> answers_;
    raw_endpoint endpoint_;
    handler_id event_handler_{};
    handler_id dma_handler_{};
    shared_access* files_ = nullptr;
    switchtec::device_number minor_;
};

}  // namespace

void switchtec_bound() {
    machine& on = here();
    auto bound = bind<switchtec::driver>(on.bus, on.function);
    if (!bound || !bound->unbind())
        std::abort();
}

void switchtec_by_hand() {
    machine& on = here();
    by_hand* state = nullptr;
    const auto entry = match<switchtec::driver>(on.bus.id(on.function));
    if (entry == nullptr || by_hand::probe(on.bus, on.function, state) != 0 || on.bus.in_handler(on.function))
        std::abort();
    by_hand::remove(state);
}

}  // namespace devres::benchmarks
