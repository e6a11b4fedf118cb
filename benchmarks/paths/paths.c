/* SPDX-License-Identifier: BSL-1.0 */
#include "paths.h"

#include <errno.h>
#include <stdlib.h>

#include "../twins/action_array.h"
#include "../twins/linux_devres.h"

static struct action storage[paths_most + 1];
static struct action_array array = {0, storage};
static struct linux_list list = {{&list.head, &list.head, NULL}};
static struct opaque_function* const function = (struct opaque_function*)&array;

static unsigned interrupts;
static int on_irq(void* context, unsigned vector) {
    (void)vector;
    ++*(unsigned*)context;
    return 1;
}

static void check(int error) {
    if (error)
        abort();
}

/* Actions */

void array_actions(unsigned count) {
    for (unsigned i = 0; i != count; ++i)
        action_array_add(&array, paths_action, &array);
    action_array_release(&array);
}

void linux_actions(unsigned count) {
    for (unsigned i = 0; i != count; ++i)
        check(linux_add_action(&list, paths_action, &array));
    linux_release_all(&list);
}

void linux_removals(unsigned count) {
    for (unsigned i = 0; i != count; ++i)
        check(linux_add_action(&list, paths_action, &storage[i]));
    for (unsigned i = 0; i != count; ++i)
        check(linux_remove_action(&list, paths_action, &storage[i]));
}

/* Groups */

void array_group(unsigned count) {
    const size_t opened = array.count;

    for (unsigned i = 0; i != count; ++i)
        action_array_add(&array, paths_action, &array);
    while (array.count != opened) {
        --array.count;
        array.actions[array.count].function(array.actions[array.count].argument);
    }
}

void linux_group(unsigned count) {
    struct linux_group* const group = linux_open_group(&list);

    check(!group);
    for (unsigned i = 0; i != count; ++i)
        check(linux_add_action(&list, paths_action, &array));
    linux_close_group(&list, group);
    linux_release_group(group);
}

/* Vectors and handlers, unmanaged */

void plain_vectors(unsigned count) {
    const int vectors = opaque_alloc_vectors(function, 1, count, opaque_msix);

    if (vectors < 0)
        return;
    opaque_free_vectors(function);
}

void plain_handlers(unsigned count) {
    unsigned i;
    int vectors = opaque_alloc_vectors(function, 1, count, opaque_msix);

    if (vectors < 0)
        return;
    for (i = 0; i != count; ++i) {
        if (opaque_request_irq(function, i, on_irq, &interrupts, "queue"))
            break;
        opaque_free_irq(function, i);
    }
    opaque_free_vectors(function);
}

/* Managed ones */

static unsigned requested[paths_most];

static void disable(void* argument) { opaque_disable(argument); }
static void free_vectors(void* argument) { opaque_free_vectors(argument); }
static void free_irq(void* argument) { opaque_free_irq(function, *(unsigned*)argument); }

static int array_probe(unsigned count, int handlers) {
    int error;
    int vectors;

    error = opaque_enable(function);
    if (error)
        return error;
    action_array_add(&array, disable, function);
    vectors = opaque_alloc_vectors(function, 1, count, opaque_msix);
    if (vectors < 0) {
        error = vectors;
        goto release;
    }
    action_array_add(&array, free_vectors, function);
    for (int i = 0; handlers && i != vectors; ++i) {
        error = opaque_request_irq(function, (unsigned)i, on_irq, &interrupts, "queue");
        if (error)
            goto release;
        requested[i] = (unsigned)i;
        action_array_add(&array, free_irq, &requested[i]);
    }
    return 0;

release:
    action_array_release(&array);
    return error;
}

void array_managed(unsigned count) {
    if (array_probe(count, 1) == 0)
        action_array_release(&array);
}

void array_vectors(unsigned count) {
    if (array_probe(count, 0) == 0)
        action_array_release(&array);
}

struct linux_irq {
    struct opaque_function* function;
    unsigned vector;
};

static void linux_disable(void* data) { opaque_disable(*(struct opaque_function**)data); }
static void linux_free_vectors(void* data) { opaque_free_vectors(*(struct opaque_function**)data); }
static void linux_free_irq(void* data) {
    struct linux_irq* const irq = data;
    opaque_free_irq(irq->function, irq->vector);
}

static int linux_probe(unsigned count, int handlers) {
    struct opaque_function** data;
    struct linux_irq* irq;
    int vectors;
    int error;

    data = linux_devres_alloc(linux_disable, sizeof *data);
    if (!data)
        return -ENOMEM;
    *data = function;
    error = opaque_enable(function);
    if (error) {
        free(linux_devres_of(data));
        return error;
    }
    linux_devres_add(&list, data);

    data = linux_devres_alloc(linux_free_vectors, sizeof *data);
    if (!data) {
        error = -ENOMEM;
        goto release;
    }
    *data = function;
    vectors = opaque_alloc_vectors(function, 1, count, opaque_msix);
    if (vectors < 0) {
        free(linux_devres_of(data));
        error = vectors;
        goto release;
    }
    linux_devres_add(&list, data);

    for (int i = 0; handlers && i != vectors; ++i) {
        irq = linux_devres_alloc(linux_free_irq, sizeof *irq);
        if (!irq) {
            error = -ENOMEM;
            goto release;
        }
        error = opaque_request_irq(function, (unsigned)i, on_irq, &interrupts, "queue");
        if (error) {
            free(linux_devres_of(irq));
            goto release;
        }
        irq->function = function;
        irq->vector = (unsigned)i;
        linux_devres_add(&list, irq);
    }
    return 0;

release:
    linux_release_all(&list);
    return error;
}

void linux_managed(unsigned count) {
    if (linux_probe(count, 1) == 0)
        linux_release_all(&list);
}

void linux_vectors(unsigned count) {
    if (linux_probe(count, 0) == 0)
        linux_release_all(&list);
}
