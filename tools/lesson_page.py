#!/usr/bin/env python3
"""One page of the guide as HTML: tools/lesson_page.py GUIDE_FOLDER NAME CHAPTER... <page.md >page.html

cmark-gfm makes the HTML; this gives it a head, links to the pages before and after it in the order of CHAPTERs, links
between pages, and code without the indentation of the function that it was quoted from, in Pygments' colours where
that is installed. A link between pages that would lead nowhere is an error.
"""
import html
import pathlib
import re
import subprocess
import sys
import textwrap

try:
    import pygments
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
except ImportError:
    pygments = None

STYLE = """
body { max-width: 57em; margin: 2em auto; padding: 0 1em; font: 17px/1.5 sans-serif; color: #222; }
pre { background: #f5f5f2; padding: .7em 1em; overflow-x: auto; font-size: 13px; line-height: 1.35; }
p, li { max-width: 46em; } code { font-family: monospace; } table { border-collapse: collapse; } img, video { max-width: 100%; }
td, th { border: 1px solid #ccc; padding: .25em .6em; text-align: left; vertical-align: top; }
a { color: #0b5394; } h1 { line-height: 1.2; }
nav { display: flex; justify-content: space-between; gap: 1em; font-size: 15px; }
"""


def title_of(page):
    return re.search(r"^# (.*)$", page.read_text(), re.M).group(1)


def to_html(markdown):
    command = ["cmark-gfm", "--extension", "table", "--extension", "autolink", "--unsafe"]
    return subprocess.run(command, input=markdown, stdout=subprocess.PIPE, check=True, text=True).stdout


def coloured(match):
    language, code = match.group(1), textwrap.dedent(html.unescape(match.group(2)))
    if pygments is None or language == "text":
        return '<pre><code class="language-%s">%s</code></pre>' % (language, html.escape(code, quote=False))
    return pygments.highlight(code, get_lexer_by_name(language), HtmlFormatter(nowrap=False))


def relinked(match, pages):
    target, anchor, text = match.groups()
    if re.match(r"[a-z]+:", target):
        return match.group(0)
    if "/" in target:  # into the project, which the pages do not have beside them
        return text
    name = "index" if target == "README.md" else target[:-len(".md")]
    if target and (not target.endswith(".md") or name not in pages):
        sys.exit("lesson: a link that leads nowhere: %s" % target)
    return '<a href="%s%s">%s</a>' % (name + ".html" if target else "", anchor, text)


def navigation(guide, name, chapters):
    def link(i, words):
        if not 0 <= i < len(chapters):
            return "<span></span>"
        return '<a href="%s.html">%s</a>' % (chapters[i], words % html.escape(title_of(guide / (chapters[i] + ".md"))))
    here = chapters.index(name) if name in chapters else None
    before = link(here - 1, "← %s") if here is not None else "<span></span>"
    after = link(here + 1, "%s →") if here is not None else "<span></span>"
    contents = "" if name == "index" else '<a href="index.html">Contents</a>'
    return "<nav>%s%s%s</nav>" % (before, contents, after)


def main():
    guide, name, chapters = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    pages = {"index"} | {page.stem for page in guide.glob("*.md")} - {"README"}
    markdown = sys.stdin.read()
    body = to_html(markdown)
    body = re.sub(r'<pre><code class="language-(\w+)">(.*?)</code></pre>', coloured, body, flags=re.S)
    body = re.sub(r'<a href="([^"#]*)(#[^"]*)?">(.*?)</a>',
                  lambda m: relinked(m, pages), body, flags=re.S)
    colours = HtmlFormatter().get_style_defs("pre") if pygments else ""
    steps = navigation(guide, name, chapters)
    print("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>%s</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>%s%s</style></head><body>
%s
%s
%s
</body></html>""" % (html.escape(re.search(r"^# (.*)$", markdown, re.M).group(1)), STYLE, colours, steps, body, steps))


main()
