# shellcheck shell=bash
# Completion of httpd, httpclient and stresscmd for bash.

_httpd_options() { # _httpd_options CURRENT WORD... : those words that it may become
    local current=$1
    shift
    mapfile -t COMPREPLY < <(compgen -W "$*" -- "$current")
}

_httpd() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $previous in
    -r | --root | -s | --state | --chroot)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --auth | --unix | -l | --log | --error-log | -P | --pid-file)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    -u | --user)
        mapfile -t COMPREPLY < <(compgen -u -- "$current")
        return
        ;;
    -b | --bind | --hftp-bind) _httpd_options "$current" 127.0.0.1 ::1 '\*' && return ;;
    --log-format) _httpd_options "$current" combined common json && return ;;
    --log-level) _httpd_options "$current" error warning notice && return ;;
    --trust) _httpd_options "$current" unix 127.0.0.1 10.0.0.0/8 && return ;;
    -p | --port | --hftp | -t | --threads | -q | --queue | -c | --connections | --per-address | --patience | \
        --head-timeout | --idle-timeout | --min-rate | --max-body | --min-free | --max-staged | --expire | \
        --passwd | --host | --cors | --unix-mode | --proxy-holds | --drain-delay) return ;;
    esac
    _httpd_options "$current" --root --port --bind --no-listing --hftp --hftp-bind --uuid-root \
        --public-status --read-only --public-writes --auth --private --passwd --host --cors --max-body \
        --min-free --max-staged --expire --no-fsync --state --threads --queue --connections --cache --per-address \
        --head-timeout --idle-timeout --min-rate --patience --trust --proxy-protocol --unix --unix-mode \
        --proxy-holds --reuse-port --drain-delay --log --log-format --error-log --log-level --daemon --pid-file --user --chroot \
        --no-sandbox --help --version
}

_httpclient() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $previous in
    -o | --output | -d | --data)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    -h | --host | -H | --header | --timeout | --tries) return ;;
    esac
    _httpd_options "$current" --host --output --data --header --include --location --resume --tries --json --timeout --help \
        GET HEAD PUT POST PATCH DELETE OPTIONS MKCOL MOVE
}

_stresscmd() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $previous in
    -n | --clients | -t | --time | -c | --count | --timeout) return ;;
    esac
    _httpd_options "$current" --clients --ramp --time --count --keep-alive --timeout --json \
        --target-is-mine --help httpclient
}

complete -F _httpd httpd ./httpd
complete -F _httpclient httpclient ./httpclient
complete -F _stresscmd stresscmd ./stresscmd
