# apt with lists of its own, Debian sid included; source it after env.sh.
# shellcheck shell=bash
APT="$CACHE/apt"
NEWEST=""                                     # suffix that selects sid, on Debian
. /etc/os-release 2>/dev/null || true
if [ "${ID:-}" = debian ]; then NEWEST=/sid; fi

debian_mirror() {
  local uri
  uri=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1)
  [ -n "$uri" ] || uri=$(awk '$1 == "deb" {for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) {print $i; exit}}' /etc/apt/sources.list 2>/dev/null)
  [ -n "$uri" ] || fail "no Debian mirror in /etc/apt: name one there first"
  echo "$uri"
}

apt_private() { # apt-get|apt-cache ARGS...
  local parts=/etc/apt/sources.list.d
  [ -z "$NEWEST" ] || parts="$APT/sources.d"
  "$1" -o Dir::Etc::SourceParts="$parts" -o Dir::Etc::PreferencesParts="$APT/preferences.d" \
    -o Dir::State::Lists="$APT/lists" -o Dir::Cache="$APT/cache" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o Acquire::Retries=3 "${@:2}"
}

apt_sources() { # the machine's own Debian sources, and sid where nothing asks for it by itself
  rm -rf "$APT/sources.d"
  mkdir -p "$APT"/{sources.d,preferences.d,lists/partial,cache/archives/partial}
  [ -n "$NEWEST" ] || return 0
  local own; for own in /etc/apt/sources.list.d/*; do
    if grep -q debian-archive-keyring "$own" && ! grep -qE '^Suites:.*\b(sid|unstable)\b' "$own"; then cp "$own" "$APT/sources.d/"; fi
  done
  printf 'Types: deb\nURIs: %s\nSuites: sid\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$(debian_mirror)" >"$APT/sources.d/pykube-cp-sid.sources"
  printf 'Package: *\nPin: release n=sid\nPin-Priority: 50\n' >"$APT/preferences.d/sid"
}

apt_lists() { # at most a day old
  apt_sources
  [ -z "$(find "$APT/stamp" -mtime -1 2>/dev/null)" ] || return 0
  step "package lists" apt_private apt-get update -qq
  : >"$APT/stamp"
}
