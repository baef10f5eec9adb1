#!/usr/bin/env python3
"""Writes C that calls public functions with sizes, dimensions and numbers that nobody means, from the preprocessed
headers on standard input.

Every function that takes a tensor, a number, a list of sizes or options with numbers, and else only what
tests/test_operator_sizes.c can draw, gets one function there; so a new operator or layer is tried without anybody thinking of it. The draws stand in
statements of their own, since C does not fix the order of arguments.
"""
import re
import sys

from null_calls import functions, is_options

# Functions that end or reset what the test itself stands on, start programs, or are meant to take long.
NOT_CALLED = {
    "sp_finish", "sp_raise", "sp_alloc", "sp_free", "sp_object_new", "sp_set_num_threads", "sp_set_memory_pool", "sp_empty_cache",
    "sp_measure_peak", "sp_print", "sp_manual_seed", "sp_error_quiet", "sp_module_new", "sp_module_child", "sp_gradcheck", "sp_gradgradcheck", "sp_autocast_begin",
}
OBJECTS = {
    "sp_tensor *": "a_tensor", "const sp_tensor *": "a_tensor", "sp_list *": "a_list", "const sp_list *": "a_list",
    "sp_module *": "a_module", "const sp_module *": "a_module", "sp_optimizer *": "an_optimizer", "const sp_optimizer *": "an_optimizer",
    "sp_scheduler *": "a_scheduler", "const sp_scheduler *": "a_scheduler",
    "sp_dataset *": "a_dataset", "const sp_dataset *": "a_dataset", "sp_loader *": "a_loader", "const sp_loader *": "a_loader",
    "const sp_surface *": "a_surface", "sp_series *": "a_series", "const sp_series *": "a_series",
    "sp_generator *": "a_generator", "const sp_generator *": "a_generator",
}
NUMBERS = {
    "int64_t": "an_int64", "int": "an_int", "double": "a_double", "float": "(float)a_double", "size_t": "a_count", "uint64_t": "(uint64_t)an_int64",
    "_Bool": "a_bool", "sp_dims": "some_dims",
}
RESULTS = {
    "sp_tensor *": "got_tensor", "sp_list *": "got_list", "sp_module *": "got_module", "sp_status": "got_status",
    "sp_values_indices": "got_pair", "sp_scheduler *": "got_scheduler", "sp_dataset *": "got_dataset", "sp_loader *": "got_loader",
    "sp_transform *": "got_transform", "sp_optimizer *": "got_object",
}


def structs(text):
    """The fields of each options struct: {name: [(type, name, count or None)]}."""
    found = {}
    for name, body in re.findall(r"typedef\s+struct\s+(sp_\w+_options)\s*\{(.*?)\}\s*\1\s*;", text, re.S):
        fields = []
        for kind, names in re.findall(r"([\w\s\*]*?[\w\*])\s+((?:\w+(?:\[\w+\])?\s*,\s*)*\w+(?:\[\w+\])?)\s*;", body):
            for one in names.split(","):
                match = re.match(r"(\w+)(?:\[(\w+)\])?$", one.strip())
                fields.append((" ".join(kind.split()), match.group(1), match.group(2)))
        found[name] = fields
    return found


def enums(text):
    return set(re.findall(r"typedef\s+enum\s+(sp_\w+)\s*\{", text))


def draw_of(kind, known_enums):
    if kind in NUMBERS:
        return NUMBERS[kind] + "(d)"
    if kind in known_enums:
        return "(%s)an_enum(d)" % kind
    return None


def options_lines(kind, name, all_structs, known_enums):
    """Statements that draw an options struct: most fields are left out, as programs do."""
    struct = re.match(r"const (sp_\w+_options) \*$", kind).group(1)
    lines = ["%s %s = {.size = sizeof %s};" % (struct, name, name)]
    for field_kind, field, count in all_structs[struct]:
        draw = draw_of(field_kind, known_enums)
        if field == "size" or not draw:
            continue
        places = ["%s.%s" % (name, field)] if not count else ["%s.%s[%d]" % (name, field, i) for i in range(int(count))]
        lines += ["if (sometimes(d)) %s = %s;" % (place, draw) for place in places]
    return lines


def is_hostile(kind, all_structs):
    return kind in NUMBERS or is_options(kind) and any(k in NUMBERS for k, n, c in all_structs.get(struct_of(kind), []) if n != "size")


def struct_of(kind):
    return kind[len("const "):-2]


def lines_of(result, name, arguments, all_structs, known_enums):
    """The statements of a call; None where something cannot be drawn."""
    lines, values = [], []
    for kind, argument in arguments:
        local = argument + "_"
        if is_options(kind) and struct_of(kind) in all_structs:
            lines += options_lines(kind, local, all_structs, known_enums)
            values.append("&" + local)
            continue
        draw = draw_of(kind, known_enums) or (kind in OBJECTS and '%s(d, "%s")' % (OBJECTS[kind], argument))
        if not draw:
            return None
        lines.append("%s%s%s = %s;" % (kind, "" if kind.endswith("*") else " ", local, draw))
        values.append(local)
    call = "(%s)(%s)" % (name, ", ".join(values))
    got = RESULTS.get(result)
    lines.append("%s(d, %s);" % (got, call) if got else "got_nothing(d, ((void)%s, 0));" % call)
    return lines


def main():
    text = sys.stdin.read()
    all_structs, known_enums = structs(text), enums(text)
    names = []
    for result, name, arguments in functions(text):
        if name in NOT_CALLED or not any(is_hostile(k, all_structs) or "sp_tensor *" in k for k, _ in arguments):
            continue
        lines = lines_of(result, name, arguments, all_structs, known_enums)
        if lines is None:
            continue
        names.append(name)
        print("static void call_%s(draw *d)\n{\n    %s\n}" % (name, "\n    ".join(lines)))
    print("static const one_call all_calls[] = {\n%s\n};" % "\n".join('    {"%s", call_%s},' % (n, n) for n in names))
    if len(names) < 150:
        sys.exit("size_calls.py: only %d functions: the headers were not read as they should be" % len(names))


if __name__ == "__main__":
    main()
