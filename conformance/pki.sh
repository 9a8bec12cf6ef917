#!/bin/bash
# Keys, certificates and kubeconfigs, with openssl. What exists is kept.
#   pki.sh reference          everything for upstream's control plane, in kubeadm's layout
#   pki.sh node N             node N's certificate and the kubeconfigs of its kubelet and kube-proxy,
#                             signed by the running control plane's CA ($PKI/ca.crt, ca.key)
#   pki.sh user NAME GROUP FILE     a kubeconfig for a person
set -euo pipefail
. "$(dirname "$0")/env.sh"
umask 077

key() { [ -s "$1.key" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

authority() { # PATH COMMON_NAME
  key "$1"
  [ -s "$1.crt" ] || openssl req -x509 -new -key "$1.key" -days 3650 -subj "/CN=$2" -out "$1.crt" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "subjectAltName=DNS:$2" \
    -addext "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign"
}

certificate() { # PATH AUTHORITY SUBJECT USAGE [ALT_NAMES]
  key "$1"
  [ ! -s "$1.crt" ] || return 0
  openssl req -new -key "$1.key" -subj "$3" -out "$1.csr"
  { printf '%s\n' "basicConstraints=CA:FALSE" "keyUsage=critical,digitalSignature,keyEncipherment" "extendedKeyUsage=$4"
    [ -z "${5:-}" ] || echo "subjectAltName=$5"; } >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -set_serial "0x$(openssl rand -hex 8)" -days 3650 \
    -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  rm -f "$1.csr" "$1.ext"
}

kubeconfig() { # FILE USER CERTIFICATE
  cat >"$1" <<K
apiVersion: v1
kind: Config
clusters: [{name: kubernetes, cluster: {server: "$API_SERVER", certificate-authority-data: $(base64 -w0 <"$PKI/ca.crt")}}]
users: [{name: "$2", user: {client-certificate-data: $(base64 -w0 <"$3.crt"), client-key-data: $(base64 -w0 <"$3.key")}}]
contexts: [{name: "$2@kubernetes", context: {cluster: kubernetes, user: "$2"}}]
current-context: "$2@kubernetes"
K
}

component() { # NAME USER
  certificate "$PKI/$1" "$PKI/ca" "/CN=$2" clientAuth,serverAuth "DNS:localhost,IP:127.0.0.1"
  kubeconfig "$DATA/$1.conf" "$2" "$PKI/$1"
}

reference() {
  mkdir -p "$PKI/etcd"
  authority "$PKI/ca" kubernetes; authority "$PKI/front-proxy-ca" front-proxy-ca; authority "$PKI/etcd/ca" etcd-ca
  certificate "$PKI/apiserver" "$PKI/ca" "/CN=kube-apiserver" serverAuth \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:$HOST_IP,IP:${SERVICE_CIDR%.*}.1,IP:127.0.0.1"
  certificate "$PKI/apiserver-kubelet-client" "$PKI/ca" "/O=kubeadm:cluster-admins/CN=kube-apiserver-kubelet-client" clientAuth
  certificate "$PKI/front-proxy-client" "$PKI/front-proxy-ca" "/CN=front-proxy-client" clientAuth
  certificate "$PKI/etcd/server" "$PKI/etcd/ca" "/CN=etcd" serverAuth,clientAuth "DNS:localhost,IP:127.0.0.1"
  certificate "$PKI/apiserver-etcd-client" "$PKI/etcd/ca" "/CN=kube-apiserver-etcd-client" clientAuth
  [ -s "$PKI/sa.key" ] || openssl genrsa -out "$PKI/sa.key" 2048
  [ -s "$PKI/sa.pub" ] || openssl rsa -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null
  certificate "$PKI/admin" "$PKI/ca" "/O=system:masters/CN=kubernetes-admin" clientAuth
  kubeconfig "$ADMIN_KUBECONFIG" kubernetes-admin "$PKI/admin"
  component controller-manager system:kube-controller-manager
  component scheduler system:kube-scheduler
}

node() { # N
  [ -s "$PKI/ca.key" ] || fail "no $PKI/ca.key: start the control plane first"
  mkdir -p "$JOIN"
  # what an earlier cluster's CA signed is of no use
  cmp -s "$PKI/ca.crt" "$JOIN/ca.crt" || { rm -f "$JOIN"/*; cp "$PKI/ca.crt" "$JOIN/ca.crt"; }
  certificate "$JOIN/node$1" "$PKI/ca" "/O=system:nodes/CN=system:node:node$1" clientAuth,serverAuth "DNS:node$1,IP:$(node_ip "$1")"
  certificate "$JOIN/kube-proxy" "$PKI/ca" "/CN=system:kube-proxy" clientAuth
  kubeconfig "$JOIN/node$1.conf" "system:node:node$1" "$JOIN/node$1"
  kubeconfig "$JOIN/kube-proxy.conf" system:kube-proxy "$JOIN/kube-proxy"
}

user() { # NAME GROUP FILE
  local path="${3%.conf}"
  certificate "$path" "$PKI/ca" "/O=$2/CN=$1" clientAuth
  kubeconfig "$3" "$1" "$path"
}

case "${1:-}" in
  reference) reference ;;
  node) node "${2:?number of the node}" ;;
  user) user "${2:?name}" "${3:?group}" "${4:?file}" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
