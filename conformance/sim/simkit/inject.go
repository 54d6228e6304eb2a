package simkit

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	hugeBytes = 65 << 20

	errorPage = "<!DOCTYPE html>\n<html><head><title>%[1]d %[2]s</title></head>\n" +
		"<body><center><h1>%[1]d %[2]s</h1></center><hr><center>gateway</center></body></html>\n"
)

// recorded is an answer that was caught before it left. It is an http.ResponseWriter.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// record lets the simulator answer into memory.
func record(h http.Handler, r *http.Request) *recorded {
	rec := &recorded{header: http.Header{}}
	h.ServeHTTP(rec, r)
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	return rec
}

// Header is the header map of the answer.
func (rec *recorded) Header() http.Header { return rec.header }

// WriteHeader keeps the first status.
func (rec *recorded) WriteHeader(status int) {
	if rec.status == 0 {
		rec.status = status
	}
}

// Write appends to the body.
func (rec *recorded) Write(p []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	return rec.body.Write(p)
}

// inject answers a request as the fault wants.
func (k *Kit) inject(f Fault, w http.ResponseWriter, r *http.Request) {
	answer := &recorded{header: http.Header{}, status: http.StatusOK}
	if f.handled() {
		answer = record(k.app, r)
	}
	if f.DelayMS > 0 && !k.pause(r, time.Duration(f.DelayMS)*time.Millisecond) {
		Cut()
	}
	switch f.Kind {
	case CutBefore, CutAfter:
		Cut()
	case Slow:
		send(w, f, answer.status, answer.header, answer.body.Bytes())
	case Truncate:
		truncate(w, f, answer)
	case BOM:
		send(w, f, answer.status, answer.header, append([]byte("\xEF\xBB\xBF"), answer.body.Bytes()...))
	case WrongType:
		send(w, f, answer.status, answer.header, swapTypes(answer.body.Bytes(), f.Field))
	case Huge:
		stream(w, f)
	case GzipBomb:
		header := contentType("application/json")
		header.Set("Content-Encoding", "gzip")
		send(w, f, f.status(http.StatusOK), header, k.bomb())
	default:
		replace(w, f)
	}
}

// pause waits in real time; it is false when the client left or the simulator closed first.
func (k *Kit) pause(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	case <-k.closed:
		return false
	}
}

// replace answers with something that has nothing to do with the request.
func replace(w http.ResponseWriter, f Fault) {
	switch f.Kind {
	case Status:
		status := f.status(http.StatusInternalServerError)
		body := f.Body
		if body == "" {
			body = fmt.Sprintf("%d %s\n", status, http.StatusText(status))
		}
		send(w, f, status, contentType(guessType(body)), []byte(body))
	case HTML:
		status := f.status(http.StatusBadGateway)
		body := f.Body
		if body == "" {
			body = fmt.Sprintf(errorPage, status, http.StatusText(status))
		}
		send(w, f, status, contentType("text/html; charset=utf-8"), []byte(body))
	case Empty:
		send(w, f, f.status(http.StatusOK), contentType("application/json"), nil)
	case Answer:
		send(w, f, f.status(http.StatusOK), contentType("application/json"), []byte(f.Body))
	}
}

// send writes a whole answer; the fault's headers have the last word.
func send(w http.ResponseWriter, f Fault, status int, header http.Header, body []byte) {
	writeHead(w, f, status, header, len(body))
	_, _ = w.Write(body)
}

func writeHead(w http.ResponseWriter, f Fault, status int, header http.Header, length int) {
	for name, values := range header {
		w.Header()[name] = values
	}
	for name, value := range f.Headers {
		w.Header().Set(name, value)
	}
	if bodyAllowed(status) {
		w.Header().Set("Content-Length", strconv.Itoa(length))
	}
	w.WriteHeader(status)
}

func truncate(w http.ResponseWriter, f Fault, answer *recorded) {
	body := answer.body.Bytes()
	writeHead(w, f, answer.status, answer.header, len(body))
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	Cut()
}

// stream sends one endless-looking JSON array, piece by piece, until it is long enough or the client has
// gone.
func stream(w http.ResponseWriter, f Fault) {
	for name, value := range f.Headers {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status(http.StatusOK))
	piece := []byte(strings.Repeat(`{"filler":"0123456789abcdef"},`, 2048))
	if _, err := io.WriteString(w, `{"error_code":0,"data":[`); err != nil {
		return
	}
	for sent := 0; sent < hugeBytes; sent += len(piece) {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, `{}]}`)
}

func (f Fault) status(otherwise int) int {
	if f.Status != 0 {
		return f.Status
	}
	return otherwise
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

func contentType(value string) http.Header { return http.Header{"Content-Type": {value}} }

func guessType(body string) string {
	switch {
	case strings.HasPrefix(body, "{"), strings.HasPrefix(body, "["):
		return "application/json"
	case strings.HasPrefix(body, "<"):
		return "text/html; charset=utf-8"
	default:
		return "text/plain; charset=utf-8"
	}
}
