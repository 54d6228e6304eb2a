package payments

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const (
	// followEvery is how often the store is asked for activations, since the word of one may be lost.
	followEvery = 3 * time.Second
	// firstBackoff and mostBackoff bound how long a revision that can't be loaded here waits for its next
	// try: it is compiled each time.
	firstBackoff = 5 * time.Second
	mostBackoff  = 5 * time.Minute
	// mostModule is the most that is read of a plugin file; the host's own limit is below.
	mostModule = 256 << 20
)

// Boot loads a plugin: the revision that was last activated, or the file of the
// configuration if that is new, that is, another than the one the configuration
// brought last. Then it is stored and recorded, so that one can come back to it. A
// plugin that runs already is brought to the file if that is new.
//
// What was activated is loaded first and the file swapped in after it, so that a
// file whose state does not fit, or that lacks what is under way needs, is refused
// as any other revision would be. A file
// that can't be used does not keep a plugin down that has a stored revision: the
// problem is logged and shown by List. If nothing can be loaded, the error says why,
// and Follow goes on trying what was activated.
func (p *Plugins) Boot(ctx context.Context, name string, configured host.Source) error {
	m := p.begin(name, configured.Native != nil)
	m.change.Lock()
	defer m.change.Unlock()
	if configured.Native != nil {
		return p.bootNative(ctx, m, configured)
	}
	past, err := p.activations(ctx, name, mostActivations)
	if err != nil {
		p.note(m, err.Error())
		return err
	}
	notStored := p.bootStored(ctx, m, past)
	recorded, notFile := p.bootFile(ctx, m, configured, past)
	switch {
	case p.digest(name) == "":
		err := cmp.Or(notFile, notStored)
		p.note(m, err.Error())
		return err
	case notFile != nil:
		p.log.Error("plugin file of the configuration is not used", "plugin", name, "running", p.digest(name), "error", notFile)
		p.note(m, "the file of the configuration is not used: "+notFile.Error())
	case notStored != nil && !recorded:
		p.note(m, "the revision that was activated can't be loaded: "+notStored.Error())
	default:
		p.note(m, "")
	}
	if !recorded {
		p.bootCanary(ctx, m, past)
	}
	return nil
}

// bootCanary starts the canary that was last activated, if one was. That it can't be had
// keeps nothing down; Follow goes on trying.
func (p *Plugins) bootCanary(ctx context.Context, m *managed, past []store.Activation) {
	want := wantedOf(past)
	if want.canary == nil || want.base.Digest != p.digest(m.name) || p.runs(*want.canary) {
		return
	}
	if err := p.put(ctx, *want.canary, anyLoss); err != nil {
		p.log.Error("canary can't be started", "plugin", m.name, "digest", want.canary.Digest, "error", err)
		p.note(m, "the canary "+want.canary.Digest+" can't be started: "+err.Error())
	}
}

// begin makes a plugin known, with its problem until it runs.
func (p *Plugins) begin(name string, native bool) *managed {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.known[name]
	if m == nil {
		m = &managed{name: name, problem: "is not loaded yet"}
		p.known[name] = m
	}
	m.native = native
	return m
}

func (p *Plugins) bootNative(ctx context.Context, m *managed, source host.Source) error {
	if err := p.swap(ctx, m.name, source, anyLoss); err != nil {
		p.note(m, err.Error())
		return pay.AsError(err)
	}
	p.note(m, "")
	return nil
}

// bootStored loads what was last activated, or, if that can't be loaded here, the
// revision before it: a swap let it in place only because each reads the other's
// state. Nil also if nothing was ever activated.
func (p *Plugins) bootStored(ctx context.Context, m *managed, past []store.Activation) error {
	if p.digest(m.name) != "" {
		return nil
	}
	var first error
	var tried []string
	for _, a := range inPlace(past) {
		if len(tried) == 2 {
			break
		}
		if slices.Contains(tried, a.Digest) {
			continue
		}
		tried = append(tried, a.Digest)
		binary, err := p.store.Binary(ctx, a.Digest)
		if err == nil {
			err = p.swap(ctx, m.name, host.Source{Bytes: binary, SHA256: a.Digest}, anyLoss)
		} else {
			err = storeFault(err)
		}
		if err == nil {
			return first
		}
		p.log.Error("activated revision can't be loaded", "plugin", m.name, "digest", a.Digest, "error", err)
		first = cmp.Or(first, error(pay.AsError(err)))
	}
	return first
}

// bootFile puts the file of the configuration in place if it is new, or if nothing
// else runs, and reports whether it was recorded as an activation. One that is new
// and runs already is recorded too: else it would be new for ever, and win over
// what is activated later.
func (p *Plugins) bootFile(
	ctx context.Context, m *managed, configured host.Source, past []store.Activation,
) (recorded bool, err error) {
	binary, digest, err := readSource(configured)
	if err != nil {
		return false, err
	}
	brought := isNew(past, digest)
	running := p.digest(m.name)
	if running != "" && !brought {
		return false, nil
	}
	a := store.Activation{Plugin: m.name, Digest: digest, Source: sourceConfig, By: sourceConfig}
	if running != digest {
		if err := p.swap(ctx, m.name, host.Source{Bytes: binary, SHA256: digest}, p.agreed(ctx, &a, false)); err != nil {
			return false, pay.AsError(err)
		}
	}
	if !brought { // it runs for want of the one that was activated, which Follow goes on trying
		return false, nil
	}
	rev, _ := p.host.Revision(m.name)
	if _, err := p.keep(ctx, sourceConfig, m.name, digest, rev.Manifest().Version, binary); err != nil {
		return false, err
	}
	_, err = p.record(ctx, m, a)
	return err == nil, err
}

// readSource returns the bytes of a source and their digest. Errors are of class
// config and name the file, not its folder.
func readSource(s host.Source) ([]byte, string, error) {
	binary := s.Bytes
	if binary == nil {
		f, err := os.Open(s.Path)
		if err == nil {
			defer f.Close()
			binary, err = io.ReadAll(io.LimitReader(f, mostModule))
		}
		if err != nil {
			var cause *os.PathError
			if errors.As(err, &cause) {
				err = cause.Err
			}
			e := fault(pay.ClassConfig, filepath.Base(s.Path)+": "+err.Error())
			e.Field = "path"
			return nil, "", e
		}
	}
	sum := sha256.Sum256(binary)
	digest := hex.EncodeToString(sum[:])
	if s.SHA256 != "" && s.SHA256 != digest {
		e := fault(pay.ClassConfig, "does not fit the plugin, which has "+digest)
		e.Field = "sha256"
		return nil, "", e
	}
	return binary, digest, nil
}

// Follow swaps in what other processes activate, until ctx ends; what it lacks was
// asked about, or insisted on, there. What began here meanwhile and needs it is logged
// and shown by List. A revision that can't be loaded here is logged and tried again;
// the old one stays meanwhile.
func (p *Plugins) Follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.store.Changes():
		case <-tick.C:
		}
		for _, info := range p.List() {
			p.catchUp(ctx, info.Name)
		}
	}
}

// catchUp brings a plugin to what was last activated, its canary too.
func (p *Plugins) catchUp(ctx context.Context, name string) {
	m, err := p.find(name)
	if err != nil {
		return
	}
	m.change.Lock()
	defer m.change.Unlock()
	p.mu.Lock()
	native := m.native
	p.mu.Unlock()
	if native {
		return
	}
	last, err := p.lastActivated(ctx, name)
	if err != nil || last.base.Digest == "" || p.has(last) {
		return // a store that is down is the engine's to tell
	}
	want := last.newest().Digest
	if want == m.failed && p.now().Before(m.tryAt) {
		return
	}
	left, err := p.adopt(ctx, last)
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		if m.failed != want {
			m.failed, m.backoff = want, 0
		}
		m.backoff = min(max(2*m.backoff, firstBackoff), mostBackoff)
		m.tryAt = p.now().Add(m.backoff)
		p.log.Error("activated revision can't be put in place here", "plugin", name, "digest", want,
			"running", p.digest(name), "again_in", m.backoff.String(), "error", err)
		p.note(m, "revision "+want+" was activated and can't be put in place here: "+err.Error())
		return
	}
	m.failed, m.backoff = "", 0
	p.note(m, left)
	p.log.Info("revision activated elsewhere is in place", "plugin", name, "digest", want, "by", last.newest().By,
		"canary_percent", last.newest().Canary)
}

// adopt has what another process activated run here. That lost nothing that was needed
// when it was asked there; what has begun here since may need it, and left says so. To
// refuse would leave two revisions in use for good.
func (p *Plugins) adopt(ctx context.Context, want wanted) (left string, err error) {
	for _, a := range want.list() {
		kept := want.canary != nil && a.Canary == 0 && p.digest(a.Plugin) == a.Digest // and a canary gives way to the next one
		if kept || p.runs(a) {
			continue
		}
		left = ""
		err = p.put(ctx, a, func(lost host.Losses) error {
			needed, err := p.needed(ctx, a.Plugin, lost)
			if left = ""; err != nil && !a.Forced {
				left = "the revision lacks what is under way needs, begun before it came here: " + needed
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		if left != "" {
			p.log.Error("revision activated elsewhere leaves behind what began here", "plugin", a.Plugin, "digest", a.Digest, "problem", left)
		}
	}
	return left, nil
}
