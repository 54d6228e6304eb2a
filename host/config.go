package host

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/sdk/abi"
)

// Config is what [New] needs. The zero value works: storage in memory, no compile
// cache, no log.
type Config struct {
	// CacheDir keeps compiled plugins between starts; it must be the owner's alone,
	// since what is read from it is run. Empty for no cache.
	CacheDir string
	// Compiler, if not nil, puts a module's machine code into CacheDir by other means
	// than this process, such as one of lower priority that calls [Compile], so that no
	// call has to wait for the compiler. It is asked for what the cache has not. A
	// *pay.Error refuses the module. After any other error the log says why, and the
	// module is compiled here; so it is if CacheDir holds nothing then that this process can
	// read, as if another version of payhost or of its engine compiled it. [ErrCompileHere]
	// asks for it without a word.
	Compiler func(ctx context.Context, module []byte) error
	// RevisionDir holds plugin files named by their digest, "<sha256>.wasm", for a
	// [Source] that gives only a digest. Empty if there is none.
	RevisionDir string
	// Storage is the plugins' key-value storage; nil for one in memory. The host
	// does not close it.
	Storage kv.Store
	// Logger gets what the host and the plugins say, masked; nil for none.
	Logger hclog.Logger
	// Now is the clock that plugins see; nil means time.Now. Deadlines use the real
	// clock.
	Now func() time.Time
	// Wire, if not nil, stands between the connections and their providers; see
	// [egress.Wire]. It is for tests, which make the network fail there.
	Wire func(connection string) egress.Wire
	// Record is handed the recording of every call of a plugin when the call is through,
	// in the call's own goroutine and many at once; nil records nothing. A recording is
	// not masked: see [Recording].
	Record func(*Recording)
	// Isolation says for each plugin, by the name that it is loaded under, what becomes
	// of its instances between calls; it is asked at [Host.Load] and [Host.Swap]. Nil
	// isolates every call of every plugin.
	Isolation func(plugin string) Isolation
	// Limits bounds each call; see the fields for the defaults.
	Limits Limits
}

// Limits bounds one call of a plugin. A zero field means its default; a negative
// one, or one above the most, is an error.
type Limits struct {
	CallTimeout   time.Duration // of one call, waiting for an instance included; default 10 s, which describe has at least
	MemoryBytes   int64         // linear memory of one instance; default 64 MiB, most 4 GiB
	PluginBytes   int64         // linear memory of all instances of one revision, beyond what they share; default 1 GiB
	Instances     int           // of one revision at once, each for a call that may wait for its provider; default 128
	Backoff       time.Duration // longest wait for a new instance of a plugin whose calls keep failing; default 5 s, most 1 h
	HTTPCalls     int           // outbound calls; default 16
	BlobBytes     int64         // of all blobs together; default 32 MiB
	LogBytes      int           // of log lines, and as much again of stdout and stderr; default 64 KiB
	RequestBytes  int64         // body of an outbound request; default 1 MiB
	ResponseBytes int64         // body of an answer, decompressed; default 8 MiB
	ModuleBytes   int64         // size of a plugin file; default 32 MiB
}

func (c Config) withDefaults() Config {
	l := &c.Limits
	l.CallTimeout = cmp.Or(l.CallTimeout, 10*time.Second)
	l.MemoryBytes = cmp.Or(l.MemoryBytes, 64<<20)
	l.PluginBytes = cmp.Or(l.PluginBytes, 1<<30)
	l.Instances = cmp.Or(l.Instances, 128)
	l.Backoff = cmp.Or(l.Backoff, 5*time.Second)
	l.HTTPCalls = cmp.Or(l.HTTPCalls, abi.MaxCalls)
	l.BlobBytes = cmp.Or(l.BlobBytes, abi.MaxBlobs)
	l.LogBytes = cmp.Or(l.LogBytes, abi.MaxLog)
	l.RequestBytes = cmp.Or(l.RequestBytes, 1<<20)
	l.ResponseBytes = cmp.Or(l.ResponseBytes, 8<<20)
	l.ModuleBytes = cmp.Or(l.ModuleBytes, 32<<20)
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	l := c.Limits
	switch {
	case c.Compiler != nil && c.CacheDir == "":
		return errors.New("host: compiler: there is no cache_dir for it")
	case l.CallTimeout < 50*time.Millisecond:
		return errors.New("host: limits.call_timeout: is below 50ms")
	case l.MemoryBytes < 1<<20 || l.MemoryBytes > 1<<32:
		return errors.New("host: limits.memory: is not between 1 MiB and 4 GiB")
	case l.PluginBytes < l.MemoryBytes:
		return errors.New("host: limits.plugin_memory: is below limits.memory")
	case l.Instances < 1:
		return errors.New("host: limits.instances: is below 1")
	case l.Backoff < 0 || l.Backoff > time.Hour:
		return errors.New("host: limits.backoff: is not between 0 and 1h")
	case l.HTTPCalls < 1 || l.BlobBytes < 1 || l.LogBytes < 0 || l.RequestBytes < 1 || l.ResponseBytes < 1:
		return errors.New("host: limits: a number is negative")
	case l.BlobBytes < l.ResponseBytes:
		return errors.New("host: limits.blob_bytes: is below limits.response_bytes")
	case l.ModuleBytes < 1<<10:
		return errors.New("host: limits.module_bytes: is below 1 KiB")
	}
	return nil
}
