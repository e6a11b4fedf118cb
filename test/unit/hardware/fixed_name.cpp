// SPDX-License-Identifier: BSL-1.0
#include <devres/hardware/detail/fixed_name.hpp>

#include "support/catch.hpp"

using devres::hardware::fixed_name;

TEST_CASE("a name is copied, of any length up to its capacity, and cut beyond") {
    fixed_name name;
    CHECK(name.get().empty());
    for (std::size_t length = 0; length != 80; ++length) {
        const std::string text(length, 'x');
        name.set(text.c_str());
        CHECK(name.get() == text.substr(0, fixed_name::capacity));
    }
    name.set("switchtec");
    CHECK(name.get() == "switchtec");
    name.set(nullptr);
    CHECK(name.get().empty());
}
