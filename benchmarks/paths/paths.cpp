// SPDX-License-Identifier: BSL-1.0
#include "paths.hpp"

#include <array>
#include <cstdlib>

#include "../opaque/platform.hpp"
#include "paths.h"
#include "seven.hpp"

extern "C" void paths_action(void*) {}

namespace devres::benchmarks {

namespace {

using namespace devres::pci;
using device_type = device<opaque_platform>;

/// The context of the handlers.
struct queue {
    unsigned interrupts = 0;
    irq_return on_irq() noexcept {
        ++interrupts;
        return irq_return::handled;
    }
};

struct bench {
    opaque_platform platform;
    device_type dev{platform, *reinterpret_cast<opaque_function*>(this)};
    std::array<action, paths_most> added{};
    queue context;
};

/// With resources that are there all along.
struct managed_bench : bench {
    managed_ref<queue> context = *devm_emplace<queue>(dev);
};
struct unmanaged_bench : bench {
    enabled_device<unmanaged_t, opaque_platform> enabled = *pci_enable_device(dev);
};

bench plain_state;
managed_bench managed_state;
unmanaged_bench unmanaged_state;

result<> probe(device_type& dev, unsigned count, managed_ref<queue> context, bool handlers) {
    DEVRES_TRY(auto enabled, pcim_enable_device(dev));
    DEVRES_TRY(auto vectors, pcim_alloc_irq_vectors(enabled, 1, count, irq_type::msix));
    for (unsigned i = 0; handlers && i != vectors.size(); ++i) {
        DEVRES_TRY(devm_request_irq(vectors[i], "queue", context));
    }
    return {};
}

void managed(unsigned count, bool handlers) {
    group all(managed_state.dev);
    if (!probe(managed_state.dev, count, managed_state.context, handlers) || !all.release())
        std::abort();
}

}  // namespace

void actions(unsigned count) {
    device_type& dev = plain_state.dev;
    for (unsigned i = 0; i != count; ++i)
        if (!devm_add_action(dev, &paths_action, &dev))
            std::abort();
    dev.resources().release_all();
}

void removals(unsigned count) {
    auto& [platform, dev, added, context] = plain_state;
    for (unsigned i = 0; i != count; ++i)
        added[i] = *devm_add_action(dev, &paths_action, &added[i]);
    for (unsigned i = 0; i != count; ++i)
        if (!devm_remove_action(dev, added[i]))
            std::abort();
}

void releases(unsigned count) {
    auto& [platform, dev, added, context] = plain_state;
    for (unsigned i = 0; i != count; ++i)
        added[i] = *devm_add_action(dev, &paths_action, &added[i]);
    for (unsigned i = 0; i != count; ++i)
        if (!devm_release_action(dev, added[i]))
            std::abort();
}

void group_of(unsigned count) {
    device_type& dev = plain_state.dev;
    group opened(dev);
    for (unsigned i = 0; i != count; ++i)
        if (!devm_add_action(dev, &paths_action, &dev))
            std::abort();
    opened.keep();
    if (!opened.release())
        std::abort();
}

void unmanaged_vectors(unsigned count) {
    auto vectors = pci_alloc_irq_vectors(unmanaged_state.enabled, 1, count, irq_type::msix);
    if (!vectors)
        std::abort();
}

void unmanaged_handlers(unsigned count) {
    auto vectors = pci_alloc_irq_vectors(unmanaged_state.enabled, 1, count, irq_type::msix);
    for (unsigned i = 0; i != count; ++i) {
        auto registration = request_irq((*vectors)[i], "queue", plain_state.context);
        if (!registration)
            std::abort();
    }
}

void managed_driver(unsigned) {
    static opaque_platform platform;
    if (!bind<seven_driver>(platform, *reinterpret_cast<opaque_function*>(&platform)))
        std::abort();
}

void managed_vectors(unsigned count) { managed(count, false); }
void managed_handlers(unsigned count) { managed(count, true); }

std::size_t bytes_of_actions(std::size_t count) {
    struct counting {
        std::size_t bytes = 0;
        void* allocate(std::size_t size, std::size_t) noexcept {
            bytes += size;
            return std::malloc(size);
        }
        void deallocate(void* block, std::size_t, std::size_t) noexcept { std::free(block); }
        void relax() noexcept {}
    } memory;
    list resources(hooks_of(memory));
    for (std::size_t i = 0; i != count; ++i)
        if (!resources.add(&paths_action, &memory))
            std::abort();
    return memory.bytes;
}

}  // namespace devres::benchmarks
