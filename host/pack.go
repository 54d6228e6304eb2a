package host

import (
	"context"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/sdk/pay"
)

// Pack returns a plugin file with its manifest section: it runs the module's
// describe operation, appends the answer, and checks the result as [Host.Load]
// would. A section that was there before is replaced.
func (h *Host) Pack(ctx context.Context, binary []byte) ([]byte, error) {
	rev, err := h.compile(ctx, binary, isolateIfPossible)
	if err != nil {
		return nil, err
	}
	manifest, err := h.askManifest(ctx, rev)
	rev.close()
	if err != nil {
		return nil, err
	}
	packed, err := wasm.WithManifest(binary, manifest)
	if err != nil {
		return nil, loadError(err)
	}
	if _, err := h.Inspect(ctx, Source{Bytes: packed}); err != nil {
		return nil, err
	}
	return packed, nil
}

// Inspection is what can be known of a plugin file without using it.
type Inspection struct {
	Digest   string // SHA-256 of the file in hex
	Manifest pay.Manifest
	Imports  []string // host functions that the module imports
	// Lasting says why an instance of it can't be put back after a call, so that it
	// runs with [IsolateNever] only; empty if it can.
	Lasting string
}

// Inspect reads and checks a plugin as [Host.Load] would, and lets it go again.
func (h *Host) Inspect(ctx context.Context, source Source) (Inspection, error) {
	rev, err := h.prepare(ctx, source, isolateIfPossible)
	if err != nil {
		return Inspection{}, err
	}
	defer rev.release()
	out := Inspection{Digest: rev.digest, Manifest: rev.manifest}
	if e, ok := rev.engine.(*wasmEngine); ok {
		out.Imports, out.Lasting = e.module.Imports(), e.module.Lasting()
	}
	return out, nil
}
