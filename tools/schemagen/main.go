// Command schemagen writes types.json: every registered API type of Kubernetes with what its Go tags
// and its OpenAPI definition say, read by reflection. See ../generate.sh.
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"

	admissionv1 "k8s.io/api/admission/v1"
	admissionv1beta1 "k8s.io/api/admission/v1beta1"
	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	apidiscoveryv2beta1 "k8s.io/api/apidiscovery/v2beta1"
	imagepolicyv1alpha1 "k8s.io/api/imagepolicy/v1alpha1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/scheme"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1beta1 "k8s.io/apimachinery/pkg/apis/meta/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	utilversion "k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apimachinery/pkg/version"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/apiserver/pkg/endpoints/deprecation"
	builtin "k8s.io/client-go/kubernetes/scheme"
	aggregator "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset/scheme"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/generated/openapi"
	"pykube-cp.dev/conformance/gen"
)

const metaPackage = "k8s.io/apimachinery/pkg/apis/meta/v1"

// document is the whole of types.json.
type document struct {
	Generator string           `json:"generator"`
	Upstream  string           `json:"upstream"`
	Kinds     [][]string       `json:"kinds"`
	Types     map[string]*Type `json:"types"`
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		builtin.AddToScheme, apiextensions.AddToScheme, aggregator.AddToScheme,
		admissionv1.AddToScheme, admissionv1beta1.AddToScheme, apidiscoveryv2.AddToScheme, apidiscoveryv2beta1.AddToScheme,
		imagepolicyv1alpha1.AddToScheme, auditv1.AddToScheme,
		metav1.AddMetaToScheme, metav1beta1.AddMetaToScheme,
	} {
		if err := add(scheme); err != nil {
			fail(err)
		}
	}
	return scheme
}

// kindsOf lists group, version, kind and type name, and the warning where the release calls the kind deprecated. The meta kinds that every group registers again
// (options, WatchEvent) are listed once, under meta.k8s.io/v1 or as unversioned v1.
func kindsOf(scheme *runtime.Scheme, walk *walker, release *utilversion.Version) [][]string {
	var kinds [][]string
	for gvk, t := range scheme.AllKnownTypes() {
		if gvk.Version == runtime.APIVersionInternal {
			continue
		}
		shared := t.PkgPath() == metaPackage && gvk.Kind != "List"
		if shared && gvk.Group != "meta.k8s.io" && (gvk.Group != "" || gvk.Version != "v1") {
			continue
		}
		kind := []string{gvk.Group, gvk.Version, gvk.Kind, walk.structType(t)}
		if obj, ok := reflect.New(t).Interface().(runtime.Object); ok {
			obj.GetObjectKind().SetGroupVersionKind(gvk)
			if deprecation.IsDeprecated(obj, int(release.Major()), int(release.Minor())) {
				kind = append(kind, deprecation.WarningMessage(obj))
			}
		}
		kinds = append(kinds, kind)
	}
	sort.Slice(kinds, func(i, j int) bool {
		return fmt.Sprint(kinds[i]) < fmt.Sprint(kinds[j])
	})
	return kinds
}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: schemagen UPSTREAM_TAG OUTPUT"))
	}
	definitions := openapi.GetOpenAPIDefinitions(func(name string) spec.Ref {
		return spec.MustCreateRef(name)
	})
	walk := &walker{types: map[string]*Type{}, definitions: definitions}
	doc := document{Generator: "tools/schemagen", Upstream: os.Args[1], Types: walk.types}
	doc.Kinds = kindsOf(newScheme(), walk, utilversion.MustParseGeneric(os.Args[1]))
	walk.structType(reflect.TypeOf(metav1.LabelSelector{}))
	walk.structType(reflect.TypeOf(version.Info{}))
	if err := os.WriteFile(os.Args[2], render(doc), 0o644); err != nil {
		fail(err)
	}
}

func render(doc document) []byte {
	return fmt.Appendf(nil, "{\"generator\":%q,\n\"upstream\":%q,\n\"kinds\":%s,\n\"types\":%s}\n",
		doc.Generator, doc.Upstream, gen.Array(doc.Kinds), gen.Object(doc.Types))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "schemagen:", err)
	os.Exit(1)
}
