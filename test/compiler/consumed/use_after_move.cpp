// SPDX-License-Identifier: BSL-1.0
// A guard that is empty for certain is not used: each guard after a move, after it was freed, and before it was filled.
#include <utility>

#include <devres/devres.hpp>
#include <devres/pci/platform_archetype.hpp>

using namespace devres;
using namespace devres::pci;

using platform_type = platform_archetype;
using device_type = device<platform_type>;
using vectors_type = irq_allocation<unmanaged_t, platform_type>;

struct queue {
    irq_return on_irq() noexcept { return irq_return::handled; }
};

result<> enable_after_move(device_type& dev) {
    DEVRES_TRY(auto enabled, pci_enable_device(dev));
    (void)enabled.dev();
    const auto moved = std::move(enabled);
    (void)moved.dev();
    (void)enabled
        .dev();  // expected-warning {{invalid invocation of method 'dev' on object 'enabled' while it is in the 'consumed' state}}
    return {};
}

result<> bar_after_move(const enabled_device<managed_t, platform_type>& enabled) {
    DEVRES_TRY(auto registers, pci_iomap_region<0>(enabled, "registers"));
    registers.write32(0, registers.read32(4));
    const auto moved = std::move(registers);
    moved.write32(0, moved.read32(4));
    (void)registers.read8(0);     // expected-warning {{invalid invocation of method 'read8' on object 'registers'}}
    (void)registers.read64(0);    // expected-warning {{invalid invocation of method 'read64' on object 'registers'}}
    registers.write16(0, 1);      // expected-warning {{invalid invocation of method 'write16' on object 'registers'}}
    return registers.size() == 0  // expected-warning {{invalid invocation of method 'size' on object 'registers'}}
               ? result<>{}
               : fail(errc::einval);
}

result<> dma_after_move(const enabled_device<managed_t, platform_type>& enabled) {
    DEVRES_TRY(auto ring, dma_alloc_coherent(enabled, 4096));
    const auto moved = std::move(ring);
    (void)moved.data();
    (void)ring.data();     // expected-warning {{invalid invocation of method 'data' on object 'ring'}}
    (void)ring.address();  // expected-warning {{invalid invocation of method 'address' on object 'ring'}}
    (void)ring.size();     // expected-warning {{invalid invocation of method 'size' on object 'ring'}}
    return {};
}

result<> mapping_after_move(const enabled_device<managed_t, platform_type>& enabled) {
    char memory[64];
    DEVRES_TRY(auto mapping, dma_map_single(enabled, memory, sizeof(memory)));
    const auto moved = std::move(mapping);
    (void)moved.address();
    (void)mapping.address();  // expected-warning {{invalid invocation of method 'address' on object 'mapping'}}
    return {};
}

result<> vectors_after_free(const enabled_device<managed_t, platform_type>& enabled) {
    DEVRES_TRY(auto vectors, pci_alloc_irq_vectors<2>(enabled, 8, irq_type::msix));
    (void)vectors.get<1>();
    DEVRES_TRY(pci_free_irq_vectors(std::move(vectors)));
    (void)vectors[0];        // expected-warning {{invalid invocation of method 'operator[]' on object 'vectors'}}
    (void)vectors.at(0);     // expected-warning {{invalid invocation of method 'at' on object 'vectors'}}
    (void)vectors.get<1>();  // expected-warning {{invalid invocation of method 'get' on object 'vectors'}}
    (void)vectors.size();    // expected-warning {{invalid invocation of method 'size' on object 'vectors'}}
    (void)vectors.type();    // expected-warning {{invalid invocation of method 'type' on object 'vectors'}}
    return {};
}

struct holder {
    vectors_type vectors;
    explicit holder(vectors_type&& given) noexcept : vectors(std::move(given)) {}
};

result<> vectors_after_a_move_into_a_state(device_type& dev, const enabled_device<managed_t, platform_type>& enabled) {
    DEVRES_TRY(auto vectors, pci_alloc_irq_vectors(enabled, 1, 8, irq_type::msix));
    DEVRES_TRY(const auto state, devm_emplace<holder>(dev, std::move(vectors)));
    (void)state->vectors[0];
    (void)vectors[0];  // expected-warning {{invalid invocation of method 'operator[]' on object 'vectors'}}
    return {};
}

void vectors_never_allocated() {
    vectors_type vectors;
    (void)vectors[0];  // expected-warning {{invalid invocation of method 'operator[]' on object 'vectors'}}
}

void group_after_its_end(device_type& dev) {
    group moved_from{dev};
    group moved_to = std::move(moved_from);
    moved_to.keep();
    moved_from.keep();           // expected-warning {{invalid invocation of method 'keep' on object 'moved_from'}}
    (void)moved_from.release();  // expected-warning {{invalid invocation of method 'release' on object 'moved_from'}}

    group released{dev};
    (void)released.release();  // which may be refused
    released.keep();

    group dissolved{dev};
    dissolved.dissolve();
    (void)dissolved.release();  // expected-warning {{invalid invocation of method 'release' on object 'dissolved'}}
}

void access_after_move(const revocable<queue>& file) {
    auto access = file.try_access();
    if (access) {
        const auto moved = std::move(access);
        (void)moved->on_irq();
        (void)access->on_irq();    // expected-warning {{invalid invocation of method 'operator->' on object 'access'}}
        (void)(*access).on_irq();  // expected-warning {{invalid invocation of method 'operator*' on object 'access'}}
    }
}

void access_that_was_refused(const revocable<queue>& file) {
    const auto access = file.try_access();
    if (!access)
        (void)access->on_irq();  // expected-warning {{invalid invocation of method 'operator->' on object 'access'}}
}

struct driver {
    static result<managed_ref<queue>> probe(auto& dev, const device_id&) { return devm_emplace<queue>(dev); }
};

result<> binding_after_move(platform_type& platform, platform_type::function_type& function) {
    DEVRES_TRY(auto bound, bind<driver>(platform, function));
    (void)bound.state();
    const auto moved = std::move(bound);
    (void)moved.state();
    (void)bound.state();          // expected-warning {{invalid invocation of method 'state' on object 'bound'}}
    (void)bound.dev();            // expected-warning {{invalid invocation of method 'dev' on object 'bound'}}
    DEVRES_TRY(bound.suspend());  // expected-warning {{invalid invocation of method 'suspend' on object 'bound'}}
    return bound.resume();        // expected-warning {{invalid invocation of method 'resume' on object 'bound'}}
}
