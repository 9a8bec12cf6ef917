# What the checks written in shell share; source it. A check prints what it saw and ends with status 1
# at the first thing that does not hold.
# shellcheck shell=bash
NODES="${NODES:-2}"; export NODES
. "$(dirname "${BASH_SOURCE[0]}")/../env.sh"
E2E=registry.k8s.io/e2e-test-images
AGNHOST=$E2E/agnhost:2.66.1
BUSYBOX=$E2E/busybox:1.37.0-2
NGINX_OLD=$E2E/nginx:1.27.0-2
NGINX_NEW=$E2E/nginx:1.28.0-2

TITLE=""
check() { TITLE=$*; printf '\n== %s\n' "$TITLE"; }
wrong() { printf 'DOES NOT HOLD: %s: %s\n' "$TITLE" "$*"; exit 1; }

# run CMD...: prints the command as a user would type it, and what it says
run() {
  printf '$ %s\n' "$*"
  "$@" 2>&1 | sed 's/^/  /' || wrong "it ended with an error"
}
# shown PATTERN OUTPUT: its first lines, and those that match
shown() { { head -12 <<<"$2"; tail -n +13 <<<"$2" | grep -E -- "$1" || true; } | sed 's/^/  /'; }
# expect PATTERN CMD...: its output matches the extended regular expression
expect() {
  local pattern=$1 out rc=0; shift
  printf '$ %s\n' "$*"
  out=$("$@" 2>&1) || rc=$?
  shown "$pattern" "$out"
  [ "$rc" = 0 ] || wrong "status $rc"
  grep -qE -- "$pattern" <<<"$out" || wrong "no line matches: $pattern"
}
# within SECONDS PATTERN CMD...: the output matches before the time is over
within() {
  local end=$((SECONDS + $1)) pattern=$2 out=""; shift 2
  printf '$ %s\n' "$*"
  until out=$("$@" 2>&1) && grep -qE -- "$pattern" <<<"$out"; do
    [ "$SECONDS" -lt "$end" ] || { shown "$pattern" "$out"; wrong "no line matches: $pattern"; }
    sleep 0.5
  done
  shown "$pattern" "$out"
}
fetch() { # HOST PORT PATH: the answer to a GET
  exec 3<>"/dev/tcp/$1/$2" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$3" "$1" >&3
  timeout 5 cat <&3; local rc=$?
  exec 3<&- 3>&-; return $rc
}

# own_namespace NAME: a fresh one, the default of every kubectl from here on, deleted at the end
own_namespace() {
  NAMESPACE=$1
  unset -f kubectl
  PATH="$BIN:$PATH"
  KUBECONFIG=$(mktemp); export KUBECONFIG
  trap leave EXIT
  cp "$ADMIN_KUBECONFIG" "$KUBECONFIG"
  kubectl delete namespace "$NAMESPACE" --ignore-not-found --wait >/dev/null
  kubectl create namespace "$NAMESPACE" >/dev/null
  kubectl config set-context --current "--namespace=$NAMESPACE" >/dev/null
  within 20 default kubectl get serviceaccount default
}
leave() {
  kubectl delete namespace "$NAMESPACE" --ignore-not-found --wait=false >/dev/null || true
  rm -f "$KUBECONFIG"
}
held() { printf '\n%s: everything holds (%s)\n' "$(basename "$0")" "$(elapsed)"; }
