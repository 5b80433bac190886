#!/usr/bin/env bash
# From a fresh clone to a running chat:
#
#   ./quickstart.sh              build, write a .env with fresh keys unless it was started before, serve
#   ./quickstart.sh --compose    the same in containers, with PostgreSQL (needs docker compose)
#   ./quickstart.sh --no-start   stop before serving
#
# A .env that is there already is never touched, and the keys of an earlier start (in DATA_DIR, ./data) stay the keys. PARLOUR_BINARY=path uses that binary instead of building one.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '%s\n' "$*"; }
die() {
    say "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
has_compose() { has docker && docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1; }

mode=ask
start=yes
for argument in "$@"; do
    case $argument in
    --compose) mode=compose ;;
    --no-start) start=no ;;
    -h | --help)
        sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
        exit 0
        ;;
    *) die "quickstart.sh does not know $argument; see ./quickstart.sh --help." ;;
    esac
done

# Makes .env out of what comes in, for its owner alone, unless one has appeared meanwhile.
write_env() {
    local new
    new=$(mktemp .env.XXXXXX) # mode 0600
    trap 'rm -f "$new"' EXIT
    cat >"$new"
    grep -q '^SECRET_KEY=.' "$new" && grep -q '^ENCRYPTION_KEY=.' "$new" || die "No keys could be made."
    ln "$new" .env 2>/dev/null || die "A .env is there already; it was left as it is."
    rm -f "$new"
    trap - EXIT
    say "Wrote .env with fresh keys (only you can read it). Back it up: without ENCRYPTION_KEY no message can be read."
}

keys_head() {
    say "# Written by quickstart.sh. Keep it to yourself. Every other setting is explained in .env.example."
}

with_compose() {
    has_compose || die "docker compose is not there, or the Docker engine does not run. Without it: ./quickstart.sh"
    if [ -e .env ]; then
        say ".env is there already; it is left as it is."
        docker compose build
    else
        POSTGRES_PASSWORD=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
        export POSTGRES_PASSWORD
        docker compose build
        {
            keys_head
            say "POSTGRES_PASSWORD=$POSTGRES_PASSWORD"
            docker compose run --rm --no-deps --no-TTY parlour keys generate </dev/null
        } | write_env
    fi
    [ "$start" = yes ] || exit 0
    docker compose up --detach
    say "Parlour runs at http://127.0.0.1:${PARLOUR_PORT:-8000}; its log: docker compose logs --follow parlour"
    say "Add people with: docker compose exec parlour parlour users add NAME (or set REGISTRATION=open in .env)"
    exit 0
}

if [ "$mode" = ask ] && [ ! -e .env ] && [ -t 0 ] && [ -t 1 ] && has_compose; then
    say "docker compose is there. Parlour needs no other database than its own, but can use PostgreSQL in a container."
    read -r -p "Run Parlour and PostgreSQL in containers? [y/N] " answer
    case $answer in [yY]*) mode=compose ;; esac
fi
[ "$mode" != compose ] || with_compose

binary=${PARLOUR_BINARY:-}
if [ -z "$binary" ]; then
    has cargo || die "Rust is missing. Install it from https://rustup.rs, open a new terminal, and run ./quickstart.sh again."
    version=$(cargo --version | sed 's/^cargo \([0-9]*\)\.\([0-9]*\).*/\1 \2/')
    read -r major minor <<<"$version"
    if [ "$major" -lt 1 ] || { [ "$major" -eq 1 ] && [ "$minor" -lt 95 ]; }; then
        die "Rust $major.$minor is too old; Parlour needs 1.95 or newer. Run: rustup update"
    fi
    if ! has cc && ! has gcc && ! has clang; then
        die "A C compiler is missing (it builds SQLite). Debian, Ubuntu: sudo apt-get install gcc libc6-dev. Fedora: sudo dnf install gcc. macOS: xcode-select --install"
    fi
    say "Building Parlour. The first time takes some minutes."
    cargo build --release --locked
    binary=${CARGO_TARGET_DIR:-target}/release/parlour
fi

data=${DATA_DIR:-./data}
if [ -e .env ]; then
    say ".env is there already; it is left as it is."
elif [ -n "$(ls -A "$data" 2>/dev/null)" ]; then
    say "Parlour was started here before: what is in $data stays as it is, the keys too, and no .env is needed."
else
    { keys_head && "$binary" keys generate; } | write_env
fi
if [ "$start" = no ]; then
    say "Start it with: $binary"
    exit 0
fi
say "Starting. Stop it with Ctrl-C. For a second terminal: $binary tui"
exec "$binary" serve
