#!/bin/sh
# Makes what Landfall is measured beside, each where its tools are there.
# Usage: bench/build.sh FOLDER FUNCTION-OR-PACKAGE
set -eu
here=$(cd "${0%/*}" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
function=$2

missing() { echo "bench: no $1 candidate: $2" >&2; rm -rf "${folder:?}/$1" "$folder/$1.zip"; }
# Deflated, as an upload to Lambda is; Python's own module, so that every candidate has the same.
pack() { (cd "$2" && rm -f "$folder/$1.zip" && shift && shift && python3 -m zipfile -c "$@"); }
# Whether a candidate has to be made again: its sources are newer than its mark.
stale() { [ ! -e "$folder/$1/.built" ] || [ -n "$(find "$here/$1" -newer "$folder/$1/.built")" ]; }

if ! command -v python3 >/dev/null; then
  echo "bench: python3 is needed, to pack the candidates and for one of them" >&2
  exit 1
fi

# Landfall: what is packaged, or a binary that is named.
rm -rf "$folder/landfall" && mkdir -p "$folder/landfall"
case $function in
  *.zip)
    cp "$function" "$folder/landfall.zip"
    python3 -m zipfile -e "$function" "$folder/landfall"
    chmod +x "$folder/landfall/bootstrap"
    ;;
  *)
    cp "$function" "$folder/landfall/bootstrap"
    pack landfall "$folder/landfall" "$folder/landfall.zip" bootstrap
    ;;
esac

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
  missing python "python3 has no venv"
elif stale python; then
  rm -rf "$folder/python"
  python3 -m venv "$folder/python"
  pip="$folder/python/bin/python -m pip --disable-pip-version-check --quiet"
  $pip install --requirement "$here/python/requirements.txt"
  mkdir "$folder/python/task"
  cp "$here/python/handler.py" "$folder/python/task/"
  # boto3 and the runtime's client are Lambda's; the rest is uploaded with the function.
  $pip install --no-deps --target "$folder/python/task" \
    $(grep -E '^(requests|urllib3|certifi|idna|charset-normalizer)==' "$here/python/requirements.txt")
  (cd "$folder/python/task" && pack python . "$folder/python.zip" ./*)
  "$folder/python/bin/python" -m compileall -q "$folder/python/task"
  touch "$folder/python/.built"
fi

if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
  missing node "node and npm are not there"
elif [ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 20')" != true ]; then
  missing node "Node 20 or newer is needed, this is $(node --version)"
elif stale node; then
  rm -rf "$folder/node"
  mkdir -p "$folder/node/task"
  cp "$here"/node/*.js* "$folder/node/"
  (
    cd "$folder/node"
    npm ci --silent --no-audit --no-fund --ignore-scripts
    npm run --silent bundle -- --outfile=task/index.cjs --log-level=error
    ln -s "$(node -p process.execPath)" node
  )
  pack node "$folder/node/task" "$folder/node.zip" index.cjs
  touch "$folder/node/.built"
fi

if ! command -v go >/dev/null; then
  missing go "go is not there"
elif stale go; then
  mkdir -p "$folder/go"
  (cd "$here/go" && CGO_ENABLED=0 go build -trimpath -tags lambda.norpc -ldflags "-s -w" \
    -o "$folder/go/bootstrap" .)
  pack go "$folder/go" "$folder/go.zip" bootstrap
  touch "$folder/go/.built"
fi
