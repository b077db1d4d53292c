"""Who an event is about, without saying who: a keyed pseudonym of the user name.

Design choices: HMAC, not a plain hash: user names are few and guessable, so that a plain hash can
be turned back by trying them all. The key stays on this computer. With the key the operator can
say which pseudonym a student has; whoever has only the events cannot.
"""

import hashlib
import hmac

_LENGTH = 20


def make_pseudonym(key: bytes, user: str) -> str:
    """Give 20 hex digits that are always the same for one user and one key."""
    return hmac.new(key, user.encode(), hashlib.sha256).hexdigest()[:_LENGTH]
