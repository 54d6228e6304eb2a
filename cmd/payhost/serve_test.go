package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
)

// setupServe gives a script a free address, a simulator of Yenil-Toleg and a token.
func setupServe(e *testscript.Env) error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	sim := yeniltoleg.New(yeniltoleg.Options{})
	url, stop, err := simkit.Start("127.0.0.1:0", sim)
	if err != nil {
		return err
	}
	e.Defer(func() { _ = sim.Close(); stop() })
	e.Setenv("ADDRESS", address)
	e.Setenv("PAYHOST_URL", "http://"+address)
	e.Setenv("PAYHOST_TOKEN", "a-token-of-the-script")
	e.Setenv("SIM", url)
	e.Setenv("ACCESS", yeniltoleg.AccessToken)
	return nil
}

// sendSignal sends HUP or TERM to what runs in the background.
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}
	if neg || len(args) != 1 || signals[args[0]] == 0 {
		ts.Fatalf("usage: signal HUP|TERM")
	}
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(signals[args[0]]))
	}
}

// await PATH TEXT asks payhost until its answer holds the text.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await PATH TEXT")
	}
	last := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequest(http.MethodGet, ts.Getenv("PAYHOST_URL")+args[0], nil)
		ts.Check(err)
		req.Header.Set("Authorization", "Bearer "+ts.Getenv("PAYHOST_TOKEN"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			last = err.Error()
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if last = string(body); err == nil && strings.Contains(last, args[1]) {
			return
		}
	}
	ts.Fatalf("%s does not say %q but: %s", args[0], args[1], last)
}
