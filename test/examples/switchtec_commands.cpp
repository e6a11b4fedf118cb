// SPDX-License-Identifier: BSL-1.0
#include <vector>

#include "support/catch.hpp"

#include "switchtec_bench.hpp"

using namespace devres;
using namespace devres::test;
using switchtec::mrpc_echo;
namespace mrpc = switchtec::gas::mrpc;

namespace {

/// A bench whose device is bound and has a file open. Commands are answered through registers (dma_version 0)
/// or through memory (1).
struct user {
    switchtec_bench bench;
    pci::binding<switchtec::driver, sim::bus> binding;
    switchtec_file file;

    explicit user(unsigned dma_version)
        : bench({.dma_version = dma_version}), binding(std::move(bench.bind().value())),
          file(std::move(binding.state().open().value())) {
        file.set_timeout(long_enough);
    }
    switchtec_file another() { return std::move(binding.state().open().value()); }
};

const auto input = bytes_from<16>(0x10);

}  // namespace

TEST_CASE("a command is answered by interrupt, through registers or memory") {
    const unsigned dma = GENERATE(0U, 1U);
    CAPTURE(dma);
    user u(dma);
    std::array<std::byte, 16> output{};
    const auto reply = u.file.command(mrpc_echo, input, output);
    REQUIRE(reply);
    CHECK_FALSE(reply->failed);
    CHECK(reply->return_code == 0);
    CHECK(reply->size == 16);
    CHECK(output == inverted(input));
    CHECK(u.binding.state().info().dma_vector.has_value() == (dma != 0));
}

TEST_CASE("input and output have up to 1024 bytes") {
    user u(GENERATE(0U, 1U));
    const auto whole = bytes_from<mrpc::max_data>(0);
    std::array<std::byte, mrpc::max_data> output{};
    const auto reply = u.file.command(mrpc_echo, whole, output);
    REQUIRE(reply);
    CHECK(reply->size == mrpc::max_data);
    CHECK(output == inverted(whole));

    CHECK(u.file.write(mrpc_echo, bytes_from<mrpc::max_data + 1>(0)).error() == errc::einval);
    CHECK(u.file.write(mrpc_echo, input, mrpc::max_data + 1).error() == errc::einval);

    std::array<std::byte, mrpc::max_data + 4> larger{};
    CHECK(u.file.command(mrpc_echo, whole, larger)->size == mrpc::max_data);
    std::array<std::byte, 3> odd{};
    CHECK(u.file.command(mrpc_echo, bytes_from<5>(1), odd)->size == 3);
    CHECK(odd == inverted(bytes_from<3>(1)));
    CHECK(u.file.command(mrpc_echo, {}, {})->size == 0);
}

TEST_CASE("the firmware's refusal is an answer, with its code") {
    user u(GENERATE(0U, 1U));
    const auto unknown = u.file.command(0x1234, {}, {});
    REQUIRE(unknown);
    CHECK(unknown->failed);
    CHECK(unknown->return_code == 0x6400'0001);

    u.bench.hardware.set_firmware(
        [](std::uint32_t command, std::span<const std::byte>) { return switchtec::mrpc_answer{.status = command}; });
    CHECK(u.file.command(mrpc::interrupted, {}, {}).error() == errc::enxio);
    CHECK(u.file.command(0x77, {}, {}).error() == errc::ebadmsg);
    CHECK(u.file.command(mrpc::done, {}, {}));
}

TEST_CASE("a file has one command at a time") {
    user u(GENERATE(0U, 1U));
    std::array<std::byte, 16> output{};
    CHECK(u.file.read(output).error() == errc::enodata);
    REQUIRE(u.file.write(mrpc_echo, input));
    CHECK(u.file.poll()->reply);
    CHECK(u.file.write(mrpc_echo, input).error() == errc::ebusy);
    CHECK(u.file.read(output));
    CHECK_FALSE(u.file.poll()->reply);
    CHECK(u.file.read(output).error() == errc::enodata);
}

TEST_CASE("a command that takes too long times out, and the driver goes on when the device does") {
    user u(GENERATE(0U, 1U));
    auto& hardware = u.bench.hardware;
    auto other = u.another();
    std::array<std::byte, 16> output{};

    hardware.hold();
    REQUIRE(u.file.write(mrpc_echo, input));
    CHECK(hardware.in_progress() == mrpc_echo);
    CHECK_FALSE(u.file.poll()->reply);
    CHECK(u.file.read(output, briefly).error() == errc::etimedout);
    CHECK(hardware.in_progress() == mrpc_echo);

    // Its own next command and another user's wait behind it, and time out as well.
    REQUIRE(u.file.write(mrpc_echo, bytes_from<16>(0x40)));
    REQUIRE(other.write(mrpc_echo, bytes_from<16>(0x80)));
    CHECK(u.file.read(output, briefly).error() == errc::etimedout);
    REQUIRE(u.file.write(mrpc_echo, bytes_from<16>(0xc0)));

    hardware.proceed();
    CHECK(hardware.complete());  // the late answer is nobody's: the next commands start
    CHECK(other.read(output)->size == 16);
    CHECK(output == inverted(bytes_from<16>(0x80)));
    CHECK(u.file.read(output)->size == 16);
    CHECK(output == inverted(bytes_from<16>(0xc0)));
    CHECK(hardware.commands().executed == 3);
    CHECK(hardware.commands().overrun == 0);
}

TEST_CASE("a command whose interrupt is lost is answered when its time is up") {
    user u(GENERATE(0U, 1U));
    std::array<std::byte, 16> output{};
    u.bench.hardware.lose_interrupts(true);
    REQUIRE(u.file.write(mrpc_echo, input));
    CHECK_FALSE(u.file.poll()->reply);
    CHECK(u.file.read(output, briefly)->size == 16);
    CHECK(output == inverted(input));

    // One that nobody waits for any more does not stop the next, interrupt or not.
    {
        auto hasty = u.another();
        REQUIRE(hasty.write(mrpc_echo, input));
    }
    u.bench.hardware.lose_interrupts(false);
    CHECK(u.file.command(mrpc_echo, input, output)->size == 16);
}

TEST_CASE("a closed file's command is taken out of the queue, or left to finish") {
    user u(GENERATE(0U, 1U));
    auto& hardware = u.bench.hardware;
    std::vector<switchtec_file> files;
    for (int i = 0; i != 4; ++i)
        files.push_back(u.another());
    hardware.hold();
    for (unsigned i = 0; i != 4; ++i)
        REQUIRE(files[i].write(mrpc_echo, bytes_from<16>(i * 16)));
    REQUIRE(u.file.write(mrpc_echo, input));

    const auto gone = GENERATE(0U, 1U, 2U, 3U);
    files.erase(files.begin() + static_cast<int>(gone));
    files.pop_back();
    hardware.proceed();
    CHECK(hardware.complete());
    std::array<std::byte, 16> output{};
    CHECK(u.file.read(output));
    CHECK(output == inverted(input));
    CHECK(files[0].read(output));
    CHECK(output == inverted(bytes_from<16>(gone == 0 ? 16 : 0)));
    CHECK(hardware.commands().overrun == 0);
}
