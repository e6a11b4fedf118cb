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

/* The enable, six BARs, vectors, a handler on each of eight. */
static inline __attribute__((always_inline)) int probe_16(struct c_device* dev, struct interrupts* context) {
    struct opaque_function* const f = dev->function;
    void *bar_0, *bar_1, *bar_2, *bar_3, *bar_4, *bar_5;
    int vectors;
    int error;

    error = opaque_enable(f);
    if (error)
        return error;
    bar_0 = opaque_map_bar(f, 0, "registers");
    if (!bar_0) {
        error = -ENOMEM;
        goto disable;
    }
    bar_1 = opaque_map_bar(f, 1, "registers");
    if (!bar_1) {
        error = -ENOMEM;
        goto unmap_0;
    }
    bar_2 = opaque_map_bar(f, 2, "registers");
    if (!bar_2) {
        error = -ENOMEM;
        goto unmap_1;
    }
    bar_3 = opaque_map_bar(f, 3, "registers");
    if (!bar_3) {
        error = -ENOMEM;
        goto unmap_2;
    }
    bar_4 = opaque_map_bar(f, 4, "registers");
    if (!bar_4) {
        error = -ENOMEM;
        goto unmap_3;
    }
    bar_5 = opaque_map_bar(f, 5, "registers");
    if (!bar_5) {
        error = -ENOMEM;
        goto unmap_4;
    }
    vectors = opaque_alloc_vectors(f, 8, 8, opaque_msix | opaque_msi);
    if (vectors < 0) {
        error = vectors;
        goto unmap_5;
    }
    error = opaque_request_irq(f, 0, on_irq, context, "events");
    if (error)
        goto free_vectors;
    error = opaque_request_irq(f, 1, on_irq, context, "events");
    if (error)
        goto free_0;
    error = opaque_request_irq(f, 2, on_irq, context, "events");
    if (error)
        goto free_1;
    error = opaque_request_irq(f, 3, on_irq, context, "events");
    if (error)
        goto free_2;
    error = opaque_request_irq(f, 4, on_irq, context, "events");
    if (error)
        goto free_3;
    error = opaque_request_irq(f, 5, on_irq, context, "events");
    if (error)
        goto free_4;
    error = opaque_request_irq(f, 6, on_irq, context, "events");
    if (error)
        goto free_5;
    error = opaque_request_irq(f, 7, on_irq, context, "events");
    if (error)
        goto free_6;
    dev->driver_data = context;
    opaque_write32(bar_0, start_register, 1);
    opaque_free_irq(f, 7);
free_6:
    opaque_free_irq(f, 6);
free_5:
    opaque_free_irq(f, 5);
free_4:
    opaque_free_irq(f, 4);
free_3:
    opaque_free_irq(f, 3);
free_2:
    opaque_free_irq(f, 2);
free_1:
    opaque_free_irq(f, 1);
free_0:
    opaque_free_irq(f, 0);
free_vectors:
    opaque_free_vectors(f);
unmap_5:
    opaque_unmap_bar(f, bar_5);
unmap_4:
    opaque_unmap_bar(f, bar_4);
unmap_3:
    opaque_unmap_bar(f, bar_3);
unmap_2:
    opaque_unmap_bar(f, bar_2);
unmap_1:
    opaque_unmap_bar(f, bar_1);
unmap_0:
    opaque_unmap_bar(f, bar_0);
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

bool c_probe_16(struct c_device* dev, struct interrupts* context, int* error) {
    int probed = probe_16(dev, context);

    if (probed) {
        *error = -probed;
        return false;
    }
    return true;
}

int c_probe_alone(struct c_device* dev, struct interrupts* context) { return probe_4(dev, context); }
