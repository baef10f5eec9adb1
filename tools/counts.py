#!/usr/bin/env python3
"""Counts the code: tools/counts.py [SOURCE_FOLDER]

Prints each figure beside its aim, and ends with status 1 where a figure that has a limit is above it.
"""
import collections
import pathlib
import re
import sys

import check_headers

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
broken = []


def say(what, figures, aims, limits=()):
    """Prints figures beside their aims. For the indices in limits the aim is a limit."""
    over = any(figures[n] > aims[n] for n in limits)
    if over:
        broken.append(what)
    print("  %-28s %-14s aim %-14s%s" % (what, shown(figures), shown(aims), "ABOVE ITS LIMIT" if over else ""))


def shown(figures):
    return " · ".join("%.4g" % n for n in figures)


def nine_in_ten(numbers):
    """The number that nine in ten of the numbers do not exceed."""
    ordered = sorted(numbers)
    return ordered[max(0, -(-len(ordered) * 9 // 10) - 1)]


def median(numbers):
    return sorted(numbers)[(len(numbers) - 1) // 2]


def functions(file, lines):
    """Yields (lines, name) of each function: clang-format puts its braces alone at the beginning of a line."""
    start = 0
    for number, line in enumerate(lines):
        if not line.strip() or line.startswith(("#", "}", "/", " *")) or line.endswith((";", "*/", "\\")):
            start = number + 1
        elif line == "{":
            end = lines.index("}", number)
            named = re.search(r"(\w+)\(", " ".join(lines[start:number]))
            yield end - start + 1, "%s %s" % (file.relative_to(root), named.group(1) if named else "?")


def macros(lines):
    """The numbers of lines that begin a macro, and that are of macros, continuations among them."""
    begun = whole = 0
    inside = False
    for line in lines:
        begins = re.match(r"\s*#\s*define\b", line) is not None
        begun += begins
        whole += inside or begins
        inside = (inside or begins) and line.endswith("\\")
    return begun, whole


def sources(folder):
    files = [file for ending in ("c", "h", "cc", "cpp", "hpp", "sh") for file in (root / folder).rglob("*." + ending)]
    return {file: file.read_text().split("\n")[:-1] for file in sorted(files)}


def count(title, texts, macro_aim):
    """Prints the figures of one folder, and returns its number of lines."""
    total = sum(map(len, texts.values()))
    print("%s: %d files, %d lines" % (title, len(texts), total))
    sizes = [len(lines) for lines in texts.values()]
    say("lines of a file", (nine_in_ten(sizes), max(sizes)), (400, 600), (0, 1))
    found = [one for file, lines in texts.items() if file.suffix in (".c", ".h") for one in functions(file, lines)]
    sizes = [size for size, _ in found]
    say("lines of a function", (median(sizes), nine_in_ten(sizes), max(sizes)), (12, 35, 80), (1, 2))
    for size, name in sorted(found, reverse=True)[:5]:
        print("    %4d %s" % (size, name))
    begun, whole = (sum(numbers) for numbers in zip(*map(macros, texts.values())))
    if macro_aim:
        say("% of lines that #define", (100 * begun / total,), (macro_aim,))
    print("  %-28s %.4g" % ("% with their continuations", 100 * whole / total))
    return total


lines_of_library = count("src", sources("src"), 1) + count("include", sources("include"), None)
count("src/backends", sources("src/backends"), 2)
lines_of_tests = count("tests", sources("tests"), None)

print("the whole")
every, without = check_headers.documented(root)
print("  %-28s %-14.4g aim 100" % ("% of functions documented", 100 - 100 * len(without) / every))
say("functions without a comment", (len(without),), (0,), (0,))
print("  %-28s %-14.4g aim 0.8" % ("lines of tests to library's", lines_of_tests / lines_of_library))
places = collections.defaultdict(list)
for file in [*sources("src"), *sources("cli")]:
    places[file.name].append(str(file.parent.relative_to(root)))
print("  files of the same name outside src/backends:")
for name, folders in sorted(places.items()):
    if len(folders) > 1 and not all(folder.startswith("src/backends") for folder in folders):
        print("    %s: %s" % (name, ", ".join(folders)))
sys.exit(1 if broken else 0)
