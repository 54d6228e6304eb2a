package peers_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/payhost/payhost/bench/internal/guests"
	"github.com/payhost/payhost/bench/peers"
	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/witness"
)

// build is where the guests are.
var build string

func TestMain(m *testing.M) {
	var err error
	if build, err = guests.ForTests("../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// start makes a peer ready and holds it to the result that all must have.
func start(tb testing.TB, peer peers.Peer) peers.Call {
	tb.Helper()
	call, stop, err := peer.Start(context.Background(), build)
	switch {
	case errors.Is(err, peers.ErrNone):
		tb.Skip(err)
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
			witness.Loop(b, func() {
				if _, err := call(); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}
