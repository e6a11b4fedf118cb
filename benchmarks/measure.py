# SPDX-License-Identifier: BSL-1.0
"""Measures the built benchmarks, prints ratios, checks the gates. Called by benchmarks/run."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
root = here.parent
# The path "managed driver of 7 resources" on version 0.1 (526f6b9), whose state was made first and filled.
seven_resources_of_0_1 = {"g++": 1443, "clang++-19": 1488}
compilers = {"g++": root / "build/release", "clang++-19": root / "build/release-clang"}


def run(*command):
    command = [str(part) for part in command]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"benchmarks/run: failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done


def count_paths(tree):
    """Instructions of each path, by (path, count, side), and bytes of list memory, by number of actions."""
    with tempfile.TemporaryDirectory() as folder:
        done = run("valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
                   tree / "benchmarks/paths", "--count")
        raw = {}
        for dump in pathlib.Path(folder).glob("out.*"):
            text = dump.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
            if name:
                path, count, side = name[1].rsplit("/", 2)
                raw[path, int(count), side] = int(re.search(r"^(?:summary|totals): (\d+)", text, re.M)[1])
    nothing = raw.pop(("nothing", 0, "devres"))
    sizes = dict(map(int, line) for line in re.findall(r"^bytes/(\d+)/(\d+)$", done.stdout, re.M))
    return {key: value - nothing for key, value in raw.items()}, sizes


def time_paths(tree, quick):
    """Nanoseconds of each path."""
    options = ["--benchmark_format=json"]
    if quick:
        options += ["--benchmark_min_time=0.01"]
    else:
        options += ["--benchmark_repetitions=5", "--benchmark_min_time=0.1"]
    done = run(tree / "benchmarks/paths", *options)
    times = {}
    for one in json.loads(done.stdout)["benchmarks"]:
        if one.get("run_type") == "aggregate" and one["aggregate_name"] != "median":
            continue
        if quick or one.get("run_type") == "aggregate":
            path, count, side = one["run_name"].rsplit("/", 2)
            times[path, int(count), side] = one["cpu_time"]
    return times


def ratio_of_events(tree):
    """How long 32 events take in the vfio platform's loop, relative to the usual loop: system calls are no instructions of
    ours, so time it is, the shortest of many runs that take turns."""
    done = run(tree / "benchmarks/paths", "--benchmark_format=json", "--benchmark_filter=^events.*/32/",
               "--benchmark_repetitions=40", "--benchmark_min_time=0.005", "--benchmark_enable_random_interleaving=true")
    best = {}
    for one in json.loads(done.stdout)["benchmarks"]:
        if one.get("run_type") == "iteration":
            side = one["run_name"].rsplit("/", 1)[1]
            best[side] = min(one["real_time"], best.get(side, one["real_time"]))
    return best["devres"] / best["level"]


def parse(source):
    return ["g++", "-std=c++23", "-fsyntax-only", f"-I{root / 'include'}", here / "include_cost" / source]


def count_include(source):
    """Instructions that g++'s compiler proper takes to read a file."""
    command = parse(source)
    command[1:1] = ["-wrapper", "valgrind,--tool=cachegrind,--cache-sim=no,--cachegrind-out-file=/dev/null"]
    found = re.findall(r"I +refs: +([\d,]+)", run(*command).stderr)
    return int(found[-1].replace(",", ""))


def time_include(source):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(*parse(source))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def instantiations(source):
    """How many templates clang instantiates for a file."""
    with tempfile.TemporaryDirectory() as folder:
        run("clang++-19", "-std=c++23", "-c", f"-I{root / 'include'}", f"-ftime-trace={folder}/trace.json",
            "-ftime-trace-granularity=0", here / "include_cost" / source, "-o", os.devnull)
        events = json.loads(pathlib.Path(folder, "trace.json").read_text())["traceEvents"]
    return sum(event["name"] in ("InstantiateClass", "InstantiateFunction") for event in events)


class Gates:
    def __init__(self):
        self.all = []

    def check(self, text, value, limit):
        held = value <= limit
        self.all.append({"gate": text, "value": value, "limit": limit, "held": held})
        print(f"  {'ok  ' if held else 'FAIL'}  {text}: {value:.2f} (at most {limit:.2f})")


def per_action(counts, path, count):
    """What each action after the first adds."""
    return (counts[path, count, "devres"] - counts[path, 1, "devres"]) / (count - 1)


def check_gates(gates, counts, sizes, includes, events):
    for compiler, ratio in events.items():
        gates.check(f"{compiler}: 32 events signalled and handled, time / level-triggered with a read each", ratio, 0.65)
    for compiler, found in counts.items():
        probe = "probe, 4 resources"
        ratio = found[probe, 4, "devres"] / found[probe, 4, "C"]
        gates.check(f"{compiler}: a probe of 4 unmanaged resources, instructions / C", round(ratio, 2), 1.00)
        probe = "probe, 16 resources"
        ratio = found[probe, 16, "devres"] / found[probe, 16, "C"]
        gates.check(f"{compiler}: a probe of 16 unmanaged resources, instructions / C", round(ratio, 2), 1.05)
        gates.check(f"{compiler}: a managed driver of 7 resources bound and unbound, instructions / version 0.1",
                    found["managed driver of 7 resources", 7, "devres"] / seven_resources_of_0_1[compiler], 1.10)
        gates.check(f"{compiler}: a managed action added and released with all, instructions, of 256",
                    per_action(found, "actions", 256), 48)
        for path in ("actions", "actions, removed oldest first", "actions, released oldest first"):
            each = [per_action(found, path, count) for count in (16, 256, 4096)]
            gates.check(f"{compiler}: {path}, per action, most / least of 16, 256, 4096",
                        max(each) / min(each), 1.05)
        for (path, count, side), direct in found.items():
            if side != "direct" or not path.startswith("primitive: "):
                continue
            limit = {"primitive: read, in memory": 6, "primitive: write": 14}.get(path, 12)
            gates.check(f"{compiler}: {path}, of an erased platform, instructions more than of a known one",
                        (found[path, count, "devres"] - direct) / count, limit)
        for path in sorted({path for path, _, _ in found if path.startswith("machine: ")}):
            (_, small), (_, large) = sorted((count, value) for (p, count, _), value in found.items() if p == path)
            gates.check(f"{compiler}: {path}, instructions, twice as many / as many", large / small, 2.20)
        gates.check(f"{compiler}: replay of EBA4QTP:F and the rebind, thousands of instructions (20,000 a second)",
                    found["replay of EBA4QTP:F", 1, "devres"] / 1000, 250)
    for count, size in sizes.items():
        gates.check(f"bytes of list memory per action, {count} actions", size / count, 40)
    gates.check("g++: <devres/devres.hpp>, instructions / <memory> + <expected>",
                includes["instructions"]["devres"] / includes["instructions"]["reference"], 0.36)
    gates.check("g++: <devres/any_platform.hpp>, instructions / <memory> + <expected>",
                includes["instructions"]["any_platform"] / includes["instructions"]["reference"], 0.44)
    gates.check("g++: the rocker driver compiled once, instructions / the same bound on the simulated bus",
                includes["instructions"]["compiled"] / includes["instructions"]["template"], 0.45)


def print_paths(counts, times):
    print(f"{'':31} {'':>5} {'':8}", *(f"{name:^31}" for name in counts))
    print(f"{'path':31} {'count':>5} {'against':8}", *(f"{'devres':>8} {'twin':>9} {'ratio':>6} {'time':>5}"
                                                      for _ in counts))
    rows = list(next(iter(counts.values())))
    for path, count, side in rows:
        twins = [s for p, c, s in rows if (p, c) == (path, count) and s != "devres"]
        if side == "devres" and twins:
            continue
        cells = []
        for compiler, found in counts.items():
            ours = found[path, count, "devres"]
            if side == "devres":
                cells.append(f"{ours:8} {'':9} {'':6} {'':5}")
                continue
            theirs = found[path, count, side]
            fast = times[compiler]
            time = fast[path, count, "devres"] / fast[path, count, side]
            cells.append(f"{ours:8} {theirs:9} {ours / theirs:6.2f} {time:5.2f}")
        print(f"{path:31} {count:5} {side if side != 'devres' else '-':8}", *cells)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--output", required=True)
    options = arguments.parse_args()

    sources = {name: f"{name}.cpp" for name in ("devres", "reference", "any_platform", "compiled", "template")}
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:  # counts do not mind company
        reading = {name: pool.submit(count_include, source) for name, source in reversed(sources.items())}
        counting = {compiler: pool.submit(count_paths, tree) for compiler, tree in compilers.items()}
        instantiating = {name: pool.submit(instantiations, sources[name]) for name in ("devres", "reference")}
        includes = {"instructions": {name: job.result() for name, job in reading.items()},
                    "instantiations": {name: job.result() for name, job in instantiating.items()}}
        counted = {compiler: job.result() for compiler, job in counting.items()}
    counts = {compiler: found for compiler, (found, _) in counted.items()}
    sizes = counted["g++"][1]
    times = {compiler: time_paths(tree, options.quick) for compiler, tree in compilers.items()}
    counts = {compiler: {key: found[key] for key in [*times[compiler]] if key in found}
              for compiler, found in counts.items()}
    events = {compiler: ratio_of_events(tree) for compiler, tree in compilers.items()}
    pairs = [(time_include("devres.cpp"), time_include("reference.cpp"))
             for _ in range(5 if options.quick else 15)]
    includes["cpu time, median ratio"] = statistics.median(ours / theirs for ours, theirs in pairs)

    print("Instructions of one run, and CPU time relative to the twin:")
    print_paths(counts, times)
    print("\nInstructions per managed action, of 256:")
    for compiler, found in counts.items():
        print(f"  {compiler}: add + release all {per_action(found, 'actions', 256):.1f}, "
              f"add + remove {per_action(found, 'actions, removed oldest first', 256):.1f}, "
              f"add + release one {per_action(found, 'actions, released oldest first', 256):.1f}")
    print("\nVMD with 64 vectors and 3 children, bound and unbound, per second of CPU time:")
    for compiler, fast in times.items():
        print(f"  {compiler}: {1e9 / fast['VMD with 3 children', 64, 'devres']:,.0f}")
    print("\nThe program EBA4QTP:F and the rebind replayed on a new model of Linux, per second of CPU time:")
    for compiler, fast in times.items():
        print(f"  {compiler}: {1e9 / fast['replay of EBA4QTP:F', 1, 'devres']:,.0f}")
    print("\nReading <devres/devres.hpp>, relative to <memory> + <expected>:")
    for what in ("instructions", "instantiations"):
        ours, theirs = includes[what]["devres"], includes[what]["reference"]
        compiler = "g++" if what == "instructions" else "clang++-19"
        print(f"  {what} ({compiler}): {ours} / {theirs} = {ours / theirs:.3f}")
    for what, beside in (("any_platform", "reference"), ("compiled", "reference"), ("compiled", "template")):
        ours, theirs = includes["instructions"][what], includes["instructions"][beside]
        print(f"  instructions (g++), {what} / {beside}: {ours} / {theirs} = {ours / theirs:.3f}")
    print(f"  CPU time (g++), median of {len(pairs)}: {includes['cpu time, median ratio']:.2f}")

    print("\nGates:")
    gates = Gates()
    check_gates(gates, counts, sizes, includes, events)

    def flat(found):
        return [{"path": path, "count": count, "side": side, "value": value}
                for (path, count, side), value in found.items()]
    report = {
        "quick": options.quick,
        "compilers": {name: run(name, "--version").stdout.splitlines()[0] for name in compilers},
        "instructions": {compiler: flat(found) for compiler, found in counts.items()},
        "nanoseconds": {compiler: flat(found) for compiler, found in times.items()},
        "bytes of list memory": sizes,
        "events, time ratio": events,
        "include": includes,
        "gates": gates.all,
    }
    pathlib.Path(options.output).write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten: {options.output}")
    sys.exit(0 if all(gate["held"] for gate in gates.all) else 1)


if __name__ == "__main__":
    main()
