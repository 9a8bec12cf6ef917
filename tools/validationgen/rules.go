package main

import (
	"bytes"
	"go/ast"
	"go/printer"
	"go/token"
	"sort"
	"strconv"
	"strings"

	"pykube-cp.dev/conformance/gen"
)

func printed(node ast.Node) string {
	var out bytes.Buffer
	if err := printer.Fprint(&out, token.NewFileSet(), node); err != nil {
		fail(err)
	}
	return out.String()
}

// statements reads a function body as a list of rules. Those that stop come first, as upstream writes them.
func (p *page) statements(list []ast.Stmt) []*Rule {
	rules := []*Rule{}
	for _, statement := range list {
		switch found := statement.(type) {
		case *ast.ReturnStmt:
		case *ast.IfStmt:
			if printed(found.Cond) != "earlyReturn" {
				rules = append(rules, p.checked(found))
			}
		case *ast.AssignStmt:
			if rule := p.appended(found); rule != nil {
				rules = append(rules, rule)
			}
		case *ast.ExprStmt:
			// func() { ... }(): rules of one subfield, which stop nothing but each other.
			literal, ok := found.X.(*ast.CallExpr).Fun.(*ast.FuncLit)
			p.must(ok, found, "unknown statement")
			rules = append(rules, &Rule{Check: "Group", Do: p.statements(literal.Body.List)})
		default:
			p.must(false, statement, "unknown statement")
		}
	}
	return rules
}

// checked reads if e := CALL; len(e) != 0 { errs = append(errs, e...); earlyReturn = true }.
func (p *page) checked(statement *ast.IfStmt) *Rule {
	assign, ok := statement.Init.(*ast.AssignStmt)
	p.must(ok && printed(statement.Cond) == "len(e) != 0", statement, "unknown condition")
	rule := p.call(assign.Rhs[0].(*ast.CallExpr))
	rule.Quiet = true
	for _, inner := range statement.Body.List {
		switch printed(inner) {
		case "errs = append(errs, e...)":
			rule.Quiet = false
		case "earlyReturn = true":
			rule.Stop = true
		default:
			p.must(false, inner, "unknown statement")
		}
	}
	return rule
}

// appended reads errs = append(errs, CALL...); other assignments prepare for what is known anyway.
func (p *page) appended(statement *ast.AssignStmt) *Rule {
	call, ok := statement.Rhs[0].(*ast.CallExpr)
	if !ok || printed(call.Fun) != "append" {
		text := printed(statement)
		p.must(text == "earlyReturn := false" || text == "errs := field.ErrorList{}", statement, "unknown assignment")
		return nil
	}
	return p.call(call.Args[1].(*ast.CallExpr))
}

// call reads validate.X(ctx, op, fldPath, obj, oldObj, ...).MarkY(), Validate_T(...) or ValidateCustom_T(...).
func (p *page) call(call *ast.CallExpr) *Rule {
	level := ""
	for {
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !strings.HasPrefix(selector.Sel.Name, "Mark") {
			break
		}
		switch selector.Sel.Name {
		case "MarkAlpha":
			level = "alpha"
		case "MarkBeta":
			level = "beta"
		case "MarkShortCircuit":
		default:
			p.must(false, call, "unknown mark")
		}
		call = selector.X.(*ast.CallExpr)
	}
	rule := p.validator(call.Fun)
	rule.Level = level
	p.must(len(call.Args) >= 5 && printed(call.Args[2]) == "fldPath" && printed(call.Args[4]) == "oldObj", call, "unknown call")
	p.arguments(rule, call.Args[5:])
	return rule
}

// validator reads the name of a function as a rule.
func (p *page) validator(expression ast.Expr) *Rule {
	switch found := expression.(type) {
	case *ast.Ident:
		return p.named(found.Name, "")
	case *ast.SelectorExpr:
		alias := printed(found.X)
		if alias == "validate" {
			return &Rule{Check: found.Sel.Name}
		}
		return p.named(found.Sel.Name, p.imports[alias])
	}
	p.must(false, expression, "unknown function")
	return nil
}

func (p *page) named(name, path string) *Rule {
	if custom, ok := strings.CutPrefix(name, "ValidateCustom_"); ok {
		return &Rule{Check: "Custom", Words: []string{custom}}
	}
	own, ok := strings.CutPrefix(name, "Validate_")
	if !ok {
		return &Rule{Check: name}
	}
	return &Rule{Check: "Type", Type: gen.TypeName(p.typesOf(path), own)}
}

// typesOf is the package of the types that a package of validations is about.
func (p *page) typesOf(path string) string {
	switch {
	case path == "":
		for _, declaration := range p.file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && strings.HasPrefix(function.Name.Name, "Validate_") {
				parameters := function.Type.Params.List
				return p.packageOf(parameters[len(parameters)-1].Type)
			}
		}
	case strings.HasPrefix(path, "k8s.io/kubernetes/pkg/apis/"):
		return "k8s.io/api/" + strings.TrimPrefix(path, "k8s.io/kubernetes/pkg/apis/")
	}
	return strings.TrimSuffix(path, "/validation")
}

// validators reads a function that is passed on: a name or a literal.
func (p *page) validators(expression ast.Expr) []*Rule {
	if literal, ok := expression.(*ast.FuncLit); ok {
		return p.statements(literal.Body.List)
	}
	return []*Rule{p.validator(expression)}
}

func (p *page) arguments(rule *Rule, args []ast.Expr) {
	switch rule.Check {
	case "EachValSliceVal":
		rule.Keys, rule.Equal, rule.Do = p.match(args[0]), p.equality(args[1]), p.validators(args[2])
	case "EachMapVal":
		rule.Equal, rule.Do = p.equality(args[0]), p.validators(args[1])
	case "EachMapKey":
		rule.Do = p.validators(args[0])
	case "ValSliceUnique":
		rule.Keys = p.match(args[0])
	case "ValSliceUpdate":
		rule.Keys, rule.Words = p.match(args[0]), p.words(args[1:])
	case "UpdatePointer", "UpdateValueByCompare":
		rule.Words = p.words(args)
	case "Enum":
		rule.Words = p.symbols(args[0])
		p.must(printed(args[1]) == "nil", args[1], "exclusions are not known")
	case "Subfield":
		rule.Field, rule.Equal, rule.Do = p.text(args[0]), p.equality(args[2]), p.validators(args[3])
	case "IfOption":
		on := printed(args[1]) == "true"
		rule.Field, rule.On, rule.Do = p.text(args[0]), &on, p.validators(args[2])
	case "DependentRequired", "DependentForbidden":
		rule.By, rule.Field = p.text(args[0]), p.text(args[2])
	case "Union", "ZeroOrOneOfUnion":
		p.union(rule, args)
	case "Discriminated":
		p.discriminated(rule, args)
	default:
		p.must(len(args) <= 1, args0(args), "unknown arguments")
		if len(args) == 1 {
			number, err := strconv.ParseInt(printed(args[0]), 10, 64)
			p.must(err == nil, args[0], "not a number")
			rule.Number = &number
		}
	}
}

func args0(args []ast.Expr) ast.Node {
	if len(args) > 0 {
		return args[0]
	}
	return &ast.BadExpr{}
}

func (p *page) words(args []ast.Expr) []string {
	words := []string{}
	for _, arg := range args {
		words = append(words, selected(arg))
	}
	return words
}

// equality reads what makes old and new the same: nothing further, comparison, or meaning.
func (p *page) equality(expression ast.Expr) string {
	switch text := printed(expression); text {
	case "nil":
		return ""
	case "validate.DirectEqual", "validate.SemanticDeepEqual":
		return map[string]string{"validate.DirectEqual": "direct", "validate.SemanticDeepEqual": "deep"}[text]
	}
	p.must(false, expression, "unknown equality")
	return ""
}

// match reads which members make two items of a list the same one: "" stands for all of them.
func (p *page) match(expression ast.Expr) []string {
	switch text := printed(expression); text {
	case "nil":
		return nil
	case "validate.DirectEqual", "validate.SemanticDeepEqual":
		return []string{""}
	}
	literal, ok := expression.(*ast.FuncLit)
	p.must(ok, expression, "unknown match")
	owner := literal.Type.Params.List[0].Type
	keys := []string{}
	ast.Inspect(literal.Body, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok && printed(selector.X) == "a" {
			if key := p.jsonName(owner, selector.Sel.Name); len(keys) == 0 || keys[len(keys)-1] != key {
				keys = append(keys, key)
			}
		}
		return true
	})
	p.must(len(keys) > 0, expression, "a match without members")
	return keys
}

func (p *page) jsonName(owner ast.Expr, goName string) string {
	if star, ok := owner.(*ast.StarExpr); ok {
		owner = star.X
	}
	if p.packageOf(owner) == "k8s.io/apimachinery/pkg/apis/meta/v1" {
		return strings.ToLower(goName[:1]) + goName[1:]
	}
	name, ok := p.apiOf(owner).members[selected(owner)][goName]
	p.must(ok, owner, "no member "+goName)
	return name
}

// symbols reads sets.New(alias.Constant, ...) as the sorted values.
func (p *page) symbols(expression ast.Expr) []string {
	call, ok := p.values[printed(expression)].(*ast.CallExpr)
	p.must(ok, expression, "unknown set")
	values := []string{}
	for _, arg := range call.Args {
		owner := p.apiOf(arg)
		value, ok := p.constant(owner, owner.constants[selected(arg)])
		p.must(ok, arg, "unknown constant")
		values = append(values, value)
	}
	sort.Strings(values)
	return values
}

// union reads a membership and how each member is found: by a field, or by the type of an item of the list.
func (p *page) union(rule *Rule, args []ast.Expr) {
	membership, ok := p.values[printed(args[0])].(*ast.CallExpr)
	p.must(ok && selected(membership.Fun) == "NewUnionMembership", args[0], "unknown union")
	for _, member := range membership.Args {
		rule.Words = append(rule.Words, p.text(member.(*ast.CallExpr).Args[0]))
	}
	if len(args) > 1 && strings.Contains(printed(args[1]), "list[i]") {
		rule.By = p.itemKey(args[1].(*ast.FuncLit))
	}
}

// itemKey is the member that a union of list items is told apart by.
func (p *page) itemKey(literal *ast.FuncLit) string {
	items, key := literal.Type.Params.List[0].Type.(*ast.ArrayType).Elt, ""
	ast.Inspect(literal.Body, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok && printed(selector.X) == "list[i]" {
			key = p.jsonName(items, selector.Sel.Name)
		}
		return true
	})
	return key
}

func (p *page) discriminated(rule *Rule, args []ast.Expr) {
	rule.Field, rule.Equal = p.text(args[0]), p.equality(args[3])
	getter := args[2].(*ast.FuncLit)
	result := getter.Body.List[0].(*ast.ReturnStmt).Results[0].(*ast.SelectorExpr)
	rule.By = p.jsonName(getter.Type.Params.List[0].Type, result.Sel.Name)
	if printed(args[4]) != "nil" {
		rule.Do = p.validators(args[4])
	}
	for _, element := range args[5].(*ast.CompositeLit).Elts {
		choice := &Case{}
		for _, pair := range element.(*ast.CompositeLit).Elts {
			named := pair.(*ast.KeyValueExpr)
			if printed(named.Key) == "Value" {
				choice.Value = p.text(named.Value)
			} else {
				choice.Do = p.validators(named.Value)
			}
		}
		rule.Cases = append(rule.Cases, choice)
	}
}
