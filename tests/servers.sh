#!/bin/sh
# Makes sure that the servers the tests start are on this machine: PostgreSQL and Redis; with `front` nginx, too.
# Called by `make test` and `make check`.
# Installs what is missing through apt as root or with passwordless sudo; otherwise stops and says what to run.
# Tests never skip for want of a server. Nothing is started here: the tests start their own, on free ports.
set -eu

has_postgresql() {
    command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

has_redis() {
    command -v redis-server >/dev/null 2>&1
}

has_nginx() {
    [ -x /usr/sbin/nginx ] || command -v nginx >/dev/null 2>&1
}

missing=
has_postgresql || missing="$missing postgresql"
has_redis || missing="$missing redis-server"
# The front that is shipped is tried by one of the checks.
[ "${1-}" != front ] || has_nginx || missing="$missing nginx-light"
[ -n "$missing" ] || exit 0

install="apt-get update && apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need$missing, and this machine has no apt-get: install them and run again." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "The tests need$missing. Install and run again:" >&2
    echo "    sudo sh -c '$install'" >&2
    exit 1
fi

echo "Installing$missing for the tests"
# RUNLEVEL=1: install the servers, do not start them as services of the machine.
# shellcheck disable=SC2086  # both are lists of words
$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 sh -c "$install" >/dev/null </dev/null

if ! has_postgresql || ! has_redis; then
    echo "apt-get installed$missing, yet initdb or redis-server cannot be found." >&2
    exit 1
fi
