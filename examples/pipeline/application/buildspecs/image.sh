#!/usr/bin/env bash
# Builds and pushes the image of $COMMIT from the folder given, unless it is there, and prints its
# address by digest. Everything else goes to standard error.
set -euo pipefail
package=$1
: "${REPOSITORY_URI:?}" "${COMMIT:?}" "${PLATFORM:?}"
registry=${REPOSITORY_URI%%/*}

digest() {
  aws ecr describe-images --repository-name "${REPOSITORY_URI#*/}" \
    --image-ids "imageTag=$COMMIT" --query 'imageDetails[0].imageDigest' --output text
}

# Tags cannot be moved in this repository. So a stage that is retried, or a commit that is released
# again, takes the image that is there: the very one that was released before.
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
