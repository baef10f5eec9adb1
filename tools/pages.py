"""What tools/check_guide.py and tools/check_docs.py share: results as TAP, and the blocks of a page in Markdown."""
import re
import sys

results = []


def result(problems, what, looked_at):
    """Prints the problems and the result; a check that looked at nothing has failed."""
    if not looked_at:
        problems = ["nothing to look at"]
    for problem in problems:
        print("#", problem)
    results.append("%s %d - %s" % ("not ok" if problems else "ok", len(results) + 1, what))
    print(results[-1])


def finish():
    print("1..%d" % len(results))
    sys.exit(any(line.startswith("not") for line in results))


def blocks(page, language):
    """Yields (line before the block, text) of each fenced block of a language."""
    pattern = r"^([^\n]*)\n```%s\n(.*?)^```$" % re.escape(language)
    yield from re.findall(pattern, page.read_text(), re.M | re.S)


def quoted(lines, file):
    """Whether the lines stand one after another in the file, whatever their spaces."""
    text = [" ".join(line.split()) for line in file.read_text().splitlines()]
    wanted = [" ".join(line.split()) for line in lines]
    return any(text[i:i + len(wanted)] == wanted for i in range(len(text)))


def pieces(text):
    """A block may leave out lines, with a line `…` in their place."""
    piece = []
    for line in text.splitlines() + ["…"]:
        if line.strip() in ("…", "/* … */", "// …"):
            while piece and not piece[-1].strip():
                piece.pop()
            while piece and not piece[0].strip():
                piece.pop(0)
            if piece:
                yield piece
            piece = []
        else:
            piece.append(line)


def check_quotes(root, pages, languages, compiled, what):
    """A block of code stands under a line `<!-- FILE -->` and is found in that file, which is one that is compiled."""
    problems, count = [], 0
    for page in pages:
        for before, text in [block for language in languages for block in blocks(page, language)]:
            count += 1
            named = re.match(r"<!-- (\S+) -->$", before)
            file = root / named.group(1) if named else None
            if not named or not re.match(compiled, named.group(1)) or not file.is_file():
                problems.append("%s: a block of C without a file that is compiled: %s" % (page.name, text.split("\n")[0]))
                continue
            problems += ["%s: not in %s: %s" % (page.name, named.group(1), piece[0].strip())
                         for piece in pieces(text) if not quoted(piece, file)]
    result(problems, what, count)
