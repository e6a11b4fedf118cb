/* SPDX-License-Identifier: BSL-1.0 */
#ifndef DEVRES_BENCHMARKS_PATHS_H
#define DEVRES_BENCHMARKS_PATHS_H

#include "../opaque/opaque.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The paths in hand-written C: array_* keep what is to be released in an array (twins/action_array.h), linux_* in
 * a list as Linux has it (twins/linux_devres.h), plain_* in local variables. Each acquires and releases `count`
 * of its resources. None of them can fail here, but all check.
 */
enum { paths_most = 4096 };

/* What an action does. */
void paths_action(void* argument);

void array_actions(unsigned count);
void linux_actions(unsigned count);
/* The oldest is removed first. */
void linux_removals(unsigned count);

void array_group(unsigned count);
void linux_group(unsigned count);

void plain_vectors(unsigned count);
void plain_handlers(unsigned count);
/* The enable, `count` vectors, a handler on each. */
void array_managed(unsigned count);
void linux_managed(unsigned count);
/* The same for vectors alone. */
void array_vectors(unsigned count);
void linux_vectors(unsigned count);

#ifdef __cplusplus
}
#endif

#endif
