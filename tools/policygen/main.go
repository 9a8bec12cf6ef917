// Command policygen writes the objects that an API server keeps from its first start on: roles and
// bindings, priority classes, priority levels and flow schemas.
//
//	usage: policygen TAG FILE
package main

import (
	"encoding/json"
	"fmt"
	"os"

	flowcontrol "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/runtime"
	apf "k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"
	scheduling "k8s.io/kubernetes/pkg/apis/scheduling/v1"
	rbac "k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

type file struct {
	Generator string            `json:"generator"`
	Tag       string            `json:"tag"`
	Aggregate map[string]string `json:"aggregate"`
	NodeRules any               `json:"nodeRules"`
	Objects   []map[string]any  `json:"objects"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: policygen TAG FILE")
		os.Exit(2)
	}
	out := file{
		Generator: "tools/policygen", Tag: os.Args[1],
		Aggregate: rbac.ClusterRolesToAggregate(), NodeRules: rbac.NodeRules(),
	}
	const auth = "rbac.authorization.k8s.io/v1"
	roles := append(rbac.ClusterRoles(), rbac.ControllerRoles()...)
	for i := range roles {
		out.add(auth, "ClusterRole", &roles[i])
	}
	bindings := append(rbac.ClusterRoleBindings(), rbac.ControllerRoleBindings()...)
	for i := range bindings {
		out.add(auth, "ClusterRoleBinding", &bindings[i])
	}
	for _, name := range []string{"kube-system", "kube-public"} {
		for _, role := range rbac.NamespaceRoles()[name] {
			out.add(auth, "Role", &role)
		}
		for _, binding := range rbac.NamespaceRoleBindings()[name] {
			out.add(auth, "RoleBinding", &binding)
		}
	}
	for _, class := range scheduling.SystemPriorityClasses() {
		out.add("scheduling.k8s.io/v1", "PriorityClass", class)
	}
	const flow = "flowcontrol.apiserver.k8s.io/v1"
	for _, level := range append(append([]*flowcontrol.PriorityLevelConfiguration{},
		apf.MandatoryPriorityLevelConfigurations...), apf.SuggestedPriorityLevelConfigurations...) {
		out.add(flow, "PriorityLevelConfiguration", level)
	}
	for _, s := range append(append([]*flowcontrol.FlowSchema{}, apf.MandatoryFlowSchemas...), apf.SuggestedFlowSchemas...) {
		out.add(flow, "FlowSchema", s)
	}
	data, err := json.MarshalIndent(out, "", " ")
	if err == nil {
		err = os.WriteFile(os.Args[2], append(data, '\n'), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "policygen:", err)
		os.Exit(1)
	}
}

func (f *file) add(apiVersion, kind string, object runtime.Object) {
	made, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		fmt.Fprintln(os.Stderr, "policygen:", err)
		os.Exit(1)
	}
	delete(made, "status")
	delete(made["metadata"].(map[string]any), "creationTimestamp")
	made["apiVersion"], made["kind"] = apiVersion, kind
	f.Objects = append(f.Objects, made)
}
