"""The command says the same in every language."""

import string

from hexhub_lesson.terminal.texts import LANGUAGES, TEXTS


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_every_text_with_the_same_values() -> None:
    """A missing text or value would be a traceback for those who speak that language alone."""
    assert set(TEXTS) == set(LANGUAGES)
    english = TEXTS["en"]
    for texts in TEXTS.values():
        assert {key: fields(text) for key, text in texts.items()} == {
            key: fields(text) for key, text in english.items()
        }
