"""``python -I -m hexhub_check``: the entry point of a check's container."""

import sys

from hexhub_check.harness import main

sys.exit(main(sys.argv[1:]))
