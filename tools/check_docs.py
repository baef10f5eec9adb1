#!/usr/bin/env python3
"""Checks what the pages about the code say: tools/check_docs.py [SOURCE_FOLDER [REFERENCE_FOLDER]]

Prints TAP. In README.md, docs/*.md, docs/guide/*.md and the README.md of each folder
- a path in `code` exists: src/ops/list.h, `list.h` anywhere, `test_guide` in tests/ as a program, a script or a
  function; `*`, `{a,b}` and words like NAME stand for several;
- a function, macro or type sp_… or SP_… stands in a header or a source;
- a command `./dev …` is one of dev;
- a link leads to a file that is there, and to a heading that it has;
- in docs/*.md, a block of C is quoted from the file named above it.
What a page says one should not write is free: the column of a table whose head is "not".

With REFERENCE_FOLDER, what tools/api_reference.py wrote there: every public function has its place, each link leads
somewhere, and nothing is loaded from elsewhere.
"""
import functools
import html
import pathlib
import re
import sys

sys.dont_write_bytecode = True
from pages import check_quotes, finish, result  # noqa: E402

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
TOP = ("src", "include", "tests", "tools", "docs", "cli", "bench", "examples", "cmake")
KNOWN_ENDS = r"\.(?:c|h|cc|hpp|md|py|sh|txt|css|js|cmake|1)$"


def pages():
    found = [root / "README.md", *sorted((root / "docs").glob("*.md")), *sorted((root / "docs" / "guide").glob("*.md"))]
    for top in TOP:
        found += sorted((root / top).rglob("README.md"))
    return list(dict.fromkeys(page for page in found if page.is_file()))


def files():
    """Every file of the project, by its path."""
    return [path.relative_to(root) for top in TOP for path in (root / top).rglob("*") if path.is_file()] + \
           [path.relative_to(root) for path in root.iterdir() if path.is_file()]


def said(page):
    """A page without its comments and without what it says one should not write."""
    lines, dropped = [], False
    for line in re.sub(r"<!--.*?-->", "", page.read_text(), flags=re.S).splitlines():
        cells = line.strip().strip("|").split("|")
        if not line.startswith("|"):
            dropped = False
        elif cells[-1].strip() == "not":
            dropped = True
        lines.append("|".join(cells[:-1]) if dropped else line)
    return "\n".join(lines)


def codes(text):
    """What stands between backticks, outside of fenced blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def expand(word):
    match = re.search(r"\{([^}]*)\}", word)
    if not match:
        return [word]
    return [name for part in match.group(1).split(",")
            for name in expand(word[:match.start()] + part + word[match.end():])]


def is_path(word):
    if not re.match(r"[\w.*{},/+-]+$", word) or word.startswith(("/", "-", ".")) or ".." in word or \
            re.search(r"\b(?!README|CHANGELOG|LICENSE)(\w*_)?[A-Z]{4,}\b", word):
        return False
    return word.split("/")[0] in TOP and "/" in word or bool(re.search(KNOWN_ENDS, word)) or \
        bool(re.match(r"test_\w+$", word))


@functools.lru_cache
def test_functions():
    text = "".join(path.read_text() for path in (root / "tests").glob("*.c"))
    return set(re.findall(r"^static void (test_\w+)\(", text, re.M))


def exists(page, word, names):
    if re.match(r"test_\w+$", word):
        return any(root.glob("tests/%s.*" % word)) or word in test_functions()
    bases = [root, root / "src", root / "include", page.parent, root / "docs" / "guide", root / "tests"]
    if "/" in word:
        return any(any(base.glob(word.rstrip("/"))) for base in bases)
    return any(re.fullmatch(re.escape(word).replace(r"\*", ".*"), name) for name in names)


def check_paths():
    problems, count, names = [], 0, {path.name for path in files()}
    made = set(re.findall(r"[\w-]+\.\w+", (root / "README.md").read_text())) - names  # what commands write
    for page in pages():
        for word in [name for code in codes(said(page)) if is_path(code) for name in expand(code)]:
            count += 1
            if not exists(page, word, names) and word not in made and not re.match(r"(build|lesson)/", word):
                problems.append("%s: no such path: %s" % (page.relative_to(root), word))
    result(problems, "the paths that the pages name exist", count)


def check_names():
    sources = [root / path for path in files() if path.parts[0] not in ("docs", "tools") and path.suffix in (".c", ".h", ".hpp", ".cc", ".cpp")]
    sources += (root / "tests" / "adding").glob("*.txt")
    known = set(re.findall(r"\b(?:sp|SP)_\w+", "\n".join(path.read_text(errors="replace") for path in sources)))
    starts = {name[:i] for name in known for i in range(4, len(name)) if name[i - 1] == "_"}
    problems, count = [], 0
    for page in pages():
        for word in re.findall(r"\b(?:sp|SP)_[\w{},]+", said(page)):
            for name in expand(word.strip("{},") if "{" not in word else word.rstrip(",")):
                count += 1
                if not name.strip("{},") in known | starts:
                    problems.append("%s: no header and no source has %s" % (page.relative_to(root), name))
    result(problems, "the functions that the pages name are there", count)


def check_commands():
    able = set(re.findall(r"^  (\w+) ", (root / "dev").read_text(), re.M))
    problems, count = [], 0
    for page in pages():
        for command in re.findall(r"\./dev (\w+)", said(page)):
            count += 1
            if command not in able:
                problems.append("%s: ./dev has no command %s" % (page.relative_to(root), command))
    result(problems, "the commands that the pages name are there", count)


def anchors(page):
    heads = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


def check_links():
    problems, count = [], 0
    for page in pages():
        words = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        for target, anchor in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)", words):
            if re.match(r"[a-z]+:", target):
                continue
            count += 1
            file = (page.parent / target) if target else page
            if not file.exists():
                problems.append("%s: a link that leads nowhere: %s" % (page.relative_to(root), target))
            elif anchor and file.suffix == ".md" and anchor not in anchors(file):
                problems.append("%s: %s has no heading %s" % (page.relative_to(root), target or "it", anchor))
    result(problems, "the pages' links lead somewhere", count)


# ---- the reference ----

def public_functions():
    """As the compiler would find them, not as the reference's own reader does."""
    names = set()
    for header in (root / "include" / "spusk").rglob("*.h"):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        names |= set(re.findall(r"^\s*SP_API\b[^;(]*?\b(sp_\w+)\s*\(", text, re.M))
    return {name for name in names if not name.startswith("sp__")}


def check_reference(folder):
    text = {page.name: page.read_text() for page in folder.glob("*.html")}
    places = {name: set(re.findall(r' id="([^"]*)"', body)) for name, body in text.items()}
    every = set().union(*places.values())
    names = public_functions()
    result(["not in the reference: " + name for name in sorted(names)
            if name not in every and name.replace("_until", "") not in every],
           "the reference has every public function", len(names))
    listed = re.findall(r'^\["(\w+)", "([^"#]*)#([^"]*)"', (folder / "names.js").read_text(), re.M)
    links = [(name, *html.unescape(target).partition("#")[::2]) for name, body in text.items()
             for target in re.findall(r'(?:href|src)="([^"]*)"', body)]
    links += [("names.js", page, anchor) for _, page, anchor in listed]
    result(["%s: a dead link: %s#%s" % link for link in links if is_dead(folder, places, *link)],
           "the reference has no dead link", len(links))
    loaded = [source for body in text.values() for source in re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', body)]
    result(["loaded from elsewhere: " + source for source in loaded if ":" in source],
           "the reference loads nothing from elsewhere", len(loaded))


def is_dead(folder, places, page, target, anchor):
    if re.match(r"(https?|mailto):", target):
        return False
    if target.startswith("file:"):
        return not pathlib.Path(target[len("file://"):]).exists()
    name = target or page
    return not (folder / name).is_file() or bool(anchor) and anchor not in places.get(name, ())


check_paths()
check_names()
check_commands()
check_links()
check_quotes(root, sorted((root / "docs").glob("*.md")), ("c",), r"((src|include|examples|tests|cli)/[\w/.]+\.(c|h)|tests/adding/\w+\.txt)$",
             "the C of docs/ is quoted from what is compiled")
if len(sys.argv) > 2:
    check_reference(pathlib.Path(sys.argv[2]))
finish()
