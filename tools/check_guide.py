#!/usr/bin/env python3
"""Checks the guide against the project: tools/check_guide.py [SOURCE_FOLDER]

Prints TAP. In docs/guide/*.md
- a block of C or C++ stands under a line `<!-- FILE -->` and is found in that file, line by line; the file is one that the tests compile;
- a block of Python can be parsed;
- a link to a file of the project leads somewhere, and a chapter is in the contents (README.md);
- a picture is one that a command of the page, or of one before it, names;
- the table of calls (pytorch.md) has every public function, and no other, and no row twice.
"""
import ast
import pathlib
import re
import sys
import textwrap

sys.dont_write_bytecode = True
from pages import blocks, check_quotes, finish, result  # noqa: E402

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
guide = root / "docs" / "guide"
pages = sorted(guide.glob("*.md"))


def check_c():
    check_quotes(root, pages, ("c", "cpp"), r"(examples|examples/extending|tests|tests/cpp)/\w+\.(c|cc|cpp)$",
                 "the guide's C is quoted from what is compiled")


def check_python():
    problems, count = [], 0
    for page in pages:
        for _, text in blocks(page, "python"):
            count += 1
            try:
                ast.parse(textwrap.dedent(text).replace("…", "..."))
            except SyntaxError as error:
                problems.append("%s: %s: %s" % (page.name, error, text.split("\n")[0]))
    result(problems, "the guide's Python can be parsed", count)


def check_links():
    problems, count = [], 0
    for page in pages:
        words = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
        for link in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)[^)]*\)", words):
            if re.match(r"https?:", link):
                continue
            count += 1
            if not (page.parent / link).exists():
                problems.append("%s: a link that leads nowhere: %s" % (page.name, link))
    contents = (guide / "README.md").read_text()
    problems += ["%s is not in the contents" % page.name for page in pages
                 if page.name != "README.md" and "(%s)" % page.name not in contents]
    result(problems, "the guide's links lead somewhere", count)


def chapters():
    """The pages in the order of the contents."""
    names = re.findall(r"\((\w+\.md)\)", (guide / "README.md").read_text())
    return [guide / name for name in dict.fromkeys(names) if (guide / name).is_file()]


def check_pictures():
    problems, commands = [], ""
    for page in chapters():
        commands += "".join(text for _, text in blocks(page, "sh"))
        for picture in re.findall(r"!\[[^\]]*\]\(([^)\s]+)", page.read_text()):
            # What a command writes, it names: by its whole path, or by a folder and its own standard names.
            folder, name = picture.rsplit("/", 1) if "/" in picture else ("", picture)
            if picture not in commands and "--out %s" % folder not in commands:
                problems.append("%s: no command makes %s" % (page.name, picture))
    result(problems, "the guide's pictures are made by its commands", len(pages))


def public_functions():
    names = set()
    for header in (root / "include" / "spusk").rglob("*.h"):
        text = header.read_text()
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        names |= set(re.findall(r"^\s*SP_API\b[^;(]*?\b(sp_\w+)\s*\(", text, re.M))
    return {name[:-len("_until")] if name.endswith("_until") else name for name in names if not name.startswith("sp__")}


def check_table():
    table = (guide / "pytorch.md").read_text()
    # `sp_lt` … and its kin: `sp_{lt,le,gt}_scalar` stands for three names.
    named = set()
    for text in re.findall(r"`([^`]*)`", table):
        for word in re.findall(r"sp_[\w{},]+", text):
            named |= set(expand(word))
    functions = public_functions()
    macros = set()
    for header in (root / "include" / "spusk").rglob("*.h"):
        macros |= set(re.findall(r"^#define (sp_\w+)", header.read_text(), re.M))
        macros |= set(re.findall(r"\b(sp_\w+)(?:;| \{)", header.read_text()))
    problems = ["not in the table: " + name for name in sorted(functions - named)]
    problems += ["in the table, but not in the headers: " + name for name in sorted(named - functions - macros)
                 if not name.endswith("_options")]
    result(problems, "the table of calls has every public function", len(functions))
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    heads = ("---", "PyTorch", "What", "spusk")
    result(["twice in the table: " + row for row in sorted(set(rows)) if rows.count(row) > 1 and row not in heads],
           "the table of calls says nothing twice", len(rows))


def expand(word):
    match = re.search(r"\{([^}]*)\}", word)
    if not match:
        return [word.strip(",{}")]
    return [name for part in match.group(1).split(",")
            for name in expand(word[:match.start()] + part + word[match.end():])]


for check in (check_c, check_python, check_links, check_pictures, check_table):
    check()
finish()
