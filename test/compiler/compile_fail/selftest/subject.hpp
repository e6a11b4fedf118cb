// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the cases of this folder misuse: a rule with a text, as the library has them.
template <unsigned Size>
struct text {
    char value[Size]{};

    consteval text(const char (&literal)[Size]) {
        for (unsigned i = 0; i != Size; ++i)
            value[i] = literal[i];
    }
};

template <bool Holds, text Message>
concept rule = Holds;

template <bool Managed>
struct owner {};

template <bool Managed>
    requires rule<!Managed, "devres[D001] freed by devres">
void release(owner<Managed>) {}
