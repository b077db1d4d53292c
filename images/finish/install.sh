#!/bin/sh
# The last layer of every shipped image: HexHub's own wheels, from the build context into the two
# virtual environments; `lesson` where every shell finds it; the context's copy is removed.
set -eu
cd /tmp/hexhub
/opt/check/bin/pip install --no-cache-dir --no-deps --no-index hexhub_check-*.whl
/opt/hexhub/bin/pip install --no-cache-dir --no-deps --no-index hexhub_lesson-*.whl
/opt/hexhub/bin/python -I -m hexhub_lesson.import_pack
install -m 755 /opt/hexhub/share/hexhub/lesson /usr/local/bin/lesson
if ! grep -q hexhub.sh /etc/bash.bashrc; then
    echo '[ -r /opt/hexhub/etc/hexhub/hexhub.sh ] && . /opt/hexhub/etc/hexhub/hexhub.sh' >>/etc/bash.bashrc
fi
# Debian reads the completion of commands twice, in a log-in shell's profile and in the home's .bashrc;
# here once, after the greeting, in every interactive shell.
if ! grep -q '^[^#]*bash_completion' /etc/bash.bashrc; then
    cat >>/etc/bash.bashrc <<'END'
if ! shopt -oq posix && [ -z "${BASH_COMPLETION_VERSINFO-}" ] && [ -r /usr/share/bash-completion/bash_completion ]; then
    . /usr/share/bash-completion/bash_completion
fi
END
fi
for file in /etc/skel/.bashrc /home/student/.bashrc; do
    sed -i '/^# enable programmable completion features/,/^fi$/d' "$file"
done
install -D -m 644 -t /usr/local/share/zsh/site-functions /opt/hexhub/share/zsh/site-functions/_lesson
if ! grep -q hexhub.zsh /etc/zsh/zshrc; then
    echo '[ -r /opt/hexhub/etc/hexhub/hexhub.zsh ] && . /opt/hexhub/etc/hexhub/hexhub.zsh' >>/etc/zsh/zshrc
fi
# A home without any file of zsh is met with a questionnaire.
for home in /root:root /home/student:student; do
    [ -e "${home%:*}/.zshrc" ] || install -m 644 -o "${home#*:}" -g "${home#*:}" /dev/null "${home%:*}/.zshrc"
done
cd / && rm -rf /tmp/hexhub
