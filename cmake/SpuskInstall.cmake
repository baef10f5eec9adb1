# cmake --install: headers, both libraries, spusk.pc, the CMake package, the man page and the program.
include(CMakePackageConfigHelpers)

install(DIRECTORY include/spusk DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(TARGETS spusk_shared spusk_static EXPORT spuskTargets)
if(SPUSK_HAS_PROGRAM)
    install(TARGETS spusk_program)
endif()
install(FILES docs/spusk.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# The libraries behind the static one are named in Libs.private and not by Requires.private, because
# `pkg-config --static` would then ask for all that *they* need if linked statically, which is seldom installed.
set(SPUSK_PC_PRIVATE "-lm -pthread")
foreach(name IN LISTS SPUSK_LINK_NAMES)
    string(APPEND SPUSK_PC_PRIVATE " -l${name}")
endforeach()
# The prefix follows from where spusk.pc lies, so `cmake --install --prefix` and moved trees work.
set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH SPUSK_PC_PREFIX ${pc_dir} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" SPUSK_PC_PREFIX "${SPUSK_PC_PREFIX}")
configure_file(cmake/spusk.pc.in ${CMAKE_BINARY_DIR}/spusk.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/spusk.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/spusk)
configure_package_config_file(cmake/spuskConfig.cmake.in ${CMAKE_BINARY_DIR}/spuskConfig.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/spuskConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/spuskConfig.cmake ${CMAKE_BINARY_DIR}/spuskConfigVersion.cmake
    DESTINATION ${package_dir})
install(EXPORT spuskTargets NAMESPACE spusk:: DESTINATION ${package_dir})
