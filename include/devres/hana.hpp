// SPDX-License-Identifier: BSL-1.0
#pragma once

/// An ownership table as a Boost.Hana map, and events as Hana structs: for who writes text, JSON or charts of them from one
/// description. No driver needs it; it needs Boost (Debian's libboost-dev).

#include <devres/core/requirements.hpp>

#if !__has_include(<boost/hana.hpp>)
#error "<devres/testing.hpp> and <devres/hana.hpp> need Boost.Hana, headers only: Debian's libboost-dev"
#include <devres/stop_reading_here>
#endif

// The one header that includes Boost: a system header to the compiler, so that Boost's own warnings do not reach a program
// that finds Boost through a plain -I.
#pragma GCC system_header

#include <boost/hana/accessors.hpp>
#include <boost/hana/adapt_struct.hpp>
#include <boost/hana/at_key.hpp>
#include <boost/hana/contains.hpp>
#include <boost/hana/drop_front.hpp>
#include <boost/hana/first.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/map.hpp>
#include <boost/hana/members.hpp>
#include <boost/hana/pair.hpp>
#include <boost/hana/second.hpp>
#include <boost/hana/string.hpp>
#include <boost/hana/type.hpp>

#include <devres/core/event.hpp>
#include <devres/core/ownership.hpp>

namespace devres {

/// A table as a map from resources, as Hana types, to their owners: `hana_map(driver::ownership)[type_c<pci::enable_t>]`.
template <class... Claims>
[[nodiscard]] constexpr auto hana_map(const ownership_table<Claims...>&) noexcept {
    return boost::hana::make_map(
        boost::hana::make_pair(boost::hana::type_c<typename Claims::resource_type>, typename Claims::owner_type{})...);
}

}  // namespace devres

BOOST_HANA_ADAPT_STRUCT(devres::resource_kind, name, number);
BOOST_HANA_ADAPT_STRUCT(devres::resource_event, what, managed, resource, index, name);
