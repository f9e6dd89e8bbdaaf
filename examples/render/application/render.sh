#!/usr/bin/env bash
# Renders the chart in chart/, or the Kustomization in k8s/, into rendered/all.yaml.
# The program is downloaded in one version, and is not run unless its checksum is right.
set -euo pipefail
: "${RENDERER:?}" "${VERSION:?}" "${SHA256:?}" "${RELEASE:?}" "${NAMESPACE:?}"

case $RENDERER in
  helm) archive=https://get.helm.sh/helm-v$VERSION-linux-amd64.tar.gz program=linux-amd64/helm ;;
  kustomize)
    archive=https://github.com/kubernetes-sigs/kustomize/releases/download
    archive=$archive/kustomize%2Fv$VERSION/kustomize_v${VERSION}_linux_amd64.tar.gz program=kustomize
    ;;
  *) echo "RENDERER is $RENDERER: helm or kustomize" >&2 && exit 1 ;;
esac

folder=$(mktemp -d)
curl --fail --silent --show-error --location --retry 3 --output "$folder/archive" "$archive"
echo "$SHA256  $folder/archive" | sha256sum --check --quiet
tar --extract --gzip --file "$folder/archive" --directory "$folder"

mkdir -p rendered
case $RENDERER in
  # CRDs are part of the release, tests are not. Give --kube-version the version of your cluster if
  # the chart asks for it: rendered here, it cannot ask the cluster.
  helm)
    "$folder/$program" template "$RELEASE" chart --namespace "$NAMESPACE" --include-crds \
      --skip-tests > rendered/all.yaml
    ;;
  kustomize) "$folder/$program" build k8s > rendered/all.yaml ;;
esac
test -s rendered/all.yaml
