/* SPDX-License-Identifier: BSL-1.0 */
#ifndef DEVRES_BENCHMARKS_ACTION_ARRAY_H
#define DEVRES_BENCHMARKS_ACTION_ARRAY_H

#include <stddef.h>

/* The floor: what to call at the end, in an array that is large enough. No removal, no groups. */
struct action {
    void (*function)(void* argument);
    void* argument;
};

struct action_array {
    size_t count;
    struct action* actions;
};

static inline void action_array_add(struct action_array* array, void (*function)(void*), void* argument) {
    array->actions[array->count].function = function;
    array->actions[array->count].argument = argument;
    ++array->count;
}

static inline void action_array_release(struct action_array* array) {
    while (array->count != 0) {
        --array->count;
        array->actions[array->count].function(array->actions[array->count].argument);
    }
}

#endif
