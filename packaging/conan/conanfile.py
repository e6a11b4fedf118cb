# SPDX-License-Identifier: BSL-1.0
"""A Conan 2 recipe: conan create packaging/conan"""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load


class DevresRecipe(ConanFile):
    name = "devres"
    license = "BSL-1.0"
    description = "Device-resource lifetimes whose ownership is part of the type"
    topics = ("drivers", "pci", "vfio", "ownership", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"testing": [True, False]}
    default_options = {"testing": False}
    no_copy_source = True

    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._root(), "include", "devres", "version.hpp"))
        self.version = ".".join(re.findall(r"#define DEVRES_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def export_sources(self):
        copy(self, "*.hpp", os.path.join(self._root(), "include"), os.path.join(self.export_sources_folder, "include"))
        copy(self, "LICENSE", self._root(), self.export_sources_folder)

    def requirements(self):
        if self.options.testing:
            self.requires("boost/[>=1.70]", headers=True, libs=False)

    def validate(self):
        check_min_cppstd(self, 23)

    def package_id(self):
        self.info.clear()

    def package(self):
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "devres")
        self.cpp_info.set_property("cmake_target_name", "devres::devres")
        self.cpp_info.set_property("pkg_config_name", "devres")
