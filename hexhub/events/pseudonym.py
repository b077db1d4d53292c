"""Who an event is about, without saying who: a keyed pseudonym of the user name.

Design choices: HMAC, not a plain hash: user names are few and guessable, so that a plain hash can
be turned back by trying them all. The key stays on this computer. With the key the operator can
say which pseudonym a student has; whoever has only the events cannot.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

_LENGTH = 20


def make_pseudonym(key: bytes, user: str) -> str:
    """Give 20 hex digits that are always the same for one user and one key."""
    return hmac.new(key, user.encode(), hashlib.sha256).hexdigest()[:_LENGTH]


def read_or_make_key(path: Path) -> bytes:
    """Give the key in a file, making it (readable by the owner alone) where it is not there.

    Processes that do so at once all get the same key.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".key-", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike rename, link fails where somebody else was first.
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
    return bytes.fromhex(path.read_text(encoding="ascii").strip())
