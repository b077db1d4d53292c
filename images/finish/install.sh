#!/bin/sh
# The last layer of every shipped image: HexHub's own wheels, from the build context into the two
# virtual environments; `lesson` where every shell finds it; the context's copy is removed.
set -eu
cd /tmp/hexhub
/opt/check/bin/pip install --no-cache-dir --no-deps --no-index hexhub_check-*.whl
/opt/hexhub/bin/pip install --no-cache-dir --no-deps --no-index hexhub_lesson-*.whl
install -m 755 /opt/hexhub/share/hexhub/lesson /usr/local/bin/lesson
if ! grep -q hexhub.sh /etc/bash.bashrc; then
    echo '[ -r /opt/hexhub/etc/hexhub/hexhub.sh ] && . /opt/hexhub/etc/hexhub/hexhub.sh' >>/etc/bash.bashrc
fi
cd / && rm -rf /tmp/hexhub
