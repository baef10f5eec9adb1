#!/bin/sh
# Names what a shared library exports besides sp_ names: tools/check_exports.sh LIBRARY. Ends with status 1 if there is any.
set -eu
library=${1:?usage: tools/check_exports.sh LIBRARY}
names=$(nm -D --defined-only "$library")
foreign=$(printf '%s\n' "$names" | awk 'NF == 3 && $3 !~ /^(sp_|__odr_asan[.]sp_)/ && $3 !~ /^(_init|_fini|__bss_start|_edata|_end)$/ { print $3 }')
if [ -n "$foreign" ]; then
    printf '%s exports: %s\n' "$library" "$(printf '%s' "$foreign" | tr '\n' ' ')"
    exit 1
fi
