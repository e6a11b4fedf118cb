// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include <devres/devres.hpp>
#include <devres/pci/spread_vectors.hpp>

#include "child_access.hpp"
#include "child_function.hpp"
#include "child_interrupts.hpp"

namespace vmd {

/// The primitives of a platform for vectors and handlers, whose contracts are at pci::platform, for the functions
/// behind a VMD. They have MSI-X or nothing: there is no INTx behind a VMD, and the messages of MSI are left out here.
///
/// # Threads
/// As for any platform: the calls of one function are made on one thread at a time, those of different functions may be
/// made on different ones. `lock_` is for what children share: which vector of VMD's has how many of their interrupts.
/// Delivery does not take it.
template <class Parent>
class child_vectors {
public:
    using delivery = std::optional<devres::managed_ref<child_interrupts>>;

    /// Nothing where children cannot interrupt through VMD.
    [[nodiscard]] const delivery& interrupts() const noexcept { return interrupts_; }

    void relax() noexcept { platform().relax(); }

    result<pci::vector_grant> allocate_vectors(child_function& f, const pci::vector_request& request) noexcept {
        if (in_handler(f))
            return fail(errc::edeadlk);
        if (!access_.config().is_present(f.config))
            return fail(errc::enodev);
        if (f.vectors.load(std::memory_order_relaxed) != 0)
            return fail(errc::ebusy);
        errc last = errc::enospc;
        if (request.types.has(pci::irq_type::msix)) {
            const auto count = allocate_msix(f, request);
            if (count)
                return pci::vector_grant{.count = *count, .type = pci::irq_type::msix};
            last = count.error();
        }
        if (request.types.has(pci::irq_type::msi))
            last = errc::einval;  // as if it had no such capability
        return fail(last);
    }
    result<> free_vectors(child_function& f) noexcept {
        const unsigned count = f.vectors.load(std::memory_order_relaxed);
        if (count == 0)
            return {};
        if (in_handler(f))
            return fail(errc::edeadlk);
        access_.enable_msix(f, false);
        while (const auto newest = newest_registered(f))
            end(f, static_cast<unsigned>(newest - f.irqs.data()));
        const std::scoped_lock hold(lock_);
        f.vectors.store(0, std::memory_order_release);
        for (unsigned i = count; i-- != 0;) {
            access_.clear_entry(f, i);
            child_irq& irq = f.irqs[i];
            delivered().list(irq.vector).remove(irq);
            irq.forget();
            delivered().give_back(irq.vector);
        }
        return {};
    }
    /// A number that no other function of this machine's VMDs has: beyond those of the machine itself.
    pci::irq_number vector_number(child_function& f, pci::vector_index vector) noexcept {
        const auto devfn = static_cast<unsigned>(f.config >> 12U);
        return pci::irq_number(((f.address.domain() & 0xffU) + 1) << 19U | devfn << 11U | vector.value());
    }

    result<pci::handler_id> register_handler(child_function& f, pci::vector_index vector,
                                             const pci::irq_action& action) noexcept {
        const unsigned index = vector.value();
        if (in_handler(f))
            return fail(errc::edeadlk);
        if (action.entry == nullptr || index >= f.vectors.load(std::memory_order_relaxed))
            return fail(errc::einval);
        child_irq& irq = f.irqs[index];
        if (irq.id() != pci::handler_id::none)
            return fail(errc::ebusy);
        const auto id = static_cast<pci::handler_id>(++registrations_ << index_bits | index);
        irq.give(action, vector, id);
        delivered().list(irq.vector).add(irq);
        start(f, index);
        return id;
    }
    result<> unregister_handler(child_function& f, pci::handler_id id) noexcept {
        if (!handler_registered(f, id))
            return {};
        const unsigned index = index_of(id);
        if (f.irqs[index].is_running_here())
            return fail(errc::edeadlk);
        end(f, index);
        return {};
    }
    bool handler_registered(child_function& f, pci::handler_id id) noexcept {
        return id != pci::handler_id::none && index_of(id) < f.irqs.size() && f.irqs[index_of(id)].id() == id;
    }
    bool in_handler(const child_function& f) noexcept {
        for (const child_irq& irq : f.irqs) {
            if (irq.is_running_here())
                return true;
        }
        return false;
    }
    result<> synchronize_handler(child_function& f, pci::handler_id id) noexcept {
        if (id == pci::handler_id::none) {
            if (in_handler(f))
                return fail(errc::edeadlk);
            for (child_irq& irq : f.irqs)
                irq.wait(*this);
            return {};
        }
        if (!handler_registered(f, id))
            return {};
        child_irq& irq = f.irqs[index_of(id)];
        if (irq.is_running_here())
            return fail(errc::edeadlk);
        irq.wait(*this);
        return {};
    }
    result<> disable_handler(child_function& f, pci::handler_id id) noexcept {
        if (!handler_registered(f, id))
            return fail(errc::enoent);
        child_irq& irq = f.irqs[index_of(id)];
        if (irq.is_running_here())
            return fail(errc::edeadlk);
        if (irq.disables()++ == 0) {
            access_.mask_entry(f, index_of(id), true);
            irq.hold(*this);
        }
        return {};
    }
    result<> enable_handler(child_function& f, pci::handler_id id) noexcept {
        if (!handler_registered(f, id))
            return fail(errc::enoent);
        child_irq& irq = f.irqs[index_of(id)];
        if (irq.disables() == 0)
            return fail(errc::einval);
        if (--irq.disables() == 0)
            start(f, index_of(id));
        return {};
    }

protected:
    child_vectors(const pci::enabled_of<Parent>& enabled, const child_access<Parent>& access,
                  const delivery& interrupts) noexcept
        : enabled_(enabled), access_(access), interrupts_(interrupts) {}
    ~child_vectors() = default;

    /// What a child's MSI-X was before it slept.
    void restore_vectors(const child_function& f) const noexcept {
        const unsigned count = f.vectors.load(std::memory_order_relaxed);
        for (unsigned i = 0; i != count; ++i)
            access_.write_entry(f, i, f.irqs[i].id() == pci::handler_id::none || f.irqs[i].disables() != 0);
        if (count != 0)
            access_.enable_msix(f, true);
    }

    [[nodiscard]] Parent& parent() const noexcept { return enabled_.dev(); }
    [[nodiscard]] typename Parent::platform_type& platform() const noexcept { return parent().platform(); }
    [[nodiscard]] const child_access<Parent>& access() const noexcept { return access_; }

private:
    // A registration's id says which vector it is on, and is never used again.
    static constexpr unsigned index_bits = 12;
    [[nodiscard]] static unsigned index_of(pci::handler_id id) noexcept {
        return static_cast<unsigned>(id) & ((1U << index_bits) - 1);
    }

    /// Where children have vectors, they have been given a way to interrupt.
    [[nodiscard]] child_interrupts& delivered() const noexcept { return **interrupts_; }

    result<unsigned> allocate_msix(child_function& f, const pci::vector_request& request) noexcept {
        const auto& bar = f.bars[f.table_bar];
        if (f.msix == 0 || f.enables.count() == 0 || f.saved.valid || !bar.placed)
            return fail(errc::einval);
        if (!interrupts_)
            return fail(errc::enotsupp);  // messages pass VMD by, to an interrupt controller that is not ours
        auto count = static_cast<unsigned>(f.irqs.size());
        if (request.max < count)
            count = request.max;
        if (request.affinity != nullptr) {  // as many CPUs as there may be: VMD's vectors are where they are
            DEVRES_TRY(count, pci::spread_vector_count(*request.affinity, request.min, count, ~0U));
        }
        if (count < request.min)
            return fail(errc::enospc);
        if (request.affinity != nullptr && request.affinity->calculate_sets != nullptr) {
            pci::irq_affinity sets = *request.affinity;
            sets.calculate_sets(sets, count - sets.pre_vectors - sets.post_vectors);
        }
        const std::scoped_lock hold(lock_);
        for (unsigned i = 0; i != count; ++i) {
            f.irqs[i].vector = delivered().take(f.is_nvme());
            access_.write_entry(f, i, true);
        }
        access_.enable_msix(f, true);
        f.vectors.store(count, std::memory_order_release);
        return count;
    }

    /// Lets a vector's interrupts reach its handler; those that were held do here, on this thread.
    void start(child_function& f, unsigned index) noexcept {
        f.irqs[index].allow();
        access_.mask_entry(f, index, false);
    }
    /// Ends the handler of a vector; returns when it is not running. The interrupt stays on its list, for messages
    /// that are under way.
    void end(child_function& f, unsigned index) noexcept {
        access_.mask_entry(f, index, true);
        f.irqs[index].hold(*this);
        f.irqs[index].take();
    }
    [[nodiscard]] static child_irq* newest_registered(const child_function& f) noexcept {
        child_irq* newest = nullptr;
        for (child_irq& irq : f.irqs) {
            if (irq.id() != pci::handler_id::none && (newest == nullptr || irq.id() > newest->id()))
                newest = &irq;
        }
        return newest;
    }

    pci::enabled_of<Parent> enabled_;
    child_access<Parent> access_;
    delivery interrupts_;
    std::mutex lock_;
    std::atomic<std::uint64_t> registrations_{0};
};

}  // namespace vmd
