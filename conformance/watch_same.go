package conformance

import (
	"bytes"
	"fmt"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// watchSame holds that an operation says the same whenever it is sent under its key: a
// provider that knows keys may refuse another body under an old one.
func (l *Life) watchSame(recordings []*host.Recording) {
	if l.reconfigured {
		return
	}
	first := map[string]*host.RecordedSend{}
	for _, r := range recordings {
		spec, _ := l.Manifest.Operation(r.Operation)
		key := r.Verdict.ProviderKey
		if spec.Idempotency != pay.IdempotencyNative || spec.KeyForm == pay.KeyNone || key == "" {
			continue
		}
		for _, s := range r.Sends() {
			if !s.Money || s.Evidence == "" {
				continue
			}
			name := r.Operation.String() + key + s.Request.Method + s.Request.URL
			was := first[name]
			if was == nil {
				first[name] = s
				continue
			}
			if !bytes.Equal(was.Body, s.Body) {
				l.observed(idSame, fmt.Sprintf("%s said something else under the key %s: first %s, then %s",
					r.Operation, key, cut(string(was.Body)), cut(string(s.Body))))
			}
		}
	}
}
