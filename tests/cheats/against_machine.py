"""Cheats against checks of machines: lessons ``page`` and ``root-page``, where nginx is to serve.

A student who is root may do more, so that most are tried by root only.
"""

from .cheat import BOTH, Cheat
from .honest_lessons import ANSWER, START_NGINX

_KNOWS_THE_WORD = f"echo {ANSWER} >word.txt\n"
_SETTINGS = """\
sed -i 's/^http {/http { server_tokens off;/' nginx.conf
chmod 600 nginx.conf
"""
_IN_THE_BACKGROUND = """
nohup setsid {command} >/dev/null 2>&1 </dev/null &
"""
_WAIT_FOR_PORT = """
for i in $(seq 100); do
    if (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; then break; fi; sleep 0.1
done
"""
_WRONG_SERVER = r"On port 8080 is "

# Answers as nginx would, from the same files.
_SERVER = """
import http.server, os, socket, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    server_version, sys_version = "nginx", ""
    def __init__(self, *given): super().__init__(*given, directory="site")
    def log_message(self, *given): pass
def serve(listening=None):
    server = http.server.HTTPServer(("127.0.0.1", 8080), Handler, bind_and_activate=not listening)
    if listening: server.socket = listening
    server.serve_forever()
"""


def _server(
    name: str,
    tries: str,
    source: str,
    *,
    met: str = _WRONG_SERVER,
    before: str = "",
    command: str = "python3 server.py",
    users: frozenset[object] = BOTH,
    **more: str,
) -> Cheat:
    """Give a cheat that does all of the task, but with a server of its own."""
    background = _IN_THE_BACKGROUND.format(command=command)
    return Cheat(
        name,
        tries,
        {"server.py": f"{_SERVER}{source}"},
        f"{_KNOWS_THE_WORD}{_SETTINGS}{before}{background}{_WAIT_FOR_PORT}",
        met=met,
        knows_the_word=True,
        users=users,  # type: ignore[arg-type]
        **more,
    )


SERVERS = [
    _server(
        "answers-only-the-probe",
        "Answer just what the check asks for, with a few lines of Python.",
        """
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *given): pass
    def do_GET(self):
        text = {"/": "hello\\n", "/index.html": "hello\\n", "/about.html": "About.\\n"}
        text = text.get(self.path)
        self.send_response(200 if text else 404)
        self.end_headers()
        self.wfile.write((text or "").encode())
serve()
""",
    ),
    _server(
        "renamed-process",
        "Look like nginx in ps and top: name and command line.",
        """
import ctypes
ctypes.CDLL(None).prctl(15, b"nginx", 0, 0, 0)
serve()
""",
        command="bash -c 'exec -a \"nginx: master process nginx\" python3 server.py'",
    ),
    _server(
        "program-of-the-same-name",
        "Run another program from a file that ends in /usr/sbin/nginx.",
        "serve()\n",
        before='mkdir -p usr/sbin && cp "$(readlink -f /usr/bin/python3)" usr/sbin/nginx\n',
        command="env PYTHONHOME=/usr usr/sbin/nginx server.py",
    ),
    _server(
        "replaced-nginx",
        "Put another program into /usr/sbin/nginx, where the real one was.",
        "serve()\n",
        before='cp --remove-destination "$(readlink -f /usr/bin/python3)" /usr/sbin/nginx\n',
        command="env PYTHONHOME=/usr /usr/sbin/nginx server.py",
        met=r"On port 8080 is /usr/sbin/nginx\.",
        users=frozenset({"root"}),
    ),
    _server(
        "nginx-behind-another-program",
        "Put another program into /usr/sbin/nginx, with the real one behind its end.",
        "serve()\n",
        before='cat "$(readlink -f /usr/bin/python3)" /usr/sbin/nginx >/tmp/both\n'
        "chmod 755 /tmp/both\nmv -f /tmp/both /usr/sbin/nginx\n",
        command="env PYTHONHOME=/usr /usr/sbin/nginx server.py",
        met=r"On port 8080 is /usr/sbin/nginx\.",
        users=frozenset({"root"}),
    ),
    _server(
        "lent-socket",
        "Let a real nginx hold the socket, which shows it as the listener, and answer oneself.",
        """
listening = socket.create_server(("127.0.0.1", 8080))
listening.set_inheritable(True)
if os.fork():
    os.execv("/usr/sbin/nginx", ["nginx", "-p", os.getcwd(), "-c", "other.conf", "-e", "error.log"])
os.setsid()
serve(listening)
""",
        before="mkdir -p tmp; (echo 'daemon off;'; sed 's/listen 8080/listen 8081/' nginx.conf) "
        ">other.conf\n",
    ),
    _server(
        "process-that-seems-to-have-ended",
        "Lend the socket, and let the first thread of the answering process end, so that nothing "
        "is to be read of it.",
        """
import ctypes, platform, threading
listening = socket.create_server(("127.0.0.1", 8080))
listening.set_inheritable(True)
if os.fork():
    os.execv("/usr/sbin/nginx", ["nginx", "-p", os.getcwd(), "-c", "other.conf", "-e", "error.log"])
os.setsid()
threading.Thread(target=serve, args=[listening]).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)
""",
        before="mkdir -p tmp; (echo 'daemon off;'; sed 's/listen 8080/listen 8081/' nginx.conf) "
        ">other.conf\n",
    ),
    _server(
        "answers-without-end",
        "Keep the check waiting: one byte of the answer every now and then.",
        """
import time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.wfile.write(b"HTTP/1.1 200 OK\\r\\n")
        while True:
            self.wfile.write(b"X-More: x\\r\\n")
            time.sleep(0.5)
serve()
""",
        met="did not answer within 3 s",
    ),
    _server(
        "answers-gigabytes",
        "Fill the check's memory with an answer that is too long.",
        """
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        while True: self.wfile.write(bytes(1 << 20))
serve()
""",
        met="answers with more than 2000000 bytes",
    ),
    _server(
        "terminal-escapes-and-html",
        "Answer with escapes and scripts, which the author shows.",
        """
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write("\\x1b[2J\\x1b]0;owned\\x07\\u202e<script>alert(1)</script>\\0".encode())
serve()
""",
        met="The page says .*<script>alert",
    ),
    _server(
        "keeps-what-it-is-asked",
        "Write down whatever the check sends, in case that tells what it wants.",
        """
import threading
listening = socket.create_server(("127.0.0.1", 8080))
def keep(connection):
    with open("/tmp/asked", "ab", 0) as file:
        while data := connection.recv(65536): file.write(data)
while True:
    threading.Thread(target=keep, args=[listening.accept()[0]]).start()
""",
        met="did not answer within 3 s",
        leaves="/tmp/asked",
    ),
]

_SPY = """
import ctypes, glob, os, re, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def hunt(data):
    for found in re.findall(rb"(?:canary|riddle)-[0-9a-f]{8}", data):
        with open("/tmp/found", "ab") as file: file.write(found + b"\\n")
        if found.startswith(b"riddle"):
            with open("word.txt", "wb") as file: file.write(found + b"\\n")
def look(path):
    global looked
    looked += 1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError: return
    try: hunt(os.read(descriptor, 1 << 20))
    except OSError: pass
    os.close(descriptor)
looked = 0
while glob.glob("/tmp/.hexhub-*"): time.sleep(0.01)
mine = set(filter(str.isdigit, os.listdir("/proc")))
while True:
    for pid in set(filter(str.isdigit, os.listdir("/proc"))) - mine:
        search(pid) if "search" in globals() else None
        with open("/tmp/looked", "w") as file: file.write(str(looked))
    time.sleep(0.01)
"""


def _spy(name: str, tries: str, search: str, users: frozenset[object] = BOTH) -> Cheat:
    """Give a cheat that does all but the word, and searches new processes for that."""
    source = _SPY.replace("looked = 0\n", f"looked = 0\n{search}\n", 1)
    return Cheat(
        name,
        tries,
        {"spy.py": source},
        f"{START_NGINX}{_IN_THE_BACKGROUND.format(command='python3 spy.py')}",
        met=r"There is no word\.txt",
        leaves="/tmp/looked",
        users=users,  # type: ignore[arg-type]
    )


SPIES = [
    _spy(
        "checks-by-proc",
        "Read the tests through the check's processes while they run beside the machine.",
        """
def search(pid):
    for name in ("environ", "cmdline", "maps", "stack", "auxv", "root/check/checks/test_page.py",
                 "cwd/test_page.py", "root/opt/check/pyvenv.cfg"):
        look(f"/proc/{pid}/{name}")
    for place in (glob.glob(f"/proc/{pid}/fd/*") + glob.glob(f"/proc/{pid}/root/check/*/*")
                  + glob.glob(f"/proc/{pid}/cwd/*") + glob.glob(f"/proc/{pid}/map_files/*")):
        look(place)
""",
    ),
    _spy(
        "memory",
        "Read the memory of the check's processes: by ptrace, process_vm_readv, /proc/PID/mem.",
        """
def search(pid):
    global looked
    looked += 1
    if libc.ptrace(16, int(pid), 0, 0) == 0:
        # It holds still now: it may be one of the machine's own, which have the same files.
        try: theirs = os.readlink(f"/proc/{pid}/ns/mnt")
        except OSError: theirs = ""
        libc.ptrace(17, int(pid), 0, 0)
        if theirs != os.readlink("/proc/self/ns/mnt"): hunt(b"-".join([b"riddle", b"0" * 8]))
    data = ctypes.create_string_buffer(4096)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(data), 4096)
    there = (ctypes.c_void_p * 2)(0x400000, 4096)
    libc.process_vm_readv(int(pid), vector, 1, there, 1, 0)
    hunt(data.raw)
    try:
        memory = open(f"/proc/{pid}/mem", "rb", 0)
        for line in open(f"/proc/{pid}/maps"):
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            memory.seek(start)
            hunt(memory.read(min(end - start, 1 << 24)))
    except (OSError, OverflowError): pass
""",
    ),
    _spy(
        "namespaces",
        "Enter the check's namespaces, or mount what it has mounted.",
        """
import subprocess
def search(pid):
    global looked
    looked += 1
    hunt(subprocess.run(f"nsenter -t {pid} -m -p sh -c 'cat /check/checks/*';"
        f"mkdir -p /tmp/m; mount --bind /proc/{pid}/root /tmp/m && cat /tmp/m/check/checks/*;"
        f"unshare -rm cat /proc/{pid}/root/check/checks/*;"
        f"chroot /proc/{pid}/root cat /check/checks/*",
        shell=True, capture_output=True).stdout)
""",
    ),
    _spy(
        "core-dump",
        "Make the check's processes dump their memory, and read that.",
        """
import resource
def search(pid):
    global looked
    looked += 1
    try: open("/proc/sys/kernel/core_pattern", "w").write("/tmp/core.%p")
    except OSError: pass
    try: resource.prlimit(int(pid), resource.RLIMIT_CORE, (1 << 40, 1 << 40))
    except (OSError, ValueError): pass
    for place in glob.glob("/tmp/core*") + glob.glob("core*"): look(place)
""",
    ),
    _spy(
        "raw-disk",
        "Read the host's disk or memory by a device of its own making.",
        """
import stat
def search(pid):
    for number, (kind, major, minor) in enumerate([(stat.S_IFBLK, 8, 0), (stat.S_IFBLK, 254, 0),
                                                   (stat.S_IFBLK, 259, 0), (stat.S_IFCHR, 1, 1)]):
        try: os.mknod(f"/tmp/device{number}", kind | 0o600, os.makedev(major, minor))
        except OSError: pass
        look(f"/tmp/device{number}")
""",
    ),
]


def _word(name: str, tries: str, script: str, met: str, **more: object) -> Cheat:
    return Cheat(name, tries, script=script, met=met, **more)  # type: ignore[arg-type]


FILES = [
    _word(
        "absolute-link-to-the-tests",
        "Make word.txt a link to the answer as the check's container has it.",
        "ln -s /check/checks/test_page.py word.txt",
        r"There is no word\.txt",
        users=BOTH,
    ),
    _word(
        "link-through-proc",
        "Make word.txt a link that means the reader's own files: /proc/self and what is below.",
        "ln -s /proc/self/cwd/test_page.py word.txt; ln -s /proc/self/environ site/e.html;"
        "ln -s /proc/self/root/check site/c.html",
        r"There is no word\.txt",
    ),
    _word(
        "relative-link",
        "Climb out of the machine by a link with more .. than there are folders.",
        f"ln -s {'../' * 20}proc/1/root/{'../' * 20}check/checks/test_page.py word.txt",
        r"There is no word\.txt",
    ),
    _word(
        "fifo", "Make word.txt a named pipe.", "mkfifo word.txt", "not a regular file but a FIFO"
    ),
    _word(
        "socket",
        "Make word.txt a socket.",
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"word.txt\")'",
        "not a regular file but a socket",
    ),
    _word("device", "Make word.txt endless.", "ln -s /dev/zero word.txt", "but a device"),
    _word(
        "ten-gigabytes",
        "Make word.txt so big that it fills the check's memory.",
        "truncate -s 10G word.txt",
        r"word\.txt is bigger than",
    ),
    _word(
        "a-million-files",
        "Have more files listed than the check has time and memory for.",
        "cd site && seq 10001 | xargs touch",
        "site has more than 10000 entries",
    ),
    _word(
        "line-feed-in-a-name",
        "Serve files whose names end a line of the request, or clear a terminal.",
        f"touch site/$'a b\\nX-Evil: 1\\n' site/$'\\e]0;owned\\a'\n{START_NGINX}",
        "is served wrongly|did not answer in HTTP|There is no",
    ),
    _word(
        "locked-file",
        "Take a lease of word.txt, so that whoever opens it has to wait.",
        f"echo {ANSWER} >/srv/word.txt; ln -s /srv/word.txt word.txt; cat >lease.py <<'EOF'\n"
        "import fcntl, os, signal, time\n"
        "signal.signal(signal.SIGIO, signal.SIG_IGN)\n"
        "fcntl.fcntl(os.open('/srv/word.txt', os.O_WRONLY), fcntl.F_SETLEASE, fcntl.F_WRLCK)\n"
        "open('/tmp/leased', 'w').write('yes')\n"
        "time.sleep(600)\nEOF\n"
        f"{_IN_THE_BACKGROUND.format(command='python3 lease.py')}"
        "for i in $(seq 100); do [ -s /tmp/leased ] && break; sleep 0.1; done",
        r"word\.txt cannot be read",
        leaves="/tmp/leased",
        knows_the_word=True,
    ),
]

# They begin when the script that started them has been tidied away.
_SIGNALS = """
cat >/tmp/signals.sh <<'EOF'
while ls -d /tmp/.hexhub-* >/dev/null 2>&1; do :; done
while :; do for p in /proc/[0-9]*; do
    read -r name <$p/comm || continue
    case $name in {spared}) ;; {hit}) kill -{signal} ${{p#/proc/}} ;; esac
done; done
EOF
nohup setsid bash /tmp/signals.sh >/dev/null 2>&1 </dev/null &
"""
_NEW = {"spared": "tini|sleep|bash", "hit": "*"}
_HARNESS = {"spared": "tini", "hit": "python*|pytest"}
_DISTURBED = r"longer than \d+ s|could not be started|killed from within|made no report|exit code"

SIGNALS = [
    _word(
        f"{word}-{whom}",
        f"{word.capitalize()} {what} while it checks.",
        _SIGNALS.format(signal=signal, **names),
        _DISTURBED,
        stops_the_check=signal == "STOP",
    )
    for word, signal in (("stop", "STOP"), ("kill", "KILL"), ("interrupt", "INT"))
    for whom, what, names in (
        ("what-is-new", "every process that was not there before", _NEW),
        ("the-harness", "the check's Python", _HARNESS),
    )
    if (word, whom) != ("interrupt", "what-is-new")
]
TAMPERING = [
    _word(
        "replaced-programs",
        "Replace the programs that the check might execute, its own Python included.",
        """
printf '#!/usr/bin/perl\\nprint "ok\\n"; exit 0' >/tmp/fake; chmod 755 /tmp/fake
for program in python3 sh bash cat env pytest nginx ps ss curl; do
    cp -f /tmp/fake /usr/local/bin/$program
done
for program in /opt/check/bin/{python,python3,pytest} /usr/bin/{ss,ps,cat,env}; do
    cp -f --remove-destination /tmp/fake "$(readlink -f $program)"
done
""",
        "Nobody listens at",
    ),
    _word(
        "ld-preload",
        "Have a library loaded into every program that starts.",
        """
for place in /etc/environment /etc/profile.d/x.sh ~/.bashrc ~/.profile /root/.pythonrc; do
    echo 'export LD_PRELOAD=/root/evil.so PYTHONPATH=/root PYTHONSTARTUP=/root/x.py' >>$place
done
echo /root/evil.so >/etc/ld.so.preload
""",
        "Nobody listens at",
    ),
    _word(
        "planted-python",
        "Lay conftest.py, pytest.ini, sitecustomize.py and .pth files wherever Python may look.",
        """
for folder in . / /check/checks /check /tmp ~ /opt/check/lib/python3*/site-packages; do
    mkdir -p $folder
    echo 'import os; os._exit(0)' | tee $folder/conftest.py $folder/sitecustomize.py \\
        $folder/usercustomize.py $folder/x.pth $folder/pytest.py >/dev/null
    printf '[pytest]\\naddopts = --collect-only\\n' >$folder/pytest.ini
done
""",
        "Nobody listens at",
    ),
    _word(
        "writes-reports",
        "Write the report, and remove the tests, through /proc of the check's processes.",
        f"""
cat >/tmp/write.sh <<'EOF'
while :; do for p in /proc/[0-9]*; do
    for r in $p/root/check/report*/report.xml $p/root/check/report.xml $p/cwd/report.xml; do
        echo '<testsuite><testcase classname="test_page" name="test_page"/></testsuite>' >$r
    done
    [ $p/root -ef / ] || rm -rf $p/root/check/checks
done; done
EOF
{_IN_THE_BACKGROUND.format(command="bash /tmp/write.sh")}
""",
        "Nobody listens at",
    ),
    _word(
        "answers-for-the-harness",
        "Write the harness's line into every descriptor of every process.",
        f"""
cat >/tmp/write.sh <<'EOF'
while :; do for p in /proc/[0-9]*; do for n in 0 1 2 3 4 5 6; do
    echo '{{"version": 1, "exit_code": 0, "timed_out": false, "report": "<testsuite/>"}}' >$p/fd/$n
done; done; done
EOF
{_IN_THE_BACKGROUND.format(command="bash /tmp/write.sh")}
""",
        "Nobody listens at",
    ),
    _word(
        "takes-descriptors-away",
        "Take the check's right to open files away (prlimit), so that what is there seems gone.",
        f"""
cat >limits.py <<'EOF'
import glob, os, resource
while glob.glob("/tmp/.hexhub-*"): pass
mine = set(filter(str.isdigit, os.listdir("/proc")))
while True:
    for pid in set(filter(str.isdigit, os.listdir("/proc"))) - mine:
        for what, most in ((resource.RLIMIT_NOFILE, 5), (resource.RLIMIT_FSIZE, 0)):
            try:
                resource.prlimit(int(pid), what, (most, most))
                open("/tmp/taken", "w").write("yes")
            except (OSError, ValueError): pass
EOF
{_IN_THE_BACKGROUND.format(command="python3 limits.py")}
""",
        "",
        leaves="/tmp/taken",
    ),
    _word(
        "ends-its-machine",
        "End the machine in the middle of the check, so that there is nothing to find fault with.",
        f"""
cat >/tmp/end.sh <<'EOF'
while ls -d /tmp/.hexhub-* >/dev/null 2>&1; do :; done
while :; do for p in /proc/[0-9]*; do
    read -r name <$p/comm || continue
    case $name in python*|pytest) kill -TERM 1 ;; esac
done; done
EOF
{_IN_THE_BACKGROUND.format(command="bash /tmp/end.sh")}
""",
        "",
        users=BOTH,
        ends_machine=True,
    ),
]

# Those that take longest come first, so that the others run beside them.
CHEATS = [*SIGNALS, *SERVERS, *SPIES, *FILES, *TAMPERING]
