# SPDX-License-Identifier: BSL-1.0
"""The PCI drivers of a kernel tree, each with all the source of its module."""
import re
from typing import NamedTuple

from survey import kbuild, source

FOLDERS = ("drivers", "sound", "arch")
# The PCI core's own: they lend their driver to a device without knowing it.
CORE = ("drivers/pci/pci-driver.c", "drivers/pci/pcie/portdrv.c", "drivers/pci/pci-stub.c", "drivers/pci/pci-pf-stub.c")
_DRIVER = re.compile(r"\bstruct\s+pci_driver\s+\w+\s*(?:\[\s*\w*\s*\]\s*)?(?:__\w+\s*)*=")


class Module(NamedTuple):
    name: str      # the file that defines the pci_driver (the first, if several do), below the tree
    files: dict    # path below the tree -> stripped text: that file's module, and its local headers


def find(root):
    """The files of each module with a `struct pci_driver`: lists of paths, the file with the driver first."""
    of_file = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.c")):
            if path.relative_to(root).as_posix() in CORE:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            if "pci_driver" in text and _DRIVER.search(source.strip(text)):
                of_file[path] = kbuild.sources(root, path)
    modules, seen = [], set()
    for path, files in of_file.items():
        if path not in seen:
            seen.update(set(files) & set(of_file))
            modules.append([path, *(each for each in files if each != path)])
    return modules


def load(root, paths):
    """The module of these files. Local headers are those that stand beside an including file, or lead from there."""
    files, waiting = {}, list(paths)
    while waiting:
        path = waiting.pop(0)
        name = path.relative_to(root).as_posix()
        if name in files:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        files[name] = source.strip(text)
        for header in source.includes(text):
            there = (path.parent / header).resolve()
            if there.is_file() and root in there.parents:
                waiting.append(there)
    return Module(paths[0].relative_to(root).as_posix(), files)
