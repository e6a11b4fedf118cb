// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

/// Platforms over platforms, for tests: what happens is told, made to fail, or interrupted, at any primitive.
namespace devres::testing {

/// The primitives of a platform that do something; questions (`id`, `bar_size`, `vector_number`,
/// `handler_registered`, `in_handler`, `describe_bar`, `required_dma_mask`) and `relax` are not among them.
enum class primitive : unsigned char {
    attach,
    detach,
    enable,
    disable,
    set_master,
    suspend,
    resume,
    read_config,
    write_config,
    map_bar,
    unmap_bar,
    read,
    write,
    allocate_vectors,
    free_vectors,
    register_handler,
    unregister_handler,
    synchronize_handler,
    disable_handler,
    enable_handler,
    hint_affinity,
    hold_handler,
    add_work,
    schedule_work,
    cancel_work,
    flush_work,
    remove_work,
    set_dma_mask,
    allocate_dma,
    free_dma,
    map_dma,
    unmap_dma,
    sync_dma_for_cpu,
    sync_dma_for_device,
    allocate,
    deallocate,
};

/// how many there are
inline constexpr std::size_t primitive_count = static_cast<std::size_t>(primitive::deallocate) + 1;

/// The primitive's name in the platform concept.
[[nodiscard]] constexpr std::string_view name_of(primitive what) noexcept {
    constexpr std::array<std::string_view, primitive_count> names{"attach",
                                                                  "detach",
                                                                  "enable",
                                                                  "disable",
                                                                  "set_master",
                                                                  "suspend",
                                                                  "resume",
                                                                  "read_config",
                                                                  "write_config",
                                                                  "map_bar",
                                                                  "unmap_bar",
                                                                  "read",
                                                                  "write",
                                                                  "allocate_vectors",
                                                                  "free_vectors",
                                                                  "register_handler",
                                                                  "unregister_handler",
                                                                  "synchronize_handler",
                                                                  "disable_handler",
                                                                  "enable_handler",
                                                                  "hint_affinity",
                                                                  "hold_handler",
                                                                  "add_work",
                                                                  "schedule_work",
                                                                  "cancel_work",
                                                                  "flush_work",
                                                                  "remove_work",
                                                                  "set_dma_mask",
                                                                  "allocate_dma",
                                                                  "free_dma",
                                                                  "map_dma",
                                                                  "unmap_dma",
                                                                  "sync_dma_for_cpu",
                                                                  "sync_dma_for_device",
                                                                  "allocate",
                                                                  "deallocate"};
    return names[static_cast<std::size_t>(what)];
}

/// True for the primitives that end something: a platform never refuses them for want of anything.
[[nodiscard]] constexpr bool is_release(primitive what) noexcept {
    switch (what) {
    case primitive::detach:
    case primitive::disable:
    case primitive::unmap_bar:
    case primitive::free_vectors:
    case primitive::unregister_handler:
    case primitive::remove_work:
    case primitive::free_dma:
    case primitive::unmap_dma:
    case primitive::deallocate: return true;
    default: return false;
    }
}

/// True for the primitives that any platform may refuse, so that a driver must be ready for it: neither releases, nor BAR
/// accesses and syncs, nor those that hold a handler back or schedule work, which refuse nothing but misuse.
[[nodiscard]] constexpr bool is_fallible(primitive what) noexcept {
    switch (what) {
    case primitive::read:
    case primitive::write:
    case primitive::sync_dma_for_cpu:
    case primitive::sync_dma_for_device:
    case primitive::synchronize_handler:
    case primitive::disable_handler:
    case primitive::enable_handler:
    case primitive::hint_affinity:
    case primitive::hold_handler:
    case primitive::schedule_work:
    case primitive::cancel_work:
    case primitive::flush_work: return false;
    default: return !is_release(what);
    }
}

/// One call of a primitive, as a decorator sees it. What does not apply to the primitive is 0 or null.
struct primitive_call {
    primitive what;  ///< which one
    unsigned number =
        0;  ///< which BAR or vector; the least number of vectors; whether set_master sets; what a mask is for
    std::size_t offset = 0;      ///< in configuration space or in a BAR
    std::size_t size = 0;        ///< in bytes; the greatest number of vectors; the bits of a mask
    const char* name = nullptr;  ///< what the driver calls the BAR or the handler
};

/// As `is_release`, but a call knows more: switching bus mastering off releases too.
[[nodiscard]] constexpr bool is_release(const primitive_call& call) noexcept {
    return is_release(call.what) || (call.what == primitive::set_master && call.number == 0);
}
/// As `is_fallible`, but a call knows more.
[[nodiscard]] constexpr bool is_fallible(const primitive_call& call) noexcept {
    return is_fallible(call.what) && !is_release(call);
}

/// The call in words: `register_handler vector 2 "switchtec-event"`.
[[nodiscard]] inline std::string to_string(const primitive_call& call) {
    const auto hex = [](std::size_t value) {
        std::array<char, 2 * sizeof(value)> digits{};
        char* const begin = digits.data();
        return "0x" + std::string(begin, std::to_chars(begin, begin + digits.size(), value, 16).ptr);
    };
    std::string text(name_of(call.what));
    const auto add = [&](const auto&... parts) { (text.append(parts), ...); };
    const std::string number = std::to_string(call.number);
    const std::string size = std::to_string(call.size);
    switch (call.what) {
    case primitive::set_master: add(call.number != 0 ? " on" : " off"); break;
    case primitive::read_config:
    case primitive::write_config: add(" ", hex(call.offset), ", ", size, " bytes"); break;
    case primitive::map_bar:
    case primitive::unmap_bar: add(" ", number); break;
    case primitive::read:
    case primitive::write: add(" bar ", number, " + ", hex(call.offset), ", ", size, " bytes"); break;
    case primitive::allocate_vectors: add(" ", number, " to ", size); break;
    case primitive::hint_affinity:
    case primitive::register_handler: add(" vector ", number); break;
    case primitive::set_dma_mask:
        add(call.number == 1 ? " streaming, " : call.number == 2 ? " coherent, " : " ", size, " bits");
        break;
    case primitive::allocate_dma:
    case primitive::free_dma:
    case primitive::map_dma:
    case primitive::unmap_dma:
    case primitive::sync_dma_for_cpu:
    case primitive::sync_dma_for_device:
    case primitive::allocate:
    case primitive::deallocate: add(" ", size, " bytes"); break;
    default: break;
    }
    if (call.name != nullptr)
        text.append(" \"").append(call.name).append("\"");
    return text;
}

}  // namespace devres::testing
