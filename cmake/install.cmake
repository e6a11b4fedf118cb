# SPDX-License-Identifier: BSL-1.0
# `cmake --install`: headers, a CMake package and a pkg-config file; `--target uninstall` removes them; `cpack` packs them. All of it is independent of the machine, hence share/.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/devres)

install(TARGETS devres EXPORT devres FILE_SET HEADERS)
install(EXPORT devres NAMESPACE devres:: FILE devresTargets.cmake DESTINATION ${package_dir})

configure_package_config_file(cmake/devresConfig.cmake.in devresConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(devresConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/devresConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/devresConfigVersion.cmake
  DESTINATION ${package_dir})

configure_file(cmake/devres.pc.in devres.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/devres.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/devres)

# How debuggers show values: `source` in gdb, `command script import` in lldb.
install(FILES tools/devres_gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/devres/gdb)
install(FILES tools/devres_lldb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/devres/lldb)

if(PROJECT_IS_TOP_LEVEL)
  add_custom_target(uninstall
    COMMAND ${CMAKE_COMMAND} -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt -P ${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake
    VERBATIM)

  set(CPACK_GENERATOR TGZ)
  set(CPACK_PACKAGE_NAME devres)
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
  set(CPACK_PACKAGE_FILE_NAME devres-${PROJECT_VERSION})
  set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
  include(CPack)
endif()
