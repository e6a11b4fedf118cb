/* SPDX-License-Identifier: BSL-1.0 */
#ifndef DEVRES_BENCHMARKS_PROBE_H
#define DEVRES_BENCHMARKS_PROBE_H

#include <stdbool.h>

#include "../opaque/opaque.h"

/* What a bus gives a driver. */
struct c_device {
    struct opaque_function* function;
    void* driver_data;
};

/* The driver's data, and the context of its handler. */
struct interrupts {
    unsigned seen;
};

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A bus calls a driver's probe, which acquires the first 1 to 4 of the enable, BAR 0, vectors and a handler on the
 * first vector, uses them, and releases them, newest first. A step that fails releases those before it. True if
 * probe succeeded: the driver's data, which is `context`, is kept with the device then, and the error otherwise.
 */
bool c_probe_1(struct c_device* dev, struct interrupts* context, int* error);
bool c_probe_2(struct c_device* dev, struct interrupts* context, int* error);
bool c_probe_3(struct c_device* dev, struct interrupts* context, int* error);
bool c_probe_4(struct c_device* dev, struct interrupts* context, int* error);
/* The same with six BARs and a handler on each of eight vectors: 16 resources. */
bool c_probe_16(struct c_device* dev, struct interrupts* context, int* error);

/* The driver's probe of 4 alone: 0 or a negative error. */
int c_probe_alone(struct c_device* dev, struct interrupts* context);

#ifdef __cplusplus
}
#endif

#endif
