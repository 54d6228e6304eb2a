package conformance

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// upgraded is what was found of the next revision at a station.
type upgraded struct {
	digest string
	notes  []string
}

// upgradedTo gathers it from all stations.
func (s *suite) upgradedTo() (digest string, notes []string) {
	for _, st := range s.stations {
		if st.upgraded.digest != "" {
			digest, notes = st.upgraded.digest, st.upgraded.notes
		}
	}
	return digest, notes
}

// sectionName is of the section that makes the same module another revision.
const sectionName = "payhost.conformance"

// nextRevision is what L4 upgrades to: the target's own, or the same plugin once more.
func (s *suite) nextRevision() (host.Source, error) {
	next, now := s.target.Next, s.target.Plugin
	switch {
	case next.Native != nil || next.Bytes != nil || next.Path != "":
		return next, nil
	case now.Native != nil:
		return host.Source{Native: func(imports abi.Imports, op, length int32) int32 { return now.Native(imports, op, length) }}, nil
	}
	binary, err := moduleOf(now)
	if err != nil {
		return host.Source{}, err
	}
	return host.Source{Bytes: withSection(binary)}, nil
}

func moduleOf(source host.Source) ([]byte, error) {
	if source.Bytes != nil {
		return source.Bytes, nil
	}
	return os.ReadFile(source.Path)
}

// withSection appends a custom section without meaning: another digest, the same
// behavior. A custom section is the number 0, its length, and in it a name with its
// length.
func withSection(binary []byte) []byte {
	section := append([]byte{byte(len(sectionName))}, sectionName...)
	return append(append(bytes.Clone(binary), 0, byte(len(section))), section...)
}

// liveFits lives a payment on the first revision, tries what must be refused, and puts
// the next one in place and away again.
func liveFits(l *Life, u *upgrade) {
	livePay(l)
	l.Step("revisions that don't fit")
	before, _ := l.station.host.Revision(pluginName)
	for _, misfit := range u.misfits() {
		if _, err := l.station.host.Swap(l.ctx, pluginName, misfit.source); err == nil {
			u.swapped = true
			l.Fatalf("a revision that %s is put in place", misfit.what)
		}
		if is, ok := l.station.host.Revision(pluginName); !ok || is != before {
			l.Failf("a revision that %s was refused, and still something has changed", misfit.what)
		}
	}
	l.Step("the next revision")
	if err := u.swap(true); err != nil {
		l.Failf("the next revision is refused: %v", err)
		u.goesOn()
		return
	}
	rev, _ := l.station.host.Revision(pluginName)
	next, now := rev.Manifest(), before.Manifest()
	for _, missing := range lost(&now, &next) {
		l.Failf("the next revision has %s no more: what was begun with it can't be finished", missing)
	}
	l.station.upgraded = upgraded{digest: rev.Digest(), notes: l.compared(u.next)}
	u.put(false)
	u.goesOn()
}

// goesOn sells once more, on the first revision.
func (u *upgrade) goesOn() {
	l := u.life
	l.Step("the first revision goes on")
	l.Sell()
	l.Verify()
}

// lost are the operations, flows and currencies that a revision has no more.
func lost(now, next *pay.Manifest) []string {
	var list []string
	for _, spec := range now.Operations {
		if _, ok := next.Operation(spec.Operation); !ok {
			list = append(list, "the operation "+spec.Operation.String())
		}
	}
	for _, f := range now.Flows {
		if !slices.Contains(next.Flows, f) {
			list = append(list, "the flow "+f.String())
		}
	}
	for _, c := range now.Currencies {
		if _, ok := next.Currency(c.Currency); !ok {
			list = append(list, "the currency "+string(c.Currency))
		}
	}
	return list
}

// misfit is a revision that must be refused.
type misfit struct {
	what   string
	source host.Source
}

// misfits are made of the first revision.
func (u *upgrade) misfits() []misfit {
	list := []misfit{{"is no module", host.Source{Bytes: []byte("no module")}}}
	if u.now.Native == nil {
		binary, err := moduleOf(u.now)
		u.life.Must(err)
		other := bytes.Clone(binary)
		if i := bytes.Index(other, []byte(abi.ManifestName)); i >= 0 && i+len(abi.ManifestName)+8 < len(other) {
			other[i+len(abi.ManifestName)+6] ^= 1
			list = append(list, misfit{"says other things of itself than its section", host.Source{Bytes: other}})
		}
		return append(list, misfit{"is half a module", host.Source{Bytes: binary[:len(binary)/2]}})
	}
	changed := func(what string, change func(m *pay.Manifest)) {
		list = append(list, misfit{what, host.Source{Native: func(imports abi.Imports, op, length int32) int32 {
			return u.now.Native(&otherManifest{imports, change}, op, length)
		}}})
	}
	changed("is of another plugin", func(m *pay.Manifest) { m.ID = "other-" + m.ID[:min(len(m.ID), 40)] })
	changed("has no version", func(m *pay.Manifest) { m.Version = "next" })
	changed("can't ask after payments", func(m *pay.Manifest) {
		m.Operations = slices.DeleteFunc(slices.Clone(m.Operations), func(s pay.OperationSpec) bool { return s.Operation == pay.OpStatus })
	})
	if u.life.Manifest.Storage {
		writes := u.life.Manifest.State.Writes
		changed("can't read what is stored", func(m *pay.Manifest) {
			m.State = pay.StateSchema{Writes: writes + 100, Reads: []int{writes + 100}}
		})
		changed("stores what can't be read after a way back", func(m *pay.Manifest) {
			m.State = pay.StateSchema{Writes: writes + 100, Reads: []int{writes, writes + 100}}
		})
	}
	return list
}

// otherManifest changes what a native plugin says of itself.
type otherManifest struct {
	abi.Imports
	change func(*pay.Manifest)
}

// Reply implements abi.Imports.
func (o *otherManifest) Reply(p []byte) int32 {
	reply, err := abi.DecodeReply(bytes.Clone(p))
	if err != nil || len(reply.Manifest) == 0 {
		return o.Imports.Reply(p)
	}
	m, err := abi.DecodeManifest(reply.Manifest)
	if err != nil {
		return o.Imports.Reply(p)
	}
	o.change(&m)
	return o.Imports.Reply(abi.AppendReply(nil, &abi.Reply{Manifest: abi.AppendManifest(nil, &m)}))
}

// mostNotes is how many differences are told.
const mostNotes = 20

// compared replays the life's calls against the next revision, and tells what it does
// otherwise. Differences are why there are revisions: they are for a person to read.
func (l *Life) compared(next host.Source) []string {
	replayer, err := host.NewReplayer(l.ctx, next, host.ReplayConfig{CacheDir: l.suite.options.CacheDir})
	if err != nil {
		return []string{fmt.Sprintf("the next revision can't be compared: %v", err)}
	}
	defer replayer.Close()
	var notes []string
	for _, r := range l.Recordings() {
		replayed, err := replayer.Replay(l.ctx, r)
		if err != nil {
			continue // describe, and what was too large
		}
		for _, line := range replayed.Differences {
			note := fmt.Sprintf("the next revision, given a recorded %s: %s", r.Operation, cut(line))
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	if len(notes) > mostNotes {
		notes = append(notes[:mostNotes], fmt.Sprintf("… and %d differences more", len(notes)-mostNotes))
	}
	return notes
}
