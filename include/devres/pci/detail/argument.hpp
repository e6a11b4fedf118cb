// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <devres/core/rule.hpp>

/// What the functions of this layer ask of the tokens that they are given, whatever the driver gave them.
namespace devres::pci {

namespace detail {

/// The owner, platform and driver of a token; void for what is none.
template <class Token>
struct token_types {
    using owner = void;
    using platform = void;
    using driver = void;
};
template <class Token>
    requires requires { typename Token::owner_type; }
struct token_types<Token> {
    using owner = typename Token::owner_type;
    using platform = typename Token::platform_type;
    using driver = typename Token::driver_type;
};

template <class Token>
using owner_of = typename token_types<Token>::owner;
template <class Token>
using platform_of = typename token_types<Token>::platform;
template <class Token>
using driver_of = typename token_types<Token>::driver;

template <class Token>
inline constexpr bool is_enabled_device = false;
template <class Token>
inline constexpr bool is_irq_vector = false;

}  // namespace detail

template <class Enabled>
concept enabled_argument =
    rule<detail::is_enabled_device<Enabled>,
         text{"devres[D009] the first argument is no enabled device: unwrap the result of pci(m)_enable_device, "
              "DEVRES_TRY(auto device, pcim_enable_device(dev))"}>;

}  // namespace devres::pci
