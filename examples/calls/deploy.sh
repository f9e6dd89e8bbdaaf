#!/usr/bin/env bash
# Deploys by calling Landfall's function: deploy.sh FUNCTION CALL.json
# Ends with 0 if the deploy succeeded, and else with the reason. Needs the AWS CLI and jq.
set -euo pipefail
function=${1:?the name of the function} call=${2:?a file with the call}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
event=$folder/event.json answer=$folder/answer.json

# Without an `execution` a call that is sent again would be another deploy.
jq --exit-status '.deploy.execution | strings' "$call" >/dev/null ||
  { echo "$call: .deploy.execution is missing" >&2; exit 2; }
cp "$call" "$event"

# By itself the CLI takes a minute of silence for an error, and sends the call again, several times.
# Here it waits for as long as a function may run, and what failed on the way is sent again in sight.
export AWS_MAX_ATTEMPTS=1
lost=0
while :; do
  if ! invoked=$(aws lambda invoke --function-name "$function" --payload "fileb://$event" \
    --cli-connect-timeout 10 --cli-read-timeout 910 --output json "$answer"); then
    lost=$((lost + 1))
    [ "$lost" -le 3 ] || exit 1
    sleep "${RETRY_DELAY:-10}"
    continue
  fi
  # The CLI ends with 0 although the function failed.
  if jq --exit-status 'has("FunctionError")' <<<"$invoked" >/dev/null; then
    jq --raw-output '"\(.errorType): \(.errorMessage)"' "$answer" >&2
    exit 1
  fi
  jq --raw-output '.summary' "$answer"
  case $(jq --raw-output '.status' "$answer") in
  SUCCEEDED) exit 0 ;;
  IN_PROGRESS) ;;
  *) echo "this is not an answer of Landfall" >&2; exit 2 ;;
  esac
  sleep "${CALL_BACK_DELAY:-$(jq '.callBackDelay' "$answer")}"
  jq --slurpfile last "$answer" '.continuation = $last[0].continuation' "$call" >"$event"
done
