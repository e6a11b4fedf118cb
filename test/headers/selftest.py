#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that check_includes.py finds each kind of fault, and none where there is none. Usage: selftest.py COMPILER OPTION..."""
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).resolve().with_name("check_includes.py")

GOOD = {
    "devres/version.hpp": "",
    "devres/core/list.hpp": "#include <expected>\n#include <devres/version.hpp>\n#include <devres/core/detail/node.hpp>\n",
    "devres/core/detail/node.hpp": "#include <cstdint>\n",
    "devres/pci/bind.hpp": "#include <devres/core/list.hpp>\n",
    "devres/devres.hpp": "#include <devres/core/list.hpp>\n#include <devres/pci/bind.hpp>\n",
    "devres/sim/bus.hpp": "#include <vector>\n#include <devres/devres.hpp>\n",
    "devres/sim.hpp": "#include <devres/sim/bus.hpp>\n",
    "devres/linux_model/kernel.hpp": "#include <devres/sim.hpp>\n",
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


def run(tree):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in tree.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        result = subprocess.run([sys.executable, CHECK, folder, "--", *sys.argv[1:]],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return result.returncode, result.stdout


def main():
    faults = []
    status, output = run(GOOD)
    if status != 0:
        faults.append(f"the good tree is rejected: {output}")
    for name, (files, expected) in BAD.items():
        status, output = run({} if files is None else GOOD | files)
        if status != 1 or expected not in output:
            faults.append(f"{name}: not rejected with `{expected}`: {output}")
    for fault in faults:
        print("FAULT:", fault)
    print(f"{len(BAD) + 1} trees, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
