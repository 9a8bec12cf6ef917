# A node's own part of the cgroup hierarchies, v1 and v2; source it.
# shellcheck shell=bash
CGROOT=/sys/fs/cgroup
cgroup_name() { echo "pykube-cp-$BRIDGE-$1"; } # clusters on one machine may number their nodes alike

cgroup_version() { if [ "$(stat -fc %T $CGROOT)" = cgroup2fs ]; then echo 2; else echo 1; fi; }
# "DIRECTORY OPTIONS" of each mounted v1 hierarchy, for example "cpu,cpuacct cpu,cpuacct"
cgroup_v1() {
  awk -v root="$CGROOT/" '{
    for (i = 7; $i != "-"; i++);
    if ($(i + 1) != "cgroup" || index($5, root) != 1) next
    n = split($(i + 3), all, ","); options = ""
    for (j = 1; j <= n; j++) if (all[j] !~ /^(rw|ro|xattr|noprefix|clone_children|release_agent=.*)$/) options = options (options ? "," : "") all[j]
    if (options ~ /^name=/) options = "none," options
    print substr($5, length(root) + 1), options
  }' /proc/self/mountinfo
}
cgroup_dirs() { # NODE_NAME
  if [ "$(cgroup_version)" = 2 ]; then echo "$CGROOT/$(cgroup_name "$1")"; return; fi
  local dir _; cgroup_v1 | while read -r dir _; do echo "$CGROOT/$dir/$(cgroup_name "$1")"; done
}

cgroup_make() { # NODE_NAME
  local dir f
  if [ "$(cgroup_version)" = 2 ]; then cgroup_offer "$CGROOT"; fi
  for dir in $(cgroup_dirs "$1"); do
    mkdir -p "$dir"
    # v1's cpuset takes no process before it knows its CPUs and memory nodes
    for f in cpuset.cpus cpuset.mems; do
      if [ "$(cgroup_version)" = 1 ] && [ -e "$dir/$f" ]; then cat "$dir/../$f" >"$dir/$f"; fi
    done
  done
}
cgroup_offer() { # DIR: gives its controllers to its children
  local c; for c in $(cat "$1/cgroup.controllers"); do
    echo "+$c" >"$1/cgroup.subtree_control" 2>/dev/null || true
  done
}
cgroup_join() { # NODE_NAME: the calling shell
  local dir; for dir in $(cgroup_dirs "$1"); do echo $$ >"$dir/cgroup.procs"; done
}
# v2 allows controllers in a group only while no process is in it, so the node's own daemons move into a child
cgroup_settle() { # NODE_NAME
  [ "$(cgroup_version)" = 2 ] || return 0
  local dir pid; dir="$CGROOT/$(cgroup_name "$1")"
  mkdir -p "$dir/init"
  while read -r pid; do echo "$pid" >"$dir/init/cgroup.procs" 2>/dev/null || true; done <"$dir/cgroup.procs"
  cgroup_offer "$dir"
  for c in cpu memory pids; do
    grep -qw "$c" "$dir/cgroup.subtree_control" || fail "cgroup v2 controller $c cannot be given to the node; this shell's own cgroup must not hold processes (systemd: run it in a delegated scope)"
  done
}
cgroup_remove() { # NODE_NAME: an emptied group may stay busy for a moment
  local dir i
  for dir in $(cgroup_dirs "$1"); do
    for ((i = 0; i < 50; i++)); do
      [ -d "$dir" ] || break
      find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.1
    done
  done
}
cgroup_mount() { # inside the node: its own view of the hierarchies, on a fresh sysfs
  local dir options part
  if [ "$(cgroup_version)" = 2 ]; then mount -t cgroup2 cgroup2 $CGROOT; return; fi
  local hierarchies; hierarchies=$CGROUP_V1
  mount -t tmpfs -o mode=755 tmpfs $CGROOT
  while read -r dir options; do
    mkdir "$CGROOT/$dir"
    mount -t cgroup -o "$options" cgroup "$CGROOT/$dir" || { rmdir "$CGROOT/$dir"; continue; }
    for part in ${dir//,/ }; do [ -e "$CGROOT/$part" ] || ln -s "$dir" "$CGROOT/$part"; done
  done <<<"$hierarchies"
}
