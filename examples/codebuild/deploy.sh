#!/usr/bin/env bash
# Sets an image of a Deployment, waits until the new version is ready, and rolls back to the previous
# revision if it fails. Works wherever kubectl works.
set -euo pipefail
: "${NAMESPACE:?}" "${DEPLOYMENT:?}" "${CONTAINER:?}" "${IMAGE_URI:?}"
timeout=${ROLLOUT_TIMEOUT:-10m}
of() { kubectl --namespace "$NAMESPACE" "$@"; }

# `rollout undo` alone would use the revision with the second highest number, which may have failed
# yesterday.
before=$(of get deployment "$DEPLOYMENT" \
  --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')

of set image "deployment/$DEPLOYMENT" "$CONTAINER=$IMAGE_URI"
if of rollout status "deployment/$DEPLOYMENT" --timeout "$timeout"; then
  exit 0
fi

# This output contains the reason.
of get pods --output wide || true
of get events --sort-by lastTimestamp | tail -n 30 || true
after=$(of get deployment "$DEPLOYMENT" \
  --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')
if [ "$after" != "$before" ]; then
  # This also undoes later deploys by others: kubectl does not notice them.
  of rollout undo "deployment/$DEPLOYMENT" --to-revision "$before"
  of rollout status "deployment/$DEPLOYMENT" --timeout "$timeout"
  echo "Deployment $DEPLOYMENT is back at what revision $before was." >&2
fi
exit 1
