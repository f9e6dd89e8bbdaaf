#!/usr/bin/env bash
# Runs the tests with a real PostgreSQL, which it starts and removes. The build runs this script, and so
# can you: it needs Go and PostgreSQL's server (Debian: postgresql, Amazon Linux: postgresql15-server).
# Arguments go to `go test`.
set -euo pipefail
cd "$(dirname "$0")"

# On Debian the server's programs are not in PATH.
for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
  if [ -x "$folder/initdb" ]; then PATH="$folder:$PATH"; fi
done
command -v initdb > /dev/null || { echo "test.sh: PostgreSQL's initdb is not here" >&2; exit 2; }

# PostgreSQL does not run as root, but a build does.
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

# Uses only a socket in that folder: no port conflict, and no other user of the machine has access.
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
