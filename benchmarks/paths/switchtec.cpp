// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstdlib>
#include <new>
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

/// What devres keeps for open files, made by hand.
struct shared_access {
    unsigned long accesses = 0;
    unsigned long references = 1;
    switchtec::endpoint* object = nullptr;
    memory_hooks memory;
};

/// The driver as a C programmer would write it against the platform's primitives: what was acquired is in the
/// state, probe unwinds by goto, remove in the opposite order. What it does with the device is the same code.
class by_hand final : public switchtec::endpoint {
public:
    static int probe(sim::bus& bus, sim::function& function, by_hand*& made) noexcept {
        vector_request wanted{.min = 1,
                              .max = switchtec::parameters{}.nirqs,
                              .types = irq_types(irq_type::msix) | irq_type::msi | irq_type::virtual_entries};
        result<sim::region> registers = fail(errc::enodev);
        result<dma_block> memory = fail(errc::enodev);
        result<vector_grant> vectors = fail(errc::enodev);
        result<handler_id> handler = fail(errc::enodev);
        result<switchtec::device_number> number = fail(errc::enodev);
        result<> step;
        void* place = nullptr;
        by_hand* state = nullptr;
        int error = 0;

        step = bus.attach(function);
        if (!step)
            return static_cast<int>(step.error());
        place = bus.allocate(sizeof(by_hand), alignof(by_hand));
        if (place == nullptr) {
            error = static_cast<int>(errc::enomem);
            goto detach;
        }
        state = ::new (place) by_hand(bus, function);
        number = switchtec::device_number::take();
        if (!number) {
            error = static_cast<int>(number.error());
            goto free_state;
        }
        step = bus.enable(function);
        if (!step) {
            error = static_cast<int>(step.error());
            goto free_state;
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
        state->registers_ = *registers;
        if (bus.bar_size(state->registers_) < switchtec::gas::size) {
            error = static_cast<int>(errc::enodev);
            goto unmap;
        }
        step = state->identify();
        if (!step) {
            error = static_cast<int>(step.error());
            goto unmap;
        }
        if (state->offers_dma_mrpc()) {
            memory = bus.allocate_dma(function, sizeof(switchtec::gas::mrpc::dma_output));
            if (!memory) {
                error = static_cast<int>(memory.error());
                goto unmap;
            }
            state->memory_ = *memory;
            state->dma_ = static_cast<switchtec::gas::mrpc::dma_output*>(memory->cpu);
            state->dma_address_ = memory->bus;
        }
        vectors = bus.allocate_vectors(function, wanted);
        if (!vectors) {
            error = static_cast<int>(vectors.error());
            goto free_dma;
        }
        state->info_.vectors = vectors->count;
        state->info_.event_vector = state->event_vector();
        if (state->info_.event_vector >= vectors->count) {
            error = static_cast<int>(errc::efault);
            goto free_vectors;
        }
        handler = bus.register_handler(function, state->info_.event_vector,
                                       {.entry = &on<&endpoint::on_event>, .context = state, .name = "switchtec"});
        if (!handler) {
            error = static_cast<int>(handler.error());
            goto free_vectors;
        }
        state->event_handler_ = *handler;
        if (state->dma_ != nullptr) {
            state->info_.dma_vector = state->read32(switchtec::gas::mrpc::dma_vector);
            if (*state->info_.dma_vector >= vectors->count) {
                error = static_cast<int>(errc::efault);
                goto free_event_handler;
            }
            handler = bus.register_handler(
                function, *state->info_.dma_vector,
                {.entry = &on<&endpoint::on_dma_mrpc>, .context = state, .name = "switchtec-dma"});
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
        state->files_ = ::new (place) shared_access{.object = state, .memory = hooks_of(bus)};
        state->minor_ = std::move(*number);
        state->start();
        made = state;
        return 0;

    free_dma_handler:
        if (state->dma_ != nullptr)
            (void)bus.unregister_handler(function, state->dma_handler_);
    free_event_handler:
        (void)bus.unregister_handler(function, state->event_handler_);
    free_vectors:
        (void)bus.free_vectors(function);
    free_dma:
        if (state->dma_ != nullptr)
            bus.free_dma(function, state->memory_);
    unmap:
        bus.unmap_bar(function, state->registers_);
    disable:
        bus.disable(function);
    free_state:
        state->~by_hand();
        bus.deallocate(state, sizeof(by_hand), alignof(by_hand));
    detach:
        bus.detach(function);
        return error;
    }

    static void remove(by_hand* state) noexcept {
        sim::bus& bus = state->bus_;
        sim::function& function = state->function_;

        state->stop();
        (void)bus.set_master(function, false);
        state->minor_ = {};
        __atomic_or_fetch(&state->files_->accesses, 1UL, __ATOMIC_ACQ_REL);
        while (__atomic_load_n(&state->files_->accesses, __ATOMIC_ACQUIRE) != 1UL)
            bus.relax();
        if (__atomic_sub_fetch(&state->files_->references, 1UL, __ATOMIC_ACQ_REL) == 0)
            bus.deallocate(state->files_, sizeof(shared_access), alignof(shared_access));
        if (state->dma_ != nullptr)
            (void)bus.unregister_handler(function, state->dma_handler_);
        (void)bus.unregister_handler(function, state->event_handler_);
        (void)bus.free_vectors(function);
        if (state->dma_ != nullptr)
            bus.free_dma(function, state->memory_);
        bus.unmap_bar(function, state->registers_);
        bus.disable(function);
        state->~by_hand();
        bus.deallocate(state, sizeof(by_hand), alignof(by_hand));
        bus.detach(function);
    }

private:
    by_hand(sim::bus& bus, sim::function& function) noexcept : bus_(bus), function_(function) {}

    template <auto Handler>
    static irq_return on(void* context, vector_index) noexcept {
        return (static_cast<by_hand*>(context)->*Handler)();
    }

    [[nodiscard]] std::uint32_t read32(std::size_t offset) const noexcept override {
        return bus_.read<std::uint32_t>(registers_, offset);
    }
    void write32(std::size_t offset, std::uint32_t value) const noexcept override {
        bus_.write<std::uint32_t>(registers_, offset, value);
    }

    sim::bus& bus_;
    sim::function& function_;
    sim::region registers_;
    dma_block memory_;
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
