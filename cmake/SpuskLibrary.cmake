# The library: src/**/*.c, compiled once into objects that make both libspusk.so and libspusk.a. In src/backends/cpu
#
#   a file named after an element type (conv/conv_f32.c), and level_table.c, are compiled once for each ISA level;
#   reference_float.c and reference_integer.c are compiled once for each element type of that kind, and other
#   reference*.c once for each of all; but reference_any.c, which serves all, once.
set(src ${CMAKE_CURRENT_SOURCE_DIR}/src)
set(cpu ${src}/backends/cpu)
file(GLOB_RECURSE library_sources CONFIGURE_DEPENDS ${src}/*.c)
file(GLOB level_sources CONFIGURE_DEPENDS ${cpu}/level_table.c ${cpu}/*/*_f32.c ${cpu}/*/*_f64.c ${cpu}/*/*_bf16.c
     ${cpu}/*/*_bool.c)
file(GLOB reference_sources CONFIGURE_DEPENDS ${cpu}/*/reference*.c)
list(FILTER reference_sources EXCLUDE REGEX "/reference_any\\.c$")
list(REMOVE_ITEM library_sources ${level_sources} ${reference_sources})

# An optimiser's rule has flags that are the same for all elements: a loop of its own for each would be large.
spusk_accepted_flags(update_flags -fno-unswitch-loops)
set_source_files_properties(${cpu}/update/update_f32.c ${cpu}/update/update_f64.c PROPERTIES
    COMPILE_OPTIONS "${update_flags}")

set(levels generic)
set(level_flags_generic)
set(level_definition)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(level_flags_avx2 -mavx2 -mfma -mf16c)
    set(level_flags_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mavx2)
    set(level_flags_avx512bf16 ${level_flags_avx512} -mavx512bf16)
    set(level_flags_avx512amx ${level_flags_avx512bf16} -mamx-tile -mamx-bf16)
    set(wanted ${level_flags_avx2} ${level_flags_avx512bf16})
    list(REMOVE_DUPLICATES wanted)
    spusk_accepted_flags(accepted ${wanted})
    if(accepted STREQUAL wanted)
        list(APPEND levels avx2 avx512 avx512bf16)
        # Small, for processors from before 2013; comes after -O3. Without the inlining of -O3 gcc sees variables that are
        # not set where they are.
        spusk_accepted_flags(level_flags_generic -Os -Wno-maybe-uninitialized)
        set(level_definition SP_LEVELS_X86=1)
        spusk_accepted_flags(accepted ${level_flags_avx512amx})
        if(accepted STREQUAL level_flags_avx512amx)
            list(APPEND levels avx512amx)
            list(APPEND level_definition SP_LEVEL_AMX=1)
        endif()
    else()
        message(STATUS "The compiler does not know all x86-64 levels, so only generic kernels are built")
    endif()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    # NEON is part of the base of AArch64 and needs no flag.
    list(APPEND levels neon)
    set(level_flags_neon)
    set(level_definition SP_LEVELS_ARM=1)
endif()
message(STATUS "ISA levels of the kernels: ${levels}")

# Results are the same bits with every compiler: what is to be a fused multiply-add is written as one, and no other
# product and sum becomes one.
set(same_bits -ffp-contract=off)
# Kernels call nothing of a user's, so that nobody unwinds through them: they need no tables for it.
spusk_accepted_flags(kernel_flags -O3 -fno-math-errno -fno-trapping-math -fno-asynchronous-unwind-tables)
# gcc notes, at each function that passes a vector wider than the base ISA, that its ABI is not the base one.
# The kernels pass vectors only to static inline functions, so there is nothing to note.
spusk_accepted_flags(kernel_warnings -Wno-psabi)

function(spusk_includes target)
    target_include_directories(${target}
        PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE ${src})
endfunction()

set(library_objects)
set(object_libraries)
list(APPEND object_libraries spusk_objects)
add_library(spusk_objects OBJECT ${library_sources})
foreach(element IN ITEMS f32 f64 bf16 i64 i32 u8 bool8)
    set(sources ${reference_sources})
    if(element MATCHES "^(f|bf)")
        list(FILTER sources EXCLUDE REGEX "/reference_integer\\.c$")
    else()
        list(FILTER sources EXCLUDE REGEX "/reference_float\\.c$")
    endif()
    string(TOUPPER ${element} upper)
    if(NOT sources)
        continue()
    endif()
    list(APPEND object_libraries spusk_reference_${element})
    add_library(spusk_reference_${element} OBJECT ${sources})
    target_compile_options(spusk_reference_${element} PRIVATE -fno-math-errno)
    target_compile_definitions(spusk_reference_${element} PRIVATE SP_ELEMENT=${element} SP_ELEMENT_${upper}=1)
endforeach()
# avx512bf16 is avx512 but for what computes by its instruction for pairs of bf16, avx512amx but for that by tiles.
set(base_avx512bf16 avx512)
set(base_avx512amx avx512)
foreach(level IN LISTS levels)
    set(sources ${level_sources})
    if(base_${level})
        list(FILTER sources INCLUDE REGEX "/(conv_bf16|gemm_bf16|level_table)\\.c$")
    else()
        set(base_${level} ${level})
    endif()
    if(level STREQUAL "generic" AND level_definition)
        # bf16 of processors without AVX2 is served by the reference here.
        list(FILTER sources EXCLUDE REGEX "/(norm|rows|pool)_bf16\\.c$")
        list(APPEND level_definitions_generic SP_LEVEL_SMALL=1)
    endif()
    list(APPEND object_libraries spusk_level_${level})
    add_library(spusk_level_${level} OBJECT ${sources})
    target_compile_options(spusk_level_${level} PRIVATE ${kernel_flags} ${kernel_warnings} ${level_flags_${level}})
    target_compile_definitions(spusk_level_${level} PRIVATE SP_ISA=${level} SP_ISA_BASE=${base_${level}}
        ${level_definitions_${level}})
endforeach()
foreach(library IN LISTS object_libraries)
    spusk_includes(${library})
    target_compile_options(${library} PRIVATE ${same_bits})
    target_compile_definitions(${library} PRIVATE ${level_definition} ${SPUSK_FEATURES} SP_VERSION="${PROJECT_VERSION}")
    target_link_libraries(${library} PRIVATE ${SPUSK_LIBRARIES})
    list(APPEND library_objects $<TARGET_OBJECTS:${library}>)
endforeach()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

add_library(spusk_shared SHARED ${library_objects})
set_target_properties(spusk_shared PROPERTIES
    OUTPUT_NAME spusk
    EXPORT_NAME spusk
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR})
add_library(spusk_static STATIC ${library_objects})
set_target_properties(spusk_static PROPERTIES OUTPUT_NAME spusk)
spusk_packed_relocations(packed_relocations)
# The team's threads, and what a thread's end and a fork call, outlive a program's dlclose: so does the code.
check_linker_flag(C -Wl,-z,nodelete SPUSK_NODELETE)
# The library's calls of its own functions go straight to them.
check_linker_flag(C -Wl,-Bsymbolic-functions SPUSK_SYMBOLIC)
target_link_options(spusk_shared PRIVATE ${packed_relocations} $<$<BOOL:${SPUSK_NODELETE}>:-Wl,-z,nodelete>
    $<$<BOOL:${SPUSK_SYMBOLIC}>:-Wl,-Bsymbolic-functions>)
set(link_names ${SPUSK_LINK_NAMES})
list(REMOVE_DUPLICATES link_names)
foreach(library spusk_shared spusk_static)
    spusk_includes(${library})
    target_link_libraries(${library} PRIVATE "$<BUILD_INTERFACE:${SPUSK_LIBRARIES}>")
endforeach()
# Who links the installed static library needs what it needs, by name: targets of this build mean nothing there.
target_link_libraries(spusk_static INTERFACE "$<INSTALL_INTERFACE:Threads::Threads;m;${link_names}>")

add_library(spusk::spusk ALIAS spusk_shared)
add_library(spusk::spusk_static ALIAS spusk_static)
