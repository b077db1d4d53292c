"""Words of the pages: both languages complete, and the right one chosen."""

import ast
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest

import spawner
from hexhub.catalog.model import Hint, Reveal, RevealWhen, Text
from hexhub.names import CourseName, LessonName, UserName, Version
from hexhub.progress.model import Place, Progress, hint_refusal, solution_refusal
from hexhub.service.pages import text
from hexhub.service.pages.text import (
    LOCALES,
    choose_locale,
    messages,
    preferred_locales,
    say,
    say_reason,
)
from spawner.phases import PHASES

TEMPLATES = Path(text.__file__).parent / "templates"
HANDLERS = Path(text.__file__).parent / "handlers.py"


def places(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_languages_have_the_same_messages() -> None:
    """Every message is there in every language, with the same places to fill."""
    first, *others = [messages(locale) for locale in LOCALES]

    for other in others:
        assert list(other) == list(first)
        for key, message in first.items():
            assert places(other[key]) == places(message), key
            assert other[key].strip(), key


def test_no_message_is_missing_or_left_over() -> None:
    """Each message that pages name exists, and each that exists is used."""
    files = [*TEMPLATES.glob("*.html"), HANDLERS]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r"say\(\s*'([a-z_.]+)'\s*[,)]", sources))
    known = set(messages("en"))
    made_of_parts = (
        "error.",
        "event.",
        "phase.",
        "reason.",
        "refusal.",
        "refused.",
        "lesson.machine_",
    )

    assert named <= known
    left_over = {key for key in known if f"'{key}'" not in sources and f'"{key}"' not in sources}
    assert {key for key in left_over if not key.startswith(made_of_parts)} == set()


def test_every_phase_of_a_start_has_its_words() -> None:
    """What the spawner says while a machine starts is known to the pages, word by word."""
    english = messages("en")

    assert {english[f"phase.{phase}"] for phase in PHASES} == {
        words for _, words in PHASES.values()
    }


def test_refusals_are_the_spawners_own_words() -> None:
    """A refusal that pages can say in other languages is one that the spawner says."""
    said = {
        node.value
        for path in Path(spawner.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    refusals = {words for key, words in messages("en").items() if key.startswith("refusal.")}
    assert refusals <= said


def test_say_fills_places() -> None:
    """A message comes in the language, with its places filled."""
    assert say("ru", "course.steps", passed=1, total=3) == "Шаги: 1 из 3"


@pytest.mark.parametrize(
    ("cookie", "header", "expected"),
    [
        (None, "", []),
        ("ru", "en", ["ru", "en"]),
        (None, "ru-RU,ru;q=0.9,en;q=0.8", ["ru", "en"]),
        (None, "en;q=0.2, de;q=0.9, ru;q=0", ["de", "en"]),
        (None, "en;q=much,ru", ["ru"]),
    ],
)
def test_preferred_locales(cookie: str | None, header: str, expected: list[str]) -> None:
    """The chosen language comes first, then the browser's by weight; nonsense is left out."""
    assert preferred_locales(cookie, header) == expected


def refusals() -> list[str]:
    """Give every reason that the rules of hints and solutions can give."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    place = Place(UserName("ada"), CourseName("c"), LessonName("l"))
    progress = Progress(place, Version("0" * 12), started_at=now)
    nothing = Text({"en": ""})
    hints = [
        Hint(nothing, after_attempts=1),
        Hint(nothing, after_attempts=3),
        Hint(nothing, after_test="t"),
        Hint(nothing, after_s=600),
    ]
    reveals = [
        Reveal(RevealWhen.NEVER),
        Reveal(RevealWhen.AFTER, after_s=600),
        Reveal(RevealWhen.PASSED),
    ]
    given = [hint_refusal(hint, attempts=[], started_at=now, now=now) for hint in hints]
    given += [solution_refusal(reveal, progress, now) for reveal in reveals]
    assert None not in given
    return [reason for reason in given if reason is not None]


def test_every_reason_has_its_words_in_russian() -> None:
    """Why a hint or the solution is not open yet is said in the student's language."""
    assert len(set(refusals())) == 7
    for reason in refusals():
        assert say_reason("en", reason) == say_reason("de", reason) == reason
        translated = say_reason("ru-RU", reason)
        assert re.search("[а-я]{4}", translated), reason
        assert re.findall(r"\d+", translated) == re.findall(r"\d+", reason)
    assert say_reason("ru", "Something else.") == "Something else."


def test_choose_locale_falls_back_on_the_first() -> None:
    """The first wanted language that is there is taken, its base language too, else the first."""
    assert choose_locale(["de", "pt-BR"], ["en", "pt"]) == "pt"
    assert choose_locale(["de"], ["en", "ru"]) == "en"


def test_catalogues_are_sorted_into_rooms() -> None:
    """Message files are JSON objects of strings, with no key given twice."""
    folder = Path(text.__file__).parent / "messages"
    for path in folder.glob("*.json"):
        pairs: list[tuple[str, str]] = json.loads(
            path.read_text(encoding="utf-8"), object_pairs_hook=list
        )
        assert len({key for key, _ in pairs}) == len(pairs)
