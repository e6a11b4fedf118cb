/* SPDX-License-Identifier: BSL-1.0 */
#include "opaque.h"

struct opaque_answers opaque_answers = {
    .enable = 0,
    .map_bar = &opaque_answers,
    .alloc_vectors = 1,
};

int opaque_enable(struct opaque_function* f) {
    (void)f;
    return opaque_answers.enable;
}

void opaque_disable(struct opaque_function* f) { (void)f; }

int opaque_set_master(struct opaque_function* f, int on) {
    (void)f, (void)on;
    return opaque_answers.enable;
}

void* opaque_map_bar(struct opaque_function* f, unsigned bar, const char* name) {
    (void)f, (void)bar, (void)name;
    return opaque_answers.map_bar;
}

void opaque_unmap_bar(struct opaque_function* f, void* registers) { (void)f, (void)registers; }

void* opaque_alloc_coherent(struct opaque_function* f, size_t size) {
    (void)f, (void)size;
    return opaque_answers.map_bar;
}

void opaque_free_coherent(struct opaque_function* f, void* memory, size_t size) { (void)f, (void)memory, (void)size; }

int opaque_alloc_vectors(struct opaque_function* f, unsigned min, unsigned max, unsigned types) {
    (void)f, (void)min, (void)max, (void)types;
    return opaque_answers.alloc_vectors;
}

void opaque_free_vectors(struct opaque_function* f) { (void)f; }

int opaque_request_irq(struct opaque_function* f, unsigned vector, opaque_handler handler, void* context,
                       const char* name) {
    (void)f, (void)vector, (void)handler, (void)context, (void)name;
    return opaque_answers.request_irq;
}

void opaque_free_irq(struct opaque_function* f, unsigned vector) { (void)f, (void)vector; }

void opaque_write32(void* registers, size_t offset, uint32_t value) { (void)registers, (void)offset, (void)value; }
