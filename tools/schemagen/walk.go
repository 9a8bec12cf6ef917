package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/kube-openapi/pkg/common"
	"pykube-cp.dev/conformance/gen"
)

// Type is a Go struct. Keys are short because thousands of fields repeat them; machinery/schema.py
// gives them their names back.
type Type struct {
	Go     string         `json:"go"`
	Proto  bool           `json:"pb,omitempty"`
	Fields []*Field       `json:"fields"`
	Schema map[string]any `json:"schema,omitempty"`
}

// Field is a JSON member of a struct. Members of inlined structs are listed in place.
type Field struct {
	Name string `json:"n"`
	// f: Go's name, where it is not the JSON name with a capital.
	GoField string `json:"f,omitempty"`
	Type    string `json:"t"`
	GoType  string `json:"go,omitempty"`
	Pointer bool   `json:"p,omitempty"`
	// e: "e" omitempty, "z" omitzero, "ez" both.
	Omit string `json:"e,omitempty"`
	// pb: number and wire kind, as "3v" (varint), "3b" (bytes), "3q" (required, written like the others).
	Proto string `json:"pb,omitempty"`
	// in: Go names and protobuf numbers of the embedded structs passed, outermost first.
	Inline []string       `json:"in,omitempty"`
	Patch  string         `json:"ps,omitempty"`
	Key    string         `json:"pk,omitempty"`
	Need   bool           `json:"r,omitempty"`
	Schema map[string]any `json:"s,omitempty"`
}

// leaves are types with a JSON form of their own.
var leaves = map[reflect.Type]string{
	reflect.TypeFor[metav1.Time]():                                       "Time",
	reflect.TypeFor[metav1.MicroTime]():                                  "MicroTime",
	reflect.TypeFor[metav1.Duration]():                                   "Duration",
	reflect.TypeFor[metav1.FieldsV1]():                                   "FieldsV1",
	reflect.TypeFor[resource.Quantity]():                                 "Quantity",
	reflect.TypeFor[intstr.IntOrString]():                                "IntOrString",
	reflect.TypeFor[runtime.RawExtension]():                              "RawExtension",
	reflect.TypeFor[apiextensionsv1.JSON]():                              "JSON",
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrArray]():            "JSONSchemaPropsOrArray",
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrBool]():             "JSONSchemaPropsOrBool",
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrStringArray]():      "JSONSchemaPropsOrStringArray",
	reflect.TypeFor[apiextensionsv1beta1.JSON]():                         "JSON",
	reflect.TypeFor[apiextensionsv1beta1.JSONSchemaPropsOrArray]():       "JSONSchemaPropsOrArray",
	reflect.TypeFor[apiextensionsv1beta1.JSONSchemaPropsOrBool]():        "JSONSchemaPropsOrBool",
	reflect.TypeFor[apiextensionsv1beta1.JSONSchemaPropsOrStringArray](): "JSONSchemaPropsOrStringArray",
	reflect.TypeFor[runtime.Unknown]():                                   "RawExtension",
	reflect.TypeFor[types.UID]():                                         "string",
}

type walker struct {
	types       map[string]*Type
	definitions map[string]common.OpenAPIDefinition
}

type modelNamed interface{ OpenAPIModelName() string }

type marshaler interface{ Marshal() ([]byte, error) }

func nameOf(t reflect.Type) string {
	if named, ok := reflect.New(t).Interface().(modelNamed); ok {
		return named.OpenAPIModelName()
	}
	return gen.TypeName(t.PkgPath(), t.Name())
}

func isProto(t reflect.Type) bool {
	_, ok := reflect.New(t).Interface().(marshaler)
	return ok
}

// structType walks a struct once and gives its name.
func (w *walker) structType(t reflect.Type) string {
	name := nameOf(t)
	if known, ok := w.types[name]; ok {
		if known.Go != t.String() {
			fail(fmt.Errorf("two types are named %s: %s and %s", name, known.Go, t))
		}
		return name
	}
	result := &Type{Go: t.String(), Proto: isProto(t)}
	w.types[name] = result
	definition := w.definitions[name]
	result.Schema = typeExtras(name, definition)
	result.Fields = w.fieldsOf(t, nil, definition)
	for _, required := range definition.Schema.Required {
		if !slices.ContainsFunc(result.Fields, func(f *Field) bool { return f.Name == required }) {
			fail(fmt.Errorf("%s requires the unknown field %s", name, required))
		}
	}
	return name
}

// fieldsOf follows the rules of encoding/json for what is a member and how it is named.
func (w *walker) fieldsOf(t reflect.Type, inline []string, definition common.OpenAPIDefinition) []*Field {
	fields := []*Field{}
	for i := range t.NumField() {
		goField := t.Field(i)
		tag, tagged := goField.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-" || !goField.IsExported():
		case goField.Anonymous && name == "" && goField.Type.Kind() == reflect.Struct:
			number, _ := protoOf(goField)
			step := goField.Name + ":" + number
			fields = append(fields, w.fieldsOf(goField.Type, append(slices.Clone(inline), step), definition)...)
		case !tagged || name == "":
			fail(fmt.Errorf("%s.%s has no JSON name", t, goField.Name))
		default:
			fields = append(fields, w.field(goField, name, options, inline, definition))
		}
	}
	return fields
}

func (w *walker) field(
	goField reflect.StructField, name, options string, inline []string, definition common.OpenAPIDefinition,
) *Field {
	field := &Field{Name: name, Inline: inline}
	if goField.Name != strings.ToUpper(name[:1])+name[1:] {
		field.GoField = goField.Name
	}
	t := goField.Type
	if t.Kind() == reflect.Pointer {
		field.Pointer, t = true, t.Elem()
	}
	field.Type = w.typeOf(t)
	field.GoType = goName(t, field.Type)
	for _, option := range strings.Split(options, ",") {
		switch option {
		case "omitempty":
			field.Omit += "e"
		case "omitzero":
			field.Omit += "z"
		case "", "inline":
		default:
			fail(fmt.Errorf("%s: unknown JSON option %s", goField.Name, option))
		}
	}
	if number, wire := protoOf(goField); number != "" {
		field.Proto = number + wire
	}
	field.Patch, field.Key = goField.Tag.Get("patchStrategy"), goField.Tag.Get("patchMergeKey")
	field.Need = slices.Contains(definition.Schema.Required, name)
	if property, ok := definition.Schema.Properties[name]; ok {
		field.Schema = propertyExtras(name, property)
	}
	return field
}

// typeOf writes a type as an expression: a scalar, a leaf, a struct's name, "[]" or "map[K]" before
// another, "*" where elements are pointers, "@" where protobuf wraps the list in a message.
func (w *walker) typeOf(t reflect.Type) string {
	if leaf, ok := leaves[t]; ok {
		return leaf
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + w.typeOf(t.Elem())
	case reflect.Slice:
		return w.sliceOf(t)
	case reflect.Map:
		return "map[" + w.typeOf(t.Key()) + "]" + w.typeOf(t.Elem())
	case reflect.Struct:
		return w.structType(t)
	case reflect.Interface:
		return "any"
	case reflect.Int:
		return "int64"
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Float64, reflect.Uint8:
		return t.Kind().String()
	}
	fail(fmt.Errorf("cannot describe %s", t))
	return ""
}

func (w *walker) sliceOf(t reflect.Type) string {
	switch {
	case t.Elem().Kind() == reflect.Uint8:
		return "bytes"
	case t.Name() != "" && isProto(t):
		return "@[]" + w.typeOf(t.Elem())
	}
	return "[]" + w.typeOf(t.Elem())
}

// goName is how Go prints the type, where that does not follow from the expression.
func goName(t reflect.Type, expression string) string {
	plain := strings.NewReplacer("bytes", "[]uint8", "any", "interface {}").Replace(expression)
	if t.String() == plain || structBelow(t) {
		return ""
	}
	return t.String()
}

// structBelow says whether the name of t follows from the name of a struct in it.
func structBelow(t reflect.Type) bool {
	for t.Name() == "" {
		if t.Kind() == reflect.Map && t.Key().Name() != "string" {
			return false
		}
		if t.Kind() == reflect.Interface {
			return false
		}
		t = t.Elem()
	}
	_, leaf := leaves[t]
	return t.Kind() == reflect.Struct && !leaf
}

func protoOf(field reflect.StructField) (number, wire string) {
	parts := strings.Split(field.Tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return "", ""
	}
	if _, err := strconv.Atoi(parts[1]); err != nil {
		fail(fmt.Errorf("%s: protobuf tag without number", field.Name))
	}
	wires := map[string]string{"bytes": "b", "varint": "v", "fixed64": "f"}
	wire, ok := wires[parts[0]]
	if !ok {
		fail(fmt.Errorf("%s: wire kind %s", field.Name, parts[0]))
	}
	return parts[1], wire
}
