"""The servers that are measured: how each is configured, started, accounted for and stopped.

A server is one entry in PEERS (or httpd and floor, which `run` adds): a name, the program that
must be installed, and a function that writes a configuration and returns the command line. Each
runs in the foreground as a child of this process, in a directory of its own, so that stopping it
is a signal to one pid and its whole tree is known.

Every peer is configured as somebody would who wants it fast for static files: as many workers as
it recommends for the cores there are, no limit on requests per connection, sendfile where it has
it, and the access log on and buffered wherever the server can buffer it.
"""

import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import time

CORES = os.cpu_count() or 1
OPEN_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
ROOT_USER = os.geteuid() == 0


class Server:
    """One server under measurement. `command(self)` writes what it needs and returns argv."""

    def __init__(self, name, program, command, package=None, logs=True, uploads=False):
        self.name = name
        self.program = program
        self.command = command
        self.package = package
        self.logs = logs
        self.uploads = uploads
        self.process = None
        self.port = None
        self.start_ms = None

    def available(self):
        return shutil.which(self.program) is not None

    def log_path(self):
        return os.path.join(self.dir, "access.log")

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def start(self, run_dir, docroot):
        """Start it and wait until it answers a request; start_ms is how long that took."""
        self.run_dir = run_dir
        self.dir = os.path.join(run_dir, self.name)
        self.docroot = docroot
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        if ROOT_USER:
            os.chmod(self.dir, 0o777)  # Apache's children are not root and write here
        self.port = free_port()
        argv = self.command(self)
        self.output = open(os.path.join(self.dir, "output"), "wb")
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            cwd=self.dir,
            preexec_fn=prepare_child,
        )
        began = time.monotonic()  # Popen returns when the program has just been executed
        while time.monotonic() - began < 10:
            if self.process.poll() is not None:
                break
            if answers(self.port):
                self.start_ms = (time.monotonic() - began) * 1000
                return True
            time.sleep(0.0002)
        self.stop()
        return False

    def why_not(self):
        """The last thing it said, for a server that did not start."""
        with open(os.path.join(self.dir, "output"), encoding="utf-8", errors="replace") as said:
            lines = [line.strip() for line in said if line.strip()]
        return lines[-1] if lines else "it does not answer"

    def stop(self):
        if self.process is None:
            return
        family = tree(self.process.pid)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        # A child that outlives its parent is still one that this process started.
        for pid, born in family.items():
            if birth(pid) == born and pid != self.process.pid:
                end(pid, signal.SIGTERM)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None
        self.output.close()

    def usage(self):
        """(CPU seconds, context switches, resident bytes) of the whole process tree so far."""
        return Usage(self.process.pid)

    def keep_to(self, cores):
        """Let every thread of the tree run on these cores only."""
        for member in tree(self.process.pid):
            for tid in os.listdir(f"/proc/{member}/task"):
                os.sched_setaffinity(int(tid), cores)

    def forget_log(self):
        """Empty the access log: at a hundred thousand lines a second it would fill the disk."""
        if os.path.exists(self.log_path()):
            os.truncate(self.log_path(), 0)


class Usage:
    """What a process tree has used, by pid, so that a difference notices who came and went."""

    def __init__(self, pid):
        self.cpu = {}
        self.switches = {}
        self.resident = 0
        for member in tree(pid):
            try:
                self.cpu[member] = cpu_seconds(member)
                self.switches.update(switches(member))
                self.resident += resident_bytes(member)
            except OSError:
                continue

    def since(self, before):
        cpu = sum(value - before.cpu.get(pid, 0.0) for pid, value in self.cpu.items())
        turns = sum(value - before.switches.get(tid, 0) for tid, value in self.switches.items())
        lost = len(set(before.cpu) - set(self.cpu))
        return cpu, turns, lost


def cpu_seconds(pid):
    """CPU time of a process from the scheduler's own nanosecond account: all of its threads, also
    those that have ended. This is what clock_getcpuclockid(3) would answer: the inverted pid,
    shifted, with CPUCLOCK_SCHED (2). /proc/PID/schedstat has the first thread only, and
    /proc/PID/stat counts in hundredths of a second."""
    return time.clock_gettime((~pid << 3) | 2)


def switches(pid):
    """Voluntary and involuntary context switches of each living thread."""
    found = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/status", encoding="ascii", errors="replace") as status:
            found[tid] = sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
    return found


def machine_busy():
    """CPU seconds that anybody has used on this machine, and that the hypervisor took away."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    """Resident memory with shared pages divided among those who share them."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))


def birth(pid):
    """When a process was started, which tells it from a later one of the same pid."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[19]
    except OSError:
        return None


def tree(pid):
    """{pid: birth} of a process and all of its descendants."""
    found = {}
    waiting = [pid]
    while waiting:
        member = waiting.pop()
        found[member] = birth(member)
        try:
            for tid in os.listdir(f"/proc/{member}/task"):
                with open(f"/proc/{member}/task/{tid}/children", encoding="ascii") as children:
                    waiting.extend(int(child) for child in children.read().split())
        except OSError:
            continue
    return found


def end(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def prepare_child():
    """Between fork and exec: all the descriptors allowed, and an end when this process ends, even
    if that is by SIGKILL and nobody is left to clean up."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.sendall(b"GET /1k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return client.recv(12).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def httpd(arguments):
    """Our own server, or another build of it, as (program, further options)."""

    def command(server):
        return [server.program, "-p", str(server.port), "-r", server.docroot,
                "-l", server.log_path(), *arguments]

    return command


def floor(server):
    return [server.program, str(server.port), server.docroot]


def nginx(cache=False, by_size=False):
    """Plain; with open_file_cache; and with each path sent in the way that measured best for its
    size here: small files copied into one write with their head, large ones by sendfile without
    TCP_CORK around it."""

    def command(server):
        opened = "open_file_cache max=20000 inactive=60s; open_file_cache_valid 60s;"
        small = "location = /1k { sendfile off; } location /many/ { sendfile off; }"
        path = server.write("nginx.conf", f"""
daemon off;
{"user root root;" if ROOT_USER else ""}
worker_processes auto;
worker_rlimit_nofile {OPEN_FILES};
pid {server.dir}/pid;
error_log {server.dir}/error.log;
events {{ worker_connections 16384; }}
http {{
    access_log {server.log_path()} combined buffer=64k flush=1s;
    types {{ text/plain txt; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush {"off" if by_size else "on"};
    keepalive_requests 1000000000;
    keepalive_timeout 75s;
    client_max_body_size 0;
    client_body_temp_path {server.docroot}/put/.nginx;
    proxy_temp_path {server.dir}/proxy;
    fastcgi_temp_path {server.dir}/fastcgi;
    uwsgi_temp_path {server.dir}/uwsgi;
    scgi_temp_path {server.dir}/scgi;
    {opened if cache else ""}
    server {{
        listen 127.0.0.1:{server.port} backlog=4096 reuseport;
        root {server.docroot};
        location /put/ {{ dav_methods PUT; }}
        {small if by_size else ""}
    }}
}}
""")
        return ["nginx", "-p", server.dir, "-e", f"{server.dir}/error.log", "-c", path]

    return command


def lighttpd(server):
    modules = '"mod_accesslog"'
    webdav = ""
    if os.path.exists("/usr/lib/lighttpd/mod_webdav.so"):
        modules += ', "mod_webdav"'
        webdav = '$HTTP["url"] =~ "^/put/" { webdav.activate = "enable" }'
    path = server.write("lighttpd.conf", f"""
server.modules = ({modules})
server.bind = "127.0.0.1"
server.port = {server.port}
server.document-root = "{server.docroot}"
server.errorlog = "{server.dir}/error.log"
server.upload-dirs = ("{server.docroot}/put")
server.max-fds = 16384
server.max-connections = 16000
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 75
server.listen-backlog = 4096
server.stat-cache-engine = "inotify"
accesslog.filename = "{server.log_path()}"
mimetype.assign = (".txt" => "text/plain", "" => "application/octet-stream")
{webdav}
""")
    return ["lighttpd", "-D", "-f", path]


def h2o(server):
    path = server.write("h2o.conf", f"""
{"user: root" if ROOT_USER else ""}
num-threads: {CORES}
max-connections: 16384
http1-request-timeout: 75
limit-request-body: 1073741824
access-log: {server.log_path()}
error-log: {server.dir}/error.log
pid-file: {server.dir}/pid
hosts:
  "default":
    listen:
      host: 127.0.0.1
      port: {server.port}
    paths:
      "/":
        file.dir: {server.docroot}
""")
    return ["h2o", "-m", "worker", "-c", path]


def apache(server):
    modules = "/usr/lib/apache2/modules"
    path = server.write("apache.conf", f"""
ServerRoot {server.dir}
ServerName localhost
Listen 127.0.0.1:{server.port}
ListenBacklog 4096
PidFile {server.dir}/pid
ErrorLog {server.dir}/error.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dav_module {modules}/mod_dav.so
LoadModule dav_fs_module {modules}/mod_dav_fs.so
{"User www-data" if ROOT_USER else ""}
{"Group www-data" if ROOT_USER else ""}
StartServers {CORES}
ServerLimit {CORES}
ThreadsPerChild 64
ThreadLimit 64
MaxRequestWorkers {CORES * 64}
MinSpareThreads 1
MaxSpareThreads {CORES * 64}
MaxConnectionsPerChild 0
AsyncRequestWorkerFactor 100
KeepAlive On
KeepAliveTimeout 75
MaxKeepAliveRequests 0
EnableSendfile On
DocumentRoot {server.docroot}
BufferedLogs On
DavLockDB {server.dir}/locks
LimitRequestBody 0
<Directory {server.docroot}>
    AllowOverride None
    Options FollowSymLinks
    Require all granted
</Directory>
<Directory {server.docroot}/put>
    Dav On
</Directory>
LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog {server.log_path()} combined
""")
    return ["apache2", "-DFOREGROUND", "-f", path]


def caddy(server):
    path = server.write("Caddyfile", f"""
{{
    admin off
    auto_https off
    storage file_system {server.dir}/storage
    log {{
        output file {server.dir}/error.log
        exclude http.log.access
    }}
}}
http://127.0.0.1:{server.port}, http://localhost:{server.port} {{
    bind 127.0.0.1
    root * {server.docroot}
    file_server
    log {{
        output file {server.log_path()} {{
            roll_disabled
        }}
    }}
}}
""")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", path]


PEERS = [
    Server("nginx", "nginx", nginx(), "nginx", uploads=True),
    Server("nginx+cache", "nginx", nginx(cache=True), "nginx"),
    Server("nginx+tuned", "nginx", nginx(cache=True, by_size=True), "nginx"),
    Server("lighttpd", "lighttpd", lighttpd, "lighttpd lighttpd-mod-webdav", uploads=True),
    Server("h2o", "h2o", h2o, "h2o"),
    Server("apache", "apache2", apache, "apache2", uploads=True),
    Server("caddy", "caddy", caddy, "caddy"),
]
