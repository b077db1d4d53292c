"""Sign-up and log-in on a real JupyterHub."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hexhub.accounts import Accounts, accounts_url

from .real_hub import RealHub, Visitor

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    """Give a real JupyterHub with open sign-up."""
    running = RealHub(tmp_path_factory.mktemp("hub"))
    yield running
    running.stop()


@pytest.fixture
def visitor(hub: RealHub) -> Iterator[Visitor]:
    """Give a browser that has not been here before."""
    visitor = hub.visitor()
    yield visitor
    visitor.close()


def log_in(hub: RealHub, name: str, password: str) -> httpx.Response:
    """Log in from a fresh browser and give the answer."""
    fresh = hub.visitor()
    answer = fresh.send("login", username=name, password=password)
    fresh.close()
    return answer


def test_sign_up_logs_in_and_leads_to_the_catalogue(hub: RealHub, visitor: Visitor) -> None:
    """Name and password are enough: the new student is logged in and sent to the catalogue."""
    answer = visitor.send("signup", username="ada", password=PASSWORD)

    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"] == "/services/hexhub/"
    assert visitor.is_logged_in


def test_sign_up_leads_to_where_one_wanted_to_go(visitor: Visitor) -> None:
    """Who came by a link to a course is sent there after the sign-up, and never off this host."""
    answer = visitor.send(
        "signup",
        "?next=%2Fservices%2Fhexhub%2Fcourses%2Ftiny",
        username="grace",
        password=PASSWORD,
    )
    assert answer.headers["Location"] == "/services/hexhub/courses/tiny"

    other = Visitor(str(visitor.client.base_url))
    answer = other.send(
        "signup", "?next=https%3A%2F%2Fevil.example%2F", username="grace-2", password=PASSWORD
    )
    other.close()
    assert answer.headers["Location"] == "/services/hexhub/"


def test_who_signed_up_can_log_in_again(hub: RealHub, visitor: Visitor) -> None:
    """The name is taken in any case and with spaces around; the password is taken as it is."""
    visitor.send("signup", username="  Linus ", password=f" {PASSWORD} ")

    assert log_in(hub, "LINUS", f" {PASSWORD} ").status_code == 302
    assert log_in(hub, "linus", PASSWORD).status_code == 403


def test_wrong_password_and_unknown_name_look_the_same(hub: RealHub, visitor: Visitor) -> None:
    """Nobody learns from the log-in whether a name exists."""
    visitor.send("signup", username="known", password=PASSWORD)

    wrong = log_in(hub, "known", "wrong-password")
    unknown = log_in(hub, "nobody", "wrong-password")

    def shape(answer: httpx.Response) -> str:
        lines = [line for line in answer.text.splitlines() if "_xsrf" not in line]
        return "\n".join(lines).replace("nobody", "NAME").replace("known", "NAME")

    assert wrong.status_code == unknown.status_code == 403
    assert "Name or password is wrong." in wrong.text
    assert shape(wrong) == shape(unknown)


def test_guessing_is_slowed_down(hub: RealHub, visitor: Visitor) -> None:
    """After five failures the name must wait, also with the right password, and is told so."""
    visitor.send("signup", username="guessed", password=PASSWORD)
    answers = [guess_until_slowed_down(hub, name) for name in ("guessed", "unheard-of")]
    for told in answers:
        assert [a.status_code for a in told[:5]] == [403] * 5
        assert "Too many failed log-ins" in told[-1].text
    guess_until_slowed_down(hub, "guessed")
    assert log_in(hub, "guessed", PASSWORD).status_code == 429


def guess_until_slowed_down(hub: RealHub, name: str) -> list[httpx.Response]:
    """Guess until three guesses in a row are not even looked at, and give all answers.

    The first waits are of a second or two, which may be over before the next guess comes.
    """
    answers: list[httpx.Response] = []
    while [a.status_code for a in answers[-3:]] != [429] * 3:
        assert len(answers) < 60, [a.status_code for a in answers]
        answers.append(log_in(hub, name, f"wrong-{len(answers)}"))
    return answers


@pytest.mark.parametrize(
    ("name", "password", "words"),
    [
        ("", PASSWORD, "This name cannot be used"),
        ("a b", PASSWORD, "This name cannot be used"),
        ("../etc", PASSWORD, "This name cannot be used"),
        ("<script>", PASSWORD, "This name cannot be used"),
        ("1ada", PASSWORD, "This name cannot be used"),
        ("a" * 33, PASSWORD, "This name cannot be used"),
        ("Ünicode", PASSWORD, "This name cannot be used"),
        ("ada%2f", PASSWORD, "This name cannot be used"),
        ("teacher", PASSWORD, "This name is kept"),
        ("short", "abcdefg", "too short: it needs at least"),
        ("easy", "password123", "easy to guess"),
        ("myname-is-long", "myname-is-long", "easy to guess"),
        ("long", "x1" * 200, "too long"),
    ],
)
def test_bad_names_and_passwords_are_refused(
    hub: RealHub, visitor: Visitor, name: str, password: str, words: str
) -> None:
    """What cannot be used is refused with what is wrong and how to mend it; no account is made."""
    answer = visitor.send("signup", username=name, password=password)

    assert answer.status_code == 400
    assert words in answer.text
    assert "<script>alert" not in answer.text
    assert not visitor.is_logged_in
    assert log_in(hub, name or "x", password).status_code == 403


def test_taken_name_is_refused(hub: RealHub, visitor: Visitor) -> None:
    """A name can be had once; the first one's password stays."""
    visitor.send("signup", username="taken", password=PASSWORD)
    second = hub.visitor()
    answer = second.send("signup", username="TAKEN", password="another-good-password")

    assert (answer.status_code, "This name is taken." in answer.text) == (409, True)
    assert not second.is_logged_in
    second.close()
    assert log_in(hub, "taken", PASSWORD).status_code == 302


def test_users_who_came_another_way_are_not_taken_over(hub: RealHub, visitor: Visitor) -> None:
    """A user whom an admin made cannot be signed up for by the first who types the name."""
    assert hub.ask("POST", "users/made-by-admin").status_code == 201

    answer = visitor.send("signup", username="made-by-admin", password=PASSWORD)

    assert answer.status_code == 409
    assert not visitor.is_logged_in


def test_deleted_user_cannot_log_in(hub: RealHub, visitor: Visitor) -> None:
    """When an admin deletes a user, nobody logs in or signs up by that name: their results stay.

    An admin who sets a password makes it somebody's again.
    """
    visitor.send("signup", username="leaving", password=PASSWORD)
    assert hub.ask("DELETE", "users/leaving").status_code == 204

    assert log_in(hub, "leaving", PASSWORD).status_code == 403
    assert log_in(hub, "leaving", "of nobody").status_code == 403
    fresh = hub.visitor()
    assert fresh.send("signup", username="leaving", password=PASSWORD).status_code == 409
    fresh.close()
    accounts = Accounts(accounts_url({"HEXHUB_STATE": str(hub.log.parent)}))
    assert accounts.set_password("leaving", PASSWORD)
    accounts.close()
    assert log_in(hub, "leaving", PASSWORD).status_code == 302


def test_forms_of_other_sites_are_refused(hub: RealHub) -> None:
    """A form without our XSRF token neither signs up nor logs in."""
    fresh = hub.visitor()
    for page in ("signup", "login"):
        answer = fresh.client.post(
            f"/hub/{page}", data={"username": "forged", "password": PASSWORD}
        )
        assert answer.status_code == 403
    assert not fresh.is_logged_in
    fresh.close()


def test_passwords_are_not_stored(hub: RealHub, visitor: Visitor) -> None:
    """On disk is an Argon2id hash, in a file for its owner alone; the log has no password."""
    visitor.send("signup", username="hashed", password=PASSWORD)
    file = hub.log.parent / "accounts.sqlite"
    connection = sqlite3.connect(file)
    (stored,) = connection.execute(
        "SELECT password_hash FROM account WHERE name = 'hashed'"
    ).fetchone()
    connection.close()

    assert stored.startswith("$argon2id$")
    assert file.stat().st_mode & 0o077 == 0
    assert PASSWORD not in hub.log.read_text()


def test_pages_of_jupyterhub_look_like_ours(hub: RealHub, visitor: Visitor) -> None:
    """Log-in, sign-up, errors and a failed machine have our name, style and way back."""
    pages = [visitor.get("/hub/login"), visitor.get("/hub/signup"), visitor.get("/hub/nowhere")]
    visitor.send("signup", username="looking", password=PASSWORD)
    pages += [visitor.get("/hub/home")]
    pages.append(visitor.client.get("/user/looking/some-lesson/lab", follow_redirects=True))

    for page in pages:
        assert "<title>HexHub</title>" in page.text, page.url
        assert "--accent:" in page.text
        assert "JupyterHub requires" not in page.text
    assert pages[2].status_code == 404
    assert "There is no such page." in pages[2].text
    assert "This machine is stopped" in pages[4].text


def test_failed_machine_says_why_on_jupyterhubs_page_too(hub: RealHub, visitor: Visitor) -> None:
    """Who starts a machine from JupyterHub's own page reads the spawner's sentence there."""
    visitor.send("signup", username="unlucky", password=PASSWORD)

    page = visitor.client.get("/hub/spawn/unlucky/some-lesson", follow_redirects=True)

    assert "Docker is not running on this computer." in page.text
    assert "/services/hexhub/" in page.text


def test_admin_pages_are_there(hub: RealHub, visitor: Visitor) -> None:
    """JupyterHub's own page of tokens keeps working in our frame."""
    visitor.send("signup", username="token-maker", password=PASSWORD)

    page = visitor.get("/hub/token")

    assert page.status_code == 200
    assert "--accent:" in page.text


def test_closed_sign_up_says_so(tmp_path: Path) -> None:
    """Where sign-up is closed, the page says whom to ask and the form does nothing."""
    hub = RealHub(tmp_path / "closed", open_signup=False)
    try:
        visitor = hub.visitor()
        page = visitor.get("/hub/signup")
        login = visitor.get("/hub/login")
        token = login.text.partition('name="_xsrf" value="')[2].partition('"')[0]
        answer = visitor.client.post(
            "/hub/signup", data={"_xsrf": token, "username": "ada", "password": PASSWORD}
        )
        visitor.close()
    finally:
        hub.stop()

    assert (page.status_code, answer.status_code) == (403, 403)
    assert "Ask whoever runs this HexHub" in page.text
    assert "<form" not in page.text
    assert "Sign up" not in login.text
