"""What every request of the web service needs, in one value; made once for each process."""

import asyncio
import hmac
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

from jupyterhub.services.auth import HubOAuth

from hexhub.archives import Archive, Archives
from hexhub.catalog.model import Course, Lesson, Locale, Show
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import CourseError, CourseNotFound, TooManyRequests
from hexhub.events.reports import RateLimit
from hexhub.hub_api import HubApi
from hexhub.names import UserName, machine_name
from hexhub.progress.model import Attempt, AttemptState, Place
from hexhub.progress.store import Store
from hexhub.service.identity import Identity
from hexhub.service.wire import Json, LessonView, attempt_json, show_of
from hexhub.settings import Settings

MAX_REQUESTS_OF_ONE = 24
"""Requests that one person may have under way: tabs wait for attempts, but not hundreds of them."""
IDENTITY_AGE_S = 30
"""How long JupyterHub's word on a token is believed; so long a lost group still opens a course."""
_THREADS = 16
REPORTS_AT_ONCE = 600
"""Events that a student's machines may report in one go, as after an hour without the hub."""
REPORTS_PER_S = 0.5
"""Events that they may report in the long run: 30 in a minute, which nobody at work exceeds."""

P = ParamSpec("P")
T = TypeVar("T")


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="store")


@dataclass
class ServiceContext:
    """What every request needs.

    Attributes:
        auth: JupyterHub's log-in for services.
        threads: Where the store and the catalog, which wait for disks, are asked.
        under_way: User → requests that are being answered.
        reports: How much each student's machines may report.
    """

    settings: Settings
    catalog: PublishedCatalog
    store: Store
    hub: HubApi
    auth: HubOAuth
    archives: Archives
    threads: ThreadPoolExecutor = field(default_factory=_threads)
    under_way: Counter[UserName] = field(default_factory=Counter)
    reports: RateLimit = field(
        default_factory=lambda: RateLimit(REPORTS_AT_ONCE, REPORTS_PER_S, time.monotonic)
    )

    @classmethod
    def from_settings(cls, settings: Settings) -> "ServiceContext":
        """Open the store and make the clients of JupyterHub."""
        store = Store(settings.database_url)
        store.migrate()
        return cls(
            settings=settings,
            catalog=PublishedCatalog(settings.published),
            store=store,
            hub=HubApi(settings.hub_api_url, settings.api_token, base_url=base_url(settings)),
            auth=make_auth(settings),
            archives=Archives(settings.archives),
        )

    @property
    def prefix(self) -> str:
        """URL path of the service, with both slashes."""
        return self.settings.service_prefix

    @property
    def link_prefix(self) -> str:
        """Prefix of links in a machine's pages: a path, or a whole URL with subdomains."""
        return f"{self.settings.subdomain_host}{self.prefix}"

    async def close(self) -> None:
        """Let go of everything."""
        await self.hub.close()
        self.threads.shutdown(wait=True)
        self.store.close()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something that waits for a disk, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, partial(function, *args, **kwargs))

    def enter(self, user: UserName) -> None:
        """Count a request of a person.

        Raises:
            TooManyRequests: There are too many already.
        """
        if self.under_way[user] >= MAX_REQUESTS_OF_ONE:
            raise TooManyRequests(
                f"{MAX_REQUESTS_OF_ONE} requests of yours are under way. Close some tabs."
            )
        self.under_way[user] += 1

    def leave(self, user: UserName) -> None:
        """End the count of a request."""
        self.under_way[user] -= 1
        if self.under_way[user] <= 0:
            del self.under_way[user]

    # What follows waits for disks: call it through run().

    def archive_of(self, identity: Identity, lesson: Lesson) -> Archive | None:
        """Give the files of this person's old machine of a lesson, or None."""
        name = machine_name(self.settings.hub_id, identity.user, lesson.server_name)
        return self.archives.find(name)

    def courses_for(self, identity: Identity) -> list[Course]:
        """Give the courses that this person may open."""
        return [c for c in self.catalog.courses() if c.opens_for(identity.groups)]

    def course_for(self, identity: Identity, name: str) -> Course:
        """Give a course that this person may open.

        Raises:
            CourseNotFound: It is not published; names only what this person may see.
            AccessDenied: It is not open to this person.
        """
        try:
            course = self.catalog.course(name)
        except CourseNotFound:
            known = [course.name for course in self.courses_for(identity)]
            raise CourseNotFound(name, known) from None
        identity.check_course(course)
        return course

    def lesson_for(self, identity: Identity, course: str, lesson: str) -> tuple[Course, Lesson]:
        """Give a lesson that this identity may work in.

        Raises:
            AccessDenied: The course is not open, or it is the token of another lesson's machine.
            CourseNotFound: The course is not published.
            LessonNotFound: The course has no such lesson.
        """
        found = self.course_for(identity, course)
        there = found.lesson(lesson)
        identity.check_lesson(found, there)
        return found, there

    def lesson_view(self, identity: Identity, course: Course, lesson: Lesson) -> LessonView:
        """Give all that the student sees of a lesson."""
        place = Place(identity.user, course.name, lesson.name)
        last = self.store.last_attempts(place)
        positions = {
            attempt.id: position
            for attempt in last.values()
            if attempt.state is AttemptState.QUEUED
            and (position := self.store.queue_position(attempt.id)) is not None
        }
        finished: dict[str, list[Attempt]] = {}
        for attempt in self.store.attempts(place):
            finished.setdefault(attempt.step, []).append(attempt)
        return LessonView(
            course,
            lesson,
            self.store.progress(place),
            {step.name: finished.get(step.name, []) for step in lesson.steps},
            last,
            positions,
            {attempt.id: self._show_of(attempt) for attempt in last.values()},
        )

    def course_views(self, identity: Identity) -> list[list[LessonView]]:
        """Give every course for this person, as one view for each lesson, without attempts."""
        progress = self.store.progress_of(identity.user)
        return [
            [
                LessonView(course, lesson, progress.get((course.name, lesson.name)))
                for lesson in course.lessons
            ]
            for course in self.courses_for(identity)
        ]

    def attempt_answer(self, attempt: Attempt, locale: Locale) -> Json:
        """Give an attempt as JSON for its student, with what the author shows of it."""
        position = None
        if attempt.state is AttemptState.QUEUED:
            position = self.store.queue_position(attempt.id)
        return attempt_json(attempt, show=self._show_of(attempt), position=position, locale=locale)

    def _show_of(self, attempt: Attempt) -> Show:
        """Tell what is shown: what both the attempt's version and today's allow, else the names.

        An author who has shown too much mends that for old attempts, too; and what was hidden when
        a student was checked is not shown by a later version.
        """
        found: list[Show] = []
        for version in (attempt.version, None):
            try:
                course = self.catalog.course(attempt.place.course, version)
                found.append(show_of(course.lesson(attempt.place.lesson).step(attempt.step)))
            except CourseError:
                continue
        return max(found, key=list(Show).index, default=Show.NAME)


def base_url(settings: Settings) -> str:
    """Give JupyterHub's base URL: what stands before ``services/`` in our own prefix."""
    return settings.service_prefix.removesuffix("/").rsplit("services/", 1)[0] or "/"


def make_auth(settings: Settings) -> HubOAuth:
    """Make JupyterHub's log-in for services from our settings, not from its environment.

    The service is not JupyterHub's child, so that JupyterHub does not fill the environment.
    """
    return HubOAuth(
        api_url=settings.hub_api_url,
        api_token=settings.api_token,
        base_url=settings.service_prefix,
        hub_prefix=f"{base_url(settings)}hub/",
        oauth_client_id="service-hexhub",
        access_scopes={"access:services", "access:services!service=hexhub"},
        cache_max_age=IDENTITY_AGE_S,
        # Else a page of a student's machine could plant a cookie of theirs for our name.
        cookie_host_prefix_enabled=settings.subdomain_host.startswith("https://"),
    )


def cookie_secret(settings: Settings) -> bytes:
    """Give the key that signs our cookies: the same in every copy and after every restart.

    It is made of the service's token, which all copies have and nobody else.
    """
    return hmac.digest(settings.api_token.encode(), b"hexhub web cookies", "sha256")
