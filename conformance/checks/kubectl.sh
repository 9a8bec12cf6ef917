#!/bin/bash
# make check-kubectl: stock kubectl's everyday uses on stock nodes, each with what it must show.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
case "${1:-}" in -h | --help) usage; exit 0 ;; esac
"$CONFORMANCE/cluster.sh" up
own_namespace check-kubectl
WORK=$(mktemp -d)

nodes() {
  check "nodes are Ready"
  expect 'node1 +Ready' kubectl get nodes -o wide
  expect "^$NODES\$" bash -c "kubectl get nodes --no-headers | grep -c ' Ready '"
  expect 'Server Version: v1\.37' kubectl version
}

cronjob_begins() { # its first run is a minute away
  check "create cronjob"
  run kubectl create cronjob tick --image="$BUSYBOX" --schedule='* * * * *' -- sh -c 'echo tock'
}

deployment() {
  check "create deployment --replicas=3, describe, wait"
  run kubectl create deployment web --image="$NGINX_OLD" --replicas=3
  run kubectl rollout status deployment/web --timeout=120s
  expect 'web +3/3 +3 +3' kubectl get deployment web
  expect '^3$' bash -c "kubectl get pods -l app=web --no-headers | grep -c Running"
  within 20 'Scaled up replica set web-[a-z0-9]+ from 0 to 3' kubectl describe deployment web
  expect 'condition met' kubectl wait --for=condition=Available deployment/web --timeout=60s
  within 20 'Successfully assigned' bash -c 'kubectl describe $(kubectl get pods -l app=web -o name | head -1)'
}

services() {
  check "expose: the Service answers by ClusterIP and DNS name from a Pod, by NodePort from the host"
  run kubectl expose deployment web --port=80 --type=NodePort
  run kubectl run client --image="$AGNHOST" --command -- /agnhost pause
  expect 'condition met' kubectl wait --for=condition=Ready pod/client --timeout=90s
  local ip port
  ip=$(kubectl get service web -o 'jsonpath={.spec.clusterIP}')
  port=$(kubectl get service web -o 'jsonpath={.spec.ports[0].nodePort}')
  within 30 'Welcome to nginx' kubectl exec client -- curl -s --max-time 3 "http://$ip/"
  within 30 'Welcome to nginx' kubectl exec client -- curl -s --max-time 3 "http://web.check-kubectl.svc.cluster.local/"
  within 30 'Welcome to nginx' kubectl exec client -- curl -s --max-time 3 http://web/
  within 30 'Welcome to nginx' fetch "$(node_ip 1)" "$port" /
  expect 'web +NodePort' kubectl get service web
  expect 'Endpoints: +10\.' kubectl describe service web
}

rollout() {
  check "scale, set image, rollout history, undo, restart"
  expect scaled kubectl scale deployment web --replicas=5
  within 60 'web +5/5' kubectl get deployment web
  run kubectl set image deployment/web "nginx=$NGINX_NEW"
  run kubectl rollout status deployment/web --timeout=120s
  expect '^2 ' kubectl rollout history deployment/web
  expect "$NGINX_NEW" kubectl get deployment web -o wide
  run kubectl rollout undo deployment/web
  run kubectl rollout status deployment/web --timeout=120s
  expect "$NGINX_OLD" kubectl get deployment web -o wide
  run kubectl rollout restart deployment/web
  run kubectl rollout status deployment/web --timeout=120s
}

streams() {
  check "logs -f follows, exec -it has a terminal, attach has standard input"
  run kubectl run counter --image="$BUSYBOX" --restart=Never -- sh -c 'for i in 1 2 3 4; do echo line $i; sleep 1; done'
  within 60 'Running|Completed' kubectl get pod counter
  expect 'line 4' timeout 30 kubectl logs -f counter
  expect 'line 4' kubectl logs counter --tail=1 --timestamps
  expect 'terminal: /dev/pts/' script -qec "kubectl exec -it client -- sh -c 'echo terminal: \$(tty)'" /dev/null
  expect 'out' bash -c "echo out | kubectl exec -i client -- cat"
  if kubectl exec client -- sh -c 'exit 7' 2>/dev/null; then wrong "exec hides the status 7"; else [ $? = 7 ] || wrong "exec ended with $?, not 7"; fi
  run kubectl run echoer --image="$BUSYBOX" --restart=Never --stdin --attach=false --command -- sh -c 'read line; echo got $line; sleep 600'
  within 60 'Running' kubectl get pod echoer
  expect 'got hello' bash -c "(echo hello; sleep 3) | timeout 20 kubectl attach -i echoer || test \$? = 124"
}

forward_and_copy() {
  check "port-forward, cp"
  local port=18080 pid
  kubectl port-forward deployment/web $port:80 >"$WORK/forward" 2>&1 & pid=$!
  within 20 'Forwarding from 127.0.0.1' cat "$WORK/forward"
  expect 'Welcome to nginx' fetch 127.0.0.1 $port /
  kill $pid; wait $pid 2>/dev/null || true
  head -c 300000 /dev/urandom >"$WORK/sent"
  run kubectl cp "$WORK/sent" client:/tmp/file
  run kubectl cp client:/tmp/file "$WORK/received"
  expect '^$' cmp "$WORK/sent" "$WORK/received"
}

manifest() { # REPLICAS
  cat >"$WORK/manifest.yaml" <<M
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {part: manifest}}
data: {colour: $1}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: applied, labels: {part: manifest}}
spec:
  replicas: 1
  selector: {matchLabels: {app: applied}}
  template:
    metadata: {labels: {app: applied}}
    spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "$AGNHOST", args: [pause]}]}
M
}
declarative() {
  check "apply, diff, server-side apply and its conflicts, explain"
  manifest red
  expect 'configmap/settings created' kubectl apply -f "$WORK/manifest.yaml"
  expect 'configmap/settings unchanged' kubectl apply -f "$WORK/manifest.yaml"
  expect 'deployment.apps/applied unchanged' kubectl apply -f "$WORK/manifest.yaml"
  expect '^$' kubectl diff -f "$WORK/manifest.yaml"
  manifest blue
  expect '^\+  colour: blue' bash -c "kubectl diff -f $WORK/manifest.yaml; test \$? = 1"
  expect 'configmap/settings configured' kubectl apply -f "$WORK/manifest.yaml"
  expect 'conflict.*kubectl-client-side-apply' bash -c "sed s/blue/green/ $WORK/manifest.yaml | kubectl apply --server-side --field-manager=someone -f - ; test \$? = 1"
  expect 'serverside-applied' kubectl apply --server-side --force-conflicts -f "$WORK/manifest.yaml"
  expect 'manager: kubectl' kubectl get configmap settings -o yaml --show-managed-fields
  expect 'DESCRIPTION' kubectl explain deployment.spec.strategy.rollingUpdate.maxSurge
  expect 'nodeSelector' kubectl explain pod.spec
  run kubectl rollout status deployment/applied --timeout=60s
  expect 'deployment.apps "applied" deleted' kubectl delete -f "$WORK/manifest.yaml"
}

batch_and_daemons() {
  check "a Job completes, a DaemonSet covers all nodes"
  run kubectl create job sum --image="$BUSYBOX" -- sh -c 'echo $((40 + 2))'
  expect 'condition met' kubectl wait --for=condition=Complete job/sum --timeout=90s
  expect '^42$' kubectl logs job/sum
  kubectl apply -f - >/dev/null <<M
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: everywhere}
spec:
  selector: {matchLabels: {app: everywhere}}
  template:
    metadata: {labels: {app: everywhere}}
    spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "$AGNHOST", args: [pause]}]}
M
  run kubectl rollout status daemonset/everywhere --timeout=90s
  expect "everywhere +$NODES +$NODES +$NODES" kubectl get daemonset everywhere
  expect "^$NODES\$" bash -c "kubectl get pods -l app=everywhere -o jsonpath='{.items[*].spec.nodeName}' | tr ' ' '\n' | sort -u | wc -l"
}

drain() {
  check "drain moves the Pods away, uncordon lets them return"
  [ "$NODES" -ge 2 ] || { echo "only one node"; return 0; }
  run kubectl drain node2 --ignore-daemonsets --delete-emptydir-data --force --timeout=120s
  expect 'node2 +Ready,SchedulingDisabled' kubectl get node node2
  expect '^everywhere-[a-z0-9]+$' bash -c "kubectl get pods --field-selector spec.nodeName=node2 -o custom-columns=N:.metadata.name --no-headers | sort -u"
  within 90 'web +5/5' kubectl get deployment web
  run kubectl uncordon node2
  expect 'node2 +Ready +' kubectl get node node2
}

cascade() {
  check "delete --cascade"
  run kubectl delete deployment web --cascade=orphan
  expect 'web-[a-z0-9]+ +5' kubectl get replicasets -l app=web
  run kubectl delete replicasets -l app=web --cascade=foreground --timeout=90s
  within 10 "No resources found" kubectl get replicasets -l app=web
  within 60 'No resources found' kubectl get pods -l app=web
}

cronjob_ends() {
  check "the CronJob has run"
  within 120 'tick-[0-9]+ +Complete +1/1' kubectl get jobs
  within 20 tock bash -c "kubectl logs \$(kubectl get jobs -o name | grep tick | head -1)"
}

for part in nodes cronjob_begins deployment services rollout streams forward_and_copy declarative batch_and_daemons cronjob_ends drain cascade; do "$part"; done
rm -rf "$WORK"
held
