// SPDX-License-Identifier: BSL-1.0
#include <devres/core/errc.hpp>

#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "support/catch.hpp"

using devres::errc;

namespace {

/// Every name, with the number that Linux gives it.
constexpr std::pair<errc, int> numbers[] = {
    {errc::eperm, 1},       {errc::enoent, 2},      {errc::eintr, 4},          {errc::eio, 5},
    {errc::enxio, 6},       {errc::ebadf, 9},       {errc::eagain, 11},        {errc::enomem, 12},
    {errc::eacces, 13},     {errc::efault, 14},     {errc::ebusy, 16},         {errc::eexist, 17},
    {errc::enodev, 19},     {errc::enotdir, 20},    {errc::einval, 22},        {errc::enotty, 25},
    {errc::enospc, 28},     {errc::erange, 34},     {errc::edeadlk, 35},       {errc::enosys, 38},
    {errc::enodata, 61},    {errc::eproto, 71},     {errc::ebadmsg, 74},       {errc::eoverflow, 75},
    {errc::eopnotsupp, 95}, {errc::eshutdown, 108}, {errc::etimedout, 110},    {errc::ealready, 114},
    {errc::ecanceled, 125}, {errc::enotsupp, 524},  {errc::eprobe_defer, 517},
};

}  // namespace

TEST_CASE("an errc has the number Linux gives its name") {
    for (const auto& [error, number] : numbers)
        CHECK(static_cast<int>(error) == number);
}

#if defined(__linux__) && defined(__x86_64__)
TEST_CASE("an errc agrees with the host's errno.h where that is Linux's") {
    CHECK(static_cast<int>(errc::enospc) == ENOSPC);
    CHECK(static_cast<int>(errc::edeadlk) == EDEADLK);
    CHECK(static_cast<int>(errc::eoverflow) == EOVERFLOW);
    CHECK(static_cast<int>(errc::eopnotsupp) == EOPNOTSUPP);
    CHECK(static_cast<int>(errc::eshutdown) == ESHUTDOWN);
    CHECK(static_cast<int>(errc::etimedout) == ETIMEDOUT);
    CHECK(static_cast<int>(errc::ecanceled) == ECANCELED);
}
#endif

TEST_CASE("every errc has a message of its own, in lower case and without a full stop") {
    std::set<std::string> messages;
    for (const auto& entry : numbers) {
        const std::string text = message(entry.first);
        INFO(text);
        REQUIRE(!text.empty());
        CHECK(text != "unknown error");
        CHECK((text.front() >= 'a' && text.front() <= 'z'));
        CHECK(text.back() != '.');
        CHECK(messages.insert(text).second);
    }
}

TEST_CASE("a number that is no errc has a message too") {
    CHECK(std::strcmp(message(errc{}), "unknown error") == 0);
    CHECK(std::strcmp(message(static_cast<errc>(-22)), "unknown error") == 0);
}

static_assert(message(errc::enodev)[0] == 'n', "messages can be had at compile time");
