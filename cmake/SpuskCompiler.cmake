# How every file is compiled: the language, the warnings, the optimisation, the sanitizers.
include(CheckCCompilerFlag)
include(CheckCSourceRuns)
include(CheckLinkerFlag)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# The kernels raise this to -O3 and choose their own rules of arithmetic (SpuskLibrary.cmake).
# Nothing else may contract a * b + c: results would then depend on the compiler's mood.
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
if(SPUSK_SANITIZE)
    set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
else()
    set(CMAKE_C_FLAGS_DEBUG "-Og -g3")
endif()
# Samples and option tables leave fields out on purpose: what is not said is zero.
# -Wno-psabi: gcc tells of a change of 2008 wherever a struct of options, which ends in an array without a size, goes by value.
add_compile_options(-Wno-psabi -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-missing-field-initializers -ffp-contract=off)
# SP_DEBUG turns on the checks that are too dear for a release, such as naming an object used after its scope.
add_compile_definitions(_GNU_SOURCE $<$<CONFIG:Debug>:SP_DEBUG=1>)

if(SPUSK_WERROR)
    add_compile_options(-Werror)
endif()

if(SPUSK_SANITIZE)
    add_compile_options(-fsanitize=${SPUSK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${SPUSK_SANITIZE})
endif()

# Sets `result` to those of the flags that the compiler accepts.
function(spusk_accepted_flags result)
    set(accepted)
    foreach(flag IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "SPUSK_C${flag}" variable)
        check_c_compiler_flag(${flag} ${variable})
        if(${variable})
            list(APPEND accepted ${flag})
        endif()
    endforeach()
    set(${result} ${accepted} PARENT_SCOPE)
endfunction()

# Sets `result` to the linker's option that packs relocations, of which the operators' records have thousands, into a
# tenth of their size, where the dynamic linker can read them: glibc from 2.36 on.
function(spusk_packed_relocations result)
    set(option -Wl,-z,pack-relative-relocs)
    set(CMAKE_REQUIRED_LINK_OPTIONS ${option})
    if(NOT CMAKE_CROSSCOMPILING)
        check_c_source_runs("int main(void) { return 0; }" SPUSK_PACKED_RELOCATIONS)
    endif()
    set(${result} $<$<BOOL:${SPUSK_PACKED_RELOCATIONS}>:${option}> PARENT_SCOPE)
endfunction()
