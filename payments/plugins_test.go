package payments_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/prebuilt"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// pluginModules are two builds of the probe with different digests, another plugin, two
// builds of a plugin with all its operations, and one with fewer.
type pluginModules struct{ one, two, other, whole, twin, lean host.Source }

var buildModules = sync.OnceValues(func() (pluginModules, error) {
	ctx := context.Background()
	maker, err := prebuilt.Open(ctx)
	if err != nil {
		return pluginModules{}, err
	}
	var m pluginModules
	for _, b := range []struct {
		into   *host.Source
		source string
		flags  []string
	}{
		{&m.one, "../host/testdata/probe/wasm", nil},
		{&m.two, "../host/testdata/probe/wasm", []string{"-buildid=two"}},
		{&m.other, "../plugins/rahmet/wasm", nil},
		{&m.whole, "./testdata/lean", nil},
		{&m.twin, "./testdata/lean", []string{"-buildid=twin"}},
		{&m.lean, "./testdata/lean", []string{"-X", "main.without=confirm,refund_status,error_catalog"}},
	} {
		packed, err := maker.Plugin(ctx, b.source, b.flags...)
		if err != nil {
			return m, err
		}
		*b.into = host.Source{Bytes: packed, SHA256: fmt.Sprintf("%x", sha256.Sum256(packed))}
	}
	if m.one.SHA256 == m.two.SHA256 {
		return m, errors.New("the two builds have one digest")
	}
	return m, nil
})

// pluginNode is one process on a store.
type pluginNode struct {
	*payments.Plugins
	host *host.Host
}

func openRevisions(t *testing.T) store.Store {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "payhost.db"), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newPluginNode(t *testing.T, s store.Store) *pluginNode {
	t.Helper()
	h, err := host.New(host.Config{CacheDir: rig.Cache(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return &pluginNode{Plugins: payments.NewPlugins(h, s, nil), host: h}
}

// follow has the node do what others activate, until stop.
func (n *pluginNode) follow(ctx context.Context) (stop func()) {
	following, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { n.Follow(following); close(done) }()
	return func() { cancel(); <-done }
}

func (n *pluginNode) digest(t *testing.T) string {
	t.Helper()
	rev, ok := n.host.Revision("probe")
	if !ok {
		return ""
	}
	return rev.Digest()
}

func (n *pluginNode) runs(t *testing.T, want host.Source) {
	t.Helper()
	if got := n.digest(t); got != want.SHA256 {
		t.Errorf("runs %.12s, want %.12s", got, want.SHA256)
	}
}

func pluginBuilds(t *testing.T) pluginModules {
	t.Helper()
	m, err := buildModules()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func activatedBy(t *testing.T, s store.Store) string {
	t.Helper()
	list, err := s.Activations(t.Context(), "probe", 100)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, a := range list {
		words = append(words, a.Source)
	}
	return strings.Join(words, " ")
}

// bootNode is a start of a process with a plugin file.
func bootNode(t *testing.T, s store.Store, file host.Source) *pluginNode {
	t.Helper()
	n := newPluginNode(t, s)
	if err := n.Boot(t.Context(), "probe", file); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestBootPrefersWhatWasActivated walks through starts: the file wins when it is
// new, what was activated wins otherwise, and a rollback outlives a restart.
func TestBootPrefersWhatWasActivated(t *testing.T) {
	t.Parallel()
	m, s, ctx := pluginBuilds(t), openRevisions(t), t.Context()
	n := bootNode(t, s, m.one)
	n.runs(t, m.one)
	bootNode(t, s, m.one).runs(t, m.one) // again: nothing to record
	if got := activatedBy(t, s); got != "config" {
		t.Errorf("activations %q", got)
	}
	if _, err := n.Push(ctx, "ops", "probe", m.two.Bytes); err != nil {
		t.Fatal(err)
	}
	if a, err := n.Activate(ctx, "ops", "probe", m.two.SHA256, false); err != nil || a.Source != "api" || a.By != "ops" || a.Seq == 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	n.runs(t, m.two)
	bootNode(t, s, m.one).runs(t, m.two) // the file is the one from before
	n = bootNode(t, s, m.two)            // the file is new, though it runs already: it is recorded
	if got := activatedBy(t, s); got != "config api config" {
		t.Errorf("activations %q", got)
	}
	if a, err := n.Rollback(ctx, "ops", "probe", false); err != nil || a.Digest != m.one.SHA256 || a.Source != "rollback" {
		t.Fatalf("%+v, %v", a, err)
	}
	n.runs(t, m.one)
	bootNode(t, s, m.two).runs(t, m.one) // the rollback outlives a restart
	if a, err := n.Rollback(ctx, "ops", "probe", false); err != nil || a.Digest != m.two.SHA256 {
		t.Fatalf("back again: %+v, %v", a, err)
	}
}

// TestBootWithoutTheFile starts from the store when the file is broken or gone, and
// says so.
func TestBootWithoutTheFile(t *testing.T) {
	t.Parallel()
	m, s := pluginBuilds(t), openRevisions(t)
	n := newPluginNode(t, s)
	err := n.Boot(t.Context(), "probe", host.Source{Path: filepath.Join(t.TempDir(), "gone.wasm")})
	if pay.ClassOf(err) != pay.ClassConfig || !strings.Contains(err.Error(), "path: gone.wasm") {
		t.Errorf("nothing to load: %v", err)
	}
	if list := n.List(); len(list) != 1 || list[0].Problem == "" || list[0].Digest != "" {
		t.Errorf("%+v", list)
	}
	bootNode(t, s, m.one)
	for name, file := range map[string]host.Source{
		"gone": {Path: "gone.wasm"}, "no module": {Bytes: []byte("hello")}, "another plugin": m.other,
		"another digest": {Bytes: m.one.Bytes, SHA256: m.two.SHA256},
	} {
		n := bootNode(t, s, file)
		n.runs(t, m.one)
		if list := n.List(); !strings.Contains(list[0].Problem, "file of the configuration is not used") {
			t.Errorf("%s: %+v", name, list)
		}
	}
	if got := activatedBy(t, s); got != "config" {
		t.Errorf("activations %q", got)
	}
}

// TestPushRefuses stores nothing that would not load.
func TestPushRefuses(t *testing.T) {
	t.Parallel()
	m, s, ctx := pluginBuilds(t), openRevisions(t), t.Context()
	n := bootNode(t, s, m.one)
	for name, tt := range map[string]struct {
		plugin string
		binary []byte
		class  pay.Class
	}{
		"not a module":   {"probe", []byte("hello"), pay.ClassPluginFault},
		"half a module":  {"probe", m.two.Bytes[:len(m.two.Bytes)/2], pay.ClassPluginFault},
		"another plugin": {"probe", m.other.Bytes, pay.ClassPluginFault},
		"too large":      {"probe", make([]byte, 33<<20), pay.ClassPluginFault},
		"no such plugin": {"none", m.two.Bytes, pay.ClassNotFound},
	} {
		if _, err := n.Push(ctx, "ops", tt.plugin, tt.binary); pay.ClassOf(err) != tt.class || pay.AsError(err).Effect != pay.EffectNone {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := n.Revisions(ctx, "probe"); err != nil || len(list) != 1 {
		t.Errorf("%d revisions, %v", len(list), err)
	}
	first, err := n.Push(ctx, "ops", "probe", m.two.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := n.Push(ctx, "somebody else", "probe", m.two.Bytes); err != nil || again.By != "ops" || !again.At.Equal(first.At) {
		t.Errorf("pushed again: %+v, %v", again, err)
	}
	if _, err := n.Activate(ctx, "ops", "probe", m.other.SHA256, false); pay.ClassOf(err) != pay.ClassNotFound {
		t.Errorf("a digest that was not pushed: %v", err)
	}
	if _, err := n.Rollback(ctx, "ops", "probe", false); pay.ClassOf(err) != pay.ClassStateConflict {
		t.Errorf("nothing to go back to: %v", err)
	}
}

// TestFollow wants a second process to run what the first one activates, and to put
// up with a revision that it can't load.
func TestFollow(t *testing.T) {
	t.Parallel()
	m, s, ctx := pluginBuilds(t), openRevisions(t), t.Context()
	first, second := bootNode(t, s, m.one), bootNode(t, s, m.one)
	defer second.follow(ctx)()

	if _, err := first.Push(ctx, "ops", "probe", m.two.Bytes); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Activate(ctx, "ops", "probe", m.two.SHA256, false); err != nil {
		t.Fatal(err)
	}
	untilMet(t, func() bool { return second.digest(t) == m.two.SHA256 })

	broken := store.Revision{Plugin: "probe", Digest: strings.Repeat("ab", 32), Version: "9.9.9", By: "ops", At: time.Now()}
	if err := s.PutRevision(ctx, broken, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := s.Activate(ctx, &store.Activation{Plugin: "probe", Digest: broken.Digest, Source: "api", By: "ops", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	untilMet(t, func() bool { return strings.Contains(second.List()[0].Problem, broken.Digest) })
	second.runs(t, m.two)

	if _, err := first.Activate(ctx, "ops", "probe", m.one.SHA256, false); err != nil {
		t.Fatal(err)
	}
	untilMet(t, func() bool { return second.digest(t) == m.one.SHA256 && second.List()[0].Problem == "" })
}

// untilMet waits for a condition.
func untilMet(t *testing.T, met func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !met(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("condition was not met in time")
		}
	}
}
