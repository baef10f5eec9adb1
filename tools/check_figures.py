#!/usr/bin/env python3
"""Checks a page's figures against what its commands printed: tools/check_figures.py PAGE.md PRINTED.txt

A line `<!-- figures: PATTERN -> FIGURE … -->` of the page names figures that stand in its text. PATTERN is a regular
expression with a group for each; its first match in what was printed gives the numbers. They must be the figures,
rounded to as many digits. `97.58%` is a share that is printed as 0.9758, `3.7/1024` a number that is printed 1024 times
as large. Where the commands had to draw digits of their own, nothing is checked, and that is said.
"""
import decimal
import pathlib
import re
import sys

DIRECTIVE = re.compile(r"^<!-- figures: (.*) -> (.*) -->$", re.M)


def check(pattern, figures, printed, text):
    """Yields what is wrong."""
    found = re.search(pattern, printed, re.M)
    if not found:
        yield "no command printed %s" % pattern
        return
    if len(found.groups()) != len(figures):
        yield "%s has %d groups for %d figures" % (pattern, len(found.groups()), len(figures))
        return
    for figure, number in zip(figures, found.groups()):
        words, _, divisor = figure.rstrip("%").partition("/")
        value = decimal.Decimal(number) / decimal.Decimal(divisor or 1) * (100 if figure.endswith("%") else 1)
        wanted = decimal.Decimal(words)
        if abs(value - wanted) > decimal.Decimal((0, (5,), wanted.as_tuple().exponent - 1)):
            yield "the page says %s, the command %s: %s" % (figure, number, pattern)
        if not re.search(r"(?<![\d.])%s(?![\d])" % re.escape(words), text):
            yield "%s does not stand in the page's text" % words


def main():
    page = pathlib.Path(sys.argv[1])
    markdown, printed = page.read_text(), pathlib.Path(sys.argv[2]).read_text()
    directives = DIRECTIVE.findall(markdown)
    if markdown.count("<!-- figures") != len(directives):
        sys.exit("%s: a line of figures that is not `<!-- figures: PATTERN -> FIGURE … -->`" % page.name)
    if directives and re.search("synthetic digits", printed):
        print("%s: figures not checked, for the digits were drawn, not MNIST's" % page.name, file=sys.stderr)
        return
    text = re.sub(r"<!--.*?-->", "", markdown, flags=re.S)
    problems = [problem for pattern, figures in directives
                for problem in check(pattern, figures.split(), printed, text)]
    for problem in problems:
        print("%s: %s" % (page.name, problem), file=sys.stderr)
    if directives:
        print("%s: %d lines of figures checked" % (page.name, len(directives)), file=sys.stderr)
    sys.exit(bool(problems))


main()
