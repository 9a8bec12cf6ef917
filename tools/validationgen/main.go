// Command validationgen writes validations.json: the rules that upstream's API types declare for their fields,
// read from what validation-gen made of the +k8s: tags, in the order in which they apply. See ../generate.sh.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"strings"

	"pykube-cp.dev/conformance/gen"
)

// document is the whole of validations.json.
type document struct {
	Generator string           `json:"generator"`
	Upstream  string           `json:"upstream"`
	Types     map[string]*Type `json:"types"`
}

// Type holds the rules of a Go type: those of its values, then those of its members.
type Type struct {
	Self   []*Rule   `json:"self,omitempty"`
	Fields []*Member `json:"fields,omitempty"`
}

// Member holds the rules of a struct's member, named as in JSON; an embedded struct has no name.
type Member struct {
	Name  string  `json:"n,omitempty"`
	Rules []*Rule `json:"r"`
}

// Rule is one check, named as upstream's function; machinery/declarations.py says what the keys mean.
type Rule struct {
	Check  string   `json:"c"`
	Level  string   `json:"l,omitempty"`
	Stop   bool     `json:"s,omitempty"`
	Quiet  bool     `json:"q,omitempty"`
	Number *int64   `json:"n,omitempty"`
	Words  []string `json:"w,omitempty"`
	Keys   []string `json:"k,omitempty"`
	Field  string   `json:"f,omitempty"`
	By     string   `json:"by,omitempty"`
	Equal  string   `json:"eq,omitempty"`
	Type   string   `json:"t,omitempty"`
	On     *bool    `json:"on,omitempty"`
	Do     []*Rule  `json:"do,omitempty"`
	Cases  []*Case  `json:"cases,omitempty"`
}

// Case holds the rules for one value of a discriminator.
type Case struct {
	Value string  `json:"v"`
	Do    []*Rule `json:"do"`
}

func main() {
	if len(os.Args) != 5 {
		fail(fmt.Errorf("usage: validationgen UPSTREAM_TAG KUBERNETES_DIR API_DIR OUTPUT"))
	}
	root, api := os.Args[2], os.Args[3]
	doc := document{Generator: "tools/validationgen", Upstream: os.Args[1], Types: map[string]*Type{}}
	for _, page := range served(root, api) {
		page.read(&doc)
	}
	prune(&doc)
	if err := os.WriteFile(os.Args[4], render(doc), 0o644); err != nil {
		fail(err)
	}
}

// served lists the generated pages of the versions that discovery knows.
func served(root, api string) []*page {
	pages := []*page{}
	data, err := os.ReadFile(filepath.Join(root, "api/discovery/aggregated_v2.json"))
	if err != nil {
		fail(err)
	}
	var groups struct {
		Items []struct {
			Metadata struct{ Name string }
			Versions []struct{ Version string }
		}
	}
	if err := json.Unmarshal(data, &groups); err != nil {
		fail(err)
	}
	names := [][2]string{{"core", "v1"}}
	for _, group := range groups.Items {
		for _, version := range group.Versions {
			names = append(names, [2]string{folder(group.Metadata.Name), version.Version})
		}
	}
	for _, name := range names {
		path := filepath.Join(root, "pkg/apis", name[0], name[1], "zz_generated.validations.go")
		if _, err := os.Stat(path); err == nil {
			pages = append(pages, parse(path, api))
		}
	}
	return pages
}

// folder is where the package of a group is: its first label, but for one group.
func folder(group string) string {
	if group == "internal.apiserver.k8s.io" {
		return "apiserverinternal"
	}
	name, _, _ := strings.Cut(group, ".")
	return name
}

// prune drops rules that can never be seen: those that only watch (alpha) and stop nothing, and calls of
// types that have no rules.
func prune(doc *document) {
	for changed := true; changed; {
		changed = false
		for name, kept := range doc.Types {
			size := len(gen.Line(kept))
			kept.Self = doc.visible(kept.Self)
			fields := kept.Fields[:0]
			for _, member := range kept.Fields {
				if member.Rules = doc.visible(member.Rules); len(member.Rules) > 0 {
					fields = append(fields, member)
				}
			}
			kept.Fields = fields
			changed = changed || size != len(gen.Line(kept))
			if len(kept.Self)+len(kept.Fields) == 0 {
				delete(doc.Types, name)
				changed = true
			}
		}
	}
}

func (doc *document) visible(rules []*Rule) []*Rule {
	kept, effect := []*Rule{}, false
	for _, rule := range rules {
		rule.Do = doc.visible(rule.Do)
		for _, choice := range rule.Cases {
			choice.Do = doc.visible(choice.Do)
		}
		nested := rule.Check == "Type" || rule.Check == "Group" || rule.Check == "IfOption" ||
			rule.Check == "Subfield" || strings.HasPrefix(rule.Check, "Each")
		switch {
		case rule.Level == "alpha" && !rule.Stop:
		case rule.Check == "Type" && doc.Types[rule.Type] == nil:
		case nested && rule.Check != "Type" && len(rule.Do) == 0:
		default:
			kept = append(kept, rule)
			effect = effect || (!rule.Quiet && rule.Level != "alpha")
		}
	}
	if !effect {
		return nil
	}
	return kept
}

func render(doc document) []byte {
	return fmt.Appendf(nil, "{\"generator\":%q,\n\"upstream\":%q,\n\"types\":%s}\n",
		doc.Generator, doc.Upstream, gen.Object(doc.Types))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "validationgen:", err)
	os.Exit(1)
}

// must fails at a place that has none of the forms this program knows.
func (p *page) must(ok bool, node ast.Node, what string) {
	if !ok {
		fail(fmt.Errorf("%s: %s", p.files.Position(node.Pos()), what))
	}
}
