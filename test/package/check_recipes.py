#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks the form of the recipes whose tools are not in Debian: usage: check_recipes.py SOURCE_ROOT VERSION

vcpkg and Conan are not run. That the port's manifest is JSON with what vcpkg asks for, that its portfile is CMake that calls what it
says, and that the recipe is Python whose class does what Conan calls, with Conan's own modules in the place of which stand
others, is.
"""
import ast
import fnmatch
import json
import pathlib
import re
import sys
import tempfile
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position


def vcpkg_faults(folder, version):
    manifest = json.loads((folder / "vcpkg.json").read_text(encoding="utf-8"))
    if manifest["name"] != folder.name or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", manifest["name"]):
        yield f"vcpkg.json: the port's name is not that of its folder: {manifest['name']}"
    if manifest["version"] != version:
        yield f"vcpkg.json: version {manifest['version']}, and the headers say {version}"
    if manifest["license"] != "BSL-1.0":
        yield f"vcpkg.json: license {manifest['license']}"
    port = (folder / "portfile.cmake").read_text(encoding="utf-8")
    for call in ("vcpkg_cmake_configure", "vcpkg_cmake_install", "vcpkg_cmake_config_fixup", "vcpkg_install_copyright"):
        if not re.search(rf"^{call}\(", port, re.MULTILINE):
            yield f"portfile.cmake: no {call}"
    status, said = harness.run("cmake", "-DPORT=" + str(folder / "portfile.cmake"), "-P",
                               pathlib.Path(__file__).with_name("run_portfile.cmake"))
    if status != 0:
        yield f"portfile.cmake: {said}"


def conan_faults(path, root, version):
    source = path.read_text(encoding="utf-8")
    ast.parse(source)
    copied = []
    modules = {"conan": {"ConanFile": object}, "conan.tools": {}, "conan.tools.build": {"check_min_cppstd": lambda recipe, least: None},
               "conan.tools.files": {"load": lambda recipe, name: pathlib.Path(name).read_text(encoding="utf-8"),
                                     "copy": lambda recipe, pattern, src, dst: copied.append(
                                         [name for name in pathlib.Path(src).rglob("*")
                                          if fnmatch.fnmatch(str(name.relative_to(src)), pattern)])}}
    for name, members in modules.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(members)
    names = {}
    exec(compile(source, str(path), "exec"), names)  # pylint: disable=exec-used
    recipe = names["DevresRecipe"]()
    with tempfile.TemporaryDirectory() as folder:
        recipe.recipe_folder, recipe.export_sources_folder = str(path.parent), folder
        recipe.set_version()
        recipe.export_sources()
    if recipe.version != version:
        yield f"conanfile.py: version {recipe.version}, and the headers say {version}"
    if len(copied) != 2 or root / "include/devres/devres.hpp" not in [name.resolve() for name in copied[0]] or len(copied[1]) != 1:
        yield f"conanfile.py: exports {[len(names) for names in copied]} files"


def main():
    if len(sys.argv) != 3:
        return harness.usage(__doc__)
    root, version = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    faults = [*vcpkg_faults(root / "packaging/vcpkg/devres", version), *conan_faults(root / "packaging/conan/conanfile.py", root, version)]
    return harness.verdict(faults, "the recipes of vcpkg and Conan")


if __name__ == "__main__":
    sys.exit(main())
