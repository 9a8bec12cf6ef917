package main

import (
	"encoding/json"
	"fmt"

	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// kept maps what OpenAPI says about a property to the short names of types.json; a word that is not
// listed here or below stops the generator, so that nothing is lost with a new release.
var kept = map[string]string{
	"default":                              "default",
	"enum":                                 "enum",
	"format":                               "format",
	"minimum":                              "minimum",
	"maximum":                              "maximum",
	"minLength":                            "minLength",
	"maxLength":                            "maxLength",
	"minItems":                             "minItems",
	"maxItems":                             "maxItems",
	"pattern":                              "pattern",
	"nullable":                             "nullable",
	"x-kubernetes-list-type":               "listType",
	"x-kubernetes-list-map-keys":           "listMapKeys",
	"x-kubernetes-map-type":                "mapType",
	"x-kubernetes-preserve-unknown-fields": "preserveUnknown",
	"x-kubernetes-embedded-resource":       "embedded",
	"x-kubernetes-int-or-string":           "intOrString",
	"x-kubernetes-validations":             "validations",
	"x-kubernetes-immutable":               "immutable",
	"x-kubernetes-unions":                  "unions",
}

// implied follows from the type expression or from the Go tags.
var implied = map[string]bool{
	"type": true, "description": true, "$ref": true, "items": true, "properties": true, "required": true,
	"additionalProperties": true, "allOf": true, "oneOf": true,
	"x-kubernetes-patch-strategy": true, "x-kubernetes-patch-merge-key": true,
	"x-kubernetes-group-version-kind": true,
}

func typeExtras(name string, definition common.OpenAPIDefinition) map[string]any {
	return extras(name, definition.Schema)
}

// propertyExtras adds what is said about the elements of a list or map, under "items".
func propertyExtras(name string, property spec.Schema) map[string]any {
	result := extras(name, property)
	var elements *spec.Schema
	switch {
	case property.Items != nil:
		elements = property.Items.Schema
	case property.AdditionalProperties != nil:
		elements = property.AdditionalProperties.Schema
	}
	if elements != nil {
		if inner := propertyExtras(name, *elements); len(inner) > 0 {
			if result == nil {
				result = map[string]any{}
			}
			result["items"] = inner
		}
	}
	return result
}

func extras(name string, schema spec.Schema) map[string]any {
	raw, err := json.Marshal(schema)
	if err != nil {
		fail(err)
	}
	said := map[string]any{}
	if err := json.Unmarshal(raw, &said); err != nil {
		fail(err)
	}
	var result map[string]any
	for word, value := range said {
		short, ok := kept[word]
		if !ok && !implied[word] {
			fail(fmt.Errorf("%s: OpenAPI says %s, which is not handled", name, word))
		}
		if ok {
			if result == nil {
				result = map[string]any{}
			}
			result[short] = value
		}
	}
	return result
}
