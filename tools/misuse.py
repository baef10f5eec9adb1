#!/usr/bin/env python3
"""Calls that must not compile, and what a compiler said of them; tests/test_misuse.sh runs both.

    misuse.py write STATEMENTS < HEADERS > FILE.c      the statements of a file, and wrong calls of every public function
    misuse.py judge FILE.c < WHAT_THE_COMPILER_SAID    prints what was not refused, or not for its reason

HEADERS are the public ones as the preprocessor leaves them in. Each statement becomes a function of one line, which ends
with `//` and words, a|b or c, of which the message must have one. Every function with options is called with each of
three values in the place of an option, and with one argument too few.
"""
import pathlib
import re
import sys

PRELUDE = """#include <spusk/spusk.h>
typedef struct thing { sp_module base; } thing;
extern sp_tensor *t, *u; extern sp_list *p; extern sp_module *m; extern sp_optimizer *o; extern void *any; extern sp_series *s;
"""
NAMELESS = "an_option_needs_its_name|flexible array member"
# Its first argument is a type.
BY_HAND = {"sp_module_new"}


def functions_with_options(text):
    """Yields (name, [type of each argument before the options]) of the public functions."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for name, arguments in re.findall(r"SP_API [^;(#]*?\b(sp_\w+)\(([^;]*?)\);", text):
        arguments = [" ".join(argument.split()) for argument in arguments.split(",")]
        if arguments[-1].startswith("const sp_") and arguments[-1].endswith("_options *options SP_OR_NULL"):
            yield name, [re.sub(r"\w+$", "", argument).strip() for argument in arguments[:-1]]


def wrong_calls(text):
    for name, kinds in functions_with_options(text):
        if name in BY_HAND:
            continue
        given = ["*(%s *)any" % kind for kind in kinds]
        for value in ("0", "true", "0.1"):
            yield "%s(%s);" % (name, ", ".join(given + [value])), NAMELESS
        if given:
            yield "%s(%s);" % (name, ", ".join(given[:-1])), "an_argument_is_missing|expected"


def bad_structs(text):
    """The option structs without a size at their beginning or the guard at their end."""
    for body, name in re.findall(r"typedef struct \w+ \{([^}]*)\} (sp_\w+_options);", text):
        if not re.match(r"\s*size_t size;", body) or not re.search(r"SP_OPTIONS_END;\s*$", body):
            yield name


def write(statements):
    text = sys.stdin.read()
    bad = list(bad_structs(text))
    if bad:
        sys.exit("misuse.py: without `size_t size` first or SP_OPTIONS_END last: " + ", ".join(bad))
    lines = [line.split(" //") for line in pathlib.Path(statements).read_text().splitlines() if not line.startswith("#")]
    calls = list(wrong_calls(text))
    if len(calls) < 400:
        sys.exit("misuse.py: only %d calls: the headers were not read as they should be" % len(calls))
    print(PRELUDE, end="")
    for i, (statement, words) in enumerate(lines + calls):
        print("void f%d(void); void f%d(void) { %s } // %s" % (i, i, statement.strip(), words.strip()))


def messages(said, file):
    """What was said of each line: a message is an error with the notes that follow it."""
    found = {}
    for message in re.split(r"(?m)^(?=\S+:\d+:\d+: (?:fatal )?error: )", said)[1:]:
        for line in set(re.findall(r"%s:(\d+):" % re.escape(file), message)):
            found[int(line)] = found.get(int(line), "") + message
    return found


def judge(file):
    said = messages(sys.stdin.read(), file)
    for number, line in enumerate(pathlib.Path(file).read_text().splitlines(), 1):
        if not line.startswith("void f"):
            continue
        statement, words = line[line.index("{") + 2:].split(" } // ")
        if number not in said:
            print("compiles: " + statement)
        elif not any(word in said[number] for word in words.split("|")):
            print("not refused by %s, but: %s: %s" % (words, statement, said[number].splitlines()[0]))


if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    judge(sys.argv[2])
