#!/usr/bin/env bash
# Builds the image of $COMMIT from the given folder and pushes it, unless it exists, and prints its
# address with the digest. All other output goes to standard error.
set -euo pipefail
package=$1
: "${REPOSITORY_URI:?}" "${COMMIT:?}" "${PLATFORM:?}"
registry=${REPOSITORY_URI%%/*}

digest() {
  aws ecr describe-images --repository-name "${REPOSITORY_URI#*/}" \
    --image-ids "imageTag=$COMMIT" --query 'imageDetails[0].imageDigest' --output text
}

# Tags are immutable in this repository. So a retried stage, or a commit that is released again, uses
# the existing image: exactly the one that was released before.
if ! found=$(digest 2>&1); then
  case $found in
    *ImageNotFoundException*) ;;
    *) echo "$found" >&2; exit 1 ;;
  esac
  aws ecr get-login-password | docker login --username AWS --password-stdin "$registry" >&2
  docker build --platform "$PLATFORM" --label "org.opencontainers.image.revision=$COMMIT" \
    --tag "$REPOSITORY_URI:$COMMIT" "$package" >&2
  docker push "$REPOSITORY_URI:$COMMIT" >&2
  found=$(digest)
fi
echo "$REPOSITORY_URI@$found"
