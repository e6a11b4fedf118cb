/* SPDX-License-Identifier: BSL-1.0 */
#ifndef DEVRES_BENCHMARKS_OPAQUE_H
#define DEVRES_BENCHMARKS_OPAQUE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define OPAQUE_NOTHROW noexcept
extern "C" {
#else
#define OPAQUE_NOTHROW
#endif

/*
 * What an operating system gives a C driver, reduced to the calls: each function is compiled apart and does
 * nothing but answer: 0 or a negative error, a count or a negative error, a mapping or null. Both sides of every
 * comparison call these, and nothing else.
 */

struct opaque_function;

/* What the calls answer. */
struct opaque_answers {
    int enable;
    void* map_bar;
    int alloc_vectors;
    int request_irq;
};
extern struct opaque_answers opaque_answers;

enum { opaque_intx = 1, opaque_msi = 2, opaque_msix = 4 };

typedef int (*opaque_handler)(void* context, unsigned vector);

int opaque_enable(struct opaque_function* f) OPAQUE_NOTHROW;
void opaque_disable(struct opaque_function* f) OPAQUE_NOTHROW;
int opaque_set_master(struct opaque_function* f, int on) OPAQUE_NOTHROW;

void* opaque_map_bar(struct opaque_function* f, unsigned bar, const char* name) OPAQUE_NOTHROW;
void opaque_unmap_bar(struct opaque_function* f, void* registers) OPAQUE_NOTHROW;

void* opaque_alloc_coherent(struct opaque_function* f, size_t size) OPAQUE_NOTHROW;
void opaque_free_coherent(struct opaque_function* f, void* memory, size_t size) OPAQUE_NOTHROW;

int opaque_alloc_vectors(struct opaque_function* f, unsigned min, unsigned max, unsigned types) OPAQUE_NOTHROW;
void opaque_free_vectors(struct opaque_function* f) OPAQUE_NOTHROW;

int opaque_request_irq(struct opaque_function* f, unsigned vector, opaque_handler handler, void* context,
                       const char* name) OPAQUE_NOTHROW;
void opaque_free_irq(struct opaque_function* f, unsigned vector) OPAQUE_NOTHROW;

void opaque_write32(void* registers, size_t offset, uint32_t value) OPAQUE_NOTHROW;

#ifdef __cplusplus
}
#endif

#endif
