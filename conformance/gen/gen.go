// Package gen is what the generators in ../../tools share: names of types, and JSON with one line per
// entry, so that a difference between releases can be read. It is here because here is the module.
package gen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// TypeName is the OpenAPI name of a type that does not give its own.
func TypeName(path, name string) string {
	parts := strings.Split(path, "/")
	host := strings.Split(parts[0], ".")
	slices.Reverse(host)
	return strings.Join(append(append(host, parts[1:]...), name), ".")
}

// Line is a value as JSON without line breaks.
func Line(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(out.Bytes())
}

// Array has a line per item.
func Array[T any](items []T) []byte {
	lines := make([][]byte, len(items))
	for i, item := range items {
		lines[i] = Line(item)
	}
	return between("[\n", lines, "\n]")
}

// Object has a line per member, in the order of their names.
func Object[T any](members map[string]T) []byte {
	var lines [][]byte
	for _, name := range slices.Sorted(maps.Keys(members)) {
		lines = append(lines, fmt.Appendf(nil, "%q:%s", name, Line(members[name])))
	}
	return between("{\n", lines, "\n}")
}

func between(begin string, lines [][]byte, end string) []byte {
	return slices.Concat([]byte(begin), bytes.Join(lines, []byte(",\n")), []byte(end))
}
