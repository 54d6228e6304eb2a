package simkit

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// FaultKind names what goes wrong.
type FaultKind string

// The faults. "Handled" means that the simulator does what was asked first, so the effect happens.
const (
	// CutBefore closes the connection after the request was read. Nothing is handled.
	CutBefore FaultKind = "cut_before"
	// CutAfter closes the connection without an answer. Handled.
	CutAfter FaultKind = "cut_after"
	// Slow answers after DelayMS. Handled at once.
	Slow FaultKind = "slow"
	// Status answers with Status (500 when not given) and Body or a short text. Handled only if After.
	Status FaultKind = "status"
	// HTML answers with an error page, 502 unless Status is given. Handled only if After.
	HTML FaultKind = "html"
	// Truncate announces the whole answer, sends half and closes. Handled.
	Truncate FaultKind = "truncate"
	// Empty answers with no body, 200 unless Status is given. Handled only if After.
	Empty FaultKind = "empty"
	// BOM puts a UTF-8 byte order mark before the answer. Handled.
	BOM FaultKind = "bom"
	// Huge streams more than 64 MiB of JSON. Handled only if After.
	Huge FaultKind = "huge"
	// GzipBomb sends a small gzip body that expands to more than 256 MiB of JSON. Handled only if After.
	GzipBomb FaultKind = "gzip_bomb"
	// WrongType answers with valid JSON in which types are swapped, all of them or those of Field. Handled.
	WrongType FaultKind = "wrong_type"
	// Answer answers with Body as it is, 200 unless Status is given. Handled only if After.
	Answer FaultKind = "answer"
)

var faultKinds = [...]FaultKind{
	CutBefore, CutAfter, Slow, Status, HTML, Truncate, Empty, BOM, Huge, GzipBomb, WrongType, Answer,
}

const (
	maxDelayMS = 600_000
	maxFaults  = 256
)

// Fault is something that goes wrong on purpose. The oldest armed fault that matches a request is the one
// that hits.
type Fault struct {
	// Path is matched exactly, or as a prefix when it ends in *.
	Path string `json:"path"`
	// Method is GET, POST …; empty matches all.
	Method string `json:"method,omitempty"`
	// Kind is required.
	Kind FaultKind `json:"fault"`
	// Status is from 200 to 599; 0 means the kind's own.
	Status int `json:"status,omitempty"`
	// Headers are added to the answer.
	Headers map[string]string `json:"headers,omitempty"`
	// Body is the answer of the kinds status, html and answer.
	Body string `json:"body,omitempty"`
	// Field, for wrong_type, is the dotted path of the one member to swap, such as data.amount.
	Field string `json:"field,omitempty"`
	// DelayMS is real time before the answer, at most 600000. Slow needs it, every other kind may have it.
	DelayMS int `json:"delay_ms,omitempty"`
	// Count is how many requests it hits; 0 means until it is removed.
	Count int `json:"count"`
	// After handles the request before the answer is replaced, for the kinds that would not.
	After bool `json:"after,omitempty"`
}

// Fault arms a fault. It returns a *[FieldError] that names the bad field as the control API calls it.
func (k *Kit) Fault(f Fault) error {
	if err := f.validate(); err != nil {
		return err
	}
	return k.faults.add(f)
}

// Faults are the faults still armed; Count is what is left of each.
func (k *Kit) Faults() []Fault { return k.faults.list() }

// ClearFaults disarms all faults.
func (k *Kit) ClearFaults() { k.faults.clear() }

func (f Fault) validate() error {
	bad := func(field, format string, args ...any) error {
		return &FieldError{Field: field, Message: fmt.Sprintf(format, args...)}
	}
	star := strings.Index(f.Path, "*")
	switch {
	case !strings.HasPrefix(f.Path, "/"):
		return bad("path", "%q does not begin with /", f.Path)
	case star >= 0 && star != len(f.Path)-1:
		return bad("path", "%q has a * that is not at its end", f.Path)
	case strings.HasPrefix(f.Path, ControlPrefix):
		return bad("path", "faults do not hit the control API")
	case f.Method != strings.ToUpper(f.Method) || strings.ContainsAny(f.Method, " /"):
		return bad("method", "%q is not a method in capitals", f.Method)
	case !slices.Contains(faultKinds[:], f.Kind):
		return bad("fault", "unknown fault %q; one of %q", f.Kind, faultKinds)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return bad("status", "%d is not from 200 to 599", f.Status)
	case f.DelayMS < 0 || f.DelayMS > maxDelayMS:
		return bad("delay_ms", "%d is not from 0 to %d", f.DelayMS, maxDelayMS)
	case f.Kind == Slow && f.DelayMS == 0:
		return bad("delay_ms", "slow needs a delay")
	case f.Count < 0:
		return bad("count", "%d is negative", f.Count)
	case f.Kind == Answer && f.Body == "":
		return bad("body", "answer needs a body; use empty for none")
	case f.Field != "" && f.Kind != WrongType:
		return bad("field", "only wrong_type takes a field")
	}
	return validateHeaders(f.Headers)
}

// validateHeaders refuses what would break the answer's framing.
func validateHeaders(headers map[string]string) error {
	for name, value := range headers {
		if name == "" || strings.ContainsAny(name, " :\r\n\t") || strings.ContainsAny(value, "\r\n\x00") {
			return &FieldError{Field: "headers", Message: fmt.Sprintf("%q is not a header", name)}
		}
		switch http.CanonicalHeaderKey(name) {
		case "Content-Length", "Transfer-Encoding", "Connection":
			return &FieldError{Field: "headers", Message: name + " is the simulator's to set"}
		}
	}
	return nil
}

func (f Fault) matches(method, path string) bool {
	if f.Method != "" && f.Method != method {
		return false
	}
	if prefix, ok := strings.CutSuffix(f.Path, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return f.Path == path
}

// handled says whether the simulator acts on the request before the fault shapes the answer.
func (f Fault) handled() bool {
	switch f.Kind {
	case CutAfter, Slow, Truncate, BOM, WrongType:
		return true
	case CutBefore:
		return false
	default:
		return f.After
	}
}

// faultList holds the armed faults in the order of arming.
type faultList struct {
	mu    sync.Mutex
	armed []Fault
}

func (l *faultList) add(f Fault) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.armed) >= maxFaults {
		return &FieldError{Field: "fault", Message: fmt.Sprintf("%d faults are armed already", maxFaults)}
	}
	l.armed = append(l.armed, f)
	return nil
}

// take finds the fault for a request and counts it down.
func (l *faultList) take(method, path string) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.armed {
		if !f.matches(method, path) {
			continue
		}
		switch f.Count {
		case 0:
		case 1:
			l.armed = slices.Delete(l.armed, i, i+1)
		default:
			l.armed[i].Count--
		}
		return f, true
	}
	return Fault{}, false
}

func (l *faultList) list() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.armed)
}

func (l *faultList) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = nil
}
