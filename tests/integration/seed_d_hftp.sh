#!/bin/bash
# HFTP, as its own clients see it: every command and code, in one piece, byte by byte and pipelined;
# what is too large for a shell is asked by a client in Python.
. "$(dirname "$0")/lib.sh"

numbers 33000000 >"$ROOT/big.bin"
printf '!Que calor que hace hoy, pinta una birra!' >"$ROOT/archivo.txt"
: >"$ROOT/empty"
printf x >"$ROOT/.hidden"
printf x >"$ROOT/with space"
mkdir "$ROOT/directory"
mkfifo "$ROOT/fifo"
ln -s archivo.txt "$ROOT/link"
ln -s /etc/passwd "$ROOT/outside"

hftp_port() { sed -n 's,^httpd: serving .* hftp://127\.0\.0\.1:\([0-9]*\)/.*,\1,p' "$ERR"; }
hftp() { "$RAW" -t $((10 * SLOW)) 127.0.0.1 "$HFTP" "$@" 2>"$TMP/raw.end" | tr -d '\r'; }

server_start -t 4 --hftp 0 --head-timeout 2 --idle-timeout 4
HFTP=$(hftp_port)
like "$(cat "$ERR")" " and hftp://127\.0\.0\.1:$HFTP/" "the start-up line names the address"

# ---- commands and codes --------------------------------------------------------------------------

HELP=$'0 OK\nget_file_listing\nget_metadata\nget_slice\nhelp\nquit\n'
# command | answer, with ; for the line ends | how it ends when nothing follows
rows() {
    cat <<'ROWS'
get_file_listing\r\n|0 OK;archivo.txt;big.bin;empty;link;|
get_metadata archivo.txt\r\n|0 OK;41|
get_metadata empty\r\n|0 OK;0|
get_metadata link\r\n|0 OK;41|
get_slice archivo.txt 5 20\r\n|0 OK;Y2Fsb3IgcXVlIGhhY2UgaG95LCA=|
get_slice archivo.txt 0 1\r\n|0 OK;IQ==|
get_slice archivo.txt 41 0\r\n|0 OK;|
get_slice archivo.txt 40 1 raw\r\n|0 OK;Content-Length: 1;;!|
get_slice empty 0 0 raw\r\n|0 OK;Content-Length: 0;|
help\r\n|0 OK;get_file_listing;get_metadata;get_slice;help;quit;|
quit\r\n|0 OK|closes
qui\nt\r\n|100 BAD EOL|closes
\r\n|101 BAD REQUEST|closes
get_metadata \xf1\r\n|101 BAD REQUEST|closes
verdura\r\n|200 NO SUCH COMMAND|
HELP\r\n|200 NO SUCH COMMAND|
help me\r\n|201 INVALID ARGUMENTS FOR COMMAND|
get_metadata\r\n|201 INVALID ARGUMENTS FOR COMMAND|
get_metadata ../root/archivo.txt\r\n|201 INVALID ARGUMENTS FOR COMMAND|
get_slice archivo.txt -1 1\r\n|201 INVALID ARGUMENTS FOR COMMAND|
get_slice archivo.txt 1 1 cooked\r\n|201 INVALID ARGUMENTS FOR COMMAND|
get_metadata nothing\r\n|202 FILE NOT FOUND|
get_metadata .hidden\r\n|202 FILE NOT FOUND|
get_metadata .httpd\r\n|202 FILE NOT FOUND|
get_metadata .\r\n|202 FILE NOT FOUND|
get_metadata ..\r\n|202 FILE NOT FOUND|
get_metadata directory\r\n|202 FILE NOT FOUND|
get_metadata fifo\r\n|202 FILE NOT FOUND|
get_metadata outside\r\n|202 FILE NOT FOUND|
get_slice archivo.txt 41 1\r\n|203 OFFSET EXCEEDS FILE SIZE|
get_slice archivo.txt 42 0\r\n|203 OFFSET EXCEEDS FILE SIZE|
get_slice archivo.txt 18446744073709551615 2\r\n|203 OFFSET EXCEEDS FILE SIZE|
get_slice archivo.txt 1 123456789012345678901234567890123456789012345678901234567890\r\n|203 OFFSET EXCEEDS FILE SIZE|
ROWS
}

all_sent='' all_wanted=''
while IFS='|' read -r command answer end; do
    wanted=${answer//;/$'\n'}
    if [ -n "$end" ]; then
        is "$(hftp send "$command"; cat "$TMP/raw.end")" "$wanted"$'\n'closed "$command ends the connection"
        is "$(hftp bytewise "$command"; cat "$TMP/raw.end")" "$wanted"$'\n'closed "the same, byte by byte"
        continue
    fi
    # The slices in raw end without a line end; quit's answer follows.
    line=$'\n'
    [[ $command == *raw* && $command != *' 0 raw'* ]] && line=''
    is "$(hftp send "$command" send 'quit\r\n')" "$wanted${line}0 OK" "$command"
    is "$(hftp bytewise "$command" send 'quit\r\n')" "$wanted${line}0 OK" "the same, byte by byte"
    all_sent+=$command
    all_wanted+=$wanted$line
done < <(rows)
is "$(hftp send "$all_sent"'quit\r\n')" "${all_wanted}0 OK" "all of them in one segment"
is "$(hftp bytewise "$all_sent"'quit\r\n')" "${all_wanted}0 OK" "all of them, byte by byte"
is "$(hftp send 'help\r\n' half)" "${HELP%?}" "a client that has said all still gets its answer"
is "$(hftp send 'help\r\n' until 'quit\r\n\r\n' send 'help\r\n' half)" "$HELP"$'\n'"${HELP%?}" \
    "also when it was quiet before"

# 199: what cannot be read. Root can read everything, so the server gives up its rights.
if [ "$(id -u)" = 0 ] && id nobody >/dev/null 2>&1; then
    server_stop
    chmod 755 "$TMP" "$ROOT"
    printf secret >"$ROOT/secret"
    chmod 600 "$ROOT/secret"
    ERR_MAY=read-only server_start -t 4 --hftp 0 -u nobody
    HFTP=$(hftp_port)
    is "$(hftp send 'get_slice secret 0 1\r\n'; cat "$TMP/raw.end")" $'199 INTERNAL SERVER ERROR\nclosed' \
        "a file that the server may not read"
    ERR_MAY=read-only
    server_stop
    ERR_MAY=
    rm "$ROOT/secret"
else
    skip "a file that the server may not read" "only root can give up rights"
    server_stop
fi
# Below, the docroot is replaced, which the sandbox does not follow.
server_start -t 4 --hftp 0 --head-timeout 2 --idle-timeout 4 --no-sandbox
HFTP=$(hftp_port)

# ---- time ----------------------------------------------------------------------------------------

start=$(now_ms)
is "$(hftp send 'get_meta'; cat "$TMP/raw.end")" $'101 BAD REQUEST\nclosed' "half a command is not waited for"
at_most $(($(now_ms) - start)) $((4000 * SLOW)) "no longer than the head timeout and a sweep"
is "$(hftp send 'help\r\n'; cat "$TMP/raw.end")" "$HELP"$'\n'closed "an idle client is closed without a word"

# ---- what is large -------------------------------------------------------------------------------

if ! command -v python3 >/dev/null; then
    skip_all "python3 is not installed"
fi
cat >"$TMP/client.py" <<'PYTHON'
import base64, os, shutil, socket, sys, threading, time

port, root, slow, big = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
number = int(sys.argv[5])

def ok(result, what):
    global number
    number += 1
    print("%s %d - %s" % ("ok" if result else "not ok", number, what), flush=True)

def connect():
    s = socket.create_connection(("127.0.0.1", port), timeout=60 * slow)
    return s, s.makefile("rb", buffering=65536)

def ask(s, f, command):
    s.sendall(command + b"\r\n")
    return f.readline()

with open(big, "rb") as file:
    content = file.read()

s, f = connect()
start = time.monotonic()
line = ask(s, f, b"get_metadata " + b"x" * (5 << 20))
took = time.monotonic() - start
ok(line == b"202 FILE NOT FOUND\r\n", "a name of 5 MiB is well-formed, and nobody's")
ok(took < 2 * slow, "and takes no time (%.2f s)" % took)
line = ask(s, f, b"get_slice archivo.txt 1 " + b"9" * 1000000)
ok(line == b"203 OFFSET EXCEEDS FILE SIZE\r\n", "a number of a million digits")

s2, f2 = connect()
try:
    s2.sendall(b"x" * (9 << 20))
except OSError:
    pass
ok(f2.readline() == b"101 BAD REQUEST\r\n", "a line of 9 MiB is absurd")

def get_slice(s, f, offset, size):
    assert ask(s, f, b"get_slice big.bin %d %d" % (offset, size)) == b"0 OK\r\n"
    plain, shape = [], True
    got = 0
    while got < size:
        line = f.readline()
        shape &= line.endswith(b"\r\n")
        part = base64.b64decode(line[:-2], validate=True)
        got += len(part)
        shape &= len(part) % 3 == 0 or got == size
        plain.append(part)
    return b"".join(plain), shape, len(plain)

start = time.monotonic()
plain, shape, lines = get_slice(s, f, 0, len(content))
took = time.monotonic() - start
ok(plain == content, "33 MB in one slice")
ok(shape and lines > 1, "in %d lines of a multiple of 3 bytes" % lines)
ok(took < 10 * slow, "in less than 10 s (%.2f s)" % took)
for size in (49151, 49152, 49153, 2 * 49152, 3 * 49152 + 1, 24576, 24577):
    plain, shape, lines = get_slice(s, f, 12345, size)
    ok(plain == content[12345:12345 + size] and shape, "a slice of %d bytes, around the ends of lines" % size)

line = ask(s, f, b"get_slice big.bin 7 %d raw" % (len(content) - 7))
head = f.readline(), f.readline()
ok(line == b"0 OK\r\n" and head == (b"Content-Length: %d\r\n" % (len(content) - 7), b"\r\n"), "raw: its head")
ok(f.read(len(content) - 7) == content[7:], "raw: its bytes, and no more")
ok(ask(s, f, b"help") == b"0 OK\r\n", "the next command is in its place")

# Clients that do not read hold no worker: there are 4 of those.
stalled = []
for i in range(12):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.sendall(b"get_slice big.bin 0 %d%s\r\n" % (len(content), b" raw" if i % 2 else b""))
    stalled.append(sock)
time.sleep(0.3)
s, f = connect()
start = time.monotonic()
ok(ask(s, f, b"get_metadata archivo.txt") == b"0 OK\r\n" and time.monotonic() - start < 2 * slow,
   "12 clients that do not read are in nobody's way")
f.readline()
f3 = stalled[0].makefile("rb")
stalled[0].settimeout(60 * slow)
assert f3.readline() == b"0 OK\r\n"
plain = b""
while len(plain) < 3000000:
    plain += base64.b64decode(f3.readline())
ok(plain == content[:len(plain)], "one of them goes on where it stood")
for sock in stalled:
    sock.close()

wrong = []
def one_of_many(i):
    try:
        sock, file = connect()
        for j in range(5):
            offset = (i * 7919 + j * 104729) % 1000000
            plain, shape, lines = get_slice(sock, file, offset, 60000)
            if plain != content[offset:offset + 60000] or not shape:
                wrong.append(i)
            if ask(sock, file, b"get_metadata archivo.txt") != b"0 OK\r\n" or file.readline() != b"41\r\n":
                wrong.append(i)
        sock.close()
    except Exception as e:
        wrong.append((i, e))
threads = [threading.Thread(target=one_of_many, args=(i,)) for i in range(100)]
for t in threads:
    t.start()
for t in threads:
    t.join()
ok(not wrong, "100 clients at once with 4 threads")
if wrong:
    print("#", wrong[:5])

# The docroot goes and comes back, while a client stays.
def listing():
    line, names = ask(s, f, b"get_file_listing"), []
    while True:
        name = f.readline()
        if name == b"\r\n" or not name:
            return line, names
        names.append(name.strip())
shutil.rmtree(root)
ok(listing() == (b"0 OK\r\n", []), "without a docroot there are no files")
ok(ask(s, f, b"get_metadata archivo.txt") == b"202 FILE NOT FOUND\r\n", "to be asked for, either")
good = True
for i in range(20):
    os.mkdir(root)
    name = b"again-%d" % i
    with open(os.path.join(root.encode(), name), "wb") as file:
        file.write(b"a" * i)
    good &= listing() == (b"0 OK\r\n", [name])
    good &= ask(s, f, b"get_metadata " + name) == b"0 OK\r\n" and f.readline() == b"%d\r\n" % i
    shutil.rmtree(root)
ok(good, "what is made anew is seen by the next command, 20 times")
os.mkdir(root)
for i in range(5000):
    open(os.path.join(root, "a-rather-long-name-of-a-file-%05d" % i), "w").close()
open(os.path.join(root, "line\nbreak"), "w").close()
s, f = connect() # that may have taken longer than a client may be idle
line, names = listing()
wanted = [b"a-rather-long-name-of-a-file-%05d" % i for i in range(5000)]
ok(names == wanted, "5000 names, and none that cannot be asked for")
if names != wanted:
    print("#", line, len(names), [pair for pair in zip(names, wanted) if pair[0] != pair[1]][:3])
PYTHON
cp "$ROOT/big.bin" "$TMP/big.bin"
memory_kb() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$SERVER_PID/status"; }
before=$(memory_kb)
python3 "$TMP/client.py" "$HFTP" "$ROOT" $SLOW "$TMP/big.bin" "$test_number" >"$TMP/client.tap" 2>"$TMP/client.err"
CLIENT=$?
cat "$TMP/client.tap"
test_number=$((test_number + $(grep -c '^\(not \)\?ok ' "$TMP/client.tap")))
is "$CLIENT$(cat "$TMP/client.err")" 0 "the client came to its end"
[ $SLOW -gt 1 ] || at_most $(($(memory_kb) - before)) 20000 "kB more than before: no name or slice is kept"

# ---- the log -------------------------------------------------------------------------------------

server_stop
logged() { grep -cF "\"$1" "$LOG"; }
isnt "$(logged 'get_slice archivo.txt 5 20" 0 30 ')" 0 "a line for a command, with its code and bytes"
isnt "$(logged 'get_metadata nothing" 202 - ')" 0 "and one for what was not found"
is "$(awk 'length > 2000' "$LOG" | wc -l)" 0 "no line is as long as the name that was asked for"

# ---- options -------------------------------------------------------------------------------------

for arguments in '--hftp x' '--hftp 65536' '--hftp-bind 127.0.0.1' '--hftp 0 --hftp-bind nowhere'; do
    # shellcheck disable=SC2086
    "$HTTPD" -p 0 -r "$ROOT" $arguments >"$TMP/out" 2>"$TMP/err" </dev/null
    is "$? $(wc -l <"$TMP/err")" "2 1" "$arguments is refused in one line"
done
server_start --hftp 0 --hftp-bind 127.0.0.2
like "$(cat "$ERR")" "http://127\.0\.0\.1:[0-9]+/ .*and hftp://127\.0\.0\.2:[0-9]+/ with" "an address of its own"
server_stop

# A client that cannot be served is told in words that it knows.
ERR_MAY='clients are served|the number of clients'
: >"$LOG"
server_start -t 1 -q 0 -c 1 --hftp 0
HFTP=$(hftp_port)
helper "$RAW" -t 10 127.0.0.1 "$HFTP" send 'help\r\n' wait $((3000 * SLOW)) >/dev/null 2>&1
wait_for $((3 * SLOW)) grep -q help "$LOG"
is "$(hftp send 'help\r\n')" "199 INTERNAL SERVER ERROR" "refused in its own words"
done_testing
