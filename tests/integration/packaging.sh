#!/bin/bash
# make install, what it installs, and the Debian package: it installs, starts and is removed without a trace.
. "$(dirname "$0")/lib.sh"

# What is installed is built anew here, so one look at it is enough.
[ $SLOW -eq 1 ] || [[ $HTTPD == */asan/* ]] || skip_all "seen on another build"

has() { command -v "$1" >/dev/null 2>&1; }
unset MAKEFLAGS MFLAGS MAKELEVEL
# A tree of its own: the tests may be running from a build that is not the ordinary one.
built=$TMP/source
mkdir "$built"
(cd "$LIB_TOP" && cp -r Makefile src include README.md LICENSE "$built")
cd "$built" || exit 1
make -s -j2 >"$TMP/make.log" 2>&1
ok "it builds from a copy of the source" || note "$(tail -n 20 "$TMP/make.log")"

make -s install DESTDIR="$TMP/dest" PREFIX=/opt/x >"$TMP/make.log" 2>&1
ok "make install" || note "$(tail -n 20 "$TMP/make.log")"
for file in sbin/httpd bin/httpclient bin/stresscmd share/man/man8/httpd.8 share/man/man1/httpclient.1 \
    share/man/man1/stresscmd.1 share/bash-completion/completions/httpclient share/zsh/site-functions/_httpd \
    share/fish/vendor_completions.d/stresscmd.fish lib/systemd/system/httpd.service lib/systemd/system/httpd.socket; do
    [ -f "$TMP/dest/opt/x/$file" ]
    ok "$file"
done
is "$(find "$TMP/dest" -type f -not -path '*/opt/x/*' | wc -l)" 0 "and nothing outside PREFIX"
like "$(cat "$TMP/dest/opt/x/lib/systemd/system/httpd.service")" 'ExecStart=/opt/x/sbin/httpd ' "the unit runs what was installed"
like "$("$TMP/dest/opt/x/sbin/httpd" --version)" '^httpd ' "which runs"
make -s uninstall DESTDIR="$TMP/dest" PREFIX=/opt/x >/dev/null 2>&1
is "$(find "$TMP/dest" -type f | wc -l)" 0 "make uninstall leaves no file"

if has systemd-analyze; then
    mkdir "$TMP/units"
    sed "s,/usr/local/sbin/httpd,$HTTPD," src/packaging/httpd.service >"$TMP/units/httpd.service"
    cp src/packaging/httpd.socket "$TMP/units"
    said=$(systemd-analyze verify --man=no "$TMP/units/httpd.service" "$TMP/units/httpd.socket" 2>&1 | grep -F "$TMP/units")
    is "$said" "" "systemd-analyze verify has nothing to say"
    exposure=$(systemd-analyze security --offline=yes "$TMP/units/httpd.service" 2>/dev/null |
        sed -n 's/.*Overall exposure level for httpd.service: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
    at_most "${exposure:-100}" 20 "systemd-analyze security: exposure in tenths"
else
    skip "systemd-analyze" "systemd is not installed"
fi

if ! has dpkg-deb || ! has objdump; then
    skip "make deb" "dpkg-deb or binutils is not installed"
    done_testing
fi
make -s deb >"$TMP/make.log" 2>&1
ok "make deb" || note "$(tail -n 20 "$TMP/make.log")"
make -s >"$TMP/again.log" 2>&1
ok "make again" || note "$(tail -n 5 "$TMP/again.log")"
package=$(tail -n 1 "$TMP/make.log")
if has lintian; then
    said=$(lintian --allow-root --fail-on none --tag-display-limit 0 "$package" 2>&1 | grep -E '^[EW]:')
    is "$said" "" "lintian has no error and no warning"
else
    skip "lintian has no error and no warning" "lintian is not installed"
fi
# Into a root of its own, as a user's machine would have it.
if [ "$(id -u)" -eq 0 ]; then
    mkdir -p "$TMP/machine/var/lib/dpkg/updates" "$TMP/machine/var/lib/dpkg/info"
    touch "$TMP/machine/var/lib/dpkg/status"
    into=(dpkg --root="$TMP/machine" --force-script-chrootless --force-depends --log=/dev/null)
    "${into[@]}" --install "$package" >"$TMP/dpkg.log" 2>&1
    ok "it installs" || note "$(tail "$TMP/dpkg.log")"
    HTTPD=$TMP/machine/usr/sbin/httpd
    echo hello >"$ROOT/a.txt"
    server_start
    fetch /a.txt
    is "$STATUS" 200 "what it installed serves"
    server_stop
    "${into[@]}" --remove resume-httpd >"$TMP/dpkg.log" 2>&1
    ok "it can be removed" || note "$(tail "$TMP/dpkg.log")"
    [ ! -e "$TMP/machine/usr/sbin/httpd" ] && [ -e "$TMP/machine/etc/default/httpd" ]
    ok "and leaves its configuration"
    "${into[@]}" --purge resume-httpd >"$TMP/dpkg.log" 2>&1
    ok "it can be purged" || note "$(tail "$TMP/dpkg.log")"
    is "$(find "$TMP/machine" -not -path '*/var/lib/dpkg*' -type f | wc -l)" 0 "and leaves nothing"
else
    skip "it installs" "only root can try that"
fi
done_testing
