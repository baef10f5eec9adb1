"""Reads the public headers as a list of entries, for tools/api_reference.py.

It relies on the form that all headers share: block comments above what they describe or behind it on the same line,
section comments `/* ---- name ---- */`, functions marked SP_API, and for a call with options a macro of the function's
own name that ends in SP__CALLn. It is no parser of C.
"""
import dataclasses
import re

COMMENT = re.compile(r"/\*(.*?)\*/", re.S)


@dataclasses.dataclass
class Declaration:
    kind: str       # function, struct, enum, type, macro
    name: str
    text: str       # C, on one line
    body: str = ""  # of a struct or enum: what stands between its braces


@dataclasses.dataclass
class Entry:
    comment: str
    declarations: list


@dataclasses.dataclass
class Section:
    title: str
    entries: list


@dataclasses.dataclass
class Member:
    name: str
    type: str
    comment: str


@dataclasses.dataclass
class Header:
    name: str      # functional.h
    comment: str   # its first
    sections: list
    macros: dict   # lower-case macros of functions: name -> (parameters, body)


def plain(comment):
    """A comment's text without the stars at the beginning of its lines."""
    return "\n".join(re.sub(r"^\s*\*? ?", "", line) if i else line.strip()
                     for i, line in enumerate(comment.split("\n"))).strip()


def for_c(text):
    """The header as a C compiler sees it: without what is for C++ alone, each macro on one line."""
    kept, stack = [], []
    for line in re.sub(r"\\\n", "\x00", text).split("\n"):
        word = re.match(r"\s*#\s*(if|ifdef|ifndef|else|elif|endif)\b(.*)", line)
        if word:
            turn(stack, word.group(1), word.group(2))
        elif all(stack) and line not in ("SP_BEGIN", "SP_END_DECLS"):
            kept.append(line)
    return re.sub(r" *\x00\s*", " ", "\n".join(kept))


def turn(stack, word, condition):
    """Follows a conditional; stack says for each open one whether its lines count."""
    if word == "ifdef":
        stack.append("__cplusplus" not in condition)
    elif word in ("if", "ifndef"):
        stack.append(True)
    elif word in ("else", "elif"):
        stack[-1] = not stack[-1]
    else:
        stack.pop()


PIECE = re.compile(r"(?P<comment>/\*.*?\*/)|(?P<macro>^#[^\n]*)|(?P<blank>\n[ \t]*\n)|(?P<space>\s+)|(?P<code>.)",
                   re.S | re.M)


def pieces(text):
    """Yields (what, text) of each comment, directive, blank line and declaration, and of comments behind one."""
    at = 0
    while at < len(text):
        found = PIECE.match(text, at)
        what, piece, at = found.lastgroup, found.group(), found.end()
        if what == "blank":
            at -= 1
        if what == "code":
            at, piece = declaration(text, found.start())
        if what != "space":
            yield what, piece
        beside = re.compile(r"[ \t]*/\*(.*?)\*/", re.S).match(text, at) if what == "code" else None
        if beside:
            at = beside.end()
            yield "behind", beside.group(1)


def declaration(text, at):
    """The end of the declaration that begins there, and its text; a function's body is left out."""
    begin, depth = at, 0
    while at < len(text):
        if text.startswith("/*", at):
            at = text.index("*/", at) + 2
            continue
        character = text[at]
        depth += character in "({["
        depth -= character in ")}]"
        at += 1
        if depth == 0 and character == ";":
            return at, text[begin:at]
        if depth == 0 and character == "}" and not re.match(r"\s*(typedef|struct|enum|union|extern)\b", text[begin:]):
            return at, text[begin:text.index("{", begin)].rstrip() + ";"
    return at, text[begin:]


def tidy(code):
    code = COMMENT.sub(" ", code)
    code = re.sub(r"\bSP_API\b|\bSP_OR_NULL\b|\bSP_PRINTF\([^)]*\)|\bstatic inline\b|;$", "", code)
    return re.sub(r"\s+", " ", code).strip().replace("( ", "(").replace(" )", ")")


def declared(code):
    """The Declaration of a piece of code; None of what is not for users."""
    text = tidy(code)
    body = re.search(r"\{(.*)\}", code, re.S)
    record = re.match(r"(?:typedef )?(struct|enum)\b[^{;]*", text)
    if record and body:
        names = re.search(r"\}\s*(\w+)?\s*;?$", text), re.match(r"(?:typedef )?(?:struct|enum) (\w+)", text)
        name = next((found.group(1) for found in names if found and found.group(1)), "")
        return Declaration(record.group(1), name, text[:text.index("{")].strip(), body.group(1))
    if text.startswith("typedef"):
        name = re.search(r"(\w+)(?:\(.*\))?$", text)
        return Declaration("type", name.group(1), text)
    name = re.search(r"\b(sp_\w+) ?\(", text)
    if name and not text.startswith("extern"):
        return Declaration("function", name.group(1), text)
    return None


class Reader:
    def __init__(self, name, text):
        self.header = Header(name, "", [Section("", [])], {})
        self.comment, self.entry, self.expand, self.functions = "", None, {}, set()
        for what, piece in pieces(for_c(text)):
            getattr(self, "see_" + what)(piece)
        self.header.sections = [section for section in self.header.sections if section.entries]

    def see_comment(self, piece):
        title = re.match(r"/\* ---- (.*?) ---- \*/", piece, re.S)
        text = plain(piece[2:-2])
        if title:
            self.header.sections.append(Section(" ".join(plain(title.group(1)).split()), []))
            self.entry = None
        elif not self.header.comment:
            self.header.comment = text
        else:
            self.comment = text

    def see_behind(self, text):
        """A comment behind a declaration is its own, and parts it from those before it."""
        if not self.entry:
            return
        if len(self.entry.declarations) > 1:
            found = self.entry.declarations.pop()
            self.entry = Entry("", [found])
            self.header.sections[-1].entries.append(self.entry)
        self.entry.comment = (self.entry.comment + "\n\n" + plain(text)).strip()

    def see_blank(self, _):
        self.comment, self.entry = "", None

    def see_macro(self, piece):
        found = re.match(r"#\s*define (\w+)(\([^)]*\))?\s*(.*)", piece)
        if not found:
            return
        name, parameters, body = found.group(1), found.group(2) or "", COMMENT.sub("", found.group(3)).strip()
        beside = COMMENT.search(found.group(3))
        self.comment = self.comment or (plain(beside.group(1)) if beside else "")
        if name.startswith("SP__"):
            self.expand[name] = (parameters, body)
        elif not name.startswith("sp__"):
            self.header.macros[name] = (parameters, body)
            if self.comment and name not in self.functions:
                self.add(Declaration("macro", name, name + parameters))
        self.comment = ""

    def see_code(self, code):
        made = re.match(r"(SP__\w+)\((.*)\);?$", code.strip(), re.S)
        if made and "SP_API" in self.expand.get(made.group(1), ("", ""))[1]:
            for piece in self.expanded(made.group(1), made.group(2)).split(";"):
                self.see_code(piece + ";")
            return
        found = declared(code)
        if found and not found.name.startswith(("sp__", "SP__")):
            self.add(found)
        self.comment = ""

    def expanded(self, name, arguments):
        parameters, body = self.expand[name]
        for parameter, argument in zip(parameters.strip("()").split(","), arguments.split(",")):
            body = re.sub(r"\b%s\b" % re.escape(parameter.strip()), argument.strip(), body)
        return re.sub(r"\s*##\s*", "", body)

    def add(self, found):
        """What has no comment of its own, and no blank line before it, shares that of what it follows."""
        if self.comment or self.entry is None or self.entry.declarations[-1].kind != found.kind:
            self.entry = Entry(self.comment, [])
            self.header.sections[-1].entries.append(self.entry)
        self.entry.declarations.append(found)
        self.functions |= {found.name} if found.kind == "function" else set()


def read(path):
    text = path.read_text()
    return Reader(path.name, text).header


def members(declaration):
    """The members of a struct or enum with their comments, those of enumerators as constants."""
    if declaration.kind == "enum":
        found = re.findall(r"(\w+)(?:\s*=\s*([^,/\n]+))?\s*(?:,|$|(?=/\*)|(?=\n))\s*(?:/\*(.*?)\*/)?",
                           declaration.body, re.S)
        return [Member(name, value.strip(), " ".join(plain(comment).split())) for name, value, comment in found if not name.isdigit()]
    result, above = [], ""
    for comment, code, beside in re.findall(r"/\*(.*?)\*/|([^;/]+);[ \t]*(?:/\*(.*?)\*/)?", declaration.body, re.S):
        if comment:
            above = comment
            continue
        code, words = tidy(code), " ".join(plain(above or beside).split())
        result += [Member(name, kind, words) for name, kind in declarators(code) if not name.startswith(("sp__", "SP_"))]
        above = ""
    return result


def declarators(code):
    """Yields (name, type) of what `int a, b[2]` or `sp_tensor *(*f)(int)` declares."""
    if code.startswith("SP_OPTIONS"):
        return
    function = re.match(r"(.*?)\(\*(\w+)\)(.*)$", code)
    if function:
        yield function.group(2), "%s(*)%s" % (function.group(1), function.group(3))
        return
    words = re.match(r"(.*?)((?:\*|\bconst\b|\s)*\b\w+(?:\[\w*\])*(?:\s*,\s*\**\w+(?:\[\w*\])*)*)$", code)
    if not words:
        return
    kind = words.group(1).strip()
    for name in words.group(2).split(","):
        found = re.match(r"\s*((?:\*|const|\s)*)(\w+)((?:\[\w*\])*)$", name)
        yield found.group(2), ("%s %s" % (kind, found.group(1).strip())).strip() + found.group(3)
