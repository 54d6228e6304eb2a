package simkit

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	maxRequests    = 4096
	maxJournalBody = 64 << 10
)

// Request is one request as it was received.
type Request struct {
	// Seq counts from 1 since the last reset.
	Seq    int         `json:"seq"`
	At     time.Time   `json:"at"`
	Method string      `json:"method"`
	Path   string      `json:"path"`
	Query  string      `json:"query,omitempty"`
	Header http.Header `json:"header"`
	// Body is kept up to 64 KiB; BodySize is how many bytes came.
	Body     string `json:"body"`
	BodySize int    `json:"body_size"`
	// Fault is the kind of the fault that hit the request, if any did.
	Fault FaultKind `json:"fault,omitempty"`
}

// journal keeps the latest requests; the oldest half is forgotten when it is full.
type journal struct {
	mu   sync.Mutex
	seq  int
	kept []Request
}

func (j *journal) add(r *http.Request, body []byte, fault FaultKind, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.kept) >= maxRequests {
		j.kept = slices.Delete(j.kept, 0, maxRequests/2)
	}
	j.seq++
	j.kept = append(j.kept, Request{
		Seq: j.seq, At: at, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Header: r.Header.Clone(),
		Body:   string(body[:min(len(body), maxJournalBody)]), BodySize: len(body), Fault: fault,
	})
}

func (j *journal) list() []Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.kept)
}

func (j *journal) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq, j.kept = 0, nil
}
