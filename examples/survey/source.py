# SPDX-License-Identifier: BSL-1.0
"""C source, read without a compiler: what it calls, which functions it has, what its initialisers say.

Comments, the text of strings and `#if 0` are left out. Everything else of the preprocessor is text: both sides of an `#ifdef`
are read, a macro's body counts where it is defined, and a call that a macro makes is not seen where the macro is used. A
function is known by its kernel form: it begins in the first column and ends with a brace there.
"""
import re
from typing import NamedTuple

_NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
_IF_ZERO = re.compile(r"^[ \t]*#[ \t]*if[ \t]+0\b.*?$", re.M)
_CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|else|elif|endif)\b.*?$", re.M)
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*\"([^\"\n]+)\"", re.M)
_CALL = re.compile(r"(?<![\w.])(?<!->)([A-Za-z_]\w*)[ \t\n]*\(")
_BRACE = re.compile(r"^\{|^[A-Za-z_][^\n;=]*\)[ \t]*(\{)[ \t]*$", re.M)
_FIELD = re.compile(r"\.([a-z_][\w.]*)\s*=\s*&?\s*(\(?[\w.]+)|^\s*(SET_\w+|\w+_PM_OPS)\s*\(([^()]*)\)", re.M)


class Call(NamedTuple):
    name: str
    at: int
    arguments: tuple


def includes(text):
    """The names of the local headers that `text` includes."""
    return _INCLUDE.findall(text)


def strip(text):
    """`text` without comments, without what strings say, without `#if 0`; lines keep their numbers."""
    def blank(found):
        whole = found[0]
        kept = "\n" * whole.count("\n")
        return '""' if whole[0] == '"' else "0" if whole[0] == "'" else kept or " "

    return _without_if_zero(_NOT_CODE.sub(blank, text))


def _without_if_zero(text):
    while begin := _IF_ZERO.search(text):
        depth, end = 0, len(text)
        for mark in _CONDITIONAL.finditer(text, begin.end()):
            word = mark[1]
            if word.startswith("if"):
                depth += 1
            elif word == "endif" and depth:
                depth -= 1
            elif not depth:
                end = mark.end()
                break
        text = text[:begin.start()] + "\n" * text.count("\n", begin.start(), end) + text[end:]
    return text


def closing(text, at):
    """Where the bracket that opens at `at` is closed; the end of `text` if it is not."""
    depth = 0
    for mark in re.compile(r"[()\[\]{}]").finditer(text, at):
        depth += 1 if mark[0] in "([{" else -1
        if depth == 0:
            return mark.start()
    return len(text)


def arguments(text, at):
    """The arguments of the call whose bracket opens at `at`."""
    end, parts, begin, depth = closing(text, at), [], at + 1, 0
    for mark in re.compile(r"[()\[\]{},]").finditer(text, at + 1, end):
        if mark[0] == "," and depth == 0:
            parts.append(text[begin:mark.start()])
            begin = mark.end()
        elif mark[0] != ",":
            depth += 1 if mark[0] in "([{" else -1
    parts.append(text[begin:end])
    return tuple(" ".join(part.split()) for part in parts)


def calls(text, names, begin=0, end=None):
    """The calls in `text`, in its order, of functions that are in `names`; a declaration or a definition is none."""
    for found in _CALL.finditer(text, begin, len(text) if end is None else end):
        if found[1] in names and not _declares(text, found.start(1)):
            yield Call(found[1], found.start(1), arguments(text, found.end() - 1))


def _declares(text, at):
    """Whether a type stands before the name at `at`, in the first columns of a line."""
    before = text[text.rfind("\n", 0, at) + 1:at]
    return re.fullmatch(r"(?:static|extern|inline|const|struct|unsigned|int|void|bool|__iomem|\w+_t|\w+ \*|[ \t*])+",
                        before) is not None and before.strip() != "" and not before[0].isspace()


class Function(NamedTuple):
    name: str
    begin: int
    end: int


def functions(text):
    """The functions that `text` defines."""
    for brace in _BRACE.finditer(text):
        at = brace.start(1) if brace[1] else brace.start()
        name = _name_before(text, at)
        if name:
            end = text.find("\n}", at)
            yield Function(name, at, len(text) if end < 0 else end)


_PARAMETERS = 4000  # what a function's head has at most


def _name_before(text, at):
    """The name of the function whose body opens at `at`: before its parameters, attributes of the end skipped."""
    head, name = text[max(0, at - _PARAMETERS):at], None
    while True:
        head = head.rstrip()
        if not head.endswith(")"):
            return name
        depth, mark = 0, len(head)
        while mark and (depth or mark == len(head)):
            mark -= 1
            depth += {")": 1, "(": -1}.get(head[mark], 0)
        head = head[:mark].rstrip()
        begin = len(head)
        while begin and (head[begin - 1].isalnum() or head[begin - 1] == "_"):
            begin -= 1
        if begin == len(head):
            return name
        name, head = head[begin:], head[:begin]


def initialisers(text, type_name):
    """What each initialised object of this struct says of its fields: field to value; macros of the fields count as fields."""
    for found in re.finditer(r"\bstruct\s+" + type_name + r"\s+\w+\s*(?:\[\s*\w*\s*\]\s*)?(?:__\w+\s*)*=\s*\{", text):
        end = closing(text, found.end() - 1)
        fields = {}
        for field in _FIELD.finditer(text, found.end(), end):
            if field[1]:
                fields[field[1]] = field[2]
            else:
                fields[field[3]] = field[4]
        yield fields
