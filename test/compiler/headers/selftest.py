#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that check_includes.py and check_alone.py find each kind of fault, and none where there is none.

Usage: selftest.py COMPILER OPTION...
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

GOOD = {
    "devres/version.hpp": "",
    "devres/core/list.hpp": "#include <expected>\n#include <devres/version.hpp>\n#include <devres/core/detail/node.hpp>\n",
    "devres/core/detail/node.hpp": "#include <cstdint>\n",
    "devres/pci/bind.hpp": "#include <devres/core/list.hpp>\n",
    "devres/devres.hpp": "#include <devres/core/list.hpp>\n#include <devres/pci/bind.hpp>\n",
    "devres/pci/any.hpp": "#include <devres/pci/bind.hpp>\n",
    "devres/any_platform.hpp": "#include <devres/devres.hpp>\n#include <devres/pci/any.hpp>\n",
    "devres/sim/bus.hpp": "#include <vector>\n#include <devres/devres.hpp>\n",
    "devres/sim.hpp": "#include <devres/sim/bus.hpp>\n",
    "devres/hardware/machine.hpp": "#include <string>\n#include <devres/devres.hpp>\n\n/// A machine.\nclass machine;\n",
    "devres/linux_model/kernel.hpp": "#include <devres/hardware/machine.hpp>\n",
    "devres/hana.hpp": "#include <boost/hana.h>\n#include <devres/devres.hpp>\n",
    "boost/hana.h": "",
    "devres/testing/traced.hpp": "#include <devres/pci/bind.hpp>\n#include <devres/hana.hpp>\n#include <string>\n",
}

# What is added to the good tree, and what must be said of it.
BAD = {
    "core includes pci": ({"devres/core/bad.hpp": "#include <devres/pci/bind.hpp>\n"},
                          "devres/core/bad.hpp:1: core must not include <devres/pci/bind.hpp>"),
    "core includes the umbrella": ({"devres/core/bad.hpp": "#include <devres/devres.hpp>\n"},
                                   "core must not include <devres/devres.hpp>"),
    "pci includes a platform": ({"devres/pci/bad.hpp": "\n#  include <devres/sim.hpp>\n"},
                                "devres/pci/bad.hpp:2: pci must not include <devres/sim.hpp>"),
    "a platform includes another": ({"devres/sim/bad.hpp": "#include <devres/linux_model/kernel.hpp>\n"},
                                    "sim must not include <devres/linux_model/kernel.hpp>"),
    "a model of Linux on another platform": ({"devres/linux_model/bad.hpp": "#include <devres/sim.hpp>\n"},
                                             "linux_model must not include <devres/sim.hpp>"),
    "hardware includes what runs on it": ({"devres/hardware/bad.hpp": "#include <devres/sim/bus.hpp>\n"},
                                          "hardware must not include <devres/sim/bus.hpp>"),
    "the umbrella lacks a header": ({"devres/core/more.hpp": ""}, "devres/devres.hpp: <devres/core/more.hpp> is missing"),
    "a header that says nothing": ({"devres/sim/bad.hpp": "namespace sim {\nusing number = int;\n}\n"},
                                   "devres/sim/bad.hpp: does not begin with its main sentence, but with: using number = int;"),
    "a header that is too long": ({"devres/sim/bad.hpp": "/// Much.\n" + "//\n" * 300}, "devres/sim/bad.hpp: 301 lines"),
    "testing includes a platform": ({"devres/testing/bad.hpp": "#include <devres/sim/bus.hpp>\n"},
                                    "testing must not include <devres/sim/bus.hpp>"),
    "an umbrella includes too much": ({"devres/devres.hpp": "#include <devres/sim.hpp>\n"},
                                      "devres must not include <devres/sim.hpp>"),
    "an unknown layer": ({"devres/usb/bad.hpp": ""}, "usb is no layer"),
    "an include in quotes": ({"devres/pci/bad.hpp": '#include "bind.hpp"\n'}, "headers are included as <devres/...>"),
    "a dear header": ({"devres/core/bad.hpp": "#include <atomic>\n"}, "core does without <atomic>"),
    "a dear header through another": ({"devres/pci/bad.hpp": "#include <queue>\n"},
                                      "devres/pci/bad.hpp opens <vector>"),
    "Boost": ({"devres/pci/bad.hpp": "#include <boost/hana.h>\n"}, "devres/pci/bad.hpp:1: pci does without <boost/hana.h>"),
    "Boost through another header": ({"devres/pci/bad.hpp": "#include <helper.h>\n",
                                      "helper.h": "#include <boost/hana.h>\n"},
                                     "devres/pci/bad.hpp opens <hana.h>"),
    "Boost in testing": ({"devres/testing/bad.hpp": "#include <boost/hana.h>\n"}, "testing does without <boost/hana.h>"),
    "a detail folder of pci in core": ({"devres/pci/detail/node.hpp": "",
                                        "devres/core/bad.hpp": "#include <devres/pci/detail/node.hpp>\n"},
                                       "core must not include <devres/pci/detail/node.hpp>"),
    "a missing header": ({"devres/core/bad.hpp": "#include <devres/core/none.hpp>\n"}, "the compiler cannot read it"),
    "no header at all": (None, "0 headers"),
}


# Headers, and what must be said of each that does not compile alone.
ALONE = {
    "good.hpp": ("#pragma once\n#include <vector>\ninline std::vector<int> numbers() { return {1}; }\n", None),
    "leans_on_others.hpp": ("#pragma once\ninline std::vector<int> numbers() { return {1}; }\n", "leans_on_others.hpp: does not"),
    "not_twice.hpp": ("struct once {};\n", "redefinition"),
    "warns.hpp": ("#pragma once\ninline int last(int number) { int unused = 0; return number; }\n", "unused"),
}


def run(tree):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in tree.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return harness.check_file("check_includes.py", __file__, folder, "--", *sys.argv[1:])


def run_alone(name, text):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, name).write_text(text, encoding="utf-8")
        return harness.check_file("check_alone.py", __file__, folder, name, "--", *sys.argv[1:], "-Wall", "-Werror")


def main():
    selftest = harness.Selftest()
    selftest.accepts("the good tree", *run(GOOD))
    for name, (files, expected) in BAD.items():
        selftest.rejects(name, expected, *run({} if files is None else GOOD | files))
    for name, (text, expected) in ALONE.items():
        if expected:
            selftest.rejects(name, expected, *run_alone(name, text))
        else:
            selftest.accepts(name, *run_alone(name, text))
    return selftest.verdict()


if __name__ == "__main__":
    sys.exit(main())
