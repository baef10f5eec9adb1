#!/usr/bin/env python3
"""Checks that every public function has a comment of its own: tools/check_headers.py [SOURCE_FOLDER]

A comment stands directly above the declaration or behind it on its last line. One above a group counts for the first
of them only, and a heading (/* ---- sums ---- */) for none. Prints each function without a comment and the share of
those that have one, and ends with status 1 where one is missing.
"""
import pathlib
import re
import sys

DECLARATION = re.compile(r"^(?:SP_API|static inline)\b[^;{(]*?\b(sp_[a-z]\w*)\s*\(", re.M)


def declarations(text):
    """Yields (name, line number, line of the end) of each declaration; lines count from 0."""
    for match in DECLARATION.finditer(text):
        end = re.compile(r"[;{]").search(text, match.end()).start()
        yield match.group(1), text.count("\n", 0, match.start()), text.count("\n", 0, end)


def stands_above(lines, first):
    """Whether the lines before `first` are a comment that is more than a heading."""
    last = first - 1
    if last < 0 or not lines[last].rstrip().endswith("*/"):
        return False
    begin = last
    while begin >= 0 and "/*" not in lines[begin]:
        begin -= 1
    comment = "\n".join(lines[begin:first]).strip()
    return re.search(r"\w", comment) and comment.startswith("/*") and not re.match(r"/\* ----.*---- \*/$", comment)


def check(path, name):
    """The number of functions of a header, and a line for each without a comment."""
    text = path.read_text()
    # In C++ a few functions have overloads, of which the one in C speaks.
    text = re.sub(r"^#ifdef __cplusplus\n.*?^#(?:else|endif)$", lambda m: "\n" * m.group().count("\n"), text, flags=re.M | re.S)
    lines = text.split("\n")
    found = list(declarations(text))
    return len(found), ["%s:%d: no comment of its own: %s" % (name, first + 1, function) for function, first, last in found
                        if not stands_above(lines, first) and "/*" not in lines[last]]


def documented(root):
    """The number of public functions, and a line for each without a comment of its own."""
    n, missing = 0, []
    for header in sorted((root / "include" / "spusk").rglob("*.h")):
        count, lines = check(header, header.relative_to(root))
        n += count
        missing += lines
    return n, missing


def main():
    n, missing = documented(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    for line in missing:
        print(line)
    print("documented functions: %d of %d, %.1f %%" % (n - len(missing), n, 100 * (n - len(missing)) / n if n else 0))
    sys.exit(bool(missing) or n == 0)


if __name__ == "__main__":
    main()
