// SPDX-License-Identifier: BSL-1.0
// Every function of core and pci, on a platform of a few arrays, in a program without a C or C++ library.
#include <devres/any_platform.hpp>
#include <devres/devres.hpp>
#include <devres/pci/spread_vectors.hpp>

#include "start.hpp"

namespace {

using namespace devres;
using namespace devres::pci;

/// One function with eight vectors, BARs of memory, and counters of what is held.
class small_platform {
public:
    static constexpr bool hybrid_irq_vectors = false;
    static constexpr unsigned vector_count = 8;

    struct function_type {
        bool attached = false;
        bool master = false;
        bool asleep = false;
        unsigned enabled = 0;
        unsigned mapped = 0;
        unsigned vectors = 0;
        unsigned blocks = 0;
        std::uint64_t last_id = 0;
        bool inside = false;
        handler_id ids[vector_count]{};
        irq_action actions[vector_count]{};
        unsigned disables[vector_count]{};
        bool held[vector_count]{};
        std::uint32_t config[1024]{};
        std::uint64_t registers[64]{};

        bool fire(unsigned vector) noexcept {
            held[vector] = ids[vector] == handler_id::none || disables[vector] != 0;
            if (held[vector])
                return false;
            inside = true;
            const irq_return said = actions[vector].entry(actions[vector].context, vector);
            inside = false;
            return said == irq_return::handled;
        }
        void fire_held(unsigned vector) noexcept {
            if (held[vector])
                (void)fire(vector);
        }
        unsigned index_of(handler_id id) const noexcept {
            unsigned index = 0;
            while (index != vector_count && (id == handler_id::none || ids[index] != id))
                ++index;
            return index;
        }
        bool idle() const noexcept {
            return !attached && !master && !asleep && enabled == 0 && mapped == 0 && vectors == 0 && blocks == 0;
        }
    };
    struct region_type {
        function_type* function = nullptr;
        unsigned bar = 0;
    };

    unsigned blocks = 0;
    int allowance = -1;  // allocations that still succeed; negative: all

    void* allocate(std::size_t size, std::size_t alignment) noexcept {
        if (allowance == 0)
            return nullptr;
        if (allowance > 0)
            --allowance;
        const std::size_t begin = (used_ + alignment - 1) / alignment * alignment;
        if (begin + size > sizeof(memory_))
            return nullptr;
        used_ = begin + size;
        ++blocks;
        return memory_ + begin;
    }
    void deallocate(void*, std::size_t, std::size_t) noexcept {
        if (--blocks == 0)
            used_ = 0;
    }
    void relax() noexcept {}

    result<> attach(function_type& f) noexcept {
        if (f.attached)
            return fail(errc::ebusy);
        f.attached = true;
        return {};
    }
    void detach(function_type& f) noexcept { f.attached = false; }
    device_id id(const function_type&) noexcept { return {.vendor = 0x11f8, .device = 0x8531}; }

    result<> enable(function_type& f) noexcept {
        if (f.inside)
            return fail(errc::edeadlk);
        ++f.enabled;
        return {};
    }
    void disable(function_type& f) noexcept {
        if (--f.enabled == 0)
            f.master = false;
    }
    result<> set_master(function_type& f, bool on) noexcept {
        f.master = on;
        return {};
    }
    result<> suspend(function_type& f) noexcept {
        f.asleep = true;
        return {};
    }
    result<> resume(function_type& f) noexcept {
        f.asleep = false;
        return {};
    }

    result<std::uint32_t> read_config(function_type& f, unsigned offset, unsigned width) noexcept {
        if (offset >= 4096 || offset % width != 0)
            return fail(errc::einval);
        return f.config[offset / 4] >> (offset % 4 * 8);
    }
    result<> write_config(function_type& f, unsigned offset, unsigned width, std::uint32_t value) noexcept {
        if (offset >= 4096 || offset % width != 0)
            return fail(errc::einval);
        const std::uint32_t mask = width == 4 ? ~0U : ((1U << width * 8) - 1) << (offset % 4 * 8);
        std::uint32_t& word = f.config[offset / 4];
        word = (word & ~mask) | (value << (offset % 4 * 8) & mask);
        return {};
    }

    result<region_type> map_bar(function_type& f, bar_number bar, const char*) noexcept {
        if (f.inside)
            return fail(errc::edeadlk);
        if ((f.mapped & 1U << bar.value()) != 0)
            return fail(errc::ebusy);
        f.mapped |= 1U << bar.value();
        return region_type{&f, bar.value()};
    }
    void unmap_bar(function_type& f, region_type& region) noexcept { f.mapped &= ~(1U << region.bar); }
    std::size_t bar_size(const region_type&) noexcept { return sizeof(function_type::registers); }
    template <class T>
    T read(const region_type& region, std::size_t offset) noexcept {
        return static_cast<T>(region.function->registers[offset / 8]);
    }
    template <class T>
    void write(const region_type& region, std::size_t offset, T value) noexcept {
        region.function->registers[offset / 8] = value;
    }

    result<vector_grant> allocate_vectors(function_type& f, const vector_request& request) noexcept {
        if (f.inside)
            return fail(errc::edeadlk);
        if (f.vectors != 0)
            return fail(errc::ebusy);
        if (request.min > vector_count)
            return fail(errc::enospc);
        unsigned wanted = request.max;
        if (request.affinity != nullptr) {
            DEVRES_TRY(wanted, spread_vector_count(*request.affinity, request.min, request.max, 4));
        }
        f.vectors = wanted < vector_count ? wanted : vector_count;
        return vector_grant{.count = f.vectors, .type = irq_type::msix};
    }
    result<> free_vectors(function_type& f) noexcept {
        if (f.inside)
            return fail(errc::edeadlk);
        for (handler_id& id : f.ids)
            id = handler_id::none;
        for (bool& held : f.held)
            held = false;
        f.vectors = 0;
        return {};
    }
    irq_number vector_number(function_type&, vector_index vector) noexcept { return irq_number(32 + vector.value()); }

    result<handler_id> register_handler(function_type& f, vector_index vector, const irq_action& action) noexcept {
        const unsigned index = vector.value();
        if (f.inside)
            return fail(errc::edeadlk);
        if (index >= f.vectors)
            return fail(errc::einval);
        if (f.ids[index] != handler_id::none)
            return fail(errc::ebusy);
        f.actions[index] = action;
        f.disables[index] = 0;
        f.ids[index] = handler_id(++f.last_id);
        f.fire_held(index);
        return f.ids[index];
    }
    result<> unregister_handler(function_type& f, handler_id id) noexcept {
        const unsigned index = f.index_of(id);
        if (index == vector_count)
            return {};
        if (f.inside)
            return fail(errc::edeadlk);
        f.ids[index] = handler_id::none;
        return {};
    }
    bool handler_registered(function_type& f, handler_id id) noexcept { return f.index_of(id) != vector_count; }
    bool in_handler(const function_type& f) noexcept { return f.inside; }
    result<> synchronize_handler(function_type& f, handler_id) noexcept {
        return f.inside ? fail(errc::edeadlk) : result<>{};
    }
    result<> disable_handler(function_type& f, handler_id id) noexcept {
        const unsigned index = f.index_of(id);
        if (index == vector_count)
            return fail(errc::enoent);
        if (f.inside)
            return fail(errc::edeadlk);
        ++f.disables[index];
        return {};
    }
    result<> enable_handler(function_type& f, handler_id id) noexcept {
        const unsigned index = f.index_of(id);
        if (index == vector_count)
            return fail(errc::enoent);
        if (f.disables[index] == 0)
            return fail(errc::einval);
        if (--f.disables[index] == 0)
            f.fire_held(index);
        return {};
    }

    result<dma_block> allocate_dma(function_type& f, std::size_t size) noexcept {
        if (f.inside)
            return fail(errc::edeadlk);
        ++f.blocks;
        return dma_block{.cpu = f.registers, .bus = bus_address(1), .size = size};
    }
    void free_dma(function_type& f, const dma_block&) noexcept { --f.blocks; }
    result<> set_dma_mask(function_type&, dma_use, std::uint64_t mask) noexcept {
        return mask != 0 ? result<>{} : fail(errc::eio);
    }
    std::uint64_t required_dma_mask(const function_type&) noexcept { return dma_bit_mask(32); }
    void sync_dma_for_cpu(function_type&, const dma_block&, dma_direction) noexcept {}
    void sync_dma_for_device(function_type&, const dma_block&, dma_direction) noexcept {}
    result<dma_block> map_dma(function_type& f, void* memory, std::size_t size, dma_direction = {}) noexcept {
        if (f.inside)
            return fail(errc::edeadlk);
        ++f.blocks;
        return dma_block{.cpu = memory, .bus = bus_address(2), .size = size};
    }
    void unmap_dma(function_type& f, const dma_block&, dma_direction = {}) noexcept { --f.blocks; }

private:
    std::size_t used_ = 0;
    alignas(64) unsigned char memory_[32768]{};
};
static_assert(platform<small_platform>);

struct queue {
    unsigned interrupts = 0;
    unsigned last = 0;
    irq_return on_irq() noexcept {
        ++interrupts;
        return irq_return::handled;
    }
    irq_return on_vector(vector_index vector) noexcept {
        last = vector.value();
        return on_irq();
    }
};
irq_return on_queue(queue& context) noexcept { return context.on_irq(); }
irq_return on_queue_vector(queue& context, vector_index vector) noexcept { return context.on_vector(vector); }

int actions_run = 0;
void count_action(void* by) { actions_run += *static_cast<int*>(by); }
int one = 1;

inline constexpr resource<struct regulator_tag> regulator;
inline constexpr resource<struct minor_number_tag> minor_number;

/// A driver that lets devres own everything, and uses every function that makes something managed.
struct managed_driver {
    template <class Device>
    struct state : queue {
        bar_of<Device> registers;
        coherent_of<Device> ring;
        vectors_of<Device> vectors;
        queue second{};
        unsigned char buffer[16]{};
        unsigned starts = 0;
        managed_ptr<const queue> younger{};
        revocable<queue> file{};
        revocable<bar_of<Device>> window{};

        state(const bar_of<Device>& bar, const coherent_of<Device>& memory,
              const vectors_of<Device>& allocated) noexcept
            : registers(bar), ring(memory), vectors(allocated) {}
        state(const state&) = delete;
        state& operator=(const state&) = delete;
        ~state() {  // its parts are all there
            registers.write32(16, static_cast<std::uint32_t>(ring.size()));
            actions_run += vectors.size() == 8 ? 100 : 0;
        }

        result<> init() noexcept { return registers.read32(16) == 3 ? result<>{} : fail(errc::enodev); }
        result<> start() noexcept {
            ++starts;
            return {};
        }
        void stop() noexcept { --starts; }
    };

    static constexpr device_id ids[] = {{.vendor = 0x11f8}};
    static constexpr auto ownership = own(driver_data = managed, enable = managed, bar<0> = managed,
        dma_coherent = managed, dma_streaming = managed,
            irq_vectors = managed, irq_handler.without(minor_number) = managed, regulator = managed, minor_number = unmanaged);

    template <class Device>
    static probed<state<Device>> probe(Device& dev, const device_id&) {
        DEVRES_TRY(auto enabled, pcim_enable_device(dev));
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(auto registers, (pcim_iomap_region<0, 512>(enabled, "registers")));
        registers.write8(0, 1);
        registers.write16(8, 2);
        registers.write32(16, 3);
        registers.write64(24, 4);
        if (registers.read8(0) + registers.read16(8) + registers.read32(16) + registers.read64(24) != 10 ||
            registers.size() == 0)
            return fail(errc::eio);
        DEVRES_TRY(auto ring, dmam_alloc_coherent(enabled, 64));
        if (ring.data() == nullptr || ring.address() == bus_address{} || ring.size() != 64)
            return fail(errc::enomem);

        {
            group rolled_back{dev};
            DEVRES_TRY(pcim_alloc_irq_vectors_affinity(enabled, 1, 8, irq_type::all, {.pre_vectors = 1}));
        }
        {
            group queues{dev};
            DEVRES_TRY(auto few, pcim_alloc_irq_vectors<4>(enabled, 8, irq_type::all));
            DEVRES_TRY(auto data, devm_emplace<queue>(dev));
            DEVRES_TRY(devm_request_irq(few.template get<3>(), "rolled back", data));
            queues.keep();
            DEVRES_TRY(queues.release());
        }
        DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 4, 8, irq_type::msix | irq_type::msi));
        if (pcim_alloc_irq_vectors(enabled, 1, 1, irq_type::intx).error() != errc::ebusy)
            return fail(errc::ebusy);

        DEVRES_TRY(auto data, devm_emplace<state<Device>>(dev, registers, ring, vectors));
        DEVRES_TRY(auto mapped, dmam_map_single(enabled, data.part(data->buffer)));
        if (mapped.data() != &data->buffer || mapped.size() != sizeof(data->buffer))
            return fail(errc::enomem);
        dma_sync_single_for_cpu(mapped);
        dma_sync_single_for_device(mapped);
        DEVRES_TRY(auto sg, dmam_map_sg(enabled, dma_direction::to_device, data.part(data->buffer)));
        dma_sync_sg_for_cpu(sg);
        dma_sync_sg_for_device(sg);
        DEVRES_TRY(auto pool, dmam_pool_create(enabled, "pool", 8));
        DEVRES_TRY(auto element, dma_pool_alloc(pool));
        DEVRES_TRY(devm_request_irq(vectors[0], "on_irq", data));
        DEVRES_TRY(devm_request_irq<&queue::on_vector>(vectors[1], "member", data.member(&state<Device>::second)));
        DEVRES_TRY(devm_request_irq<&on_queue>(vectors[2], "function", data));
        DEVRES_TRY(auto vector, vectors.at(3));
        DEVRES_TRY(auto early,
                   devm_request_irq<[](auto& of, vector_index index) { return on_queue_vector(of, index); }>(
                       vector, "lambda", data));
        DEVRES_TRY(synchronize_irq(early));
        DEVRES_TRY(disable_irq(early));
        DEVRES_TRY(enable_irq(early));
        DEVRES_TRY(devm_free_irq(std::move(early)));
        if (vectors[1].number() != irq_number(33) || vectors.type() != irq_type::msix)
            return fail(errc::enxio);

        DEVRES_TRY(devm_add_action<regulator>(dev, &count_action, &one));
        DEVRES_TRY(devm_add_action_or_reset<regulator>(dev, &count_action, &one));
        DEVRES_TRY(auto released, devm_add_action<regulator>(dev, &count_action, &one));
        DEVRES_TRY(devm_release_action(dev, released));
        DEVRES_TRY(auto removed, devm_add_action<regulator>(dev, &count_action, &one));
        DEVRES_TRY(devm_remove_action(dev, removed));
        if (devm_remove_action(dev, removed).error() != errc::enoent)
            return fail(errc::einval);
        DEVRES_TRY(devm_release_action(dev, &count_action, &one));
        DEVRES_TRY(devm_remove_action(dev, &count_action, &one));

        DEVRES_TRY(auto younger, devm_emplace<const queue>(dev));
        DEVRES_TRY((devm_emplace<queue, regulator>(dev)));
        data->younger = younger;
        DEVRES_TRY(data->file, devm_revocable(dev, managed_ref<queue>(data)));
        DEVRES_TRY(data->window, devm_revocable(dev, registers));
        DEVRES_TRY(devm_start(dev, data));
        group g{dev};
        g.dissolve();
        return data;
    }
    static void remove(auto& data) noexcept { actions_run += data.younger ? 1 : 0; }
};

/// A driver that owns everything itself.
struct unmanaged_driver {
    static result<> probe(auto& dev, const device_id&) {
        DEVRES_TRY(pci_write_config_dword(dev, 64, 0x44332211));
        DEVRES_TRY(pci_write_config_word(dev, 66, 0x6655));
        DEVRES_TRY(pci_write_config_byte(dev, 64, 0x77));
        DEVRES_TRY(auto all, pci_read_config_dword(dev, 64));
        DEVRES_TRY(auto high, pci_read_config_word(dev, 66));
        DEVRES_TRY(auto low, pci_read_config_byte(dev, 64));
        if (all != 0x66552277 || high != 0x6655 || low != 0x77)
            return fail(errc::eio);

        queue context;
        DEVRES_TRY(auto enabled, pci_enable_device(dev));
        DEVRES_TRY(pci_set_master(enabled));
        DEVRES_TRY(pci_clear_master(enabled));
        DEVRES_TRY(auto registers, pci_iomap_region<5>(enabled, "registers"));
        DEVRES_TRY(auto ring, dma_alloc_coherent(enabled, 64));
        DEVRES_TRY(dma_set_mask_and_coherent(dev, dma_bit_mask(64)));
        DEVRES_TRY(dma_set_mask(dev, dma_get_required_mask(dev)));
        DEVRES_TRY(dma_set_coherent_mask(dev, dma_get_required_mask(dev)));
        DEVRES_TRY(auto mapped, dma_map_single(enabled, &context, sizeof(context)));
        DEVRES_TRY(dma_sync_single_range_for_cpu(mapped, 0, 1));
        DEVRES_TRY(dma_sync_single_range_for_device(mapped, 0, 1));
        DEVRES_TRY(auto page, dma_map_page(enabled, &context, 0, 1, dma_direction::to_device));
        scatterlist list[] = {{&context, sizeof(context)}};
        DEVRES_TRY(auto sg, dma_map_sg(enabled, list, 1, dma_direction::from_device));
        DEVRES_TRY(auto pool, dma_pool_create(enabled, "pool", 8));
        DEVRES_TRY(auto element, dma_pool_zalloc(pool));
        DEVRES_TRY(auto spread, pci_alloc_irq_vectors_affinity(enabled, 1, 8, irq_type::all, {}));
        DEVRES_TRY(pci_free_irq_vectors(std::move(spread)));
        DEVRES_TRY(auto vectors, pci_alloc_irq_vectors<2>(enabled, 8, irq_type::all));
        DEVRES_TRY(auto handler, request_irq(vectors.template get<1>(), "own", context));
        if (!dev.function().fire(1) || context.interrupts != 1)
            return fail(errc::eio);
        DEVRES_TRY(disable_irq(handler));
        if (dev.function().fire(1) || context.interrupts != 1)
            return fail(errc::eio);
        DEVRES_TRY(enable_irq(handler));
        DEVRES_TRY(synchronize_irq(handler));
        if (context.interrupts != 2)
            return fail(errc::eio);
        DEVRES_TRY(free_irq(std::move(handler)));
        DEVRES_TRY(auto data, devm_emplace<queue>(dev));
        DEVRES_TRY(auto on_managed, request_irq<&queue::on_irq>(vectors[1], "managed", data));
        DEVRES_TRY(auto kept, request_irq<&queue::on_irq>(vectors[0], "own", context));
        DEVRES_TRY(pci_free_irq_vectors(std::move(vectors)));
        if (kept || on_managed)
            return fail(errc::ebusy);
        DEVRES_TRY(vectors, pci_alloc_irq_vectors<2>(enabled, 4, irq_type::all));
        const auto moved = std::move(enabled);
        return {};
    }
};

small_platform machine;
small_platform::function_type function;

bool idle() noexcept { return function.idle() && machine.blocks == 0; }

result<> managed_life() noexcept {
    revocable<queue> file;
    {
        DEVRES_TRY(auto bound, bind<managed_driver>(machine, function));
        if (bind<managed_driver>(machine, function))
            return fail(errc::ebusy);
        if (!function.fire(0) || !function.fire(1) || !function.fire(2) || function.fire(3))
            return fail(errc::eio);
        if (bound.state().interrupts != 2 || bound.state().second.last != 1 || bound.state().starts != 1)
            return fail(errc::eio);
        if (auto window = bound.state().window.try_access(); !window || window->read64(24) != 4)
            return fail(errc::eio);
        file = bound.state().file;
        if (!file.try_access() || file.try_access()->interrupts != 2)
            return fail(errc::enodev);
        DEVRES_TRY(bound.suspend());
        if (bound.state().starts != 0)
            return fail(errc::eio);
        DEVRES_TRY(bound.resume());
        DEVRES_TRY(bound.unbind());
    }
    return file.try_access() ? fail(errc::ebusy) : result<>{};
}

/// 0 if a failure of each allocation leaves nothing behind.
int memory_failures() noexcept {
    for (machine.allowance = 0; machine.allowance < 100;) {
        const int tried = machine.allowance;
        const auto bound = bind<managed_driver>(machine, function);
        if (bound)
            return tried == 0 ? 1 : 0;
        if (bound.error() != errc::enomem || !idle())
            return 2;
        machine.allowance = tried + 1;
    }
    return 3;
}

constinit const driver_entry<queue> compiled_driver = compiled<managed_driver, queue>("managed");

/// The managed driver once more, through its entry.
result<> compiled_life() noexcept {
    DEVRES_TRY(const auto* entry, driver_in<queue>(&compiled_driver));
    DEVRES_TRY(auto bound, entry->bind(machine, function));
    if (!function.fire(0) || bound.state().interrupts != 1)
        return fail(errc::eio);
    DEVRES_TRY(bound.suspend());
    DEVRES_TRY(bound.resume());
    return bound.unbind();
}

}  // namespace

/// 0 if all is well; the number of the step that is not, otherwise.
int exercise() noexcept {
    if (!managed_life())
        return 1;
    if (!idle())
        return 2;
    if (actions_run != 103)  // two actions released early, the others removed; remove; the state's destructor
        return 3;
    if (!bind<unmanaged_driver>(machine, function))
        return 4;
    if (!idle())
        return 5;
    if (const int step = memory_failures(); step != 0)
        return 10 + step;
    machine.allowance = -1;
    if (!idle())
        return 6;
    if (message(errc::enodev)[0] != 'n')
        return 7;
    if (!compiled_life() || !idle())
        return 8;
    return 0;
}
