package host_test

import (
	"fmt"
	"testing"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// BenchmarkCall is a call that asks the host for some things and sends nothing: what
// recording adds to it.
func BenchmarkCall(b *testing.B) {
	source := rogue(func(i abi.Imports, op, n int32) int32 {
		for range 8 {
			h := i.BlobNew(64)
			i.BlobWrite(h, []byte("some bytes of a body"))
			i.NowNS()
			i.BlobFree(h)
		}
		i.Log(abi.LogDebug, []byte("a line"))
		return answer(abi.AppendReply(nil, &abi.Reply{Result: &pay.Result{Outcome: pay.OutcomeDeclined}}))(i, op, n)
	})
	for name, record := range map[string]func(*host.Recording){"off": nil, "on": func(*host.Recording) {}} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, source, func(c *host.Config, _ *host.ConnectionConfig) { c.Record = record })
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				request := create("")
				request.Key = fmt.Sprint("op-", n)
				_, _ = r.conn.Create(b.Context(), request)
			}
		})
	}
}

// BenchmarkMask is what one recording costs that is kept.
func BenchmarkMask(b *testing.B) {
	open, _ := gossiped(b)
	b.ReportAllocs()
	for b.Loop() {
		open.Mask().Encode()
	}
}

// BenchmarkReplay is one replay on a revision that is loaded.
func BenchmarkReplay(b *testing.B) {
	var p tape
	r := newRig(b, host.Source{Native: sdk.Native(probe.New())}, p.option)
	if _, err := r.conn.Create(b.Context(), create("")); err != nil {
		b.Fatal(err)
	}
	player, err := host.NewReplayer(b.Context(), host.Source{Native: sdk.Native(probe.New())}, host.ReplayConfig{})
	if err != nil {
		b.Fatal(err)
	}
	defer player.Close()
	for b.Loop() {
		if got, err := player.Replay(b.Context(), p.last(b, pay.OpCreate)); err != nil || !got.Same() {
			b.Fatal(err, got)
		}
	}
}
