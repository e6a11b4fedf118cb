// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace devres::detail {

/// The name of a type as the compiler writes it, without its template arguments, for traces.
template <class T>
struct type_name_of {
    static constexpr unsigned most = 120;
    char text[most]{};

    consteval type_name_of() noexcept {
        // "... [with T = nvme::queue]" or "... [T = nvme::queue]"
        const char* from = __PRETTY_FUNCTION__;
        const char* found = from;
        for (const char* at = from; *at != 0; ++at) {
            if (at[0] == 'T' && at[1] == ' ' && at[2] == '=' && at[3] == ' ')
                found = at + 4;
        }
        unsigned length = 0;
        int depth = 0;  // of template arguments and brackets
        for (; *found != 0 && length + 1 != most; ++found) {
            const bool opens = *found == '<' || *found == '[';
            const bool closes = *found == '>' || *found == ']';
            depth += opens - closes;
            if (depth < 0 || (depth == 0 && *found == ';'))
                break;
            if (depth == 0 && !closes)
                text[length++] = *found;
        }
    }
};

template <class T>
inline constexpr type_name_of<T> type_name{};

}  // namespace devres::detail
