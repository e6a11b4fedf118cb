/* SPDX-License-Identifier: BSL-1.0 */
#ifndef DEVRES_BENCHMARKS_LINUX_DEVRES_H
#define DEVRES_BENCHMARKS_LINUX_DEVRES_H

#include <stddef.h>
#include <stdlib.h>

/*
 * A release list of the shape that Linux has: a node per resource, allocated with its data, in a doubly linked
 * list; found by searching from the newest; groups are pairs of marker nodes. Without the kernel's lock, because
 * the list on the other side has none either, and with calloc() for kmalloc().
 */
struct linux_node {
    struct linux_node* previous;
    struct linux_node* next;
    void (*release)(void* data);
};

struct linux_devres {
    struct linux_node node;
    max_align_t data[];
};

struct linux_group {
    struct linux_node open;
    struct linux_node close;
};

struct linux_list {
    struct linux_node head;
};

static inline void linux_list_init(struct linux_list* list) { list->head.previous = list->head.next = &list->head; }

static inline void linux_node_append(struct linux_list* list, struct linux_node* node) {
    node->previous = list->head.previous;
    node->next = &list->head;
    node->previous->next = node;
    list->head.previous = node;
}

static inline void linux_node_unlink(struct linux_node* node) {
    node->previous->next = node->next;
    node->next->previous = node->previous;
}

static inline void* linux_devres_alloc(void (*release)(void*), size_t size) {
    struct linux_devres* devres = (struct linux_devres*)calloc(1, sizeof(struct linux_devres) + size);
    if (!devres)
        return NULL;
    devres->node.release = release;
    return devres->data;
}

static inline struct linux_devres* linux_devres_of(void* data) {
    return (struct linux_devres*)((char*)data - offsetof(struct linux_devres, data));
}

static inline void linux_devres_add(struct linux_list* list, void* data) {
    linux_node_append(list, &linux_devres_of(data)->node);
}

/* devm_add_action() */
struct linux_action {
    void (*function)(void*);
    void* argument;
};

static inline void linux_release_action(void* data) {
    struct linux_action* action = (struct linux_action*)data;
    action->function(action->argument);
}

static inline int linux_add_action(struct linux_list* list, void (*function)(void*), void* argument) {
    struct linux_action* action = (struct linux_action*)linux_devres_alloc(linux_release_action, sizeof *action);
    if (!action)
        return -1;
    action->function = function;
    action->argument = argument;
    linux_devres_add(list, action);
    return 0;
}

/* devm_remove_action(): the newest that matches, found by searching */
static inline int linux_remove_action(struct linux_list* list, void (*function)(void*), void* argument) {
    struct linux_node* node;

    for (node = list->head.previous; node != &list->head; node = node->previous) {
        struct linux_action* action = (struct linux_action*)((struct linux_devres*)node)->data;
        if (node->release == linux_release_action && action->function == function && action->argument == argument) {
            linux_node_unlink(node);
            free(node);
            return 0;
        }
    }
    return -1;
}

static inline void linux_release_node(struct linux_node* node) {
    linux_node_unlink(node);
    node->release(((struct linux_devres*)node)->data);
    free(node);
}

/* devres_release_all() */
static inline void linux_release_all(struct linux_list* list) {
    while (list->head.previous != &list->head)
        linux_release_node(list->head.previous);
}

/* devres_open_group(), devres_close_group(), devres_release_group() for groups that do not overlap */
static inline struct linux_group* linux_open_group(struct linux_list* list) {
    struct linux_group* group = (struct linux_group*)calloc(1, sizeof *group);
    if (group)
        linux_node_append(list, &group->open);
    return group;
}

static inline void linux_close_group(struct linux_list* list, struct linux_group* group) {
    linux_node_append(list, &group->close);
}

static inline void linux_release_group(struct linux_group* group) {
    while (group->close.previous != &group->open)
        linux_release_node(group->close.previous);
    linux_node_unlink(&group->close);
    linux_node_unlink(&group->open);
    free(group);
}

#endif
