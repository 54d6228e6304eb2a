package host

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Source says where a plugin comes from: its bytes, a file, or only a digest,
// looked up in Config.RevisionDir. SHA256, in hex, is checked wherever it is
// given. Native runs a Go provider in-process instead, with no sandbox around it:
// for tests and for plugins that are the host's own code.
type Source struct {
	Bytes  []byte
	Path   string
	SHA256 string
	Native abi.Guest
}

// Revision is one immutable plugin module, loaded and checked.
type Revision struct {
	digest   string
	manifest pay.Manifest
	schema   *settingsSchema
	engine   engine
	running  atomic.Int64 // calls that run, and one for being in use
}

// Digest returns the SHA-256 of the plugin file in hex; "native" for a provider
// that runs in-process.
func (r *Revision) Digest() string { return r.digest }

// Manifest returns what the plugin says of itself. The caller must not change
// the slices in it.
func (r *Revision) Manifest() pay.Manifest { return r.manifest }

// engine runs calls of one revision: in Wasm, or in-process.
type engine interface {
	describe(ctx context.Context, c *call, deadline time.Time) (int32, *pay.Error)
	run(ctx context.Context, c *call, op pay.Operation, deadline time.Time) (int32, *pay.Error)
	close()
}

// prepare reads, checks and compiles a source, and asks it to describe itself.
func (h *Host) prepare(ctx context.Context, source Source, isolation Isolation) (*Revision, error) {
	if source.Native != nil {
		return h.describe(ctx, &Revision{digest: "native", engine: nativeEngine{source.Native}}, nil)
	}
	binary, err := h.read(source)
	if err != nil {
		return nil, err
	}
	section, err := wasm.Manifest(binary)
	if err != nil {
		return nil, loadError(err)
	}
	rev, err := h.compile(ctx, binary, isolation)
	if err != nil {
		return nil, err
	}
	return h.describe(ctx, rev, section)
}

// refused turns an error of the engine into ours.
func (h *Host) refused(err error) error {
	h.config.Logger.Debug("plugin refused", "error", errors.Unwrap(err))
	return loadError(err)
}

// read returns the plugin's bytes and checks their digest.
func (h *Host) read(source Source) ([]byte, error) {
	binary := source.Bytes
	if binary == nil {
		path, field := source.Path, "path"
		if path == "" {
			field = "sha256"
			if _, err := hex.DecodeString(source.SHA256); err != nil || len(source.SHA256) != 64 {
				return nil, configError(field, "is not a SHA-256 in hex, and there is neither path nor bytes")
			}
			path = filepath.Join(h.config.RevisionDir, source.SHA256+".wasm")
		}
		var err error
		if binary, err = readFile(path, h.config.Limits.ModuleBytes); err != nil {
			return nil, configError(field, filepath.Base(path)+": "+reason(err))
		}
	}
	if int64(len(binary)) > h.config.Limits.ModuleBytes {
		return nil, configError("path", "plugin is larger than limits.module_bytes")
	}
	if source.SHA256 != "" {
		sum := sha256.Sum256(binary)
		if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(source.SHA256)) != 1 {
			return nil, configError("sha256", "does not fit the plugin, which has "+hex.EncodeToString(sum[:]))
		}
	}
	return binary, nil
}

func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// reason is an error of the file system without the path.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return "can't be read"
}

// acquire takes the revision for one call; it fails once the revision is retired.
func (r *Revision) acquire() bool {
	for {
		n := r.running.Load()
		if n < 1 {
			return false
		}
		if r.running.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release gives the revision back; the last one out closes it.
func (r *Revision) release() {
	if r.running.Add(-1) == 0 {
		r.running.Store(-1)
		r.close()
	}
}

func (r *Revision) close() { r.engine.close() }
