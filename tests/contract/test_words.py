"""Panel and terminal say the same of a result; ``words/results.json`` holds both to it."""

import json
from pathlib import Path

import pytest
from hexhub_lesson.terminal.texts import LANGUAGES, TEXTS

WORDS = json.loads((Path(__file__).parent / "words/results.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_terminal_has_the_words_of_the_panel(locale: str) -> None:
    """Both sides of a comparison, each outcome, and what was graded again."""
    words, texts = WORDS[locale], TEXTS[locale]
    for side in ("expected", "actual"):
        assert texts[side] == words[side].lower()
    for kind in ("passed", "failed", "error", "ungradable", "cancelled"):
        assert texts[f"history_{kind}"] == words[kind]
        assert texts[kind].startswith(words[kind])
    assert texts["regraded_with"].startswith(words["regraded"])
