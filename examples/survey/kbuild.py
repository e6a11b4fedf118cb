# SPDX-License-Identifier: BSL-1.0
"""Which objects Kbuild links into one module.

A Makefile's (or Kbuild's) lists are read as if every option were set and every branch taken: `NAME-y`, `NAME-objs` and
`NAME-$(...)` are one list. Variables of the same file are expanded, `$(addprefix ...)` too; other functions of make and
included files are not.
"""
import functools
import re

_ASSIGNMENT = re.compile(r"^[ \t]*([\w.$(){}/-]+?)[ \t]*[:+?]?=[ \t]*(.*)$", re.M)
_VARIABLE = re.compile(r"\$[({]([\w-]+)[)}]")
_ADDPREFIX = re.compile(r"\$\(addprefix\s+([^,]*),([^()]*)\)")


class Makefile:
    def __init__(self, text):
        self.lists = {}
        for name, value in _ASSIGNMENT.findall(re.sub(r"\\\n", " ", text)):
            name = re.sub(r"-(\$[({][^)}]*[)}]|objs)$", "-y", name)
            self.lists.setdefault(name, []).append(value.split("#")[0])
        objects = self._objects("obj-y") | self._objects("obj-m")
        names = {name[:-2] for name in self.lists if name.endswith("-y")}
        self.composites = {}
        linked = set(objects)
        while found := {name for name in names - set(self.composites) if name + ".o" in linked}:
            for name in found:
                self.composites[name] = self._objects(name + "-y")
                linked |= self.composites[name]

    def _objects(self, name):
        return {word for word in self._expand(name, frozenset()).split() if word.endswith(".o")}

    def _expand(self, name, within):
        text = " ".join(self.lists.get(name, []))
        if name in within:
            return ""
        text = _VARIABLE.sub(lambda found: self._expand(found[1], within | {name}), text)
        return _ADDPREFIX.sub(
            lambda found: " ".join(found[1].strip() + word for word in found[2].split()), text)

    def linked_with(self, target):
        """The objects that are linked into one module with `target`, itself among them; nothing if it is linked alone."""
        found = {target}
        while True:
            more = set().union(*(parts for parts in self.composites.values() if parts & found)) | found
            if more == found:
                return found if len(found) > 1 else set()
            found = more


@functools.lru_cache(maxsize=None)
def read(folder):
    """The Makefile of `folder`, or None."""
    for name in ("Makefile", "Kbuild"):
        path = folder / name
        if path.is_file():
            return Makefile(path.read_text(encoding="utf-8", errors="replace"))
    return None


def sources(root, path):
    """The C files under `root` that are linked into one module with `path`: of the nearest Makefile that links it with others."""
    folder = path.parent
    while True:
        makefile = read(folder)
        if makefile:
            together = makefile.linked_with(path.relative_to(folder).with_suffix(".o").as_posix())
            found = [folder / (name[:-2] + ".c") for name in sorted(together)]
            found = [each for each in found if each.is_file()]
            if found:
                return found
        if folder == root or root not in folder.parents:
            return [path]
        folder = folder.parent
