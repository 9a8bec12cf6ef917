// Command roundtrip is upstream's side of `make roundtrip`: it decodes with upstream's own serializers what
// pykube-cp encoded and answers what it read, in every encoding; and it makes random objects.
//
//	roundtrip serve           one request a line on standard input, one answer a line
//	roundtrip kinds           every kind upstream knows, and whether it has a protobuf form
//	roundtrip fuzz N SEED     N random objects of every kind
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// request asks to read Data, which is in the encoding From: one object, of the kind Default unless it says
// another, or watch events in a row. The answer is encoded as Want says.
type request struct {
	From    string
	Default schema.GroupVersionKind
	Data    []byte
	Frames  bool
	Want    []string
}

// answer is what was read, in every encoding that has it; of watch events, their types and objects.
type answer struct {
	Kind     *schema.GroupVersionKind `json:"kind,omitempty"`
	Error    string                   `json:"error,omitempty"`
	Warnings string                   `json:"warnings,omitempty"`
	Encoded  map[string][]byte        `json:"encoded,omitempty"`
	Events   []event                  `json:"events,omitempty"`
}

func main() {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	codecs := newCodecs()
	encoder := json.NewEncoder(out)
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		serve(codecs, encoder, out)
	case len(os.Args) == 2 && os.Args[1] == "kinds":
		must(encoder.Encode(codecs.kinds()))
	case len(os.Args) == 4 && os.Args[1] == "fuzz":
		count, err := strconv.Atoi(os.Args[2])
		must(err)
		seed, err := strconv.ParseInt(os.Args[3], 10, 64)
		must(err)
		fuzz(codecs, count, seed, func(kind schema.GroupVersionKind, obj runtime.Object) {
			encoded, err := codecs.encode(obj, mediaTypes...)
			must(err)
			must(encoder.Encode(answer{Kind: &kind, Encoded: encoded}))
		})
	default:
		must(fmt.Errorf("usage: roundtrip serve | kinds | fuzz N SEED"))
	}
}

func serve(codecs codecs, encoder *json.Encoder, out *bufio.Writer) {
	in := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	for in.More() {
		var asked request
		must(in.Decode(&asked))
		must(encoder.Encode(codecs.answer(asked)))
		must(out.Flush())
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "roundtrip:", err)
		os.Exit(1)
	}
}
