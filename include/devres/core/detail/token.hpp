// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <type_traits>

#include <devres/core/list.hpp>

namespace devres::detail {

/// What is acquired goes into the list by a place that was reserved for it, so that it cannot fail to be recorded.
struct record_access {
    [[nodiscard]] DEVRES_INLINE static list_node* take(list& resources) noexcept {
        return resources.nodes_.take(resources.memory());
    }
    static void give(list& resources, list_node& node) noexcept { resources.nodes_.give(node); }
    DEVRES_INLINE static list::handle put(list& resources, list_node& node, list::release_function function,
                                          void* argument, release_step step, record_serial kind) noexcept {
        return resources.put(node, function, argument, step, kind);
    }
    [[nodiscard]] static record_memory& memory(list& resources) noexcept { return resources.memory_; }
    [[nodiscard]] static bool in_handler(const list& resources) noexcept { return resources.handlers_.here(); }
    [[nodiscard]] static record_serial age(const list& resources) noexcept { return resources.serial_; }
    [[nodiscard]] static list_node* node(list::handle record) noexcept { return record.node_; }
    [[nodiscard]] static record_serial serial_of(list::handle record) noexcept { return record.serial_; }
    [[nodiscard]] static list::handle name(list_node& node) noexcept { return list::handle(&node, node.serial); }
    /// Visits the records of a step, newest first, until `visit` says to stop; no record may go meanwhile.
    template <class Visit>
    static void each(list& resources, release_step step, Visit visit) {
        list_links& end = resources.end_of(step);
        for (list_links* at = end.previous(); at != &end && visit(static_cast<list_node&>(*at)); at = at->previous()) {}
    }
    template <class Visit>
    static void each_oldest_first(list& resources, release_step step, Visit visit) {
        list_links& end = resources.end_of(step);
        for (list_links* at = end.next; at != &end && visit(static_cast<list_node&>(*at)); at = at->next) {}
    }
    /// Releases the actions whose argument is in the `size` bytes of an object, newest first.
    [[gnu::noinline, gnu::cold]] static void release_actions_on(list& resources, const void* object,
                                                                std::size_t size) noexcept {
        resources.release_actions_on(object, size);
    }
    /// Releases what has been recorded since `then`.
    [[gnu::noinline, gnu::cold]] static void release_since(list& resources, record_serial then) noexcept {
        if (resources.serial_ != then)
            (void)resources.release_range({then + list_node::one_record, 0});
    }
};

/// Makes tokens, and knows the records of managed ones.
struct token {
    template <class T, class... Args>
    DEVRES_INLINE static constexpr T make(Args&&... args) noexcept {
        return T(static_cast<Args&&>(args)...);
    }
    template <class T>
    DEVRES_INLINE static constexpr auto record(const T& view) noexcept -> decltype(view.record_) {
        return view.record_;
    }
};

template <class T>
concept managed_token = requires(const T& view) {
    { token::record(view) } -> std::same_as<list::handle>;
};

/// A part that may be missing: a std::optional of a token.
template <class T>
concept optional_token = requires(const T& part) {
    static_cast<bool>(part);
    requires managed_token<std::remove_cvref_t<decltype(*part)>>;
};

template <class Part>
inline constexpr bool is_part = managed_token<std::remove_cvref_t<Part>> || optional_token<std::remove_cvref_t<Part>>;

/// The records that one is built on, at the start of its memory, and a null.
template <unsigned Count>
struct users_of {
    list_node* nodes[Count + 1]{};
};
template <>
struct users_of<0> {};

/// 0 to Count - 1, without all that <utility> costs to read.
template <unsigned Count, unsigned... Index>
struct count_to : count_to<Count - 1, Count - 1, Index...> {};
template <unsigned... Index>
struct count_to<0, Index...> {
    template <class Visit>
    DEVRES_INLINE static constexpr bool all(Visit visit) noexcept {
        return (visit(Index) && ...);
    }
};

/// The names of the records that parts have, to be checked and linked: what is no token is passed over.
template <unsigned Count>
class used_records {
public:
    template <class... Parts>
    DEVRES_INLINE explicit used_records(const Parts&... parts) noexcept {
        unsigned next = 0;
        (add(next, parts), ...);
    }

    /// Whether all of them are records of `resources`, and live.
    [[nodiscard]] DEVRES_INLINE bool are_in(const list& resources) const noexcept {
        return all([&](list::handle name) { return !name || resources.has(name); });
    }
    /// Why they are not: `einval` if one is another list's, `enoent` if one is gone.
    [[nodiscard, gnu::cold, gnu::noinline]] static errc why_not(const list& resources, used_records names) noexcept {
        for (const list::handle name : names.names_) {
            if (name && !resources.has(name))
                return resources.why_not(name);
        }
        return errc::enoent;
    }
    /// As `are_in` and `why_not` in one.
    [[nodiscard]] DEVRES_INLINE result<> check(const list& resources) const noexcept {
        if (!are_in(resources)) [[unlikely]]
            return fail(why_not(resources, *this));
        return {};
    }
    [[nodiscard]] DEVRES_INLINE users_of<Count> links() const noexcept {
        users_of<Count> links;
        unsigned next = 0;
        (void)all([&](list::handle name) {
            if (name)
                links.nodes[next++] = record_access::node(name);
            return true;
        });
        return links;
    }

private:
    template <class Part>
    DEVRES_INLINE void add(unsigned& next, const Part& part) noexcept {
        if constexpr (managed_token<Part>) {
            names_[next++] = token::record(part);
        } else if constexpr (optional_token<Part>) {
            if (part)
                names_[next] = token::record(*part);
            ++next;
        }
    }
    /// Unrolled by hand: compilers keep the names in registers then.
    template <class Visit>
    [[nodiscard]] DEVRES_INLINE bool all(Visit visit) const noexcept {
        return count_to<Count>::all([&](unsigned index) { return visit(names_[index]); });
    }

    list::handle names_[Count];  // empty for an optional without a value
};
template <>
class used_records<0> {
public:
    template <class... Parts>
    constexpr explicit used_records(const Parts&...) noexcept {}
    [[nodiscard]] static constexpr bool are_in(const list&) noexcept { return true; }
    [[nodiscard]] static constexpr errc why_not(const list&, const used_records&) noexcept { return errc::enoent; }
    [[nodiscard]] static constexpr result<> check(const list&) noexcept { return {}; }
    [[nodiscard]] static constexpr users_of<0> links() noexcept { return {}; }
};

template <class... Parts>
used_records(const Parts&...) -> used_records<(0U + ... + unsigned{is_part<Parts>})>;

/// The memory of a record and its place in the list: given back unless the record is made.
template <class Record>
class pending_record {
public:
    DEVRES_INLINE explicit pending_record(list& resources) noexcept : resources_(resources) {
        block_ = record_access::memory(resources).get(sizeof(Record), alignof(Record));
        if (block_ != nullptr) [[likely]]
            node_ = record_access::take(resources);
    }
    pending_record(const pending_record&) = delete;
    pending_record& operator=(const pending_record&) = delete;
    DEVRES_INLINE ~pending_record() {
        if (!made_) [[unlikely]]
            give_back(resources_, node_, block_);
    }

    /// False if there is no memory.
    [[nodiscard]] DEVRES_INLINE explicit operator bool() const noexcept { return node_ != nullptr; }
    [[nodiscard]] void* block() const noexcept { return block_; }

    /// The record is there; the block is its argument.
    DEVRES_INLINE list::handle record(list::release_function release, release_step step, record_serial kind) noexcept {
        made_ = true;
        return record_access::put(resources_, *node_, release, block_, step, kind);
    }

private:
    [[gnu::noinline, gnu::cold]] static void give_back(list& resources, list_node* node, void* block) noexcept {
        if (node != nullptr)
            record_access::give(resources, *node);
        if (block != nullptr)
            record_access::memory(resources).put(block, sizeof(Record), alignof(Record));
    }

    list& resources_;
    void* block_ = nullptr;
    list_node* node_ = nullptr;
    bool made_ = false;
};

}  // namespace devres::detail
