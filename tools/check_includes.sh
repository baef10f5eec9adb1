#!/bin/sh
# Checks who includes whom: tools/check_includes.sh [FOLDER], FOLDER being the project's root by default.
# Prints each include that breaks the order of the layers and ends with status 1 if there was one.
#
#   include/spusk                    other public headers and the system's
#   src/base                         nothing but its own, and public headers
#   src/backends                     base
#   src/tensor                       base, backends
#   src/autograd                     base, backends, tensor
#   src/ops                          base, backends, tensor, autograd
#   src/nn optim data io train plot  public headers, and private ones of the same folder
#   cli                              the same
#   examples                         <spusk/spusk.h>; a folder there is a project of its own, and includes public headers
#
# Nor may anything outside src/backends/cpu depend on an instruction set.
set -eu
cd "${1:-$(dirname "$0")/..}"

violations=$(
    find include src cli examples -name '*.[ch]' 2>/dev/null | sort | while IFS= read -r file; do
        awk -v file="$file" '
            BEGIN {
                below["base"] = "base"
                below["backends"] = "base backends"
                below["tensor"] = "base backends tensor"
                below["autograd"] = "base backends tensor autograd"
                below["ops"] = "base backends tensor autograd ops"
                parts = split(file, part, "/")
                area = part[1]
                folder = area == "src" ? part[2] : area
                # Kernels know buffers and sizes, and nothing of tensors or of what stands on them.
                low = area == "src" && (folder == "base" || folder == "backends")
                if (parts < 1) exit
            }
            function bad(why) { printf "%s:%d: %s: %s\n", file, FNR, $0, why }
            function allowed(wanted,    list, n, i)
            {
                n = split(area == "src" && folder in below ? below[folder] : folder, list, " ")
                for (i = 1; i <= n; i++) if (list[i] == wanted) return 1
                return 0
            }
            /__AVX|__SSE|__FMA__|__ARM_NEON|__ARM_FEATURE|immintrin\.h|arm_neon\.h/ {
                if (file !~ /^src\/backends\/cpu\//) bad("an instruction set outside src/backends/cpu")
            }
            !/^[ \t]*#[ \t]*include/ { next }
            {
                name = $0
                sub(/^[^<"]*[<"]/, "", name)
                sub(/[>"].*$/, "", name)
                quoted = $0 ~ /include[ \t]*"/
            }
            name ~ /(^|\/)\.\.\// { bad("paths start at src/, not at the file"); next }
            name ~ /^spusk\// {
                if (quoted) bad("public headers are included as <spusk/...>")
                else if (area == "examples" && parts == 2 && name != "spusk/spusk.h") bad("an example includes <spusk/spusk.h> only")
                else if (low && name !~ /^spusk\/(macros|status|dtype|fused|machine|memory|generator|scope|threads|extend\/(errors|map|memory|object|options|sizes|text))\.h$/)
                    bad("src/" folder " knows no tensors")
                next
            }
            !quoted { next }
            area == "include" { bad("a public header includes public headers only, as <spusk/...>"); next }
            area == "examples" && parts == 2 { bad("an example includes <spusk/spusk.h> only"); next }
            name !~ /\// { next }
            {
                split(name, at, "/")
                if (!allowed(at[1])) bad(area "/" (area == "src" ? folder "/" : "") " may not include " at[1] "/")
            }' "$file"
    done
)
if [ -n "$violations" ]; then
    printf '%s\n' "$violations"
    exit 1
fi
