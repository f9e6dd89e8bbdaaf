#!/bin/sh
# Puts the peers that we are tried against into a folder: AWS's runtime emulator, moto, the AWS CLI.
# Usage: tests/peers/build.sh FOLDER
set -eu
here=${0%/*}
folder=$1

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
  echo "python3 with venv is needed for moto and the AWS CLI; on Debian or Ubuntu:" >&2
  echo "  apt-get install python3 python3-venv" >&2
  exit 1
fi
case $(uname -sm) in
  "Linux x86_64") emulator=aws-lambda-rie-x86_64 ;;
  "Linux aarch64") emulator=aws-lambda-rie-arm64 ;;
  *) echo "AWS's runtime emulator is a program for Linux; this is $(uname -sm)" >&2; exit 1 ;;
esac

rm -rf "$folder"
python3 -m venv "$folder"
pip="$folder/bin/python -m pip --disable-pip-version-check --quiet"
$pip install --requirement "$here/requirements.txt"
$pip download --no-deps --require-hashes --dest "$folder/wheel" --requirement "$here/emulator.txt"
"$folder/bin/python" - "$folder" "$emulator" <<'PYTHON'
import pathlib, sys, zipfile
folder, emulator = pathlib.Path(sys.argv[1]), sys.argv[2]
wheel, = (folder / "wheel").glob("aws_sam_cli-*.whl")
program = folder / "bin" / "aws-lambda-rie"
program.write_bytes(zipfile.ZipFile(wheel).read("samcli/local/rapid/" + emulator))
program.chmod(0o755)
PYTHON
rm -r "$folder/wheel"
