"""The page on which a student sees what is recorded about them."""

from hexhub.errors import RequestInvalid
from hexhub.events.model import REPORTED, Event, EventName
from hexhub.progress.reports import Reports
from hexhub.service.pages.handlers import PageHandler
from hexhub.service.pages.text import say

EVENTS_ON_A_PAGE = 100
_NOT_DETAILS = frozenset({"user", "course", "lesson", "version", "server"})


class RecordedPage(PageHandler):
    """All events about the person who looks, newest first, and nobody else's."""

    async def get(self) -> None:
        """Show what is recorded.

        Raises:
            RequestInvalid: ``before`` is not the number of an event.
        """
        before = self.get_query_argument("before", "")
        if before and not (before.isascii() and before.isdecimal() and len(before) <= 18):
            raise RequestInvalid("Argument 'before' is not a number.")
        reports, user = Reports(self.context.store), self.identity.user
        events = await self.run(
            reports.recorded, user, EVENTS_ON_A_PAGE + 1, int(before) if before else None
        )
        counts = await self.run(reports.counts, user)
        refused = await self.run(reports.refused, user)
        courses = await self.run(self.context.courses_for, self.identity)
        shown = events[:EVENTS_ON_A_PAGE]
        self.show(
            "recorded.html",
            own=[
                self._kind(name, counts.get(name, 0)) for name in EventName if not _is_claim(name)
            ],
            claims=[self._kind(name, counts.get(name, 0)) for name in EventName if _is_claim(name)],
            kept_days=self.context.settings.reported_days,
            refused=[
                {"problem": say(self.locale_name, f"refused.{row.problem}"), "count": row.count}
                for row in refused
            ],
            with_text=[
                f"{course.title.in_locale(locale)}: {lesson.title.in_locale(locale)}"
                for course in courses
                for locale in [self.course_locale(course)]
                for lesson in course.lessons
                if lesson.records_commands
            ],
            events=[self._event(event) for event in shown],
            older=f"?before={shown[-1].sequence}" if len(events) > EVENTS_ON_A_PAGE else None,
        )

    def _kind(self, name: EventName, count: int) -> dict[str, object]:
        return {"what": say(self.locale_name, f"event.{name.value}"), "count": count}

    def _event(self, event: Event) -> dict[str, object]:
        where = (str(event.data[key]) for key in ("course", "lesson") if key in event.data)
        details = (
            f"{key}: {', '.join(value) if isinstance(value, list) else value}"
            for key, value in event.data.items()
            if key not in _NOT_DETAILS and value != ""
        )
        return {
            "at": event.at.strftime("%Y-%m-%d %H:%M:%S"),
            "at_iso": event.at.isoformat(),
            "what": say(self.locale_name, f"event.{event.name.value}"),
            "is_claim": event.is_reported,
            "where": " / ".join(where),
            "details": "; ".join(details),
        }


def _is_claim(name: EventName) -> bool:
    return name in REPORTED
