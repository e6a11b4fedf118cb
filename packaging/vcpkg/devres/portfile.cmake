# SPDX-License-Identifier: BSL-1.0
# An overlay port: vcpkg install devres --overlay-ports=packaging/vcpkg. It takes the sources that it lies in.
set(VCPKG_BUILD_TYPE release) # headers only
cmake_path(SET source NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../../..")

vcpkg_cmake_configure(
  SOURCE_PATH "${source}"
  OPTIONS
    -DDEVRES_BUILD_TESTS=OFF
    -DDEVRES_BUILD_EXAMPLES=OFF
    -DDEVRES_BUILD_BENCHMARKS=OFF
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME devres CONFIG_PATH share/cmake/devres)
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${source}/LICENSE")
