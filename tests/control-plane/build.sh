#!/usr/bin/env bash
# Builds a real Kubernetes control plane from Go modules, once: build.sh FOLDER.
# Programs that are in KUBEBUILDER_ASSETS are taken from there.
set -euo pipefail
bin=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")"

declare -A modules=(
  [kube-apiserver]=kubernetes [kube-controller-manager]=kubernetes [kube-scheduler]=kubernetes
  [kubectl]=kubernetes [etcd]=etcd [kwok]=kwok [authenticator]=authenticator
)
missing=()
for program in "${!modules[@]}"; do
  if [[ -n "${KUBEBUILDER_ASSETS:-}" && -x "$KUBEBUILDER_ASSETS/$program" ]]; then
    ln -sf "$KUBEBUILDER_ASSETS/$program" "$bin/$program"
  else
    missing+=("$program")
  fi
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

if ! command -v go >/dev/null; then
  echo "The control plane (${missing[*]}) is built with Go 1.26.2 or later, which is not installed:" >&2
  echo "https://go.dev/doc/install. Programs of your own can be named by KUBEBUILDER_ASSETS=FOLDER." >&2
  exit 1
fi

# All of a module that is wanted is built in one go: they share nearly everything.
for module in etcd kwok kubernetes authenticator; do
  wanted=()
  for program in "${missing[@]}"; do
    [[ ${modules[$program]} == "$module" ]] || continue
    case $program in
      etcd) wanted+=(go.etcd.io/etcd/server/v3) ;;
      kwok) wanted+=(sigs.k8s.io/kwok/cmd/kwok) ;;
      authenticator) wanted+=(.) ;;
      *) wanted+=("k8s.io/kubernetes/cmd/$program") ;;
    esac
  done
  [[ ${#wanted[@]} -gt 0 ]] || continue
  cd "$module"
  flags="-s -w"
  output=$bin/
  case $module in
    etcd) output=$bin/etcd ;; # its package is called v3
    kwok | authenticator) ;;
    kubernetes)
      version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
      flags+=" -X k8s.io/component-base/version.gitVersion=$version"
      flags+=" -X k8s.io/client-go/pkg/version.gitVersion=$version"
      ;;
  esac
  echo "building ${wanted[*]}"
  CGO_ENABLED=0 go build -trimpath -p 2 -ldflags "$flags" -o "$output" "${wanted[@]}"
  cd ..
done
