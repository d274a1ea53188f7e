#!/bin/bash
# /.status and /.metrics: the numbers are right, in forms that other tools read, for those who may see them.
. "$(dirname "$0")/lib.sh"

numbers 100000 >"$ROOT/file.bin"
aged "$ROOT/file.bin"
echo hello >"$ROOT/a.txt"
has() { command -v "$1" >/dev/null 2>&1; }

# number PATH : a number of /.status, by its path in the JSON
number() {
    curl -sS -H 'Accept: application/json' "$URL/.status" |
        python3 -c 'import functools, json, sys
print(functools.reduce(lambda x, key: x.get(key, 0), sys.argv[1].split("."), json.load(sys.stdin)))' "$1"
}
# metric 'NAME{LABELS}' : a number of /.metrics
metric() { curl -sS "$URL/.metrics" | grep -F "$1 " | cut -d ' ' -f 2; }
is_now() { [ "$(number "$1")" = "$2" ]; }
settles() { # settles PATH NUMBER WHAT
    wait_for $((5 * SLOW)) is_now "$1" "$2"
    is "$(number "$1")" "$2" "$3"
}

ERR_MAY='the number of clients|clients are served again'
server_start -t 4

# ---- counting ------------------------------------------------------------------------------------

is "$(number workers.all) $(number workers.busy)" "4 1" "four workers, one of them busy with the question"
for _ in 1 2 3; do
    fetch /file.bin
done
fetch /nowhere
fetch -T "$ROOT/a.txt" /b.txt
fetch -I /a.txt
is "$(number requests.by_method.PUT.2xx)" 1 "a PUT"
is "$(number requests.by_method.HEAD.2xx)" 1 "a HEAD"
is "$(number requests.by_method.GET.4xx)" 1 "a GET that found nothing"
is "$(metric 'httpd_requests_total{method="GET",status="4xx"}')" 1 "as a metric"
raw send 'BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >/dev/null
is "$(number requests.by_method.other.5xx)" 1 "a method that nobody knows"
sent=$(number bytes.sent)
[ "$sent" -gt 300000 ] && [ "$sent" -lt 330000 ]
ok "three times a hundred thousand bytes, and what goes with them"
received=$(number bytes.received)
head -c 200000 /dev/zero >"$TMP/zeros"
fetch -T "$TMP/zeros" /zeros
grown=$(($(number bytes.received) - received))
[ "$grown" -ge 200000 ] && [ "$grown" -lt 201000 ]
ok "an upload counts as received ($grown bytes)"

# A request counts as soon as it is over, its duration when the worker turns from it. Both in one look.
durations() {
    curl -sS -H 'Accept: application/json' "$URL/.status" | python3 -c 'import json, sys
now = json.load(sys.stdin)
print(now["requests"]["total"] - sum(n for _, n in now["durations"]["buckets"]))'
}
all_timed() { [ "$(durations)" = 0 ]; }
before=$(number requests.total)
for _ in 1 2 3 4; do
    curl -s -o /dev/null "$URL/a.txt?[1-250]" &
    pids+=($!)
done
wait "${pids[@]}"
is "$(($(number requests.total) - before - 1))" 1000 "a thousand requests on four workers: none is lost"
wait_for $((5 * SLOW)) all_timed
ok "each has a duration"

# ---- connections ---------------------------------------------------------------------------------

helper "$CROWD" "$PORT" idle 20 >/dev/null
idle=$HELPER
settles connections.idle 20 "twenty idle connections"
helper "$CROWD" "$PORT" half 5 >/dev/null
settles connections.head 5 "five with half a head"
is "$(metric 'httpd_connections{state="head"}')" 5 "as a metric"
kill "$idle" "$HELPER"
settles connections.open 1 "all gone but the one that asks"

# ---- transfers -----------------------------------------------------------------------------------

id=$(curl -s "$URL/.uuid")
fetch -r 0-999 "/$id/file.bin"
fetch "/$id/file.bin"
is "$(number downloads.begun) $(number downloads.resumed) $(number downloads.spared_bytes)" "1 1 1000" \
    "a download that was begun, and went on"
settles downloads.complete 1 "and came to its end"
id=$(curl -s "$URL/.uuid")
fetch -X PUT -H 'Content-Range: bytes 0-3/10' -d 0123 "/$id/up.txt"
fetch -X PUT -H 'Content-Range: bytes 4-9/10' -d 456789 "/$id/up.txt"
is "$(number uploads.begun) $(number uploads.resumed) $(number uploads.complete)" "1 1 1" "an upload in two pieces"
is "$(metric 'httpd_transfers_total{direction="upload",event="complete"}')" 1 "as a metric"

# ---- forms ---------------------------------------------------------------------------------------

fetch /.status
is "$STATUS $(field Content-Type)" "200 text/html; charset=utf-8" "a page for people"
policy=$(field Content-Security-Policy)
like "$policy" "default-src 'none'" "that may use nothing"
unlike "$policy" 'unsafe|http:|\*' "not said otherwise"
unlike "$(body)" '<style|style=|<script>|onclick|onload|https?://' "and needs nothing of it"
for asset in $(grep -o '\.status\.[a-z]*' "$BODY" | sort -u); do
    fetch "/$asset"
    is "$STATUS" 200 "its part $asset"
    cmp -s "$BODY" "$LIB_TOP/src/server/dashboard/${asset#.}"
    ok "as it is in the source"
done
fetch -H 'Accept: application/json' /.status
is "$(field Content-Type) $(field Cache-Control)" "application/json no-store" "JSON for programs"
fetch -X POST -d x /.status
isnt "$STATUS" 200 "nothing can be posted to it"
fetch -T "$ROOT/a.txt" /.status
isnt "$STATUS" 201 "or put there"
fetch /.metrics
is "$(field Content-Type)" "text/plain; version=0.0.4; charset=utf-8" "/.metrics in the form that everything reads"
cp "$BODY" "$TMP/metrics.txt"
if has promtool; then
    said=$(promtool check metrics <"$TMP/metrics.txt" 2>&1)
    is "$?$said" 0 "promtool has nothing to say about it"
else
    skip "promtool has nothing to say about it" "promtool (prometheus) is not installed"
fi
# What Prometheus sends.
fetch -H 'Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1' /.metrics
is "$(field Content-Type)" "application/openmetrics-text; version=1.0.0; charset=utf-8" "OpenMetrics to those who ask for it"
cp "$BODY" "$TMP/openmetrics.txt"
is "$(tail -n 1 "$TMP/openmetrics.txt")" "# EOF" "with its end"
if python3 -c 'import prometheus_client' 2>/dev/null; then
    said=$(python3 -c 'import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
print(len([s for f in parse(sys.stdin.read()) for s in f.samples]))' <"$TMP/openmetrics.txt" 2>&1)
    is "$said" "$(grep -vc '^#' "$TMP/openmetrics.txt")" "the reference parser reads every line of it"
else
    skip "the reference parser reads every line of it" "python3-prometheus-client is not installed"
fi

# ---- a real Prometheus ---------------------------------------------------------------------------

if has prometheus; then
    port=$(free_port)
    cat >"$TMP/prometheus.yml" <<YAML
global: {scrape_interval: 1s}
scrape_configs: [{job_name: httpd, metrics_path: /.metrics, static_configs: [{targets: ["$HOST_PORT"]}]}]
YAML
    helper prometheus --config.file="$TMP/prometheus.yml" --storage.tsdb.path="$TMP/tsdb" \
        --web.listen-address="127.0.0.1:$port" >"$TMP/prometheus.log" 2>&1
    asked() { curl -sS --get --data-urlencode "query=$1" "http://127.0.0.1:$port/api/v1/query"; }
    scraped() { asked 'up{job="httpd"}' | grep -q '"1"\]'; }
    wait_for $((40 * SLOW)) scraped
    ok "a real Prometheus scrapes it" || tail -n 5 "$TMP/prometheus.log"
    like "$(asked 'httpd_requests_total{method="other",status="5xx"}')" '"1"\]' "and knows the one unknown method"
    like "$(asked 'histogram_quantile(0.99, httpd_request_duration_seconds_bucket)')" '"0\.[0-9]+|"[0-9.e-]+"\]' "and a quantile of the durations"
    targets=$(curl -sS "http://127.0.0.1:$port/api/v1/targets")
    like "$targets" '"lastError":""' "without an error"
    kill "$HELPER"
    wait "$HELPER" 2>/dev/null
else
    skip "a real Prometheus scrapes it" "prometheus is not installed"
fi

# ---- who may see it ------------------------------------------------------------------------------

seen() { # seen STATUS WHAT CURL_ARGUMENT...
    local wanted=$1 what=$2
    shift 2
    fetch "$@" /.metrics
    is "$STATUS" "$wanted" "$what"
}
seen 200 "this machine"
seen 403 "a proxy on this machine that says for whom it asks" -H 'X-Forwarded-For: 192.0.2.1'
seen 403 "also in the words of RFC 7239" -H 'Forwarded: for=192.0.2.1'
fetch -H 'X-Forwarded-For: 192.0.2.1' /.status
like "$STATUS $(body)" '403.*--public-status' "the refusal says what to do"
server_stop

ADDRESS=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -E '^[0-9]+\.' | head -n 1)
if [ -n "$ADDRESS" ]; then
    ERR_MAY='read-only'
    server_start -b '*' -t 2
    URL=http://127.0.0.1:$PORT
    seen 200 "bound to all addresses: this machine"
    seen 403 "but not a stranger's name for it" -H 'Host: evil.example'
    URL=http://$ADDRESS:$PORT
    for path in /.metrics /.status /.status.js /.status.css; do
        fetch $path
        is "$STATUS" 403 "not others: $path"
    done
    server_stop
    server_start -b '*' -t 2 --public-status
    URL=http://$ADDRESS:$PORT
    seen 200 "--public-status: others too"
    server_stop
    printf 'secret\nsecret\n' | "$HTTPD" --passwd ana >"$TMP/accounts" 2>/dev/null
    sed 's|^ana\(.*\)|bob\1:/bob:r|' "$TMP/accounts" >>"$TMP/accounts.bob"
    cat "$TMP/accounts.bob" >>"$TMP/accounts"
    chmod 600 "$TMP/accounts"
    ERR_MAY='read-only|passwords travel|login failed'
    server_start -b '*' -t 2 --auth "$TMP/accounts"
    URL=http://$ADDRESS:$PORT
    seen 401 "--auth: others need an account"
    seen 200 "whoever may read everything may see it" -u ana:secret
    seen 403 "whoever may read a part may not" -u bob:secret
    fetch /a.txt
    is "$STATUS" 200 "reading stays open"
    server_stop
else
    skip "who may see it from elsewhere" "no address but the loopback"
fi

# ---- refusals ------------------------------------------------------------------------------------

mkdir "$ROOT/many" && (cd "$ROOT/many" && seq -f 'entry-%06.0f' 1 30000 | xargs touch)
ERR_MAY='the number of clients|clients are served again'
server_start -t 1 -q 0
pids=()
for i in {1..20}; do
    curl -s -o /dev/null -w '%{http_code}\n' "$URL/many/" >"$TMP/code.$i" &
    pids+=($!)
done
wait "${pids[@]}"
answers() { grep -lx 503 "$TMP"/code.* | wc -l; }
refused_now() { refused=$(number connections.refused 2>/dev/null); }
wait_for 5 refused_now
is "${refused:-none}" "$(answers)" "every client that was turned away is counted"

done_testing
