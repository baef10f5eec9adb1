#!/bin/sh
# Checks who includes whom: tools/check_includes.sh [FOLDER], FOLDER being the project's root by default.
# It follows the includes of each file to the end, through private and public headers. For each include that breaks a
# rule it prints the shortest chain that leads there, and it ends with status 1 if there was one.
#
#   folder                           private headers that it may reach
#   src/base                         its own
#   src/backends                     base
#   src/tensor                       base, backends
#   src/autograd                     base, backends, tensor
#   src/ops                          base, backends, tensor, autograd
#   src/fusion                       base, backends, tensor, autograd, ops
#   src/nn optim data io train plot  its own
#   cli                              its own
#   include/spusk, examples          none
#
# - src/base and src/backends reach no <spusk/tensor.h>, and so nothing that is about tensors.
# - src/tensor reaches no <spusk/autograd.h>: tensors know no graph.
# - src/autograd, ops and fusion reach no header of modules or of what stands on them (`above_operators` below).
# - The headers of a device, src/backends/DEVICE/, are reached by that folder alone.
# - <spusk/spusk.h> and what it includes reach nothing in <spusk/extend/>, which is for writers of operators.
# - An example that is one file includes <spusk/spusk.h> only. A folder of examples is a project of its own.
# - Public headers are included as <spusk/...>, private ones by their path from src/, or by their name in one folder.
# - Nothing outside src/backends/cpu depends on an instruction set.
set -eu
cd "${1:-$(dirname "$0")/..}"

find include src cli examples \( -name '*.[ch]' -o -name '*.hpp' \) 2>/dev/null | LC_ALL=C sort | awk '
    BEGIN {
        reaches["base"] = "base"
        reaches["backends"] = "base backends"
        reaches["tensor"] = "base backends tensor"
        reaches["autograd"] = "base backends tensor autograd"
        reaches["ops"] = "base backends tensor autograd ops"
        reaches["fusion"] = "base backends tensor autograd ops fusion"
        above_operators = "^include/spusk/(nn|module|optim|data|io|train|plot)\\.h$"
    }

    # ---- names ----

    function folder_of(file,    part) # "src/base", "cli", "include", "examples"
    {
        split(file, part, "/")
        return part[1] == "src" ? "src/" part[2] : part[1]
    }
    function is_single_example(file) { return file ~ /^examples\/[^\/]*$/ }
    function device_of(file) # "src/backends/cpu/"; "" outside of devices
    {
        return match(file, /^src\/backends\/[^\/]+\//) ? substr(file, 1, RLENGTH) : ""
    }
    function has_word(list, word) { return index(" " list " ", " " word " ") > 0 }

    # ---- what a line says ----

    function bad(file, number, line, why) { report[++reports] = file ":" number ": " line ": " why }

    # The file that an include line names, as a path from the root; "" for a system header.
    function target_of(file, line,    name, folder)
    {
        name = line
        sub(/^[^<"]*[<"]/, "", name)
        sub(/[>"].*$/, "", name)
        if (name ~ /^spusk\//) return "include/" name
        if (line !~ /include[ \t]*"/ && name !~ /^(base|backends|tensor|autograd|ops|fusion|nn|optim|data|io|train|plot)\//) return ""
        if (name ~ /\//) return "src/" name
        folder = file
        sub(/[^\/]*$/, "", folder)
        return folder name
    }

    # Rules on the line itself, whatever it leads to.
    function check_line(file, number, line, target)
    {
        if (line ~ /(["<]|\/)\.\.\//) bad(file, number, line, "paths start at src/, not at the file")
        else if (line !~ /include[ \t]*["<]/) bad(file, number, line, "a name that the preprocessor makes cannot be followed")
        else if (line ~ /<(base|backends|tensor|autograd|ops|fusion|nn|optim|data|io|train|plot)\//)
            bad(file, number, line, "private headers are included as \"...\"")
        else if (line ~ /"spusk\//) bad(file, number, line, "public headers are included as <spusk/...>")
        else if (is_single_example(file) && target != "" && target != "include/spusk/spusk.h")
            bad(file, number, line, "an example includes <spusk/spusk.h> only")
    }

    function read_file(file,    line, number, target)
    {
        files[++n_files] = file
        for (number = 1; (getline line <file) > 0; number++) {
            if (line ~ /__AVX|__SSE|__FMA__|__ARM_NEON|__ARM_FEATURE|immintrin\.h|arm_neon\.h/ &&
                file !~ /^src\/backends\/cpu\//)
                bad(file, number, line, "an instruction set outside src/backends/cpu")
            if (line !~ /^[ \t]*#[ \t]*include/) continue
            target = target_of(file, line)
            check_line(file, number, line, target)
            if (target == "") continue
            includes[file, ++n_includes[file]] = target
            at[file, target] = number
        }
        close(file)
    }

    # ---- what may be reached ----

    # Why a file may not reach a header; "" when it may.
    function forbidden(file, header,    from, to)
    {
        from = folder_of(file)
        to = folder_of(header)
        if (to == "include") {
            if ((from == "src/base" || from == "src/backends") && header == "include/spusk/tensor.h")
                return from " knows no tensors"
            if (from == "src/tensor" && header == "include/spusk/autograd.h") return from " knows no graph"
            if (from ~ /^src\/(autograd|ops|fusion)$/ && header ~ above_operators)
                return from " knows no modules, nor what stands on them"
            if (from == "include" && header ~ /^include\/spusk\/extend[\/.]/ && file !~ /^include\/spusk\/extend[\/.]|\.hpp$/)
                return "a header for every program needs nothing of <spusk/extend/>"
            return ""
        }
        if (from == "include") return "a public header includes public headers only"
        if (device_of(header) != "" && device_of(header) != device_of(file))
            return "headers of " device_of(header) " are for that folder alone"
        sub(/^src\//, "", from)
        sub(/^src\//, "", to)
        if (from in reaches ? has_word(reaches[from], to) : from == to) return ""
        return folder_of(file) " may not include " to "/"
    }

    # The way from a file to a header, by the steps that the search took.
    function chain_to(header, came_from,    chain)
    {
        for (chain = header; header in came_from && came_from[header] != ""; header = came_from[header])
            chain = came_from[header] ":" at[came_from[header], header] " -> " chain
        return chain
    }

    # Of all files of a folder that come to a forbidden header by one include, the nearest tells of it.
    function found(file, header, why, steps, came_from,    key)
    {
        key = folder_of(file) SUBSEP came_from[header] SUBSEP header
        if (key in fewest && fewest[key] <= steps) return
        if (!(key in fewest)) keys[++n_keys] = key
        fewest[key] = steps
        message[key] = chain_to(header, came_from) ": " why
    }

    # All that a file reaches, nearest first; what stands behind a forbidden header is not looked at.
    function follow(file,    queue, first, last, here, next_one, i, why, came_from, steps)
    {
        queue[last = 1] = file
        came_from[file] = ""
        steps[file] = 0
        for (first = 1; first <= last; first++) {
            here = queue[first]
            for (i = 1; i <= n_includes[here]; i++) {
                next_one = includes[here, i]
                if (next_one in came_from) continue
                came_from[next_one] = here
                steps[next_one] = steps[here] + 1
                why = forbidden(file, next_one)
                if (why == "") queue[++last] = next_one
                else found(file, next_one, why, steps[next_one], came_from)
            }
        }
    }

    { read_file($0) }

    END {
        if (n_files == 0) {
            print "there are no sources"
            exit 1
        }
        for (i = 1; i <= n_files; i++) if (!is_single_example(files[i])) follow(files[i])
        for (i = 1; i <= reports; i++) print report[i]
        for (i = 1; i <= n_keys; i++) print message[keys[i]]
        exit reports + n_keys > 0
    }'
