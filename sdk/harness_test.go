package sdk_test

import (
	"runtime"
	"sync"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// provider is a provider whose required methods are given one by one.
type provider struct {
	create func(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error)
	status func(h *sdk.Host, refs []pay.Ref) ([]pay.StatusItem, error)
}

func (provider) Manifest() pay.Manifest {
	return pay.Manifest{ID: "test", Version: "1.0.0", BatchSize: 1}
}
func (provider) CheckConfig(*sdk.Host) []pay.Problem { return []pay.Problem{{Field: "settings.a"}} }

func (p provider) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	return p.create(h, r)
}

func (p provider) Status(h *sdk.Host, refs []pay.Ref) ([]pay.StatusItem, error) {
	return p.status(h, refs)
}

// whole has every optional method. They answer so that a test can tell them apart.
type whole struct{ provider }

func named(name string) (*pay.Result, error) {
	return &pay.Result{Outcome: pay.OutcomeApplied, ProviderRef: name}, nil
}

func (whole) Ping(*sdk.Host) error { return &pay.Error{Class: pay.ClassUnavailable} }

func (whole) Bind(*sdk.Host, *pay.BindRequest) (*pay.Result, error)       { return named("bind") }
func (whole) Release(*sdk.Host, *pay.PaymentRequest) (*pay.Result, error) { return named("release") }

func (whole) Confirm(*sdk.Host, *pay.PaymentRequest) (*pay.Result, error) { return named("confirm") }
func (whole) Cancel(*sdk.Host, *pay.PaymentRequest) (*pay.Result, error)  { return named("cancel") }
func (whole) Refund(*sdk.Host, *pay.RefundRequest) (*pay.Result, error)   { return named("refund") }
func (whole) Receipt(*sdk.Host, *pay.ReceiptRequest) (*pay.Result, error) { return named("receipt") }

func (whole) RefundStatus(_ *sdk.Host, refs []pay.Ref) ([]pay.StatusItem, error) {
	return []pay.StatusItem{{ID: refs[0].ID, Found: pay.FoundNot}}, nil
}

func (whole) ConfirmRefund(*sdk.Host, *pay.RefundRequest) (*pay.Result, error) {
	return named("confirm_refund")
}

func (whole) CancelRefund(*sdk.Host, *pay.RefundRequest) (*pay.Result, error) {
	return named("cancel_refund")
}

func (whole) Notification(_ *sdk.Host, r *pay.NotificationRequest) (*pay.Notification, error) {
	return &pay.Notification{ProviderRef: string(r.Body)}, nil
}

func (whole) ErrorCatalog(*sdk.Host) ([]pay.CatalogEntry, error) {
	return []pay.CatalogEntry{{Code: "7"}}, nil
}

// imports is as much of a host as a test of the SDK itself needs: messages, blobs,
// and a storage that several calls at once may share.
type imports struct {
	abi.Imports // nil: what is not here must not be called

	input   []byte
	replies [][]byte
	maxLen  int // of a reply; 0 for the ABI's
	lastErr []byte
	blobs   [][]byte
	store   *storage
	left    time.Duration
}

func (m *imports) Input(off uint32, p []byte) int32 { return int32(copy(p, m.input[off:])) }

func (m *imports) Reply(p []byte) int32 {
	if m.maxLen > 0 && len(p) > m.maxLen {
		return int32(abi.TooLarge)
	}
	m.replies = append(m.replies, append([]byte{}, p...))
	return 0
}

func (m *imports) LastError(p []byte) int32 {
	copy(p, m.lastErr)
	return int32(len(m.lastErr))
}

func (m *imports) DeadlineNS() int64 { return int64(m.left) }

// Sleep lets another call go on. Nothing waits for a time.
func (m *imports) Sleep(time.Duration) { runtime.Gosched() }

func (m *imports) BlobNew(int64) int32 {
	m.blobs = append(m.blobs, nil)
	return int32(len(m.blobs))
}

func (m *imports) BlobWrite(h int32, p []byte) int32 {
	m.blobs[h-1] = append(m.blobs[h-1], p...)
	return int32(len(p))
}

func (m *imports) BlobRead(h int32, off int64, p []byte) int32 {
	return int32(copy(p[:min(3, len(p))], m.blobs[h-1][off:])) // in pieces, as a host may
}

func (m *imports) BlobLen(h int32) int64 { return int64(len(m.blobs[h-1])) }
func (m *imports) BlobFree(int32) int32  { return 0 }

func (m *imports) KVGet(key []byte) (int32, int64) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	e, ok := m.store.entries[string(key)]
	if !ok {
		return int32(abi.NotFound), 0
	}
	m.blobs = append(m.blobs, e.value)
	return int32(len(m.blobs)), e.version
}

func (m *imports) KVPut(key []byte, value int32, _, expect int64) (int32, int64) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if !m.store.fits(key, expect) {
		return int32(abi.Conflict), 0
	}
	m.store.version++
	m.store.entries[string(key)] = stored{m.blobs[value-1], m.store.version}
	return 0, m.store.version
}

func (m *imports) KVDel(key []byte, expect int64) int32 {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if !m.store.fits(key, expect) {
		return int32(abi.Conflict)
	}
	delete(m.store.entries, string(key))
	return 0
}

// storage is shared by calls.
type storage struct {
	mu      sync.Mutex
	entries map[string]stored
	version int64
}

type stored struct {
	value   []byte
	version int64
}

func newStorage() *storage { return &storage{entries: map[string]stored{}} }

func (s *storage) fits(key []byte, expect int64) bool {
	e, ok := s.entries[string(key)]
	switch expect {
	case sdk.Any:
		return true
	case sdk.Absent:
		return !ok
	}
	return ok && e.version == expect
}
