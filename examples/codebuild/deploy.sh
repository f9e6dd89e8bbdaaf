#!/usr/bin/env bash
# Puts an image into a Deployment, waits until the new version serves, and goes back to the
# revision that was there before if it does not. Works wherever kubectl does.
set -euo pipefail
: "${NAMESPACE:?}" "${DEPLOYMENT:?}" "${CONTAINER:?}" "${IMAGE_URI:?}"
timeout=${ROLLOUT_TIMEOUT:-10m}
of() { kubectl --namespace "$NAMESPACE" "$@"; }

# `rollout undo` alone would go to the revision with the second highest number, which may be one
# that failed yesterday.
before=$(of get deployment "$DEPLOYMENT" \
  --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')

of set image "deployment/$DEPLOYMENT" "$CONTAINER=$IMAGE_URI"
if of rollout status "deployment/$DEPLOYMENT" --timeout "$timeout"; then
  exit 0
fi

# Why is in here somewhere.
of get pods --output wide || true
of get events --sort-by lastTimestamp | tail -n 30 || true
after=$(of get deployment "$DEPLOYMENT" \
  --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')
if [ "$after" != "$before" ]; then
  # Whoever deployed in the meantime is undone, too: kubectl cannot tell.
  of rollout undo "deployment/$DEPLOYMENT" --to-revision "$before"
  of rollout status "deployment/$DEPLOYMENT" --timeout "$timeout"
  echo "Deployment $DEPLOYMENT is back at what revision $before was." >&2
fi
exit 1
