# The installed package: its files, and programs in C and C++ built against it by pkg-config and by CMake, with the
# shared and with the static library. The prefix has a space in it, as a user's may.
prefix=$PWD/an\ installed\ tree
user=$SPUSK_SOURCE/tests/install
. "$SPUSK_SOURCE/tests/support/tap.sh"

# A library built with sanitizers needs them in the program that uses it, too.
sanitize=$(sed -n 's/^SPUSK_SANITIZE:[A-Z]*=//p' "$SPUSK_BUILD/CMakeCache.txt")
flags=${sanitize:+-fsanitize=$sanitize}

echo 1..19
cmake --install "$SPUSK_BUILD" --prefix "$prefix" >install.log
result $? 'cmake --install'
for file in include/spusk/spusk.h bin/spusk share/man/man1/spusk.1; do
    [ -f "$prefix/$file" ]
    result $? "$file is installed"
done
libraries=$(dirname "$(find "$prefix" -name libspusk.a)")
[ -f "$libraries/libspusk.a" ] && [ -L "$libraries/libspusk.so" ] && [ -f "$libraries/$(readlink "$libraries/libspusk.so")" ]
result $? 'both libraries are installed, the shared one with its version'
readelf -d "$libraries/libspusk.so" | grep -q 'SONAME.*libspusk\.so\.[0-9]'
result $? 'the shared library has a versioned name'
! grep -rqF -e "$SPUSK_SOURCE" -e "$SPUSK_BUILD" "$libraries/pkgconfig" "$libraries/cmake"
result $? 'no installed file names the folder it was built in'
env -i PATH="$PATH" ${flags:+ASAN_OPTIONS=detect_leaks=0} "$prefix/bin/spusk" --version
result $? 'the installed program runs'

PKG_CONFIG_PATH=$libraries/pkgconfig
export PKG_CONFIG_PATH
# pkg-config quotes for the shell, so its answer is read by the shell.
by_pkg_config()
{
    eval "$1 $flags \"$user/program.$2\" -o \"$3\" $(pkg-config --cflags spusk) $4"
}
shared=$(pkg-config --libs spusk)
# -l:libspusk.a: beside a shared library the linker takes the static one only if told to.
static=$(pkg-config --libs --static spusk | sed 's/-lspusk/-l:libspusk.a/')
by_pkg_config "${CC:-cc}" c pc_c_shared "$shared" && LD_LIBRARY_PATH=$libraries ./pc_c_shared
result $? 'C, pkg-config, shared'
by_pkg_config "${CC:-cc}" c pc_c_rpath "$shared \"-Wl,-rpath,$libraries\"" && ./pc_c_rpath
result $? 'C, pkg-config, shared, found by its path'
by_pkg_config "${CC:-cc}" c pc_c_static "$static" && ./pc_c_static
result $? 'C, pkg-config, static'
if command -v "${CXX:-c++}" >/dev/null 2>&1; then
    by_pkg_config "${CXX:-c++}" cc pc_cc_shared "$shared" && LD_LIBRARY_PATH=$libraries ./pc_cc_shared
    result $? 'C++, pkg-config, shared'
    by_pkg_config "${CXX:-c++}" cc pc_cc_static "$static" && ./pc_cc_static
    result $? 'C++, pkg-config, static'
    cmake -S "$user" -B user -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" &&
        cmake --build user
    for language in c cc; do
        for kind in shared static; do
            ./user/${language}_$kind
            result $? "$language, find_package, $kind"
        done
    done
else
    for what in 'C++, pkg-config, shared' 'C++, pkg-config, static' 'c, find_package, shared' 'c, find_package, static' \
        'cc, find_package, shared' 'cc, find_package, static'; do
        skip "$what" 'there is no C++ compiler'
    done
fi

# The guide's project: an operator, an optimiser and a data set outside the library.
cmake -S "$SPUSK_SOURCE/examples/extending" -B extending -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="$flags -Wall -Wextra -Werror" &&
    cmake --build extending && ./extending/waves >waves.txt
result $? 'a project with an operator, an optimiser and a data set of its own'
grep -q '^the gradient of snake is right$' waves.txt && awk '/^epoch  0/ { a = $4 } /^epoch 19/ { b = $4 } END { exit !(b > 0 && b < a / 10) }' waves.txt
result $? 'its gradient is right, and it learns'
