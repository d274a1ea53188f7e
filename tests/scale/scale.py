"""The questions of tests/scale/run, asked of httpd processes that this starts, kills and replaces."""

import concurrent.futures
import base64
import hashlib
import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

DIRECTORY, ONE, TWO = sys.argv[1:4]
HTTPD = os.environ["HTTPD"]
FULL = bool(os.environ.get("FULL"))


def setting(name, short, full):
    return int(os.environ.get(name) or (full if FULL else short))


DOWNLOADS = setting("DOWNLOADS", 20, 200)
UPLOADS = setting("UPLOADS", 20, 200)
ROUNDS = setting("ROUNDS", 100, 1000)
SIZE = setting("SIZE", 16, 16) << 20
ROLLS = setting("ROLLS", 1, 3)
ONLY = os.environ.get("ONLY", "races stale transfers rolling front processes").split()
HERE = os.path.dirname(os.path.abspath(__file__))
ADDRESS = "10.77.0.1"
PLAIN, TLS, NGINX = 8080, 8443, 9443
HOLDS = 1 << 20
STALE_S = 0.1  # as the README says
PATIENCE = 300
number = failures = 0


def ok(good, what, more=""):
    global number, failures
    number += 1
    failures += not good
    print(("ok" if good else "not ok"), number, "-", what, flush=True)
    if not good and more:
        print("#", str(more)[:900], flush=True)


class Replica:
    """One httpd, on one of the mounts."""

    def __init__(self, name, root, port, *options):
        self.command = [HTTPD, "-b", ADDRESS, "-p", str(port), "-r", root, "-t", "8", "--public-writes",
                        "-l", f"{DIRECTORY}/{name}.log", "--proxy-holds", str(HOLDS), *options]
        self.name, self.port, self.process = name, port, None

    def start(self):
        self.errors = open(f"{DIRECTORY}/{self.name}.err", "a")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=self.errors)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as s:
                if s.connect_ex((ADDRESS, self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise SystemExit(f"{self.name} does not start: {open(self.errors.name).read()}")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(40)


def replicas(*options):
    return [Replica(name, root, port, *options)
            for name, root, port in (("one", ONE, 9001), ("two", TWO, 9002), ("three", ONE, 9003))]


def haproxy():
    environment = dict(os.environ, SCALE_PLAIN=f"{ADDRESS}:{PLAIN}", SCALE_TLS=f"{ADDRESS}:{TLS}",
                       SCALE_CERTIFICATE=f"{DIRECTORY}/certificate", SCALE_ONE=f"{ADDRESS}:9001",
                       SCALE_TWO=f"{ADDRESS}:9002", SCALE_THREE=f"{ADDRESS}:9003")
    process = subprocess.Popen(["haproxy", "-db", "-f", f"{HERE}/haproxy.cfg"], env=environment,
                               stdout=subprocess.DEVNULL, stderr=open(f"{DIRECTORY}/haproxy.log", "w"))
    if not wait_for(lambda: ask(PLAIN, "GET", "/.health")[0] == 200):
        raise SystemExit("HAProxy does not serve: " + open(f"{DIRECTORY}/haproxy.log").read())
    return process


def wait_for(condition, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if condition():
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def ask(port, method, path, body=None, fields=(), timeout=60):
    """One request on a connection of its own: status, fields, body."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=timeout)
    try:
        connection.request(method, path, body, dict(fields))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


TROUBLE = (OSError, http.client.HTTPException)


# ---- two replicas, one path -------------------------------------------------------------------------


def both(*calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [f.result() for f in [pool.submit(*c) for c in calls]]


def races():
    one, two = Replica("one", ONE, 9001).start(), Replica("two", TWO, 9002).start()
    a, b = b"a" * 3000, b"b" * 5000
    started = time.monotonic()
    wrong = []
    for i in range(ROUNDS):
        left, right = both((ask, 9001, "PUT", "/race", a), (ask, 9002, "PUT", "/race", b))
        seen = both((ask, 9001, "GET", "/race"), (ask, 9002, "GET", "/race"))
        statuses = sorted((left[0], right[0]))
        # Both may find nothing there, or the second finds the first's.
        if statuses not in ([204, 204], [201, 204], [200, 200], [200, 201]) or seen[0][2] not in (a, b) or \
                seen[0][2] != seen[1][2]:
            wrong.append((i, statuses, len(seen[0][2]), len(seen[1][2])))
    ok(not wrong, f"{ROUNDS} rounds of PUT from two replicas: one of the two, whole, the same on both", wrong[:5])
    wrong = []
    absent = {"If-None-Match": "*"}
    for i in range(ROUNDS):
        path = f"/once{i}"
        left, right = both((ask, 9001, "PUT", path, a, absent), (ask, 9002, "PUT", path, b, absent))
        seen = ask(9001 + i % 2, "GET", path)
        winner = a if left[0] == 201 else b
        if sorted((left[0], right[0])) != [201, 412] or seen[2] != winner:
            wrong.append((i, left[0], right[0], len(seen[2])))
    ok(not wrong, f"{ROUNDS} rounds of If-None-Match: * from two replicas: exactly one 201", wrong[:5])
    wrong = []
    for i in range(ROUNDS):
        path = f"/once{i}"
        whole = ask(9002, "GET", path)[2]
        gone, seen = both((ask, 9001, "DELETE", path), (ask, 9002, "GET", path))
        after = ask(9002, "GET", path)[0]
        right = (seen[0] == 200 and seen[2] == whole) or seen[0] == 404
        if gone[0] != 204 or not right or after != 404:
            wrong.append((i, gone[0], seen[0], len(seen[2]), after))
    ok(not wrong, f"{ROUNDS} rounds of DELETE racing GET: whole or 404, and 404 afterwards", wrong[:5])
    wrong = []
    for i in range(ROUNDS):
        ask(9001, "PUT", "/versions", b"0" * 100)
        tag = ask(9002, "GET", "/versions")[1]["ETag"]
        same = {"If-Match": tag}
        statuses = sorted(x[0] for x in both((ask, 9001, "PUT", "/versions", a, same),
                                             (ask, 9002, "PUT", "/versions", b, same)))
        if statuses not in ([204, 412], [200, 412]):
            wrong.append((i, statuses))
    ok(not wrong, f"{ROUNDS} rounds of If-Match from two replicas: exactly one wins", wrong[:5])
    print(f"# {4 * ROUNDS} rounds in {time.monotonic() - started:.0f} s")
    ids = ask(9001, "GET", "/.uuid")[2].decode().strip()
    ok(ask(9002, "GET", f"/{ids}/versions")[0] == 200, "an id from one replica is known to the other")
    handed_over(ids)
    one.end(), two.end()


def handed_over(client):
    """A holder that is stale, or only slow, on one replica loses its transfer to another."""
    data = os.urandom(1 << 20)
    path = f"/{client}/upload"
    slow = socket.create_connection((ADDRESS, 9001))
    slow.sendall(f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:300000])

    def staged():
        uploads = f"{TWO}/.httpd/uploads"
        return any(os.stat(f"{uploads}/{name}").st_size > 0 for name in os.listdir(uploads))

    def offset():
        return int(ask(9002, "HEAD", path)[1].get("Upload-Offset") or -1)

    # Who asks takes it away from who has it, so something should be there first.
    ok(wait_for(staged) and offset() > 0, "an upload under way on one replica is seen on the other")

    def goes_on():
        at = offset()
        rest = {"Content-Range": f"bytes {at}-{len(data) - 1}/{len(data)}"}
        return at >= 0 and ask(9002, "PUT", path, data[at:], rest)[0] in (200, 201, 204)

    ok(wait_for(goes_on, 30), "the other replica takes it and finishes it")
    ok(ask(9001, "GET", "/upload")[2] == data, "whole")
    try:
        slow.sendall(data[300000:])
    except OSError:
        pass
    slow.settimeout(20)
    try:
        answer = slow.recv(100)
    except OSError:
        answer = b""
    ok(b" 20" not in answer[:13] and ask(9002, "GET", "/upload")[2] == data,
       "the stale holder changes nothing any more", answer)
    slow.close()


# ---- nothing old, beyond a bound --------------------------------------------------------------------


def in_place(text):
    with open(f"{ONE}/fresh", "r+b") as file:
        file.write(text)


def renamed(text):
    with open(f"{ONE}/fresh.new", "wb") as file:
        file.write(text)
    os.rename(f"{ONE}/fresh.new", f"{ONE}/fresh")


def removed_and_made(text):
    os.unlink(f"{ONE}/fresh")
    renamed(text)


def put_elsewhere(text):
    ask(9001, "PUT", "/fresh", text)


def stale():
    """How long one replica still answers what a file was before another host changed it."""
    one, two = Replica("one", ONE, 9001).start(), Replica("two", TWO, 9002, "--public-status").start()
    changes = (put_elsewhere, renamed, in_place, removed_and_made)
    put_elsewhere(b"%08d" % 0)
    kept = http.client.HTTPConnection(ADDRESS, 9002, timeout=20)
    worst, olds, asked = 0.0, 0, 0

    def read():
        kept.request("GET", "/fresh")
        return kept.getresponse().read()

    for i in range(1, max(40, ROUNDS // 4) + 1):
        # Twice, and at rest, so that it is kept in memory wherever it may be.
        read(), time.sleep(0.05), read(), read()
        changes[i % len(changes)](b"%08d" % i)
        done = time.monotonic()
        while time.monotonic() < done + 10:
            start = time.monotonic()
            asked += 1
            if read() == b"%08d" % i:
                break
            olds += 1
            worst = max(worst, start - done)
    print(f"# {asked} answers after a change by another host: {olds} old ones, the last {1000 * worst:.0f} ms after it")
    ok(worst <= STALE_S, f"no answer is old for longer than {STALE_S} s", worst)
    status, _, metrics = ask(9002, "GET", "/.metrics")
    hits = [int(x.split()[1]) for x in metrics.decode().splitlines() if x.startswith('httpd_cache_requests_total{result="hit"}')]
    ok(hits and hits[0] > 20, "though answers came from memory", hits)
    kept.close(), one.end(), two.end()


# ---- transfers that survive their replicas ----------------------------------------------------------


class Hunter(threading.Thread):
    """Kills one replica after the other, and starts it again."""

    def __init__(self, group):
        super().__init__(daemon=True)
        self.group, self.kills, self.ending, self.trouble = group, 0, threading.Event(), None

    def run(self):
        while not self.ending.wait(1.5):
            victim = self.group[self.kills % len(self.group)]
            try:
                victim.end(signal.SIGKILL)
                self.kills += 1
                time.sleep(0.3)
                victim.start()
            except (subprocess.TimeoutExpired, SystemExit) as trouble:
                self.trouble = trouble
                return


def download(name, wanted, slowness, faults):
    """By id, saying nothing of what is there already: the record alone says where to go on."""
    client = None
    have, breaks, restarts, again = bytearray(), 0, 0, []
    until = time.monotonic() + PATIENCE
    while len(have) < len(wanted):
        if time.monotonic() > until or len(faults) > 20:
            faults.append(f"{name}: no end, {len(have)} bytes")
            return 0, 0, []
        connection = http.client.HTTPConnection(ADDRESS, PLAIN, timeout=30)
        try:
            if client is None:
                connection.request("GET", "/.uuid")
                answer = connection.getresponse()
                if answer.status != 200:
                    answer.read()
                    time.sleep(0.1)
                    continue
                client = answer.read().decode().strip()
            connection.request("GET", f"/{client}/{name}")
            answer = connection.getresponse()
            if answer.status != 200:
                answer.read()
                time.sleep(0.1)
                continue
            at = int(answer.headers["Resume-Offset"] or 0)
            if at > len(have):
                faults.append(f"{name}: a gap, offset {at} and {len(have)} bytes are here")
                return breaks, restarts, again
            if have:
                again.append(len(have) - at)
            # A checkpoint comes every 4 MiB; what the proxy and the windows hold is left off.
            restarts += at == 0 and len(have) > (8 << 20)
            while piece := answer.read1(1 << 16):
                have[at:at + len(piece)] = piece
                at += len(piece)
                time.sleep(slowness)
            if len(have) < len(wanted):
                raise http.client.IncompleteRead(b"")
        except TROUBLE:
            breaks += 1
            time.sleep(0.1)
        finally:
            connection.close()
    if bytes(have) != wanted:
        faults.append(f"{name}: other bytes")
    return breaks, restarts, again


def upload(name, wanted, slowness, faults):
    """By tus; what arrived is looked at on both mounts, and removed, since the disk is small."""
    data = hashlib.sha256(name.encode()).digest() + wanted[32:]
    tus = {"Tus-Resumable": "1.0.0"}
    place, breaks, restarts, at, most, again = None, 0, 0, 0, 0, []
    until = time.monotonic() + PATIENCE
    while at < len(data):
        if time.monotonic() > until or len(faults) > 20:
            faults.append(f"{name}: no end, offset {at}")
            return 0, 0, []
        try:
            if place is None:
                meta = "filename " + base64.b64encode(name.encode()).decode()
                status, fields, _ = ask(PLAIN, "POST", "/", b"", {**tus, "Upload-Length": str(len(data)),
                                                                  "Upload-Metadata": meta})
                place = fields["Location"] if status == 201 else None
                continue
            status, fields, _ = ask(PLAIN, "HEAD", place, None, tus)
            if status != 200:
                # The last PATCH may have finished it, and its answer was lost.
                if status in (404, 410) and ask(PLAIN, "GET", "/" + name)[2] == data:
                    break
                time.sleep(0.1)
                continue
            at = int(fields["Upload-Offset"])
            # What lies in buffers between, of which httpd's own socket may have 6 MB, is not there yet.
            restarts += at == 0 and most > (10 << 20)
            if most:
                again.append(max(0, most - at))
            if at == len(data):
                break

            def pieces(start):
                nonlocal most
                for i in range(start, len(data), 1 << 16):
                    yield data[i:i + (1 << 16)]
                    most = max(most, i)
                    time.sleep(slowness)

            connection = http.client.HTTPConnection(ADDRESS, PLAIN, timeout=30)
            try:
                connection.connect()
                # What is in here counts as sent.
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
                connection.request("PATCH", place, pieces(at), {
                    **tus, "Upload-Offset": str(at), "Content-Length": str(len(data) - at),
                    "Content-Type": "application/offset+octet-stream"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 204:
                    at = int(answer.headers["Upload-Offset"])
                else:
                    breaks += 1
                    time.sleep(0.1)
            finally:
                connection.close()
        except TROUBLE:
            breaks += 1
            time.sleep(0.1)
    for mount in (ONE, TWO):
        with open(f"{mount}/{name}", "rb") as file:
            if file.read() != data:
                faults.append(f"{mount}/{name} differs")

    def is_removed():
        return ask(PLAIN, "DELETE", "/" + name)[0] in (204, 404)

    if not wait_for(is_removed):
        faults.append(f"{name} cannot be removed")
    return breaks, restarts, again


def transfers():
    group = [r.start() for r in replicas("--proxy-protocol", "--trust", ADDRESS)]
    balancer = haproxy()
    wanted = os.urandom(SIZE)
    with open(f"{ONE}/large", "wb") as file:
        file.write(wanted)
    names = [f"tus{i}" for i in range(UPLOADS)]
    faults, partial = [], []
    watching = threading.Event()

    def look(mount, name):
        try:
            size = os.stat(f"{mount}/{name}").st_size
        except FileNotFoundError: # it was seen and is removed
            return
        if size != SIZE:
            partial.append((mount, name, size))

    def watch():
        while not watching.wait(0.2):
            for mount in (ONE, TWO):
                for name in os.listdir(mount):
                    if name.startswith("tus"):
                        look(mount, name)

    watcher = threading.Thread(target=watch, daemon=True)
    hunter = Hunter(group)
    hunter.start(), watcher.start()
    started = time.monotonic()
    slowness = 2.0 / (SIZE >> 16)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        down = [pool.submit(download, "large", wanted, slowness, faults) for _ in range(DOWNLOADS)]
        up = [pool.submit(upload, name, wanted, slowness, faults) for name in names]
        down, up = [f.result() for f in down], [f.result() for f in up]
    hunter.ending.set(), hunter.join(), watching.set(), watcher.join()
    took = time.monotonic() - started
    print(f"# {DOWNLOADS} downloads and {UPLOADS} uploads of {SIZE >> 20} MiB in {took:.0f} s: {hunter.kills} "
          f"kills, {sum(x[0] for x in down)} downloads and {sum(x[0] for x in up)} uploads broken off")
    for what, which in (("downloads", down), ("uploads", up)):
        again = sorted(n for x in which for n in x[2]) or [0]
        print(f"# {what} that went on: bytes sent again, median {again[len(again) // 2]}, at most {again[-1]}")
    ok(hunter.trouble is None, "a replica that is killed is gone, and another takes its place", hunter.trouble)
    ok(hunter.kills >= 3, "replicas were killed while transfers ran")
    ok(sum(x[0] for x in down + up) > 0, "and transfers broke off")
    ok(not faults, "every file is identical, and no download has a gap", faults)
    ok(sum(x[1] for x in down + up) == 0, "no transfer began again from zero", [x[1] for x in down + up])
    ok(not partial, "no partial file was ever seen", partial[:5])
    balancer.kill(), balancer.wait()
    for replica in group:
        replica.end()


# ---- replacing all of them --------------------------------------------------------------------------


def rolling():
    group = [r.start() for r in replicas("--proxy-protocol", "--trust", ADDRESS, "--drain-delay", "2")]
    balancer = haproxy()
    with open(f"{TWO}/page", "wb") as file:
        file.write(b"page" * 500)
    ending = threading.Event()
    failed, count = [], [0] * 4

    def load(index):
        connection = http.client.HTTPConnection(ADDRESS, PLAIN, timeout=30)
        while not ending.is_set():
            try:
                if index == 0:
                    connection.request("PUT", f"/rolled{count[0] % 10}", b"x" * 1000)
                else:
                    connection.request("GET", "/page")
                answer = connection.getresponse()
                body = answer.read()
                if answer.status not in (200, 201, 204) or (index > 0 and body != b"page" * 500):
                    failed.append((index, answer.status))
            except TROUBLE as trouble:
                failed.append((index, repr(trouble)))
                connection.close()
            count[index] += 1

    threads = [threading.Thread(target=load, args=(i,), daemon=True) for i in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    statuses = []
    for _ in range(ROLLS):
        for replica in group:
            statuses.append(replica.end())
            replica.start()
            wait_for(lambda: ask(PLAIN, "GET", "/.health")[0] == 200)
            time.sleep(1.5)
    ending.set()
    for thread in threads:
        thread.join()
    ok(statuses == [0] * len(statuses), "every replica ended in order", statuses)
    ok(sum(count) > 100 and not failed, f"all replicas replaced under load: {sum(count)} requests, "
       f"{len(failed)} failed", failed[:5])
    balancer.kill(), balancer.wait()
    for replica in group:
        replica.end()


# ---- what stands in front ---------------------------------------------------------------------------


def by_tls(port, fields=()):
    context = ssl.create_default_context(cafile=f"{DIRECTORY}/certificate")
    context.check_hostname = False
    connection = http.client.HTTPSConnection(ADDRESS, port, timeout=20, context=context)
    connection.request("GET", "/page", headers=dict(fields))
    answer = connection.getresponse()
    return answer.status, answer.read()


def last_clients(*names):
    clients = set()
    for name in names:
        with open(f"{DIRECTORY}/{name}.log") as file:
            clients |= {line.split()[0] for line in file if " /page " in line}
    return clients


def front():
    spoof = {"Forwarded": "for=203.0.113.7", "X-Forwarded-For": "203.0.113.7"}
    with open(f"{TWO}/page", "wb") as file:
        file.write(b"page" * 500)
    for log in ("one", "two", "three"):
        open(f"{DIRECTORY}/{log}.log", "w").close()
    group = [r.start() for r in replicas("--proxy-protocol", "--trust", ADDRESS)]
    balancer = haproxy()
    ok(by_tls(TLS, spoof) == (200, b"page" * 500), "HAProxy: a page over TLS")
    wait_for(lambda: last_clients("one", "two", "three"))
    ok(last_clients("one", "two", "three") == {ADDRESS}, "the log names the client, not what he invented",
       last_clients("one", "two", "three"))
    balancer.kill(), balancer.wait()
    for replica in group:
        replica.end()
    if subprocess.run(["which", "nginx"], capture_output=True).returncode != 0:
        global number
        number += 1
        print(f"ok {number} - nginx # SKIP it is not installed")
        return
    for log in ("one", "two"):
        open(f"{DIRECTORY}/{log}.log", "w").close()
    group = [r.start() for r in replicas("--trust", ADDRESS)[:2]]
    with open(f"{HERE}/nginx.conf") as file:
        text = file.read()
    for word, value in (("DIRECTORY", DIRECTORY), ("ONE", f"{ADDRESS}:9001"), ("TWO", f"{ADDRESS}:9002"),
                        ("TLS", f"{ADDRESS}:{NGINX}"), ("CERTIFICATE", f"{DIRECTORY}/certificate")):
        text = text.replace(f"@{word}@", value)
    with open(f"{DIRECTORY}/nginx.conf", "w") as file:
        file.write(text)
    process = subprocess.Popen(["nginx", "-c", f"{DIRECTORY}/nginx.conf", "-e", f"{DIRECTORY}/nginx.log"],
                               stderr=subprocess.DEVNULL)
    wait_for(lambda: by_tls(NGINX)[0] == 200)
    ok(by_tls(NGINX, spoof) == (200, b"page" * 500), "nginx: a page over TLS")
    wait_for(lambda: last_clients("one", "two"))
    ok(last_clients("one", "two") == {ADDRESS}, "the log names the client, not what he invented",
       last_clients("one", "two"))
    process.terminate(), process.wait()
    for replica in group:
        replica.end()


# ---- what a process costs ---------------------------------------------------------------------------


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def pids_of(program, word):
    """Of the processes here that were started with this."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode().split("\0")
        except OSError:
            continue
        if os.path.basename(words[0]) == program and any(x.endswith(word) for x in words):
            found.append(int(pid))
    return found


def shared_cost():
    """What the shared file system adds: the part on the same host, and the bricks' on theirs."""
    with open(f"{ONE}/page", "wb") as file:
        file.write(b"page" * 256)
    replica = Replica("one", ONE, 9100).start()
    time.sleep(0.2)
    who = {"httpd": [replica.process.pid], "the mount": pids_of("glusterfs", ONE), "both bricks": pids_of("glusterfsd", "")}
    for what, count, calls in (("answer from memory", 2000, lambda connection, i: connection.request("GET", "/page")),
                               ("first download by an id", 200, lambda connection, i: connection.request("GET", f"/{ids[i]}/page"))):
        ids = [ask(9100, "GET", "/.uuid")[2].decode().strip() for _ in range(200)]
        connection = http.client.HTTPConnection(ADDRESS, 9100, timeout=20)
        before = {name: cpu_seconds(pids) for name, pids in who.items()}
        start, good = time.monotonic(), 0
        for i in range(count):
            calls(connection, i)
            good += connection.getresponse().read() == b"page" * 256
        took = time.monotonic() - start
        connection.close()
        ok(good == count, f"each {what} on the shared file system, one after the other")
        print(f"# {what}: {1e6 * took / count:.0f} us; CPU " + ", ".join(
            f"{name} {1e6 * (cpu_seconds(pids) - before[name]) / count:.0f} us" for name, pids in who.items()))
    replica.end()


def client(port, until):
    request = b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n" * 8
    done = 0
    with socket.create_connection((ADDRESS, port)) as s:
        while time.monotonic() < until:
            s.sendall(request)
            seen = b""
            while seen.count(b"HTTP/1.1 200") < 8 or not seen.endswith(b"page"):
                seen += s.recv(1 << 16)
            done += 8
    return done


def processes():
    root = f"{DIRECTORY}/local"
    os.makedirs(root, exist_ok=True)
    with open(f"{root}/page", "wb") as file:
        file.write(b"page" * 256)
    print("# on one host, 1 KB from a local file, 8 connections of 8 requests in flight, SO_REUSEPORT")
    print("#   processes   requests/s   CPU us per request   resident KB of each")
    for n in (1, 2, 4):
        group = [Replica(f"p{i}", root, 9100, "--reuse-port").start() for i in range(n)]
        pids = [r.process.pid for r in group]
        before, until = cpu_seconds(pids), time.monotonic() + 3
        # Clients are processes: a thread of this one would measure itself.
        with concurrent.futures.ProcessPoolExecutor(4) as pool:
            done = sum(f.result() for f in [pool.submit(client, 9100, until) for _ in range(8)])
        used = cpu_seconds(pids) - before
        rss = []
        for pid in pids:
            with open(f"/proc/{pid}/status") as file:
                rss += [int(line.split()[1]) for line in file if line.startswith("VmRSS")]
        print(f"#   {n:9}   {done / 3:10.0f}   {1e6 * used / max(done, 1):18.1f}   {sum(rss) // n:19}", flush=True)
        ok(done > 0, f"{n} processes serve")
        for replica in group:
            replica.end()
    shared_cost()


for question in ONLY:
    {"races": races, "stale": stale, "transfers": transfers, "rolling": rolling, "front": front, "processes": processes}[question]()
print(f"1..{number}")
print(f"# make scale: {number - failures} of {number} right on {os.environ.get('SCALE_ON', 'GlusterFS')}")
sys.exit(failures > 0)
