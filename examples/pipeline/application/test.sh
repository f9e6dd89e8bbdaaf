#!/usr/bin/env bash
# The tests, against a real PostgreSQL that this starts and removes again. The build runs it, and so
# can you: all it needs is Go and PostgreSQL's server (Debian: postgresql, Amazon Linux:
# postgresql15-server). Arguments go to `go test`.
set -euo pipefail
cd "$(dirname "$0")"

# Debian keeps the server's programs out of PATH.
for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
  if [ -x "$folder/initdb" ]; then PATH="$folder:$PATH"; fi
done
command -v initdb > /dev/null || { echo "test.sh: PostgreSQL's initdb is not here" >&2; exit 2; }

# PostgreSQL does not run as root, and a build does.
as_server=()
if [ "$(id -u)" = 0 ]; then as_server=(runuser -u postgres --); fi

home=$(mktemp -d)
chmod 0755 "$home"
if [ "$(id -u)" = 0 ]; then chown postgres "$home"; fi
stop() {
  (cd / && "${as_server[@]}" pg_ctl --pgdata "$home/data" --mode immediate --silent stop) || true
  rm -rf "$home"
}
trap stop EXIT

# Only a socket in that folder: no port that could be taken, and nobody else on the machine gets in.
options="-c listen_addresses='' -c unix_socket_directories=$home -c fsync=off"
(
  cd /
  "${as_server[@]}" initdb --pgdata "$home/data" --auth trust --username web --encoding UTF8 \
    --no-sync > "$home/log"
  "${as_server[@]}" pg_ctl --pgdata "$home/data" --silent --wait --log "$home/data/log" \
    --options "$options" start
) || { cat "$home/log" "$home/data/log" >&2; exit 1; }

go vet ./...
TEST_DATABASE_URL="postgres://web@/postgres?host=$home&sslmode=disable" go test "$@" ./...
