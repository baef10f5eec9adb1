#!/usr/bin/env python3
"""Writes C that calls every public function with NULL, from the preprocessed headers on standard input.

Each function gets one call with NULL for every pointer, and one call for each pointer that may not be NULL, with the
others valid. tests/test_null.c includes what this prints. Fails on a type that it has no valid value for, so that a new
one is not left out by accident.
"""
import re
import sys

# Functions for which NULL has a meaning, and which take no object at all; all others must refuse it.
NULL_PASSES = {
    "sp_release": "nothing to give up", "sp_drop": "nothing to give up", "sp_free": "nothing to free", "sp_map_free": "nothing to free", "sp_printable": "NULL is no text",
    "sp_batch_next": "ends with its batch", "sp_batch_end": "ends with its batch",
    "sp_keep": "passes NULL on", "sp_escape": "passes NULL on", "sp_retain": "passes NULL on",
    "sp_adopt": "passes NULL on", "sp_object_is": "a question about any pointer",
}
# Functions that write, end or reset what the test itself stands on, or take no objects but a format or a call's state.
NOT_CALLED = {
    "sp_parse_double", "sp_raise", "sp_raise_null", "sp_error_context", "sp_finish", "sp_object_new", "sp_alloc", "sp_philox",
    "sp_map_find", "sp_map_set", "sp_call_output", "sp_call_output_like", "sp_call_output_channels_last", "sp_call_view", "sp_saved_input", "sp_saved_output", "sp_input_sizes", "sp_input_dtype",
    "sp_error_enter", "sp_error_leave", "sp_scope_close", "sp_set_error_handler", "sp_set_allocator", "sp_measure_peak", "sp_set_num_threads", "sp_set_memory_pool", "sp_empty_cache",
}
# Arguments that may be NULL although their type may not in general.
OPTIONAL = {
    ("sp_data_mnist", "root"), ("sp_data_digits", "root"), ("sp_data_fashion_mnist", "root"), ("sp_save_tensors", "metadata"), ("sp_save_checkpoint_with", "metadata"),
    ("sp_op_apply", "attributes"), ("sp_op_apply_n", "attributes"), ("sp_op_apply_inplace", "attributes"),
    ("sp_transform_apply", "generator"), ("sp_list_new", "tensors"),
    ("sp_module_build", "attributes"), ("sp_module_outline", "attributes"),
}
VALID = {
    "sp_tensor *": "a_tensor()", "const sp_tensor *": "a_tensor()", "sp_list *": "a_list()", "const sp_list *": "a_list()",
    "sp_module *": "a_module()", "const sp_module *": "a_module()", "sp_dict *": "a_dict()", "const sp_dict *": "a_dict()",
    "sp_optimizer *": "an_optimizer()", "const sp_optimizer *": "an_optimizer()",
    "sp_batch_scheduler *": "a_batch_scheduler()", "const sp_batch_scheduler *": "a_batch_scheduler()",
    "sp_scheduler *": "a_scheduler()", "const sp_scheduler *": "a_scheduler()",
     "sp_generator *": "a_generator()", "const sp_generator *": "a_generator()",
    "sp_dataset *": "a_dataset()", "const sp_dataset *": "a_dataset()",
    "const sp_loader *": "a_loader()", "sp_figures *": "&some_figures",
     "sp_transform *": "a_transform()", "sp_series *": "a_series()",
    "sp_loader *": "a_loader()", "const sp_surface *": "a_surface()", "const sp_scatter_panel *": "&a_panel", "const sp_series *": "a_series()", "sp_movie *": "a_movie()", "const char *": "\"a name\"", "char *": "a_buffer",
    "const sp_safe_file *": "a_safe_file()", "sp_outline_tensor *": "outline_tensors",
    "void *": "a_buffer", "const void *": "a_buffer",
    "sp_tensor *const *": "some_tensors()",
     "sp_series *const *": "some_series()", "sp_dims": "SP_DIMS(2, 2)", "sp_series_list": "(sp_series_list){some_series(), 1}",
    "sp_hook *": "a_hook", "sp_gradcheck_function *": "a_function",
    "const sp_op *": "&an_op", "sp_tensor **": "outputs", "const sp_dataset_class *": "&a_dataset_class",
    "const sp_update_numbers *": "&some_numbers", "sp_device": "(sp_device){SP_CPU, 0}",
     "const sp_attribute *": "NULL", "const char *const *": "NULL",
}
NUMBERS = re.compile(r"^(int|int64_t|uint64_t|size_t|double|float|_Bool|sp_dtype|sp_update_rule)$")


def functions(text):
    """Yields (result, name, [(type, name)]) of every exported function."""
    text = re.sub(r"#.*", "", text)
    text = re.sub(r"__attribute__\s*\(\(format\([^)]*\)\)\)", "", text)
    pattern = r'__attribute__\s*\(\(visibility\("default"\)\)\)\s*([\w\s\*]+?)\b(sp_\w+)\s*\(([^;{]*)\)\s*;'
    for result, name, arguments in re.findall(pattern, text):
        if "..." in arguments or "va_list" in arguments:
            continue
        yield " ".join(result.split()), name, [argument(a) for a in split(arguments) if a.strip() not in ("", "void")]


def split(arguments):
    depth, part = 0, ""
    for c in arguments:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            yield part
            part = ""
        else:
            part += c
    yield part


def argument(text):
    text = " ".join(text.split())
    if "(*" in text:
        return text, re.search(r"\(\*\s*(\w+)\)", text).group(1)
    text = re.sub(r"(\w+)\[\w*\]$", r"*\1", text)
    kind, name = re.match(r"(.*?)(\w+)$", text).groups()
    kind = " ".join(kind.split())
    kind = re.sub(r"\s*\*", " *", kind).replace("* *", "**").replace("*const", "*const").strip()
    return re.sub(r"sp_tensor \*const \*$", "sp_tensor *const *", kind.replace("const*", "const *")), name


def is_pointer(kind):
    return "*" in kind


def is_options(kind):
    return re.match(r"const sp_\w+_options \*$", kind) is not None


def valid(kind, name):
    if "(*" in kind:
        return "a_visit"
    if is_options(kind):
        return "NULL"
    if kind in VALID:
        return VALID[kind]
    if NUMBERS.match(kind):
        return "(%s)1" % kind
    sys.exit("null_calls.py: no valid value for an argument of type '%s' (%s)" % (kind, name))


def must_not_be_null(function, kind, name):
    if not is_pointer(kind) or is_options(kind) or (function, name) in OPTIONAL or name == "user":
        return False
    return kind not in ("char *", "void *", "const void *") and name not in ("out", "self")


def call(result, function, arguments):
    text = "(%s)(%s)" % (function, ", ".join(arguments))
    if function in NULL_PASSES:
        return 'passes("%s", ((void)%s, 0))' % (function, text)
    if result == "sp_status":
        return 'refuses("%s", %s != SP_OK)' % (function, text)
    if result.endswith("*") and result != "const char *":
        return 'refuses("%s", %s == NULL)' % (function, text)
    return 'refuses("%s", ((void)%s, 1))' % (function, text)


def main():
    n = 0
    for result, name, arguments in functions(sys.stdin.read()):
        pointers = [a for a in arguments if is_pointer(a[0])]
        if name in NOT_CALLED or not any(must_not_be_null(name, *a) for a in pointers) and name not in NULL_PASSES:
            continue
        everything = ["NULL" if is_pointer(k) else valid(k, m) for k, m in arguments]
        print("%s;" % call(result, name, everything))
        n += 1
        for i, (kind, argument_name) in enumerate(arguments):
            if name in NULL_PASSES or len(pointers) == 1 or not must_not_be_null(name, kind, argument_name):
                continue
            one = ["NULL" if i == j else valid(k, m) for j, (k, m) in enumerate(arguments)]
            print("%s;" % call(result, name, one))
            n += 1
    if n < 300:
        sys.exit("null_calls.py: only %d calls: the headers were not read as they should be" % n)


if __name__ == "__main__":
    main()
