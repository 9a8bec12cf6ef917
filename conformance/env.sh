# Settings and helpers shared by the scripts of this folder; source it, do not run it.
# Every setting comes from the environment or has a default. See README.md for the list.
# shellcheck shell=bash

CONFORMANCE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
REPO="$(dirname "$CONFORMANCE")"
PYKUBE_CP="${PYKUBE_CP:-$REPO/.venv/bin/pykube-cp}"

# The one pin of the real components is go.mod.
KUBE_VERSION="${KUBE_VERSION:-$(awk '$1 == "k8s.io/kubernetes" {print $2; exit}' "$CONFORMANCE/go.mod")}"

CACHE="${PYKUBE_CP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pykube-cp}"
STATE="${PYKUBE_CP_STATE:-$CACHE/state}"
BIN="$CACHE/$KUBE_VERSION/bin"
IMAGES="$CACHE/$KUBE_VERSION/images"          # OCI layout with every built image
DEBIAN="$CACHE/debian"                        # programs taken out of Debian packages
export KUBECACHEDIR="$STATE/kubectl-cache"      # discovery of this cluster, apart from the user's own
PATH="$DEBIAN/usr/bin:$DEBIAN/usr/sbin:$PATH:/usr/sbin:/sbin"

# Which control plane the cluster's scripts talk about: pykube-cp (ours), reference (upstream's), swapped (our
# API server, upstream's controllers and scheduler) or swapped-back (the other way round).
CONTROL_PLANE="${CONTROL_PLANE:-pykube-cp}"
case $CONTROL_PLANE in
  pykube-cp) API_PORT="${API_PORT:-6443}" ;;
  reference) API_PORT="${API_PORT:-6444}" ;;
  swapped) API_PORT="${API_PORT:-6445}" ;;
  swapped-back) API_PORT="${API_PORT:-6446}" ;;
  *) echo "CONTROL_PLANE must be pykube-cp, reference, swapped or swapped-back, not $CONTROL_PLANE" >&2; exit 2 ;;
esac
# the script that starts and stops it
case $CONTROL_PLANE in pykube-cp) CONTROL_SCRIPT=controlplane.sh ;; *) CONTROL_SCRIPT=refcp.sh ;; esac
DATA="$STATE/$CONTROL_PLANE"                  # its data, in kubeadm's layout: pki/, admin.conf
PKI="$DATA/pki"
JOIN="$STATE/join-$CONTROL_PLANE"             # credentials of the nodes
ADMIN_KUBECONFIG="$DATA/admin.conf"

# Worker nodes live in namespaces behind one bridge; the host is .1, node N is .(10+N).
NODES="${NODES:-1}"
BRIDGE="${BRIDGE:-pykubecp0}"
NODE_NET="${NODE_NET:-172.31.0}"
POD_CIDR="${POD_CIDR:-10.244.0.0/16}"
SERVICE_CIDR="${SERVICE_CIDR:-10.96.0.0/16}"
DNS_IP="${DNS_IP:-10.96.0.10}"
SHARED=/run/pykube-cp                         # what clusters on one machine have in common
NODE_INTERNET="${NODE_INTERNET:-0}"           # 1: containers may reach what this machine can reach
REGISTRY_PORT="${REGISTRY_PORT:-5000}"

is_root() { [ "$(id -u)" = 0 ]; }

primary_ip() { ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p' | head -1; }
default_host_ip() {
  if is_root; then echo "$NODE_NET.1"; else local a; a=$(primary_ip); echo "${a:-127.0.0.1}"; fi
}
HOST_IP="${HOST_IP:-$(default_host_ip)}"
API_SERVER="https://$HOST_IP:$API_PORT"

T0="${T0:-$(date +%s)}"; export T0
elapsed() { local s=$(($(date +%s) - T0)); printf '%dm%02ds' $((s / 60)) $((s % 60)); }
say() { printf '[%7s] %s\n' "$(elapsed)" "$*" >&2; }
fail() { printf '[%7s] error: %s\n' "$(elapsed)" "$*" >&2; exit 1; }
need_root() { is_root || fail "$(basename "$0") needs root: it makes network namespaces, mounts and cgroups"; }

# Prints the comment at the top of the calling script.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

node_link() { echo "$BRIDGE-n$1"; }           # the host's end of its wire
node_ip() { echo "$NODE_NET.$((10 + $1))"; }
kubectl() { "$BIN/kubectl" --kubeconfig "$ADMIN_KUBECONFIG" "$@"; }

# try_for SECONDS CMD...: repeats CMD until it succeeds
try_for() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do [ "$SECONDS" -lt "$end" ] || return 1; sleep 0.2; done
}

# step TEXT CMD...: runs a long command with its output in a log, and says every 20 s that it goes on
step() {
  local text=$1 log pid begin=$SECONDS beat=$((SECONDS + 20)) rc=0; shift
  mkdir -p "$CACHE/log"; log="$CACHE/log/$(echo "$text" | tr -cs 'a-zA-Z0-9\n' -).log"
  say "$text"
  "$@" >"$log" 2>&1 & pid=$!
  trap 'kill $pid 2>/dev/null; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [ "$SECONDS" -ge "$beat" ]; then say "$text: $((SECONDS - begin)) s"; beat=$((SECONDS + 20)); fi
  done
  wait "$pid" || rc=$?
  trap - INT TERM
  [ "$rc" = 0 ] || { tail -20 "$log" >&2; fail "$text failed; whole output: $log"; }
}

# Daemons: pid and start time are kept in $STATE/run/NAME.pid, so that a reused pid is never killed.
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '{print $20}'; }
remember() { mkdir -p "$STATE/run"; echo "$2 $(born "$2")" >"$STATE/run/$1.pid"; }
pid_of() {
  local pid when; read -r pid when 2>/dev/null <"$STATE/run/$1.pid" || return 1
  [ -n "$when" ] && [ "$(born "$pid")" = "$when" ] && echo "$pid"
}
alive() { pid_of "$1" >/dev/null; }
start() {
  local name=$1; shift
  alive "$name" && return 0
  mkdir -p "$STATE/log"
  setsid nohup "$@" >>"$STATE/log/$name.log" 2>&1 </dev/null &
  remember "$name" $!
}
stop() { # NAME [SIGNAL]
  local pid i
  if pid=$(pid_of "$1"); then
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    for ((i = 0; i < 150; i++)); do alive "$1" || break; sleep 0.1; done
    ! alive "$1" || kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$STATE/run/$1.pid"
}
log_tail() { tail -20 "$STATE/log/$1.log" >&2 2>/dev/null || true; }

cni_bin() { # the directory that holds the CNI plugins
  local d; for d in "${CNI_BIN:-}" /usr/lib/cni /opt/cni/bin /usr/libexec/cni "$DEBIAN/usr/lib/cni"; do
    if [ -n "$d" ] && [ -x "$d/bridge" ] && [ -x "$d/host-local" ] && [ -x "$d/portmap" ]; then echo "$d"; return; fi
  done
  return 1
}
