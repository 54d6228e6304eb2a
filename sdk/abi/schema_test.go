package abi_test

import (
	"context"
	"flag"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	schemaFile    = "proto/payhost/v1/payhost.proto"
	schemaPackage = "payhost.v1"
)

// update rewrites the golden vectors, testdata/schema.txt and the generated
// tables of docs/abi.md: go test ./sdk/abi -update.
var update = flag.Bool("update", false, "rewrite testdata and the tables of docs/abi.md")

// compile compiles the schema after a change of its text.
func compile(change func(string) string) (protoreflect.FileDescriptor, error) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		return nil, err
	}
	compiler := protocompile.Compiler{
		Resolver: &protocompile.SourceResolver{
			Accessor: protocompile.SourceAccessorFromMap(map[string]string{schemaFile: change(string(text))}),
		},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(context.Background(), schemaFile)
	if err != nil {
		return nil, err
	}
	return files[0], nil
}

var schemaOnce = sync.OnceValues(func() (protoreflect.FileDescriptor, error) {
	return compile(func(text string) string { return text })
})

// packedOnce is the schema as another encoder may read it: numbers packed.
var packedOnce = sync.OnceValues(func() (protoreflect.FileDescriptor, error) {
	return compile(func(text string) string {
		return strings.ReplaceAll(text, "packed = false", "packed = true")
	})
})

func schema(t testing.TB) protoreflect.FileDescriptor {
	t.Helper()
	file, err := schemaOnce()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// message returns the descriptor of a message by its name in the schema.
func message(t testing.TB, file protoreflect.FileDescriptor, name string) protoreflect.MessageDescriptor {
	t.Helper()
	md := file.Messages().ByName(protoreflect.Name(name))
	if md == nil {
		t.Fatalf("no message %s in the schema", name)
	}
	return md
}

// each walks a list of descriptors.
func each[D any](list interface {
	Len() int
	Get(int) D
},
) func(func(int, D) bool) {
	return func(yield func(int, D) bool) {
		for i := range list.Len() {
			if !yield(i, list.Get(i)) {
				return
			}
		}
	}
}

// comment returns the text above a declaration, in one line.
func comment(d protoreflect.Descriptor) string {
	loc := d.ParentFile().SourceLocations().ByDescriptor(d)
	return strings.Join(strings.Fields(loc.LeadingComments), " ")
}
