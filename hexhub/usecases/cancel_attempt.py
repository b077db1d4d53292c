"""A student does not want a check any more."""

from hexhub.errors import AttemptNotFound
from hexhub.names import UserName
from hexhub.progress.model import Attempt
from hexhub.progress.store import Store


def cancel_attempt(store: Store, user: UserName, attempt_id: str) -> Attempt:
    """End an attempt of this student that waits or runs; it counts for nothing.

    One that is done stays as it is: a verdict that was faster is not thrown away.

    Raises:
        AttemptNotFound: There is none of that id, or it is somebody else's.
        StoreError: The database refuses.
    """
    if store.attempt(attempt_id).place.user != user:
        raise AttemptNotFound(f"No attempt '{attempt_id}'. Press Check to make a new one.")
    return store.cancel(attempt_id)
