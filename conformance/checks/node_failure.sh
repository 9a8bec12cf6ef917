#!/bin/bash
# make check-node-failure: a kubelet stops; its node turns NotReady and its Pods are replaced on another
# node; it starts again and the node recovers. Takes two minutes, most of them the grace period.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
case "${1:-}" in -h | --help) usage; exit 0 ;; esac
[ "$NODES" -ge 2 ] || fail "needs two nodes"
"$CONFORMANCE/cluster.sh" up
own_namespace check-node-failure
trap '"$CONFORMANCE/node.sh" start 2 kubelet; leave' EXIT

check "Pods on both nodes, which tolerate a dead node for five seconds"
kubectl apply -f - >/dev/null <<M
apiVersion: apps/v1
kind: Deployment
metadata: {name: spread}
spec:
  replicas: 4
  selector: {matchLabels: {app: spread}}
  template:
    metadata: {labels: {app: spread}}
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: spread}}}
      tolerations:
      - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
      containers: [{name: c, image: "$AGNHOST", args: [pause]}]
M
run kubectl rollout status deployment/spread --timeout=90s
expect 'node2' kubectl get pods -o wide

check "the kubelet of node2 stops: NotReady"
begin=$SECONDS
"$CONFORMANCE/node.sh" stop 2 kubelet
within 120 'node2 +NotReady' kubectl get node node2
echo "  after $((SECONDS - begin)) s"
within 20 'node.kubernetes.io/unreachable:NoExecute' kubectl describe node node2

check "its Pods are replaced on node1"
within 90 '^4$' bash -c "kubectl get pods --field-selector spec.nodeName=node1 --no-headers | grep -c ' 1/1 *Running'"
echo "  after $((SECONDS - begin)) s"
within 30 'spread +4/4' kubectl get deployment spread
expect 'Terminating.* node2' kubectl get pods -o wide

check "the kubelet starts again: the node recovers, and what was replaced is gone"
begin=$SECONDS
"$CONFORMANCE/node.sh" start 2 kubelet
within 60 'node2 +Ready' kubectl get node node2
echo "  after $((SECONDS - begin)) s"
within 60 'Taints: +<none>' kubectl describe node node2
within 60 '^4$' bash -c "kubectl get pods --no-headers | wc -l"
run kubectl create deployment again --image="$AGNHOST" --replicas=4
within 60 'node2' kubectl get pods -l app=again -o wide
held
