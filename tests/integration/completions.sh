#!/bin/bash
# The completions of three shells, asked as the shells ask them.
. "$(dirname "$0")/lib.sh"

FILES=$LIB_TOP/src/completions
touch "$ROOT/accounts.txt"
mkdir "$ROOT/public"
cd "$ROOT" || exit 1

# in_bash WORD... : what bash offers for the last word
in_bash() {
    bash --norc -c '. "$0"/httpd.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _$1; printf "%s\n" "${COMPREPLY[@]}"' \
        "$FILES" "$@" | sort | paste -sd ' '
}
is "$(in_bash httpd --pub)" "--public-status --public-writes" "bash: options of httpd"
is "$(in_bash httpd --root pu)" "public" "bash: directories where one is wanted"
is "$(in_bash httpd --root acc)" "" "bash: and only those"
is "$(in_bash httpd --auth acc)" "accounts.txt" "bash: files"
is "$(in_bash httpd --port '')" "" "bash: nothing where a number is wanted"
is "$(in_bash httpclient PU)" "PUT" "bash: methods of httpclient"
is "$(in_bash stresscmd --ra)" "--ramp" "bash: options of stresscmd"

if command -v fish >/dev/null; then
    in_fish() {
        HOME=$TMP XDG_CONFIG_HOME=$TMP XDG_DATA_HOME=$TMP fish --no-config \
            -c "source $FILES/httpd.fish; complete -C '$1'" 2>&1 | cut -f 1 | sort | paste -sd ' '
    }
    is "$(in_fish 'httpd --pub')" "--public-status --public-writes" "fish: options of httpd"
    is "$(in_fish 'httpd --root pu')" "public/" "fish: directories where one is wanted"
    like "$(in_fish 'httpd --auth acc')" 'accounts.txt' "fish: files"
    is "$(in_fish 'httpclient PU')" "PUT" "fish: methods of httpclient"
    is "$(in_fish 'stresscmd --ra')" "--ramp" "fish: options of stresscmd"
else
    skip "fish" "fish is not installed"
fi

if command -v zsh >/dev/null; then
    # The shell asks within its line editor alone: it gets a terminal, a line and a tab.
    cat >"$TMP/ask.zsh" <<'Z'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PROMPT=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; unsetopt zle_bracketed_paste 2>/dev/null; LISTMAX=1000; bindkey '^I' list-choices; print READ''Y"
zpty -r -m shell line '*READY*' || exit 1
zpty -w -n shell "$2"$'\t'
sleep 1
zpty -w -n shell $'\x15print DO\'\'NE\n'
zpty -r -m shell line '*DONE*'
print -r -- "$line"
zpty -d shell
Z
    in_zsh() { TERM=dumb timeout 20 zsh -f "$TMP/ask.zsh" "$FILES" "$1" 2>&1 | tr -d '\r'; }
    answer=$(in_zsh 'httpd --pub')
    like "$answer" '--public-status' "zsh: options of httpd"
    like "$answer" '--public-writes' "zsh: all of them"
    like "$answer" 'show /.status' "zsh: and what they mean"
    like "$(in_zsh 'stresscmd --r')" 'amp' "zsh: options of stresscmd"
    like "$(in_zsh 'httpclient --')" '--location' "zsh: options of httpclient"
else
    skip "zsh" "zsh is not installed"
fi

done_testing
