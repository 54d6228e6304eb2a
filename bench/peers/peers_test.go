package peers_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/payhost/payhost/bench/peers"
	"github.com/payhost/payhost/internal/benchwork"
)

// buildDir is where make bench puts the guests.
func buildDir() string {
	if dir := os.Getenv("BENCH_BUILD"); dir != "" {
		return dir
	}
	return "../../build/bench"
}

// start makes a peer ready and holds it to the result that all must have.
func start(tb testing.TB, peer peers.Peer) peers.Call {
	tb.Helper()
	call, stop, err := peer.Start(context.Background(), buildDir())
	switch {
	case errors.Is(err, peers.ErrNone):
		tb.Skip(err)
	case errors.Is(err, os.ErrNotExist):
		tb.Skip("its guest is not built; make bench does that: ", err)
	case err != nil:
		tb.Fatal(err)
	}
	tb.Cleanup(stop)
	for range 3 {
		if result, err := call(); err != nil || result != benchwork.Want() {
			tb.Fatalf("result %+v, error %v", result, err)
		}
	}
	return call
}

// TestSame holds every peer to the same result.
func TestSame(t *testing.T) {
	for _, peer := range peers.All() {
		t.Run(peer.Name, func(t *testing.T) { start(t, peer) })
	}
}

// BenchmarkCreate does the work on one goroutine, with an instance that is used again.
func BenchmarkCreate(b *testing.B) {
	for _, peer := range peers.All() {
		b.Run("by="+peer.Name, func(b *testing.B) {
			call := start(b, peer)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
