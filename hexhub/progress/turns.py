"""Whose attempt is next: the queries.

Next is the one of the lowest turn, and of those the oldest. The turn of an attempt
is how many checks of its student run or began in the last minute, plus how many of theirs wait
before it. So everybody's first comes before anybody's second, and who presses a hundred times
waits for themselves only. Weighed were: oldest first (a hundred presses are a hundred checks of
delay for everybody), least recently served first (whoever was served once waits behind all who
come later, for ever), and fewest running first, oldest then (with one slot nothing runs when the
next is chosen, so that this is oldest first again). Nobody waits for ever: what began longer than a
minute ago counts no more, checks end, and then only older attempts are before one's own.

One student never has all slots of a worker that has several: turns decide who is next, and whoever
comes when all slots are taken would wait for a check to end, however long that is. So one slot is
left to others, and stays free where there are none.

A lease or a pause that ends absurdly late was made before the clock stepped back, and counts as
over.

Each query is built once, with the times as parameters (:func:`times`): to put it together takes
SQLAlchemy three times as long as the database takes to answer, and a worker asks for each attempt.
"""

from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)

from hexhub.progress.model import AttemptState
from hexhub.progress.tables import AttemptRow, UtcDateTime

MAX_LEASE_S = 300.0
"""The longest lease; one that ends later than twice this was made by a clock that stepped back."""
MAX_DELAY_S = 60.0
"""The longest pause before another try."""
SHARE_S = 60.0
"""How long a check counts against the turn of its student's next ones, from its beginning."""

_NOW = bindparam("now", type_=UtcDateTime())
_ABSURD_PAUSE = bindparam("absurd_pause", type_=UtcDateTime())
_ABSURD_LEASE = bindparam("absurd_lease", type_=UtcDateTime())
_SHARE_FROM = bindparam("share_from", type_=UtcDateTime())
_SHARE_TO = bindparam("share_to", type_=UtcDateTime())


def times(now: datetime) -> dict[str, datetime]:
    """Give the parameters of the queries at a time: aware UTC."""
    share = timedelta(seconds=SHARE_S)
    return {
        "now": now,
        "absurd_pause": now + timedelta(seconds=2 * MAX_DELAY_S),
        "absurd_lease": now + timedelta(seconds=2 * MAX_LEASE_S),
        "share_from": now - share,
        "share_to": now + share,
    }


@cache
def any_query(is_bounded: bool) -> Select[int]:
    """Tell whether there is an attempt that may be taken.

    Args:
        is_bounded: ``most_of_one`` says how many of one student ``worker`` may hold.
    """
    free = and_(_is_free(), _has_room(is_bounded))
    return select(AttemptRow.sequence).where(free).limit(1)


@cache
def next_query(is_bounded: bool) -> Select[AttemptRow]:
    """Give the attempt to take, and lock it; arguments as of :func:`any_query`."""
    turns = _turns(_is_free())
    return (
        select(AttemptRow)
        .join(turns, turns.c.sequence == AttemptRow.sequence)
        # Said of this row too: PostgreSQL looks at it once more when it has the lock, and would
        # take what somebody else has taken since the turns were made.
        .where(_is_free(), _has_room(is_bounded))
        .order_by(turns.c.turn, AttemptRow.sequence)
        .limit(1)
        .with_for_update(of=AttemptRow, skip_locked=True)
    )


@cache
def place_query() -> Select[int]:
    """Give the place that the attempt ``sequence`` has among those that wait."""
    sequence = bindparam("sequence", type_=BigInteger())
    turns = _turns(or_(_is_free(), AttemptRow.sequence == sequence))
    places = select(
        turns.c.sequence,
        func.row_number().over(order_by=(turns.c.turn, turns.c.sequence)).label("place"),
    ).subquery()
    return select(places.c.place).where(places.c.sequence == sequence)


def _is_free() -> ColumnElement[bool]:
    """Say which attempts may be taken."""
    return and_(
        is_open(),
        or_(
            and_(
                AttemptRow.state == AttemptState.QUEUED,
                or_(
                    AttemptRow.not_before.is_(None),
                    AttemptRow.not_before <= _NOW,
                    AttemptRow.not_before > _ABSURD_PAUSE,
                ),
            ),
            and_(AttemptRow.state == AttemptState.RUNNING, not_(_is_held())),
        ),
    )


def is_open() -> ColumnElement[bool]:
    """Say the condition of the index ``ix_attempt_queue`` in its own words.

    SQLite uses a partial index only where the query says the same, without a parameter; without
    it each look for work would read all attempts that ever were.
    """
    return AttemptRow.state != literal_column(f"'{AttemptState.DONE}'")


def _is_held() -> ColumnElement[bool]:
    """Say which running attempts are a live worker's."""
    return and_(AttemptRow.leased_until > _NOW, AttemptRow.leased_until <= _ABSURD_LEASE)


def _has_room(is_bounded: bool) -> ColumnElement[bool]:
    """Say whose attempts a worker may take: not those of whom it holds as many as it may."""
    if not is_bounded:
        return true()
    full = (
        select(AttemptRow.user_name)
        .where(
            is_open(),
            AttemptRow.state == AttemptState.RUNNING,
            AttemptRow.worker == bindparam("worker", type_=String()),
            _is_held(),
        )
        .group_by(AttemptRow.user_name)
        .having(func.count() >= bindparam("most_of_one", type_=Integer()))
    )
    return AttemptRow.user_name.not_in(full)


def _turns(is_waiting: ColumnElement[bool]) -> Subquery:
    """Give the turn of each attempt that waits: columns ``sequence`` and ``turn``, from 0.

    Args:
        is_waiting: Which attempts wait.
    """
    users = select(AttemptRow.user_name).where(is_open(), is_waiting)
    served = union_all(
        select(AttemptRow.user_name).where(
            is_open(), AttemptRow.state == AttemptState.RUNNING, _is_held()
        ),
        select(AttemptRow.user_name).where(
            AttemptRow.user_name.in_(users),
            AttemptRow.state == AttemptState.DONE,
            AttemptRow.started_at > _SHARE_FROM,
            # What began in the future began before the clock stepped back.
            AttemptRow.started_at <= _SHARE_TO,
        ),
    ).subquery()
    shares = (
        select(served.c.user_name, func.count().label("number"))
        .group_by(served.c.user_name)
        .subquery()
    )
    waiting = (
        select(
            AttemptRow.sequence,
            AttemptRow.user_name,
            func.row_number()
            .over(partition_by=AttemptRow.user_name, order_by=AttemptRow.sequence)
            .label("number"),
        )
        .where(is_open(), is_waiting)
        .subquery()
    )
    turn = waiting.c.number - 1 + func.coalesce(shares.c.number, 0)
    return (
        select(waiting.c.sequence, turn.label("turn"))
        .outerjoin(shares, shares.c.user_name == waiting.c.user_name)
        .subquery()
    )
