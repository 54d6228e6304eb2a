// Package peers runs the work of package benchwork through what an embedder in Go
// would take in place of payhost. Each peer has a file.
package peers

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/tetratelabs/wazero"

	"github.com/payhost/payhost/internal/benchwork"
)

// Call does the work once. It is for one goroutine.
type Call func() (benchwork.Result, error)

// Peer is one way to run the work.
type Peer struct {
	Name  string // as in the names of the benchmarks
	Title string // for people
	// Start makes a peer ready. Its guest is in the folder build, where make bench
	// puts it. Stop ends what was started; it is nil if there is an error.
	Start func(ctx context.Context, build string) (call Call, stop func(), err error)
}

// ErrNone says that a peer is not to be had here, and why.
var ErrNone = errors.New("not to be had here")

// All returns the peers, and before them the work done without any.
func All() []Peer {
	return []Peer{
		{"native", "native Go, net/url and encoding/json", native},
		{"extism-json", "Extism, JSON messages", extismJSON},
		{"extism-binary", "Extism, protobuf messages", extismBinary},
		{"knqyf263", "knqyf263/go-plugin", goPlugin},
		{"hashicorp-callback", "hashicorp/go-plugin over gRPC, HTTP by the host", hashicorpCallback},
		{"hashicorp-local", "hashicorp/go-plugin over gRPC, HTTP in the plugin", hashicorpLocal},
		{"wasmtime", "wasmtime-go, payhost's plugin", wasmtimeGo},
	}
}

func native(context.Context, string) (Call, func(), error) {
	request := benchwork.Sample()
	call := func() (benchwork.Result, error) { return benchwork.Create(request, benchwork.Stub) }
	return call, func() {}, nil
}

// compileCache returns wazero's cache on disk, so that a round need not compile.
func compileCache(build string) (wazero.CompilationCache, error) {
	return wazero.NewCompilationCacheWithDir(filepath.Join(build, "cache"))
}
