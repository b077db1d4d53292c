"""JupyterLab's page is compiled before it is asked for, where it would come out the same."""

from pathlib import Path

import jinja2
import jupyterlab
import pytest
from hexhub_lesson.early_view import EarlyLoader
from hexhub_lesson.page_code import PageCode, compile_page

STATIC = Path(jupyterlab.__file__).parent / "static"


def environment_of(code: PageCode, *more: str) -> jinja2.Environment:
    """Give an environment as JupyterLab's server makes it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([str(STATIC)]),
        extensions=["jinja2.ext.i18n", *more],
        autoescape=True,
    )
    assert environment.loader is not None
    environment.loader = EarlyLoader(environment.loader)
    environment.bytecode_cache = code
    return environment


def refuse_to_compile(*_: object, **__: object) -> None:
    """Stand where Jinja compiles."""
    raise AssertionError("compiled")


def test_the_page_is_not_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same page, out of the code that was made ahead."""
    wanted = environment_of(PageCode()).get_template("index.html")
    code = PageCode()
    compile_page(code, STATIC)
    with monkeypatch.context() as patched:
        patched.setattr(jinja2.Environment, "compile", refuse_to_compile)
        found = environment_of(code).get_template("index.html")
    config = {"fullStaticUrl": "/x<y/static/lab", "hexhubEarly": {"version": "1"}}
    page = found.render(page_config=config, base_url="/", ws_url="")
    assert page == wanted.render(page_config=config, base_url="/", ws_url="")
    assert "/x&lt;y/static/lab" in page


def test_another_environment_compiles_it_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that was made with fewer words of the language is not used where it has more."""
    code = PageCode()
    compile_page(code, STATIC)
    monkeypatch.setattr(jinja2.Environment, "compile", refuse_to_compile)
    with pytest.raises(AssertionError, match="compiled"):
        environment_of(code, "jinja2.ext.do").get_template("index.html")


def test_where_no_page_is_installed_nothing_is_done(tmp_path: Path) -> None:
    """JupyterLab says it itself, when it is asked for the page."""
    compile_page(PageCode(), tmp_path)
