/* SPDX-License-Identifier: BSL-1.0 */
#include "probe.h"

#include <errno.h>

enum { start_register = 0x10 };

static int on_irq(void* context, unsigned vector) {
    struct interrupts* interrupts = context;
    (void)vector;
    ++interrupts->seen;
    return 1;
}

static inline __attribute__((always_inline)) int probe_1(struct c_device* dev, struct interrupts* context) {
    struct opaque_function* const f = dev->function;
    int error;

    error = opaque_enable(f);
    if (error)
        return error;
    dev->driver_data = context;
    (void)opaque_set_master(f, 1);
    opaque_disable(f);
    return 0;
}

static inline __attribute__((always_inline)) int probe_2(struct c_device* dev, struct interrupts* context) {
    struct opaque_function* const f = dev->function;
    void* registers;
    int error;

    error = opaque_enable(f);
    if (error)
        return error;
    registers = opaque_map_bar(f, 0, "registers");
    if (!registers) {
        error = -ENOMEM;
        goto disable;
    }
    dev->driver_data = context;
    opaque_write32(registers, start_register, 1);
    opaque_unmap_bar(f, registers);
disable:
    opaque_disable(f);
    return error;
}

static inline __attribute__((always_inline)) int probe_3(struct c_device* dev, struct interrupts* context) {
    struct opaque_function* const f = dev->function;
    void* registers;
    int vectors;
    int error;

    error = opaque_enable(f);
    if (error)
        return error;
    registers = opaque_map_bar(f, 0, "registers");
    if (!registers) {
        error = -ENOMEM;
        goto disable;
    }
    vectors = opaque_alloc_vectors(f, 1, 4, opaque_msix | opaque_msi);
    if (vectors < 0) {
        error = vectors;
        goto unmap;
    }
    dev->driver_data = context;
    opaque_write32(registers, start_register, 1);
    opaque_free_vectors(f);
unmap:
    opaque_unmap_bar(f, registers);
disable:
    opaque_disable(f);
    return error;
}

static inline __attribute__((always_inline)) int probe_4(struct c_device* dev, struct interrupts* context) {
    struct opaque_function* const f = dev->function;
    void* registers;
    int vectors;
    int error;

    error = opaque_enable(f);
    if (error)
        return error;
    registers = opaque_map_bar(f, 0, "registers");
    if (!registers) {
        error = -ENOMEM;
        goto disable;
    }
    vectors = opaque_alloc_vectors(f, 1, 4, opaque_msix | opaque_msi);
    if (vectors < 0) {
        error = vectors;
        goto unmap;
    }
    error = opaque_request_irq(f, 0, on_irq, context, "events");
    if (error)
        goto free_vectors;
    dev->driver_data = context;
    opaque_write32(registers, start_register, 1);
    opaque_free_irq(f, 0);
free_vectors:
    opaque_free_vectors(f);
unmap:
    opaque_unmap_bar(f, registers);
disable:
    opaque_disable(f);
    return error;
}

bool c_probe_1(struct c_device* dev, struct interrupts* context, int* error) {
    int probed = probe_1(dev, context);

    if (probed) {
        *error = -probed;
        return false;
    }
    return true;
}

bool c_probe_2(struct c_device* dev, struct interrupts* context, int* error) {
    int probed = probe_2(dev, context);

    if (probed) {
        *error = -probed;
        return false;
    }
    return true;
}

bool c_probe_3(struct c_device* dev, struct interrupts* context, int* error) {
    int probed = probe_3(dev, context);

    if (probed) {
        *error = -probed;
        return false;
    }
    return true;
}

bool c_probe_4(struct c_device* dev, struct interrupts* context, int* error) {
    int probed = probe_4(dev, context);

    if (probed) {
        *error = -probed;
        return false;
    }
    return true;
}

int c_probe_alone(struct c_device* dev, struct interrupts* context) { return probe_4(dev, context); }
