# tests/test_*.c: one cmocka program each, linked with the static library so that internal sp__ functions can be
# tested too. tests/test_*.sh: shell tests that print TAP. tests/support/*.c goes into every program.
# `./dev test` runs all of them by tools/run_tests.sh and counts single tests; ctest runs them as well.
enable_testing()
set(tests ${CMAKE_CURRENT_SOURCE_DIR}/tests)
file(GLOB test_sources CONFIGURE_DEPENDS ${tests}/test_*.c)
file(GLOB support_sources CONFIGURE_DEPENDS ${tests}/support/*.c)
file(GLOB shell_tests CONFIGURE_DEPENDS ${tests}/test_*.sh)

spusk_find(SPUSK_CMOCKA cmocka)
if(NOT SPUSK_CMOCKA_FOUND)
    message(STATUS "cmocka: NOT found, so the tests in C are not built")
    set(test_sources)
endif()

# The calls of test_null, test_operator_sizes and test_zero_options are written from the headers, as the compiler sees them.
find_package(Python3 COMPONENTS Interpreter QUIET)
if(NOT Python3_FOUND)
    message(STATUS "python3: NOT found, so tests/test_null.c, tests/test_operator_sizes.c and tests/test_zero_options.c are not built")
    list(FILTER test_sources EXCLUDE REGEX "/test_(null|operator_sizes|zero_options)\\.c$")
endif()

if(test_sources)
    add_library(spusk_test_options INTERFACE)
    target_include_directories(spusk_test_options INTERFACE ${src} ${tests})
    target_compile_definitions(spusk_test_options INTERFACE ${level_definition} ${SPUSK_FEATURES}
        SP_TEST_DIR="${tests}" SP_BUILD_DIR="${CMAKE_BINARY_DIR}" SP_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
    target_link_libraries(spusk_test_options INTERFACE spusk_static PkgConfig::SPUSK_CMOCKA ${SPUSK_LIBRARIES})
    set(support_objects)
    if(support_sources)
        add_library(spusk_test_support OBJECT ${support_sources})
        target_link_libraries(spusk_test_support PRIVATE spusk_test_options)
        set(support_objects $<TARGET_OBJECTS:spusk_test_support>)
    endif()
    set(generated ${CMAKE_BINARY_DIR}/tests/generated)
    file(MAKE_DIRECTORY ${generated})
    target_include_directories(spusk_test_options INTERFACE ${generated})
    file(GLOB public_headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/include/spusk/*.h
        ${CMAKE_CURRENT_SOURCE_DIR}/include/spusk/extend/*.h)
    if(Python3_FOUND)
        set(tools ${CMAKE_CURRENT_SOURCE_DIR}/tools)
        set(preprocess ${CMAKE_C_COMPILER} -E -P -I ${CMAKE_CURRENT_SOURCE_DIR}/include -include spusk/spusk.h
            -include spusk/extend.h -x c /dev/null)
        add_custom_command(OUTPUT ${generated}/null_calls.inc.h ${generated}/size_calls.inc.h
            ${generated}/zero_options.inc.h
            COMMAND ${preprocess} -o ${generated}/headers.i
            COMMAND ${Python3_EXECUTABLE} ${tools}/null_calls.py < ${generated}/headers.i > ${generated}/null_calls.inc.h
            COMMAND ${Python3_EXECUTABLE} ${tools}/size_calls.py < ${generated}/headers.i > ${generated}/size_calls.inc.h
            COMMAND ${Python3_EXECUTABLE} ${tools}/zero_options.py < ${generated}/headers.i > ${generated}/zero_options.inc.h
            DEPENDS ${public_headers} ${tools}/null_calls.py ${tools}/size_calls.py ${tools}/zero_options.py VERBATIM)
        set_source_files_properties(${tests}/test_zero_options.c PROPERTIES
            OBJECT_DEPENDS ${generated}/zero_options.inc.h)
        set_source_files_properties(${tests}/test_null.c PROPERTIES OBJECT_DEPENDS ${generated}/null_calls.inc.h)
        set_source_files_properties(${tests}/test_operator_sizes.c PROPERTIES
            OBJECT_DEPENDS ${generated}/size_calls.inc.h)
    endif()
    foreach(source IN LISTS test_sources)
        get_filename_component(name ${source} NAME_WE)
        add_executable(${name} ${source} ${support_objects})
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
        target_link_libraries(${name} PRIVATE spusk_test_options)
        add_test(NAME ${name} COMMAND ${name})
    endforeach()
    file(GLOB fuzz_sources CONFIGURE_DEPENDS ${tests}/fuzz/*.c)
    target_sources(test_fuzz_operators PRIVATE ${fuzz_sources})
    target_sources(test_golden PRIVATE ${network_sources})
    target_include_directories(test_golden PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/bench/networks)
endif()

foreach(script IN LISTS shell_tests)
    get_filename_component(name ${script} NAME_WE)
    add_test(NAME ${name} COMMAND sh ${script})
    set_tests_properties(${name} PROPERTIES
        ENVIRONMENT "SPUSK_SOURCE=${CMAKE_CURRENT_SOURCE_DIR};SPUSK_BUILD=${CMAKE_BINARY_DIR}"
        FAIL_REGULAR_EXPRESSION "(^|\n)not ok ")
endforeach()
