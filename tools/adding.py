#!/usr/bin/env python3
"""Adds the operators and kernels of tests/adding/ to copies of the project and counts: tools/adding.py OUT [SOURCE_FOLDER]

Each tests/adding/NAME.txt is what one does to add something, written as edits:

    @@ FILE after TEXT    the lines that follow stand behind the first line of FILE with TEXT; or before it
    @@ FILE new           they are a new file
    @@ table              they are a row of docs/guide/pytorch.md, which every public function has
    @@ compile FILES      no edit: the files that OUT/NAME/compile names, for tests/test_adding.sh; FILE:f32 for an
                          element type

OUT/NAME gets a copy of src/, include/ and the tests in C with the edits. Prints for each: NAME edits files. The row of the table is
counted by itself, behind a +.
"""
import pathlib
import re
import shutil
import sys


def parts(text):
    """Yields (what stands behind @@, the lines below it)."""
    for head, body in re.findall(r"^@@ (.*)\n((?:(?!@@ ).*\n)*)", text, re.M):
        yield head, body


def insert(file, where, body):
    side, _, text = where.partition(" ")
    lines = file.read_text().splitlines(keepends=True)
    at = next((i for i, line in enumerate(lines) if text in line), None)
    if at is None:
        sys.exit("%s: no line has %s" % (file, text))
    at += side == "after"
    file.write_text("".join(lines[:at]) + body + "".join(lines[at:]))


def add(recipe, source, tree):
    """Applies a recipe to a copy in tree; the number of edits, of files, and of rows of the table."""
    for folder in ("src", "include"):
        shutil.copytree(source / folder, tree / folder)
    (tree / "tests").mkdir()
    for test in (source / "tests").glob("test_*.c"):
        shutil.copy(test, tree / "tests")
    edits, files, rows = 0, set(), 0
    for head, body in parts(recipe.read_text()):
        name, _, place = head.partition(" ")
        if name == "table":
            rows += 1
        elif name == "compile":
            (tree / "compile").write_text("\n".join(place.split()) + "\n")
        elif place == "new":
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(body)
        else:
            insert(tree / name, place, body)
        if name not in ("table", "compile"):
            edits, files = edits + 1, files | {name}
    return edits, len(files), rows


def main():
    out, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    for recipe in sorted((source / "tests" / "adding").glob("*.txt")):
        tree = out / recipe.stem
        shutil.rmtree(tree, ignore_errors=True)
        print("%s: %d edits in %d files, + %d row in the table of calls" % (recipe.stem, *add(recipe, source, tree)))


main()
