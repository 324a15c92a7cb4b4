"""Editors' texts, subjects and introductions: a few documented slots, and nothing that a program could do."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt

from publisher.errors import TemplateTextError
from publisher.intake.clean import clean_fragment

SLOTS = {
    "name": "the reader’s name",
    "edition_name": "the edition’s name",
    "issue_number": "the issue’s number",
    "article_count": "how many articles the issue has",
    "lead_title": "the title of the first article",
    "date": "the issue’s date",
}
"""What an editor may write between {{ and }}, with what each stands for; the desk shows this list."""
NUMBERS = {"issue_number", "article_count"}

PER_READER = "name"
FILTERS = {"upper", "lower", "capitalize", "trim", "default"}
ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Filter),
    *(nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
)
"""Slots, filters and if. No call, attribute, loop or arithmetic: nothing that reaches out or runs on."""

MARKDOWN_SIGN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|&~=])")
HIGHEST_HEADING = 3

Values = Mapping[str, str | int]


def check_subject(text: str) -> None:
    """Raise TemplateTextError if a subject names a slot that we do not have, or does not parse."""
    fill_subject(text, _SAMPLE)


def check_introduction(text: str) -> None:
    """Raise TemplateTextError if an introduction names a slot that we do not have, or does not parse."""
    introduction_html(text, _SAMPLE)


def fill_subject(text: str, values: Values) -> str:
    """Return a subject with its slots filled, on one line. Raises TemplateTextError."""
    return " ".join(_filled(text, values, "subject", _as_it_is).split())


def introduction_html(text: str, values: Values) -> str:
    """
    Return an introduction as clean HTML with its slots filled. Raises TemplateTextError.

    Markdown is the editor's only: what a slot brings in is text, whatever characters it has.
    """
    return clean_fragment(_markdown().render(_filled(text, values, "introduction", _without_markdown)))


_SAMPLE: Values = {slot: 1 if slot in NUMBERS else slot for slot in SLOTS}


def _filled(text: str, values: Values, where: str, finalize: Callable[[Any], Any]) -> str:
    if "{" not in text:
        return text
    try:
        return _template(text, where, finalize).render(values)
    except TypeError:
        raise TemplateTextError("a comparison of a number with a text", where) from None


def _template(text: str, where: str, finalize: Callable[[Any], Any]) -> Template:
    sandbox = _sandbox(finalize)
    try:
        tree = sandbox.parse(text)
        _check(tree, where)
        return sandbox.from_string(tree)
    except TemplateSyntaxError as problem:
        message = (problem.message or "it does not parse").rstrip(".")
        raise TemplateTextError(f"{message} (line {problem.lineno})", where) from None


def _check(tree: nodes.Template, where: str) -> None:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, ALLOWED):
            raise TemplateTextError(f"only slots, filters and if may stand in braces (line {node.lineno})", where)
    for name in tree.find_all(nodes.Name):
        if name.name not in SLOTS:
            raise TemplateTextError(f"there is no slot {name.name!r}; there are {', '.join(SLOTS)}", where)
    for each in tree.find_all(nodes.Filter):
        if each.name not in FILTERS:
            raise TemplateTextError(f"there is no filter {each.name!r}; there are {', '.join(sorted(FILTERS))}", where)
    shown = sum(_is_per_reader(part) for output in tree.find_all(nodes.Output) for part in output.nodes)
    if shown != sum(_is_per_reader(name) for name in tree.find_all(nodes.Name)):
        raise TemplateTextError(f"{PER_READER!r} is filled for each reader, so it can only be shown as it is", where)


def _is_per_reader(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == PER_READER


@cache
def _sandbox(finalize: Callable[[Any], Any]) -> SandboxedEnvironment:
    return SandboxedEnvironment(undefined=StrictUndefined, finalize=finalize, cache_size=0)


def _as_it_is(value: Any) -> Any:
    return value


def _without_markdown(value: Any) -> str:
    """Return a value with every sign that Markdown reads escaped (CommonMark, 2.4)."""
    return MARKDOWN_SIGN.sub(r"\\\1", " ".join(str(value).split()))


@cache
def _markdown() -> MarkdownIt:
    """CommonMark without raw HTML; an introduction's headings stand below the issue's own."""
    markdown = MarkdownIt("commonmark", {"html": False})
    markdown.core.ruler.push("lower_headings", _lower_headings)
    return markdown


def _lower_headings(state: Any) -> None:
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{max(HIGHEST_HEADING, int(token.tag[1:]))}"
