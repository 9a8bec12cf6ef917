#!/bin/bash
# Process 1 of a worker node; node.sh starts it in fresh namespaces. Mounts what a machine of its own
# would have, keeps the daemons running whose names are in $R/want, ends them on SIGTERM.
set -u
. "$(dirname "$0")/env.sh"
. "$CONFORMANCE/cgroup.sh"
R="$STATE/node$NODE"

own_mounts() {
  mount --make-rprivate /
  hostname "node$NODE"
  umount -l /proc; mount -t proc proc /proc
  # the version is asked before sysfs hides the host's hierarchy
  local version; version=$(cgroup_version)
  umount -l /sys; mount -t sysfs sysfs /sys
  cgroup_version() { echo "$version"; }
  cgroup_mount
  local pair; for pair in kubelet:/var/lib/kubelet containerd:/var/lib/containerd cni:/var/lib/cni \
    etc-cni:/etc/cni/net.d etc-kubernetes:/etc/kubernetes etc-containerd:/etc/containerd \
    pods:/var/log/pods containers:/var/log/containers; do
    mount --bind "$R/${pair%%:*}" "${pair#*:}"
  done
  local f; for f in resolv.conf hosts hostname machine-id; do
    # a symlink's target may be missing once /run is fresh, and cannot be bound over
    [ ! -e "/etc/$f" ] || mount --bind "$R/$f" "$(readlink -f "/etc/$f")"
  done
  mount -t tmpfs -o mode=755 tmpfs /run; mkdir -p /run/lock /run/netns
  restore_resolv_conf
  mount --make-rshared /
}
restore_resolv_conf() { # systemd-resolved's file lies under /run
  local target; target=$(readlink -m /etc/resolv.conf)
  case $target in /run/*) mkdir -p "$(dirname "$target")"; cp "$R/resolv.conf" "$target" ;; esac
}

own_sysctls() {
  local pair; for pair in net.ipv4.ip_forward=1 net.ipv4.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \
    net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.all.route_localnet=1 \
    net.bridge.bridge-nf-call-iptables=1; do
    sysctl -qw "$pair" 2>/dev/null || echo "sysctl $pair refused"
  done
}

keep() { # NAME CMD...: runs CMD, again and again, while the node wants it
  local name=$1; shift
  while :; do
    if [ ! -e "$R/want/$name" ]; then sleep 0.2; continue; fi
    setsid "$@" >>"$R/log/$name.log" 2>&1 </dev/null &
    echo $! >"$R/run/$name"
    wait $!; echo "$name ended with status $?"
    rm -f "$R/run/$name"; sleep 0.5
  done
}
leave() {
  trap '' TERM
  local f; for f in "$R"/run/*; do [ ! -s "$f" ] || kill -TERM "$(cat "$f")" 2>/dev/null; done
  sleep 0.5
  exit 0                                      # the kernel ends everything else in this pid namespace
}

own_mounts
trap leave TERM INT
until [ -e "$R/run/go" ]; do sleep 0.05; done
rm -f "$R"/run/*
own_sysctls
keep containerd containerd --config /etc/containerd/config.toml &
for ((i = 0; i < 200; i++)); do [ ! -S /run/containerd/containerd.sock ] || break; sleep 0.1; done
# shellcheck disable=SC2086
keep kubelet "$BIN/kubelet" --config /etc/kubernetes/kubelet.yaml --kubeconfig /etc/kubernetes/kubelet.conf \
  --hostname-override "node$NODE" --node-ip "$NODE_IP" --v "${V:-2}" ${KUBELET_ARGS:-} &
keep kube-proxy "$BIN/kube-proxy" --config /etc/kubernetes/kube-proxy.yaml --v "${V:-2}" &
while :; do sleep 3600 & wait $!; done
