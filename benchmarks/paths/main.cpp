// SPDX-License-Identifier: BSL-1.0

// Every path beside its twins. Without arguments of its own, the times, by Google Benchmark; with --count, under
// callgrind, the instructions: one dump per path, size and side, named so.

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <valgrind/callgrind.h>

#include "../probe/probe.hpp"
#include "erased.hpp"
#include "paths.h"
#include "paths.hpp"

namespace {

using namespace devres::benchmarks;

struct side {
    const char* name;
    void (*run)(unsigned count);
    unsigned most = paths_most;
};

struct path {
    const char* name;
    std::vector<unsigned> counts;
    std::vector<side> sides;
    void (*prepare)(unsigned count) = nullptr;
};

interrupts context;
int error;

c_device c_dev{reinterpret_cast<opaque_function*>(&c_dev), nullptr};
opaque_platform platform;
bound devres_dev{.dev{platform, *reinterpret_cast<opaque_function*>(&c_dev)}};

template <bool Probe(c_device*, interrupts*, int*)>
void c_side(unsigned) {
    benchmark::DoNotOptimize(Probe(&c_dev, &context, &error));
}
template <auto Probe>
void devres_side(unsigned) {
    benchmark::DoNotOptimize(Probe(devres_dev, context, error));
}

struct opaque_answers answers_at_start = ::opaque_answers;

/// Makes step `step` of the probe of 4 fail.
void fail_at(unsigned step) {
    ::opaque_answers = answers_at_start;
    switch (step) {
    case 1: ::opaque_answers.enable = -5; break;
    case 2: ::opaque_answers.map_bar = nullptr; break;
    case 3: ::opaque_answers.alloc_vectors = -28; break;
    default: ::opaque_answers.request_irq = -16; break;
    }
}
void grant_all(unsigned count) {
    ::opaque_answers = answers_at_start;
    ::opaque_answers.alloc_vectors = static_cast<int>(count);
}

const std::vector<path> paths{
    {"nothing", {0}, {{"devres", [](unsigned) {}}}},
    {"probe, 1 resource", {1}, {{"C", &c_side<&c_probe_1>}, {"devres", &devres_side<&probe_1>}}, &grant_all},
    {"probe, 2 resources", {2}, {{"C", &c_side<&c_probe_2>}, {"devres", &devres_side<&probe_2>}}, &grant_all},
    {"probe, 3 resources", {3}, {{"C", &c_side<&c_probe_3>}, {"devres", &devres_side<&probe_3>}}, &grant_all},
    {"probe, 4 resources", {4}, {{"C", &c_side<&c_probe_4>}, {"devres", &devres_side<&probe_4>}}, &grant_all},
    {"probe, 16 resources", {16}, {{"C", &c_side<&c_probe_16>}, {"devres", &devres_side<&probe_16>}}, &grant_all},
    {"probe, fails at step", {1, 2, 3, 4}, {{"C", &c_side<&c_probe_4>}, {"devres", &devres_side<&probe_4>}}, &fail_at},
    {"probe, not inlined",
     {4},
     {{"C", [](unsigned) { benchmark::DoNotOptimize(c_probe_alone(&c_dev, &context)); }},
      {"devres", [](unsigned) { benchmark::DoNotOptimize(probe_alone(devres_dev.dev, context)); }}},
     &grant_all},
    {"vectors, unmanaged", {1, 4, 32}, {{"C", &plain_vectors}, {"devres", &unmanaged_vectors}}, &grant_all},
    {"handlers, unmanaged", {1, 4, 32}, {{"C", &plain_handlers}, {"devres", &unmanaged_handlers}}, &grant_all},
    {"vectors, managed",
     {1, 4, 32},
     {{"array", &array_vectors}, {"Linux", &linux_vectors}, {"devres", &managed_vectors}},
     &grant_all},
    {"vectors and handlers, managed",
     {1, 4, 32},
     {{"array", &array_managed}, {"Linux", &linux_managed}, {"devres", &managed_handlers}},
     &grant_all},
    {"managed driver of 7 resources", {7}, {{"devres", &managed_driver}}, &grant_all},
    {"the driver of 7, compiled once", {7}, {{"direct", &managed_driver}, {"devres", &compiled_driver}}, &grant_all},
    {"group", {1, 4, 32}, {{"array", &array_group}, {"Linux", &linux_group}, {"devres", &group_of}}},
    {"actions", {1, 16, 256, 4096}, {{"array", &array_actions}, {"Linux", &linux_actions}, {"devres", &actions}}},
    {"actions, removed oldest first", {1, 16, 256, 4096}, {{"Linux", &linux_removals, 256}, {"devres", &removals}}},
    {"actions, released oldest first", {1, 16, 256, 4096}, {{"devres", &releases}}},
    {"switchtec on the simulated bus",
     {1},
     {{"C", [](unsigned) { switchtec_by_hand(); }}, {"devres", [](unsigned) { switchtec_bound(); }}}},
    {"VMD with 3 children", {64}, {{"devres", &vmd_bound}}},
    {"events, signalled and handled", {1, 32}, {{"level", &level_events}, {"devres", &edge_events}}},
    {"replay of EBA4QTP:F", {1}, {{"devres", &replayed}}},
    {"machine: functions added", {256, 512}, {{"devres", &functions_added}}},
    {"machine: functions found", {256, 512}, {{"devres", &functions_found}}},
    {"machine: DMA mapped", {1024, 2048}, {{"devres", &dma_mapped}}},
    {"machine: handlers traced", {256, 512}, {{"devres", &handlers_traced}}},
    {"machine: ledger read", {256, 512}, {{"devres", &ledger_read}}},
    {"machine: lspci, 33 vectors each", {32, 64}, {{"devres", &machine_exercised}}},
};

std::string name_of(const path& measured, unsigned count, const side& one) {
    return std::string(measured.name) + "/" + std::to_string(count) + "/" + one.name;
}

std::vector<path> all_paths() {
    std::vector<path> all = paths;
    for (const erased_path& one : erased_paths)
        all.push_back({one.name, {256}, {{"direct", one.direct}, {"devres", one.erased}}, &grant_all});
    return all;
}

template <class Visit>
void each_case(Visit visit) {
    static const std::vector<path> all = all_paths();
    for (const path& measured : all) {
        for (const unsigned count : measured.counts) {
            for (const side& one : measured.sides) {
                if (count <= one.most)
                    visit(measured, count, one);
            }
        }
    }
}

/// One run is counted, after one that warms up the lists, the allocator and the dynamic linker.
void count_instructions() {
    each_case([](const path& measured, unsigned count, const side& one) {
        if (measured.prepare != nullptr)
            measured.prepare(count);
        const std::string name = name_of(measured, count, one);
        one.run(count);
        CALLGRIND_ZERO_STATS;
        one.run(count);
        CALLGRIND_DUMP_STATS_AT(name.c_str());
    });
    for (const std::size_t count : {100UZ, 1000UZ, 10000UZ})
        std::printf("bytes/%zu/%zu\n", count, bytes_of_actions(count));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--count") == 0) {
        count_instructions();
        return 0;
    }
    each_case([](const path& measured, unsigned count, const side& one) {
        if (std::strcmp(measured.name, "nothing") == 0)
            return;
        benchmark::RegisterBenchmark(name_of(measured, count, one).c_str(), [&measured, count, &one](auto& state) {
            if (measured.prepare != nullptr)
                measured.prepare(count);
            for (auto _ : state)
                one.run(count);
        });
    });
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
