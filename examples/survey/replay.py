# SPDX-License-Identifier: BSL-1.0
"""What Linux does with replay programs, in words, as its model says: `examples/run replay`."""
import json
import subprocess

WARNINGS = {
    "rpe": "handlers leaked under freed vectors",
    "msi_data": "vectors leaked",
    "double_enable": "vectors enabled twice",
    "already_free": "a handler freed twice",
    "already_disabled": "device disabled twice",
    "irq_domain": "interrupt domain with live vectors",
    "devres_warn": "no such devres record",
    "msi_shutdown": "no descriptor",
    "other": "another warning",
}


def profile(kernel):
    """The version that the model has, nearest to this kernel's."""
    numbers = [int(part) for part in kernel.split(".")[:2] if part.isdigit()]
    return "6.1" if numbers and numbers < [6, 11] else "6.18" if numbers >= [6, 18] else "6.12"


def in_words(summary):
    """One line of replay's, in words: "clean" if nothing is left and nothing was said."""
    if summary["oops"]:
        return f"oops in {summary['oops']}"
    said = [WARNINGS[kind] for kind in dict.fromkeys(summary["warnings"])]
    if summary["vectors_live"] and "msi_data" not in summary["warnings"]:
        said.append("vectors left")
    if summary["handlers_live"]:
        said.append("handlers left")
    if summary["rebind"]:
        said.append(f"the next bind fails ({summary['rebind']})")
    return "; ".join(said) or "clean"


def outcomes(tool, kernel, programs):
    """Program to what becomes of it; RuntimeError if the tool fails."""
    if not programs:
        return {}
    done = subprocess.run([tool, "replay", "--kernel", profile(kernel), *programs], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{tool} replay: exit {done.returncode}: {done.stderr.strip()}")
    return {each["program"]: in_words(each) for each in map(json.loads, done.stdout.splitlines())}
