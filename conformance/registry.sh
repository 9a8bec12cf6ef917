#!/bin/bash
# A read-only registry with the built images, from which the nodes pull whatever name they ask for.
#   registry.sh up | down
set -euo pipefail
. "$(dirname "$0")/env.sh"
case "${1:-}" in
  up)
    [ -s "$IMAGES/index.json" ] || fail "no images in $IMAGES; make them with images/build.sh"
    start registry python3 "$CONFORMANCE/images/oci_registry.py" "$IMAGES" "$HOST_IP:$REGISTRY_PORT"
    try_for 5 bash -c "exec 3<>/dev/tcp/$HOST_IP/$REGISTRY_PORT" || { log_tail registry; fail "the image registry does not start"; } ;;
  down) stop registry ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
