#!/bin/bash
# make up: from a fresh clone to a running cluster. Sets up the virtual environment, the real components
# and the images, starts pykube-cp and, as root, worker nodes on this machine.
#   up.sh              NODES=2 up.sh for two nodes; running it again only adds what is missing
set -euo pipefail
export NODE_INTERNET="${NODE_INTERNET:-1}"
. "$(dirname "$0")/env.sh"
case "${1:-}" in -h | --help) usage; exit 0 ;; esac

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
newest_python() { local p; for p in python3.14 python3.13 python3.12 python3.11 python3; do if new_enough "$p"; then echo "$p"; return; fi; done; return 1; }
virtual_environment() {
  local python
  [ ! -x "$REPO/.venv/bin/pykube-cp" ] || return 0
  python=$(newest_python) || fail "Python 3.11 or newer is needed: apt-get install python3 python3-venv"
  "$python" -c 'import ensurepip' 2>/dev/null || "$CONFORMANCE/deps.sh" python
  [ -x "$REPO/.venv/bin/python" ] || "$python" -m venv "$REPO/.venv"
  step "pykube-cp and what it depends on (.venv)" "$REPO/.venv/bin/python" -m pip install --quiet --disable-pip-version-check -e "$REPO[docs]"
}

usage_of_cluster() {
  cat <<T

pykube-cp is up at $API_SERVER. To use it:

    export KUBECONFIG=$ADMIN_KUBECONFIG
    export PATH=$BIN:\$PATH
    kubectl get nodes
    kubectl create deployment web --image=registry.k8s.io/e2e-test-images/nginx:1.28.0-2 --replicas=3
    kubectl get pods -o wide

Logs are in $STATE/log. make down stops it and takes everything back.
T
}
usage_of_joining() {
  cat <<T

Worker nodes need root, so none was started here. To start one on this machine: sudo make node-up
A machine elsewhere joins with a stock kubelet v1.37 and two files made here:

    $REPO/.venv/bin/pykube-cp kubeconfig --user system:node:NAME --group system:nodes \\
        --server https://$HOST_IP:$API_PORT --data-dir $DATA >kubelet.conf
    $PKI/ca.crt

    kubelet --kubeconfig kubelet.conf --hostname-override NAME --config KubeletConfiguration.yaml
T
}

virtual_environment
if is_root; then
  "$CONFORMANCE/cluster.sh" up --minimal-images
  usage_of_cluster
  kubectl get nodes
else
  "$CONFORMANCE/controlplane.sh" up
  usage_of_cluster; usage_of_joining
fi
