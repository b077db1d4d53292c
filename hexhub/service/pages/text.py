"""The words of the pages, one catalogue file per language, and which language to use."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from hexhub.catalog.model import Locale

LOCALES: tuple[Locale, ...] = ("en", "ru")
"""Languages of our own pages; the first is the fallback. Courses may have others."""
_FOLDER = Path(__file__).parent / "messages"


@cache
def messages(locale: Locale) -> Mapping[str, str]:
    """Give the catalogue of one of :data:`LOCALES`."""
    catalog: dict[str, str] = json.loads((_FOLDER / f"{locale}.json").read_text(encoding="utf-8"))
    return catalog


def say(locale: Locale, key: str, **values: object) -> str:
    """Give the message ``key``, with its ``{places}`` filled.

    Raises:
        KeyError: No such message, or a place without a value.
    """
    return messages(locale)[key].format(**values)


def say_reason(locale: Locale, reason: str) -> str:
    """Give a reason of ``hexhub.progress.model`` in another language; unknown ones as they are.

    The rules say in English why something is not open yet: they are pure and know no languages.
    """
    tag = locale.split("-")[0]
    if tag not in LOCALES[1:]:
        return reason
    for key, pattern in _reasons():
        if found := pattern.fullmatch(reason):
            return say(tag, key, **found.groupdict())
    return reason


@cache
def _reasons() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Give what each reason looks like in English: its message as a pattern."""
    return tuple(
        (key, re.compile(re.escape(message).replace(r"\{n\}", r"(?P<n>\d+)")))
        for key, message in messages(LOCALES[0]).items()
        if key.startswith("reason.")
    )


def preferred_locales(cookie: str | None, accept_language: str) -> list[Locale]:
    """Give the languages a person wants, best first: the chosen one, then the browser's.

    Args:
        cookie: Value of ``hexhub_locale``.
        accept_language: The header, such as ``ru-RU,ru;q=0.9,en;q=0.8``.
    """
    wanted: list[tuple[float, Locale]] = []
    for part in accept_language[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if tag and weight > 0:
            wanted.append((weight, tag.split("-")[0].lower()))
    wanted.sort(key=lambda pair: -pair[0])
    chosen = [cookie] if cookie else []
    return list(dict.fromkeys([*chosen, *(tag for _, tag in wanted)]))


def choose_locale(wanted: Iterable[Locale], there: Iterable[Locale]) -> Locale:
    """Give the first of ``wanted`` that is ``there``, else the first that is there."""
    offered = list(there)
    for locale in wanted:
        for candidate in (locale, locale.split("-")[0]):
            if candidate in offered:
                return candidate
    return offered[0]
