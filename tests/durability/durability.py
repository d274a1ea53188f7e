#!/usr/bin/env python3
"""What must not happen to files, tried: a server that is killed, readers of what is being replaced,
clients that go away, a disk that is full.

    durability.py kill read abort full      those of them that are named; TAP on standard output

    HTTPD     the server (build/httpd)
    KILLS     how often it is killed (200)
    REPLACES  how often the file that is read is replaced (10000)

kill -9 leaves what the kernel has taken, so `kill` shows order and wholeness, not that fsync is called;
a loss of power is not tried here.
"""

import hashlib
import http.client
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HTTPD = os.path.abspath(os.environ.get("HTTPD", os.path.join(TOP, "build/httpd")))
SLOW = 8 if "/tsan/" in HTTPD else 3 if "/asan/" in HTTPD else 1
number = 0


def ok(good, what, why=""):
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {what}", flush=True)
    if not good and why:
        print("# " + str(why)[:1000].replace("\n", "\n# "), flush=True)


def skip(what, why):
    global number
    number += 1
    print(f"ok {number} - {what} # SKIP {why}", flush=True)


def wait_for(condition, seconds=5):
    end = time.monotonic() + seconds * SLOW
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Server:
    """One server on a docroot of its own, which stays when it is killed and started again."""

    def __init__(self, root, *options):
        self.root, self.options = root, options
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [HTTPD, "-p", "0", "-r", self.root, "-l", "/dev/null", *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.said = []
        for line in self.process.stderr:
            self.said.append(line)
            serving = re.search(r"serving .* at http://[^ ]*?:(\d+)/", line)
            if serving:
                self.port = int(serving.group(1))
                break
        else:
            raise RuntimeError("no server: " + "".join(self.said))
        # Read on, so that it never waits for us.
        threading.Thread(target=lambda p=self.process: self.said.extend(p.stderr), daemon=True).start()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(30 * SLOW)
        ok(status == 0, "the server ends in order", f"status {status}: {''.join(self.said)}")

    def connect(self, timeout=20):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout * SLOW)

    def staged(self):
        return os.listdir(os.path.join(self.root, ".httpd/uploads"))

    def descriptors(self):
        """Open descriptors, but for the pipe that each worker makes when it first needs one."""
        directory = f"/proc/{self.process.pid}/fd"
        open_ones = 0
        for name in os.listdir(directory):
            try:
                open_ones += not os.readlink(os.path.join(directory, name)).startswith("pipe:")
            except FileNotFoundError:
                pass
        return open_ones


def visible(root):
    """Every file that a client can see, as paths from the docroot."""
    for place, directories, files in os.walk(root):
        directories[:] = [name for name in directories if name != ".httpd"]
        for name in files:
            yield os.path.relpath(os.path.join(place, name), root)


def chunked(data):
    for at in range(0, len(data), 50000):
        yield data[at:at + 50000]


# A version says in each of its bytes which one it is, so that no two can be mixed unnoticed: its number
# again and again, and behind it a length that follows from the number.

def version(name, largest):
    head = f"{name:020d}|".encode()
    length = 1000 + int(hashlib.sha256(head).hexdigest(), 16) % largest
    return (head * (length // len(head) + 1))[:length]


def version_of(data, largest):
    """The number of the version that this is all of; None when it is a mix or a part."""
    try:
        name = int(data[:20])
    except ValueError:
        return None
    return name if data == version(name, largest) else None


# ---- killed ----------------------------------------------------------------------------------------

KILL_FILES = ["one", "two", "in/a/directory"]
KILL_LARGEST = 300000


class Writer(threading.Thread):
    """Replaces the files one after the other until the server is gone; notes when each version was
    begun, and when it was acknowledged."""

    numbers = iter(range(1, 1 << 60))
    lock = threading.Lock()

    def __init__(self, server, journal):
        super().__init__()
        self.server, self.journal = server, journal

    def run(self):
        connection = self.server.connect()
        try:
            while True:
                with Writer.lock:
                    name = next(Writer.numbers)
                path = random.choice(KILL_FILES)
                data = version(name, KILL_LARGEST)
                note = {"path": path, "begun": time.monotonic(), "ended": None, "acknowledged": False}
                self.journal[name] = note
                if random.random() < 0.5:
                    connection.request("PUT", "/" + path, data)
                else:
                    connection.request("PUT", "/" + path, chunked(data), encode_chunked=True,
                                       headers={"Transfer-Encoding": "chunked"})
                answer = connection.getresponse()
                answer.read()
                if answer.status not in (201, 204):
                    self.journal["odd"] = f"{answer.status} for PUT /{path}"
                    return
                note["ended"], note["acknowledged"] = time.monotonic(), True
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


def look_after_kill(server, journal):
    """What is wrong with the files, in words; empty when nothing is."""
    wrong = []
    for path in visible(server.root):
        with open(os.path.join(server.root, path), "rb") as file:
            data = file.read()
        name = version_of(data, KILL_LARGEST)
        if path not in KILL_FILES:
            wrong.append(f"{path} appeared")
        elif name not in journal or journal[name]["path"] != path:
            wrong.append(f"{path} is not one whole version: {data[:40]!r}… of {len(data)}")
        else:
            # Something acknowledged that was begun when this one was over must have replaced it.
            lost = [n for n, note in journal.items() if n != "odd" and note["acknowledged"]
                    and note["path"] == path and note["begun"] > journal[name]["ended"]]
            if lost:
                wrong.append(f"{path} is version {name}, but {lost} were acknowledged after it")
    missing = {n["path"] for k, n in journal.items() if k != "odd" and n["acknowledged"]}
    missing -= set(visible(server.root))
    if missing:
        wrong.append(f"acknowledged and not there: {missing}")
    return wrong


def try_kill(directory):
    kills = int(os.environ.get("KILLS", 200))
    server = Server(directory)
    journal, wrong, staged_at_kill = {}, [], 0
    for _ in range(kills):
        writers = [Writer(server, journal) for _ in range(4)]
        for writer in writers:
            writer.start()
        time.sleep(random.uniform(0.002, 0.12) * SLOW)
        server.kill()
        killed = time.monotonic()
        for writer in writers:
            writer.join()
        staged_at_kill += len(server.staged())
        for name, note in journal.items():
            if name != "odd" and note["ended"] is None:
                note["ended"] = killed
        wrong += look_after_kill(server, journal)
        server.start()
        if not wait_for(lambda: not server.staged()):
            wrong.append(f"left in uploads: {server.staged()}")
        extra = set(os.listdir(os.path.join(directory, ".httpd"))) - {"key", "lock", "sweep", "uploads",
                                                                     "transfers"}
        if extra:
            wrong.append(f"left in .httpd: {extra}")
        connection = server.connect()
        for path in visible(directory):
            connection.request("GET", "/" + path)
            data = connection.getresponse().read()
            if version_of(data, KILL_LARGEST) not in journal:
                wrong.append(f"GET /{path} gives no whole version")
        connection.close()
        if wrong:
            break
    acknowledged = sum(1 for n, note in journal.items() if n != "odd" and note["acknowledged"])
    ok(not wrong, f"killed {kills} times while 4 replaced 3 files: each is one whole version, no "
       "acknowledged one was lost, nothing is left", "\n".join(wrong))
    ok("odd" not in journal, "and every answer was 201 or 204", journal.get("odd"))
    # Of a few kills it may be that none met a write half way; of many that cannot be.
    ok(staged_at_kill > 0 or kills < 50, f"some were killed in the middle ({staged_at_kill} staged files found; "
       f"{acknowledged} writes acknowledged, {len(journal)} begun)")
    server.stop()


# ---- read while it is replaced ---------------------------------------------------------------------

READ_LARGEST = 200000


class Reader(threading.Thread):
    def __init__(self, server, ranged):
        super().__init__()
        self.server, self.ranged = server, ranged
        self.done, self.wrong, self.whole, self.parts = False, [], 0, 0

    def get(self, connection, **fields):
        connection.request("GET", "/file", headers=fields)
        answer = connection.getresponse()
        return answer, answer.read()

    def look(self, answer, data):
        if answer.status != 200 or version_of(data, READ_LARGEST) is None:
            self.wrong.append(f"{answer.status}, {len(data)} bytes: {data[:30]!r}…{data[-30:]!r}")
        self.whole += 1

    def look_at_part(self, connection, answer, data):
        tag = answer.getheader("ETag")
        first = random.randrange(len(data))
        last = random.randrange(first, len(data))
        part, got = self.get(connection, **{"Range": f"bytes={first}-{last}",
                                            "If-Range": tag.removeprefix("W/")})
        if part.status != 206:
            self.look(part, got)
            return
        self.parts += 1
        if got != data[first:last + 1] or part.getheader("ETag").removeprefix("W/") != \
                tag.removeprefix("W/") or part.getheader("Content-Range") != \
                f"bytes {first}-{last}/{len(data)}":
            self.wrong.append(f"a part of another version under If-Range: {tag} {part.getheaders()}")

    def run(self):
        connection = self.server.connect()
        while not self.done and not self.wrong:
            answer, data = self.get(connection)
            self.look(answer, data)
            for _ in range(4 if self.ranged and not self.wrong else 0):
                self.look_at_part(connection, answer, data)
        connection.close()


def try_read(directory):
    replaces = int(os.environ.get("REPLACES", 10000))
    server = Server(directory)
    connection = server.connect()
    connection.request("PUT", "/file", version(0, READ_LARGEST))
    connection.getresponse().read()
    readers = [Reader(server, False), Reader(server, True)]
    for reader in readers:
        reader.start()
    odd = []
    for name in range(1, replaces + 1):
        connection.request("PUT", "/file", version(name, READ_LARGEST))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 204:
            odd.append(answer.status)
        # A young file has a weak tag, which If-Range never matches; now and then one gets older.
        if name % 25 == 0:
            time.sleep(0.05)
    for reader in readers:
        reader.done = True
        reader.join()
    connection.close()
    ok(not odd, f"a file replaced {replaces} times", odd[:5])
    ok(not readers[0].wrong and readers[0].whole > 0,
       f"read {readers[0].whole} times meanwhile, it was one version each time", readers[0].wrong)
    ok(not readers[1].wrong and readers[1].parts > 0,
       f"and so were {readers[1].parts} parts under If-Range, and {readers[1].whole} answers of all",
       readers[1].wrong)
    server.stop()


# ---- clients that go away --------------------------------------------------------------------------

def go_away(server, pieces, reset):
    s = socket.create_connection(("127.0.0.1", server.port))
    try:
        for piece in pieces:
            s.sendall(piece)
            time.sleep(0.02)
    except OSError:
        pass
    if reset:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def try_abort(directory):
    server = Server(directory)
    head = b"PUT /gone HTTP/1.1\r\nHost: localhost\r\n"
    sized = head + b"Content-Length: 2000000\r\n\r\n"
    small = head + b"Content-Length: 1000\r\n\r\n"
    in_chunks = head + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"186a0\r\n" + b"x" * 100000 + b"\r\n"
    stages = [
        ("in the head", [head]),
        ("after the head", [sized]),
        ("after Expect", [head + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"]),
        ("after the first byte", [sized, b"x"]),
        ("in the middle of a small body", [small, b"x" * 500]),
        ("in the middle of a large one", [sized, b"x" * 1000000]),
        ("one byte before its end", [sized, b"x" * 1999999]),
        ("in the head of a chunk", [in_chunks, chunk, b"186"]),
        ("in a chunk", [in_chunks, chunk, chunk[:50000]]),
        ("before the last chunk", [in_chunks, chunk, chunk]),
        ("in the last chunk", [in_chunks, chunk, b"0\r"]),
        ("in the trailers", [in_chunks, chunk, b"0\r\nX: y\r\n"]),
    ]
    # The sweep at the start may have a directory open at the first count, so there may be fewer later.
    before = server.descriptors()
    connection = server.connect()
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()
    wait_for(lambda: server.descriptors() <= before)
    for when, pieces in stages:
        for reset in False, True:
            go_away(server, pieces, reset)
        gone = wait_for(lambda: not server.staged() and server.descriptors() <= before, 10)
        ok(gone and not list(visible(directory)), f"gone {when}: no file, nothing staged, no descriptor",
           f"{list(visible(directory))} {server.staged()} {before} -> {server.descriptors()}")
    # All of it has come: the server may have published it or not, but nothing in between.
    for reset in False, True:
        go_away(server, [sized + b"x" * 2000000], reset)
    quiet = wait_for(lambda: not server.staged() and server.descriptors() <= before, 10)
    files = list(visible(directory))
    whole = files in ([], ["gone"]) and all(
        os.path.getsize(os.path.join(directory, name)) == 2000000 for name in files)
    ok(quiet and whole, "gone after the body, before the answer: all of it or nothing",
       f"{files} {server.staged()} {before} -> {server.descriptors()}")
    server.stop()


# ---- a disk that is full ---------------------------------------------------------------------------

def fill(server, prefix, data, how):
    """Puts files until one is refused: (names stored, the status that ended it)."""
    stored = []
    for n in range(200):
        name = f"{prefix}{n}"
        connection = server.connect()
        try:
            if how == "chunked":
                connection.request("PUT", "/" + name, chunked(data), encode_chunked=True,
                                   headers={"Transfer-Encoding": "chunked"})
            else:
                connection.request("PUT", "/" + name, data)
        except OSError:
            pass  # it may answer and close before it has all
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 201:
            return stored, answer.status
        stored.append(name)
    return stored, None


def try_full(directory):
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", directory],
            stderr=subprocess.DEVNULL).returncode != 0:
        skip("a full disk", "needs root, to mount a small tmpfs")
        return
    try:
        server = Server(directory)
        data = bytes(range(256)) * 4096 + b"end"
        for how in "length", "chunked":
            stored, status = fill(server, how, data, how)
            ok(len(stored) > 0 and status == 507,
               f"{how}: {len(stored)} uploads of 1 MB, then 507", f"{stored} {status}")
            wait_for(lambda: not server.staged())
            shown = sorted(visible(directory))
            whole = all(open(os.path.join(directory, name), "rb").read() == data for name in shown)
            ok(shown == sorted(stored) and whole and not server.staged(),
               f"{how}: what was refused left nothing", f"{shown} {server.staged()}")
            connection = server.connect()
            connection.request("DELETE", "/" + stored[0])
            ok(connection.getresponse().status == 204, f"{how}: a file is deleted")
            connection.close()
            again, _ = fill(server, "again", data, how)
            ok(len(again) == 1, f"{how}: then one more can be uploaded", again)
            for name in visible(directory):
                os.unlink(os.path.join(directory, name))
        server.stop()
    finally:
        subprocess.run(["umount", directory], check=False)


def main():
    tries = {"kill": try_kill, "read": try_read, "abort": try_abort, "full": try_full}
    for word in sys.argv[1:] or tries:
        directory = tempfile.mkdtemp(prefix="httpd-durability.")
        begun = time.monotonic()
        try:
            tries[word](directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        print(f"# {word}: {time.monotonic() - begun:.1f} s")
    print(f"1..{number}")


main()
