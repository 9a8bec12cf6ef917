#!/bin/bash
# The images that the cluster and the conformance tests use, made without any image registry: from
# Debian packages, Go modules and a little C, into one OCI layout ($CACHE/VERSION/images).
#   images/build.sh [--minimal]     --minimal: only pause, agnhost, busybox, nginx, coredns
# What is already built is left alone; a change of the files in this folder builds anew.
set -euo pipefail
. "$(dirname "$0")/../env.sh"
. "$CONFORMANCE/apt.sh"
HERE="$CONFORMANCE/images"
WORK="$CACHE/$KUBE_VERSION/image-work"
SET=full
case "${1:-}" in
  --minimal) SET=minimal ;;
  -h | --help) usage; exit 0 ;;
  '') ;;
  *) usage >&2; exit 2 ;;
esac

BASE_PACKAGES=(libc6 libc-bin bash curl bind9-dnsutils netcat-openbsd iproute2 iperf socat util-linux)
# What the closure drags in and no image needs.
LEFT_OUT='t64$|^(cdebconf|debconf|dpkg|gawk|mawk|original-awk|install-info|tar|base-files|readline-common|libdebian-installer.*|libnewt.*|libslang.*|libtextwrap.*|openssl-provider-legacy|gcc-[0-9]+-base|libcap2-bin|debianutils|util-linux-extra)$'

recipe() { cat "$HERE"/*.* "$HERE"/coredns/* | sha256sum | cut -c1-16; }
done_already() { # a full set serves for a minimal one
  local have; have=$(cat "$IMAGES/set" 2>/dev/null) || return 1
  [ "$have" = "full $(recipe)" ] || [ "$have" = "$SET $(recipe)" ]
}

closure() { # PACKAGE...: what they depend on, too
  apt_private apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "$@" | grep '^[a-z0-9]' | grep -v ':' | sort -u | grep -Ev "$LEFT_OUT"
}

download() {
  rm -rf "$WORK/debs"; mkdir -p "$WORK/debs"; cd "$WORK/debs"
  local extra=(nginx nginx-common libpcre2-8-0 libcrypt1)
  [ "$SET" = minimal ] || extra+=(perl-base)
  # shellcheck disable=SC2046
  apt_private apt-get download -qq $(closure "${BASE_PACKAGES[@]}") "${extra[@]}"
  # bookworm's busybox 1.35 does not hand variables like "data-1" on to its children; sid's does, and is static
  apt_private apt-get download -qq "busybox-static$NEWEST"
  [ "$SET" = minimal ] || apt_private apt-get download -qq "etcd-server$NEWEST"
}
unpack() {
  local deb to
  rm -rf "$WORK"/files; mkdir -p "$WORK"/files/{base,nginx,perl,etcd}
  for deb in "$WORK"/debs/*.deb; do
    case "$(basename "$deb")" in
      nginx_* | nginx-common_*) to=nginx ;; perl-base_*) to=perl ;; etcd-server_*) to=etcd ;; *) to=base ;;
    esac
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$WORK/files/$to"
  done
}
packages() {
  download
  unpack
  echo "$SET" >"$WORK/files/set"
}
packages_done() { local have; have=$(cat "$WORK/files/set" 2>/dev/null) && { [ "$have" = full ] || [ "$have" = "$SET" ]; }; }

go_program() { # NAME MODULE_DIR PACKAGE
  [ ! -x "$WORK/bin/$1" ] || return 0
  . "$CONFORMANCE/go.sh"
  cd "$2"; step "building $1" nice -n 5 go build -ldflags "-s -w" -o "$WORK/bin/$1" "$3"
}
programs() {
  [ -x "$WORK/bin/pause" ] || gcc -Os -static -s -Wall -Wextra -Werror -o "$WORK/bin/pause" "$HERE/pause.c"
  go_program coredns "$HERE/coredns" .
  [ "$SET" = full ] || return 0
  go_program nnp "$CONFORMANCE" k8s.io/kubernetes/test/images/nonewprivs
  go_program regression-issue-74839 "$CONFORMANCE" k8s.io/kubernetes/test/images/regression-issue-74839
  go_program sample-apiserver "$CONFORMANCE" k8s.io/sample-apiserver
}

fresh() { rm -rf "${WORK:?}/root/$1"; mkdir -p "$WORK/root/$1"; echo "$WORK/root/$1"; }
layer() { # NAME: its root directory -> a tar that is the same every time
  tar --sort=name --numeric-owner --owner=0 --group=0 --mtime=@1767225600 \
    -C "$WORK/root/$1" -cf "$WORK/layers/$1.tar" .
}

skeleton() { # ROOT: etc, tmp and the like
  local r=$1
  mkdir -p "$r"/{bin,sbin,usr/bin,usr/sbin,usr/local/bin,etc,tmp,var/tmp,var/run,var/log,root,home,proc,sys,dev,run}
  chmod 1777 "$r/tmp" "$r/var/tmp"
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'daemon:x:1:1:daemon:/usr/sbin:/bin/false' \
    'www-data:x:33:33:www-data:/var/www:/bin/false' 'nobody:x:65534:65534:nobody:/home:/bin/false' \
    'user-defined-in-image:x:1000:1000::/home/user-defined-in-image:/bin/sh' >"$r/etc/passwd"
  printf '%s\n' 'root:x:0:' 'daemon:x:1:' 'www-data:x:33:' 'nogroup:x:65534:' 'user-defined-in-image:x:1000:' \
    'group-defined-in-image:x:50000:user-defined-in-image' >"$r/etc/group"
  echo 'hosts: files dns' >"$r/etc/nsswitch.conf"
  : >"$r/etc/resolv.conf"; echo '127.0.0.1 localhost' >"$r/etc/hosts"
  # a test of image volumes looks for this name
  printf 'NAME="stands in for Alpine Linux"\nID=pykube-cp\n' >"$r/etc/os-release"
}
applets() { # ROOT: busybox fills what is missing
  local r=$1 applet name dir
  for applet in $("$r/bin/busybox" --list-full); do
    name=$(basename "$applet"); [ "$name" != busybox ] || continue
    for dir in bin sbin usr/bin usr/sbin; do if [ -e "$r/$dir/$name" ] || [ -L "$r/$dir/$name" ]; then continue 2; fi; done
    mkdir -p "$r/$(dirname "$applet")"; ln -s /bin/busybox "$r/$applet"
  done
}
quiet_ash() { # busybox 1.38's ash puts "line N: " into its messages; a test compares them with 1.37's
  python3 - "$1" <<'P'
import pathlib
import sys

program = pathlib.Path(sys.argv[1])
content, old = program.read_bytes(), b"\0line %d: \0"
if content.count(old) == 1:
    program.write_bytes(content.replace(old, b"\0\0ine %d: \0"))
P
}

base_layer() { # glibc, bash, curl, dig, nc, ip, socat, iperf, and busybox for the rest
  local r; r=$(fresh base); skeleton "$r"; cp -a "$WORK/files/base/." "$r/"
  rm -rf "$r"/usr/share/{doc,man,locale,info,bash-completion,lintian,bug,doc-base,menu,initramfs-tools} \
    "$r"/usr/lib/*-linux-gnu/{gconv,perl5} "$r/usr/include"
  ln -sf nc.openbsd "$r/bin/nc"
  [ -x "$r/bin/busybox" ] || mv "$r/usr/bin/busybox" "$r/bin/busybox"
  quiet_ash "$r/bin/busybox"
  # busybox's sh would prefer its own applets, such as a poorer nc, to what is in PATH
  ln -sf bash "$r/bin/sh"
  rm -f "$r/bin/su" "$r/bin/mount" "$r/bin/umount"
  ln -s /usr/bin/iperf "$r/usr/local/bin/iperf"
  applets "$r"; layer base
}
busybox_layer() { # every applet in /bin, as upstream's image has them
  local r applet; r=$(fresh busybox); skeleton "$r"; cp "$WORK/root/base/bin/busybox" "$r/bin/"; applets "$r"
  for applet in $("$r/bin/busybox" --list); do
    if [ ! -e "$r/bin/$applet" ] && [ ! -L "$r/bin/$applet" ]; then ln -s busybox "$r/bin/$applet"; fi
  done
  layer busybox
}
agnhost_layer() {
  local r; r=$(fresh agnhost); mkdir -p "$r/uploads"
  cp "$BIN/agnhost" "$r/agnhost"; ln -s agnhost "$r/agnhost-2"; cp "$WORK/bin/coredns" "$r/coredns"
  install -m 644 "$UPSTREAM"/test/images/agnhost/porter/localhost.{crt,key} "$r/"
  layer agnhost
}
nginx_layer() {
  local r; r=$(fresh nginx); mkdir -p "$r"/{usr/sbin,etc/nginx,usr/share/nginx/html,var/lib/nginx,var/log/nginx}
  cp "$WORK/files/nginx/usr/sbin/nginx" "$r/usr/sbin/"; cp "$WORK/files/nginx/etc/nginx/mime.types" "$HERE/nginx.conf" "$r/etc/nginx/"
  cp "$HERE/nginx-index.html" "$r/usr/share/nginx/html/index.html"
  ln -s /dev/stdout "$r/var/log/nginx/access.log"; ln -s /dev/stderr "$r/var/log/nginx/error.log"
  layer nginx
}
program_layer() { # NAME DIR [MODE]
  local r; r=$(fresh "$1"); install -D -m "${3:-755}" "$WORK/bin/$1" "$r$2/$1"; layer "$1"
}
page_layer() { # kitten, nautilus
  local r; r=$(fresh "$1"); install -m 644 "$UPSTREAM/test/images/$1/html/"* "$r/"; layer "$1"
}
layers() {
  UPSTREAM="$(. "$CONFORMANCE/go.sh"; cd "$CONFORMANCE" && go list -m -f '{{.Dir}}' k8s.io/kubernetes)"
  base_layer; busybox_layer; agnhost_layer; nginx_layer
  program_layer pause ""; program_layer coredns ""
  [ "$SET" = full ] || return 0
  local r; r=$(fresh perl); cp -a "$WORK/files/perl/." "$r/"; rm -rf "$r"/usr/share/{doc,man,lintian}; layer perl
  r=$(fresh etcd); install -D -m 755 "$WORK/files/etcd/usr/bin/etcd" "$r/usr/local/bin/etcd"; mkdir -p "$r/var/lib/etcd"; layer etcd
  page_layer kitten; page_layer nautilus
  program_layer nnp /usr/local/bin 6755; program_layer regression-issue-74839 ""; program_layer sample-apiserver ""
}

layout() {
  rm -rf "$IMAGES.new"
  python3 "$HERE/image_spec.py" "$WORK/layers" "$SET" >"$WORK/spec.json"
  python3 "$HERE/oci_layout.py" "$WORK/spec.json" "$IMAGES.new" "$(go_arch)"
  echo "$SET $(recipe)" >"$IMAGES.new/set"
  rm -rf "$IMAGES"; mv "$IMAGES.new" "$IMAGES"
}
go_arch() { case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac; }

if done_already; then exit 0; fi
"$CONFORMANCE/deps.sh" images
"$CONFORMANCE/tools.sh" agnhost
mkdir -p "$WORK"/{bin,layers,root}
if ! packages_done; then apt_lists; step "Debian packages for the images" packages; fi
programs
step "image layers" layers
step "image layout" layout
rm -rf "$WORK/root"
say "images ($SET): $(du -shL "$IMAGES" | cut -f1) in $IMAGES"
