// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>

namespace devres::linux_model {

class device;

/// Releases the resource that a node stands for (`dr_release_t`).
using dr_release = void (*)(device& dev, void* res);

namespace detail {

/// A node of Linux's release list: a resource, whose memory follows it, or an end of a group.
struct alignas(std::max_align_t) release_node {
    release_node* previous = nullptr;
    release_node* next = nullptr;
    release_node* next_of_all = nullptr;
    release_node* previous_of_all = nullptr;
    dr_release release = nullptr;
    const char* name = "";
    release_node* partner = nullptr;  // of a group's end: the other one
    const void* id = nullptr;         // of a group's beginning
    int number = -1;
    int colour = 0;

    [[nodiscard]] void* payload() noexcept { return this + 1; }
    [[nodiscard]] static release_node* of(void* payload) noexcept { return static_cast<release_node*>(payload) - 1; }
    [[nodiscard]] std::string text() const {
        return number < 0 ? std::string(name) : name + (' ' + std::to_string(number));
    }

    [[nodiscard]] bool linked() const noexcept { return next != nullptr; }
    [[nodiscard]] bool is_group() const noexcept { return partner != nullptr; }

    void link_before(release_node& place) noexcept {
        previous = place.previous;
        next = &place;
        place.previous->next = this;
        place.previous = this;
    }
    void unlink() noexcept {
        if (!linked())
            return;
        previous->next = next;
        next->previous = previous;
        previous = next = nullptr;
    }
};

}  // namespace detail
}  // namespace devres::linux_model
