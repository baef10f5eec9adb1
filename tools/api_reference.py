#!/usr/bin/env python3
"""Writes the API reference as a folder of HTML pages: tools/api_reference.py OUT [SOURCE_FOLDER]

A page for each public header in the order of spusk.h, and the pages of docs/ where cmark-gfm is installed. OUT/index.html
opens in a browser without a server: all links are relative, and the search reads an index that is a script.
"""
import html
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import api_headers  # noqa: E402

INCLUDE = re.compile(r"^#include <spusk/([\w/]+\.h)>(?:[ \t]*/\*(.*?)\*/)?", re.M | re.S)
WORD = re.compile(r"\b(?:sp|SP)_\w+")


# ---- reading ----

class Reference:
    def __init__(self, source):
        self.source, self.folder = source, source / "include" / "spusk"
        self.lines, self.headers, self.at, self.users = {}, {}, {}, {}
        for name in self.order():
            header = api_headers.read(self.folder / name)
            header.name = name
            if header.sections:
                self.headers[name] = header
        self.torch = torch_names((source / "docs" / "guide" / "pytorch.md").read_text())
        self.note_places()

    def order(self):
        """The headers in the order in which spusk.h lists them, then extend.h, then what neither names."""
        names = []
        for start in ("spusk.h", "extend.h"):
            for name, line in INCLUDE.findall((self.folder / start).read_text()):
                names.append(name)
                self.lines.setdefault(name, " ".join(line.split()))
        every = sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*.h"))
        return list(dict.fromkeys(names + every))

    def note_places(self):
        """Where each name has its entry, and which functions take which options."""
        for name, header in self.headers.items():
            for declaration in declarations(header):
                self.note(header, declaration)
                options = options_of(declaration)
                if options:
                    self.users.setdefault(options, []).append((name, shown(header, declaration)))

    def note(self, header, declaration):
        if is_private(declaration):
            return
        place = (page_of(header.name), shown(header, declaration))
        names = [member.name for member in api_headers.members(declaration)] if declaration.kind == "enum" else []
        for name in [shown(header, declaration), declaration.name, *names]:
            self.at.setdefault(name, place)

    def home_of(self, options):
        """The function of the same header under which the options are listed; None where they have an entry of their own."""
        users = self.users.get(options, [])
        header = next((name for name, h in self.headers.items() for d in declarations(h) if d.name == options), None)
        return next((user for user in users if user[0] == header), None) if len(users) <= 4 else None

    def struct(self, name):
        return next((d for h in self.headers.values() for d in declarations(h) if d.name == name and d.body), None)


def declarations(header):
    return [d for section in header.sections for entry in section.entries for d in entry.declarations]


def is_private(declaration):
    return declaration.name.endswith("_private")


def page_of(name):
    return name.replace("/", "-").replace(".h", ".html")


def options_of(declaration):
    found = re.search(r"const (sp_\w+_options) \*options\)$", declaration.text)
    return found.group(1) if found and declaration.kind == "function" else None


def shown(header, declaration):
    """The name that a program writes: sp_forward for sp_forward_until."""
    short = declaration.name[:-len("_until")] if declaration.name.endswith("_until") else ""
    return short if short in header.macros else declaration.name


def torch_names(table):
    """PyTorch's words for each function, from the rows of pytorch.md: name by name where a row's two sides have as many."""
    names = {}
    for line in table.splitlines():
        cells = line.strip().strip("|").split(" | ")
        if not line.startswith("| ") or len(cells) != 2:
            continue
        theirs = re.findall(r"`([^`]*)`", cells[0])
        ours = [name for span in re.findall(r"`([^`]*)`", cells[1]) for word in re.findall(r"(?:sp|SP)_[\w{},]+", span)
                for name in expand(word)]
        for i, name in enumerate(ours):
            words = theirs[i:i + 1] if len(ours) == len(theirs) else theirs
            names.setdefault(name, words)
    return names


def expand(word):
    match = re.search(r"\{([^}]*)\}", word)
    if not match:
        return [word.strip(",{}")]
    return [name for part in match.group(1).split(",")
            for name in expand(word[:match.start()] + part + word[match.end():])]


# ---- text ----

def linked(reference, text, here, own=()):
    """Escaped, with links to what has an entry."""
    def link(match):
        page, anchor = reference.at.get(match.group(), (None, None))
        if page is None or anchor in own:
            return match.group()
        return '<a href="%s#%s">%s</a>' % ("" if page == here else page, anchor, match.group())
    text = WORD.sub(link, html.escape(text, quote=False))
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", text)


def prose(reference, comment, here, own=()):
    """Paragraphs; lines that stand further in are formulas."""
    result = []
    for block in re.split(r"\n\s*\n|(?<=\n)(?=    )|(?<=\S)\n(?=    )", comment):
        for part in re.split(r"\n(?=\S)", block, maxsplit=1) if block.startswith("    ") else [block]:
            words = linked(reference, part.strip("\n"), here, own)
            if part.startswith("    "):
                result.append("<pre>%s</pre>" % "\n".join(line[4:] for line in words.split("\n")))
            elif words.strip():
                result.append("<p>%s</p>" % words)
    return "\n".join(result)


def first_sentence(comment):
    text = " ".join(comment.split())
    end = re.search(r"[.;] (?=[A-ZΣΠ\"(])|[.]$", text)
    text = text[:end.start()] if end else text
    return text if len(text) <= 120 else text[:117].rsplit(" ", 1)[0] + " …"


# ---- an entry ----

def signature(header, declaration):
    """The call as a program writes it, and the function behind the macro where that differs."""
    text, name = declaration.text, shown(header, declaration)
    macro = header.macros.get(name)
    if declaration.kind != "function" or not macro:
        return text, ""
    if options_of(declaration):
        parameters = macro[0].strip("()").split(",")[:-1]  # sp_module_new(type, ...)
        plain = re.sub(r",? ?const sp_\w+_options \*options\)$", ")", text)
        if parameters:
            plain = plain[:plain.index("(")] + "(" + ", ".join(parameters) + ")"
        return re.sub(r"\)$", "…options)" if plain.endswith("()") else ", …options)", plain), ""
    if not macro[0].endswith("...)"):
        return text, ""
    return variadic(name, macro[0], text), text


def variadic(name, parameters, text):
    """sp_vector(double values, …) for the function sp_vector(const double *values, int64_t n)."""
    result, inside = re.match(r"(.*?)sp_\w+ ?\((.*)\)$", text).groups()
    kept = [part.strip() for part in inside.split(",")]
    rest = [part for part in kept[parameters.count(","):] if not re.match(r"int(64_t)? n$", part)]
    last = re.sub(r"^sp_dims (\w+)$", r"int64_t \1", rest[0]) if rest else ""
    last = re.sub(r"^const (\w+) \*(\w+)$", r"\1 \2", re.sub(r"\*const \*", "*", last))
    return "%s%s(%s)" % (result, name, ", ".join(kept[:parameters.count(",")] + [last, "…"]))


def signature_html(reference, header, declaration, here):
    call, behind = signature(header, declaration)
    name = shown(header, declaration)
    words = linked(reference, call, here, (name,))
    words = re.sub(r"(?<!\w)%s\b" % re.escape(name), "<b>%s</b>" % name, words, count=1)
    words = words.replace("…options", '<i title="designated initialisers, as .padding = 1">…options</i>')
    line = '<div class="signature" id="%s"><code>%s</code></div>' % (name, words)
    if behind:
        line += '<p class="behind">The function behind the macro: <code>%s</code></p>' % linked(reference, behind, here, (name,))
    return line


def torch_html(reference, names):
    words = [word for name in names for word in reference.torch.get(name, [])]
    words = ", ".join("<code>%s</code>" % html.escape(word, quote=False) for word in dict.fromkeys(words))
    return '<p class="torch">PyTorch: %s</p>' % words if words else ""


def default_of(member, reference):
    """What an option is when it is left out, and the rest of its comment."""
    found = re.search(r"(?:^|[,:;] ?|\()(?:the )?[Dd]efault:? ([^;:]*?)(?=$|[;:]|, (?=[a-zA-Z]{4}))", member.comment)
    if found:
        return found.group(1), (member.comment[:found.start()] + member.comment[found.end():]).strip(" ;,:")
    values = reference.struct(member.type)
    if values and values.kind == "enum":
        return api_headers.members(values)[0].name, member.comment
    if member.name.endswith("_hw") and not member.comment:
        return "", "for height and width, in the place of `.%s`" % member.name[:-len("_hw")]
    if member.type in ("int64_t", "uint64_t", "int", "double"):
        return "0", member.comment
    return {"bool": "false"}.get(member.type, "none" if member.type.endswith("*") else ""), member.comment


def table(reference, struct, here):
    rows = []
    options = struct.name.endswith("_options")
    for member in api_headers.members(struct):
        if options and member.name == "size":
            continue
        default, comment = default_of(member, reference) if options else ("", member.comment)
        cells = [member.name if struct.kind == "enum" else ("." if options else "") + member.name]
        cells += [] if struct.kind == "enum" else [member.type]
        cells += [default] if options else []
        rows.append("<tr>%s</tr>" % "".join(
            "<td>%s</td>" % (("<code>%s</code>" if i < 2 and i < len(cells) else "%s") % linked(reference, cell, here, (struct.name,)))
            for i, cell in enumerate(cells + [comment])))
    heads = {"enum": ["value", ""]}.get(struct.kind, ["option", "type", "default", ""] if options else ["member", "type", ""])
    head = "<tr>%s</tr>" % "".join("<th>%s</th>" % word for word in heads)
    return '<div class="wide"><table>%s%s</table></div>' % (head, "".join(rows))


def options_html(reference, entry, header, here):
    """The options of an entry's functions: in full at their home, else their names and where they stand."""
    result = []
    for name in dict.fromkeys(filter(None, map(options_of, entry.declarations))):
        struct, home = reference.struct(name), reference.home_of(name)
        if home and home[1] in [shown(header, d) for d in entry.declarations]:
            result.append('<div id="%s">%s</div>' % (name, table(reference, struct, here)))
        else:
            names = ", ".join("<code>.%s</code>" % m.name for m in api_headers.members(struct) if m.name != "size")
            result.append("<p class=options>Options (%s): %s.</p>" % (linked(reference, name, here), names))
    return "\n".join(result)


def entry_html(reference, header, entry, here):
    names = [shown(header, d) for d in entry.declarations]
    parts = [signature_html(reference, header, d, here) for d in entry.declarations]
    parts += [prose(reference, entry.comment, here, names), torch_html(reference, names)]
    parts += [table(reference, d, here) for d in entry.declarations if d.body]
    parts.append(options_html(reference, entry, header, here))
    return '<section class="entry %s">%s</section>' % (entry.declarations[0].kind, "\n".join(filter(None, parts)))


def is_listed(reference, entry):
    """Options that stand under their function have no entry of their own; what is private has none either."""
    first = entry.declarations[0]
    return not reference.home_of(first.name) and not is_private(first)


# ---- pages ----

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="tools/api_reference.py"><title>%(title)s</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="style.css"></head>
<body>
<header><a class="home" href="index.html">spusk</a>
<input id="search" type="search" placeholder="sp_conv2d, nn.Linear, softmax … ( / )" aria-label="Search" autocomplete="off">
<div id="found"></div></header>
<div id="columns"><nav>%(nav)s</nav><main>%(main)s</main></div>
<script src="names.js"></script><script src="search.js"></script>
</body></html>
"""


def link_list(links, here):
    return "<ul>%s</ul>" % "".join('<li%s><a href="%s">%s</a></li>' % (' class="here"' if page == here else "", page, html.escape(words))
                                   for page, words in links)


def navigation(reference, pages, here):
    links = [(page_of(name), name) for name in reference.headers]
    plain = [link for link in links if not link[1].startswith("extend/")]
    extend = [link for link in links if link[1].startswith("extend/")]
    groups = [("Headers", plain), ("For writers of operators and layers", extend), ("About the code", pages)]
    return "".join("<h4>%s</h4>%s" % (title, link_list(group, here)) for title, group in groups if group)


def summary(reference, header, section, here):
    rows = []
    for entry in section.entries:
        listed = [d for d in entry.declarations if d.kind in ("function", "macro")]
        if not listed or not is_listed(reference, entry):
            continue
        names = ", ".join('<a href="#%s">%s</a>' % (shown(header, d), shown(header, d)) for d in listed)
        rows.append("<tr><td>%s</td><td>%s</td></tr>" % (names, linked(reference, first_sentence(entry.comment), here, [shown(header, d) for d in listed])))
    return '<table class="summary">%s</table>' % "".join(rows) if rows else ""


def titled(section):
    return html.escape(section.title[0].upper() + section.title[1:])


def header_html(reference, name):
    header, here = reference.headers[name], page_of(name)
    parts = ["<h1>%s</h1>" % name, '<p class="include"><code>#include &lt;spusk/%s&gt;</code></p>' % name,
             prose(reference, header.comment, here)]
    for section in header.sections:
        if section.title:
            parts.append('<h2 class="list">%s</h2>' % titled(section))
        parts.append(summary(reference, header, section, here))
    for section in header.sections:
        if section.title:
            parts.append("<h2>%s</h2>" % titled(section))
        parts += [entry_html(reference, header, entry, here) for entry in section.entries if is_listed(reference, entry)]
    return "\n".join(parts)


def index_html(reference, pages):
    contract = re.search(r"/\*(.*?)\*/", (reference.folder / "spusk.h").read_text(), re.S).group(1)
    rows = "".join('<tr><td><a href="%s">%s</a></td><td>%s</td></tr>' %
                   (page_of(name), name, linked(reference, reference.lines.get(name) or first_sentence(header.comment), "index.html"))
                   for name, header in reference.headers.items())
    guide = "".join('<li><a href="%s">%s</a></li>' % (page, html.escape(title)) for page, title in pages)
    words = re.sub(r"<p>(Ownership\.|Errors\.|Options|Threads\.)", r"<p><strong>\1</strong>",
                   prose(reference, api_headers.plain(contract), "index.html"))
    return ("<h1>The C API of spusk</h1>\n%s\n<h2>Headers, in the order in which one learns them</h2>\n"
            '<table class="summary">%s</table>\n<h2>About the code</h2>\n<ul>%s</ul>\n'
            '<p>The lesson itself is the guide, <code>docs/guide/</code>: <code>./dev lesson</code> runs its commands and makes its pages.'
            " A C++ program includes <code>&lt;spusk/spusk.hpp&gt;</code>; the guide has a chapter on it.</p>"
            % (words, rows, guide))


# ---- pages in Markdown ----

def title_of(markdown):
    return re.search(r"^# (.*)$", markdown.read_text(), re.M).group(1)


def markdown_pages(source):
    """(page, title, file) of each of docs/*.md; without cmark-gfm the file itself is the page."""
    found = sorted((source / "docs").glob("*.md"))
    able = shutil.which("cmark-gfm")
    return [("docs-%s.html" % file.stem if able else file.as_uri(), title_of(file), file) for file in found]


def with_anchors(body):
    def head(match):
        anchor = re.sub(r"[^\w -]", "", re.sub(r"<.*?>", "", match.group(2))).lower().replace(" ", "-")
        return '<h%s id="%s">%s</h%s>' % (match.group(1), anchor, match.group(2), match.group(1))
    return re.sub(r"<h([2-6])>(.*?)</h\1>", head, body)


def markdown_html(reference, file, pages):
    command = ["cmark-gfm", "--extension", "table", "--extension", "autolink", str(file)]
    body = with_anchors(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    named = {other.name: page for page, _, other in pages}

    def link(match):
        target, anchor, words = match.groups()
        if target in named or not target:
            return '<a href="%s%s">%s</a>' % (named.get(target, ""), anchor or "", words)
        return match.group() if ":" in target else words  # what lies elsewhere in the project is named, not linked
    body = re.sub(r'<a href="([^"#]*)(#[^"]*)?">(.*?)</a>', link, body, flags=re.S)
    return re.sub(r"<code>(\w+)(\([^<]*\))?</code>", lambda m: code_link(reference, m), body)


def code_link(reference, match):
    page, anchor = reference.at.get(match.group(1), (None, None))
    return '<a href="%s#%s">%s</a>' % (page, anchor, match.group()) if page else match.group()


# ---- the index of the search ----

def names_js(reference):
    rows = []
    for header in reference.headers.values():
        for section in header.sections:
            for entry in section.entries:
                rows += [name_row(reference, header, entry, d) for d in entry.declarations if not is_private(d)]
    return "var names = [\n%s\n];\n" % ",\n".join(rows)


def name_row(reference, header, entry, declaration):
    name = shown(header, declaration)
    page, anchor = reference.at[name]
    home = reference.home_of(name)
    anchor = name if home else anchor
    words = [name, "%s#%s" % (page_of(home[0]) if home else page, anchor), declaration.kind, first_sentence(entry.comment),
             ", ".join(reference.torch.get(name, []))]
    return "[%s]" % ", ".join('"%s"' % word.replace("\\", "\\\\").replace('"', '\\"') for word in words)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    source = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".").resolve()
    reference = Reference(source)
    out.mkdir(parents=True, exist_ok=True)
    for page in out.glob("*.html"):
        if 'content="tools/api_reference.py"' in page.read_text():
            page.unlink()  # of an earlier run; its header may be gone
    pages = markdown_pages(source)
    links = [(page, title) for page, title, _ in pages]

    def write(page, title, body):
        (out / page).write_text(PAGE % {"title": html.escape(title), "nav": navigation(reference, links, page), "main": body})
    write("index.html", "spusk: the C API", index_html(reference, links))
    for name in reference.headers:
        write(page_of(name), name + " · spusk", header_html(reference, name))
    for page, title, file in pages:
        if page.endswith(".html"):
            write(page, title, markdown_html(reference, file, pages))
    (out / "names.js").write_text(names_js(reference))
    for asset in ("style.css", "search.js"):
        shutil.copyfile(source / "docs" / "reference" / asset, out / asset)
    print("%s: %d names" % (out / "index.html", len(reference.at)))


main()
