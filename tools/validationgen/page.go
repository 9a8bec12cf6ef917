package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"pykube-cp.dev/conformance/gen"
)

// page is one generated file.
type page struct {
	files   *token.FileSet
	file    *ast.File
	imports map[string]string
	values  map[string]ast.Expr
	root    string
	apis    map[string]*api
}

// api is what is needed of the package with the Go types: constants, and JSON names of struct members.
type api struct {
	imports   map[string]string
	constants map[string]ast.Expr
	members   map[string]map[string]string
}

func parse(path, apiRoot string) *page {
	p := &page{
		files: token.NewFileSet(), values: map[string]ast.Expr{},
		root: apiRoot, apis: map[string]*api{},
	}
	file, err := parser.ParseFile(p.files, path, nil, parser.ParseComments)
	if err != nil {
		fail(err)
	}
	p.file = file
	p.imports = importsOf(file)
	return p
}

// read adds the page's types.
func (p *page) read(doc *document) {
	var functions []*ast.FuncDecl
	for _, declaration := range p.file.Decls {
		switch found := declaration.(type) {
		case *ast.GenDecl:
			for _, spec := range found.Specs {
				if value, ok := spec.(*ast.ValueSpec); ok && len(value.Values) == 1 {
					p.values[value.Names[0].Name] = value.Values[0]
				}
			}
		case *ast.FuncDecl:
			functions = append(functions, found)
		}
	}
	for _, function := range functions {
		if strings.HasPrefix(function.Name.Name, "Validate_") {
			p.function(function, doc)
		}
	}
}

func (p *page) function(function *ast.FuncDecl, doc *document) {
	parameters := function.Type.Params.List
	last := parameters[len(parameters)-1]
	name := p.typeName(last.Type)
	made := &Type{}
	rest := []ast.Stmt{}
	for _, statement := range function.Body.List {
		if block, ok := statement.(*ast.BlockStmt); ok {
			made.Fields = append(made.Fields, p.member(block))
		} else {
			rest = append(rest, statement)
		}
	}
	made.Self = p.statements(rest)
	doc.Types[name] = made
}

// member reads { fn := func(...) {...}; oldVal := ...; errs = append(errs, fn(path, ...)...) }.
func (p *page) member(block *ast.BlockStmt) *Member {
	p.must(len(block.List) == 3, block, "not a member")
	body := block.List[0].(*ast.AssignStmt).Rhs[0].(*ast.FuncLit).Body.List
	if check, ok := body[0].(*ast.IfStmt); ok && printed(check.Cond) == "oldValueCorrelated && op.Type == operation.Update" {
		body = body[1:]
	}
	call := block.List[2].(*ast.AssignStmt).Rhs[0].(*ast.CallExpr).Args[1].(*ast.CallExpr)
	path := call.Args[0].(*ast.CallExpr)
	member := &Member{Rules: p.statements(body)}
	if selected(path.Fun) == "Child" {
		member.Name = p.text(path.Args[0])
		return member
	}
	// An embedded struct: its members are the owner's.
	p.must(printed(path.Fun) == "safe.Value", path, "unknown path")
	return member
}

// typeName is the OpenAPI name of *alias.T, alias.T.
func (p *page) typeName(expression ast.Expr) string {
	if star, ok := expression.(*ast.StarExpr); ok {
		expression = star.X
	}
	selector, ok := expression.(*ast.SelectorExpr)
	p.must(ok, expression, "not a named type")
	return gen.TypeName(p.packageOf(expression), selector.Sel.Name)
}

func (p *page) packageOf(expression ast.Expr) string {
	if star, ok := expression.(*ast.StarExpr); ok {
		expression = star.X
	}
	return p.imports[expression.(*ast.SelectorExpr).X.(*ast.Ident).Name]
}

func (p *page) text(expression ast.Expr) string {
	literal, ok := expression.(*ast.BasicLit)
	p.must(ok && literal.Kind == token.STRING, expression, "not a text")
	value, _ := strconv.Unquote(literal.Value)
	return value
}

// selected is b of a.b.
func selected(expression ast.Expr) string {
	if selector, ok := expression.(*ast.SelectorExpr); ok {
		return selector.Sel.Name
	}
	return ""
}

// apiOf is the package of alias.T or *alias.T.
func (p *page) apiOf(expression ast.Expr) *api {
	return p.apiAt(p.packageOf(expression))
}

func (p *page) apiAt(path string) *api {
	if p.apis[path] == nil {
		p.apis[path] = readAPI(filepath.Join(p.root, strings.TrimPrefix(path, "k8s.io/api/")))
	}
	return p.apis[path]
}

func readAPI(folder string) *api {
	found := &api{
		imports: map[string]string{}, constants: map[string]ast.Expr{}, members: map[string]map[string]string{},
	}
	paths, _ := filepath.Glob(filepath.Join(folder, "*.go"))
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			fail(err)
		}
		for alias, name := range importsOf(file) {
			found.imports[alias] = name
		}
		for _, declaration := range file.Decls {
			if general, ok := declaration.(*ast.GenDecl); ok {
				found.add(general)
			}
		}
	}
	return found
}

func importsOf(file *ast.File) map[string]string {
	found := map[string]string{}
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		alias := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			alias = spec.Name.Name
		}
		found[alias] = path
	}
	return found
}

// constant is the text of "x", T("x"), T(alias.Constant).
func (p *page) constant(owner *api, value ast.Expr) (string, bool) {
	switch value := value.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(value.Value)
		return text, err == nil
	case *ast.CallExpr:
		return p.constant(owner, value.Args[0])
	case *ast.SelectorExpr:
		other := p.apiAt(owner.imports[printed(value.X)])
		return p.constant(other, other.constants[value.Sel.Name])
	}
	return "", false
}

func (found *api) add(general *ast.GenDecl) {
	for _, spec := range general.Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			for i, value := range spec.Values {
				found.constants[spec.Names[i].Name] = value
			}
		case *ast.TypeSpec:
			if structure, ok := spec.Type.(*ast.StructType); ok {
				found.members[spec.Name.Name] = jsonNames(structure)
			}
		}
	}
}

func jsonNames(structure *ast.StructType) map[string]string {
	names := map[string]string{}
	for _, field := range structure.Fields.List {
		if field.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(field.Tag.Value)
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		for _, goName := range field.Names {
			names[goName.Name] = name
		}
	}
	return names
}
