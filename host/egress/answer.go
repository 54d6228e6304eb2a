package egress

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// errTooLarge is the error of a body above its limit.
var errTooLarge = errors.New("body above the limit")

// reader takes answers in: whole, within the limits, decoded, and searched for secrets.
type reader struct {
	limits Limits
	gzips  sync.Pool // of *gzip.Reader, which is large
}

// read takes the answer whose head net/http has read. The body is closed when it returns.
func (r *reader) read(ctx context.Context, a *attempt, resp *http.Response) (*Response, *failure) {
	defer resp.Body.Close()
	a.head(resp)
	if a.soFar().Evidence == NotSent {
		return nil, desync()
	}
	if resp.StatusCode < 200 {
		return nil, &failure{Malformed, "the provider switched protocols unasked"}
	}
	header, fail := r.header(resp.Header)
	if fail != nil {
		return nil, fail
	}
	length := resp.ContentLength
	if resp.Body == http.NoBody {
		length = 0 // the answer to a HEAD announces what it doesn't send
	}
	raw, err := readBody(resp.Body, length, r.limits.ResponseBytes)
	if len(raw) > 0 {
		a.reach(Body)
	}
	if errors.Is(err, errTooLarge) {
		return nil, &failure{TooLarge, "the body of the answer is above the limit"}
	}
	if err != nil {
		return nil, bodyFailure(ctx, err)
	}
	body, fail := r.decode(raw, resp.Header.Values("Content-Encoding"))
	if fail != nil {
		return nil, fail
	}
	a.reach(Done)
	return &Response{Status: resp.StatusCode, Header: header, Body: body}, nil
}

// header returns the fields sorted by name, without those that spoke of the body as it was on the wire.
func (r *reader) header(from http.Header) ([]Field, *failure) {
	fields := make([]Field, 0, len(from))
	for name, values := range from {
		for _, value := range values {
			if len(fields) == r.limits.Headers {
				return nil, &failure{TooLarge, "the answer has more header fields than the limit"}
			}
			fields = append(fields, Field{name, value})
		}
	}
	fields = slices.DeleteFunc(fields, func(f Field) bool {
		return f.Name == "Content-Encoding" || f.Name == "Content-Length"
	})
	slices.SortStableFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields, nil
}

// decode undoes the content coding.
func (r *reader) decode(raw []byte, codings []string) ([]byte, *failure) {
	switch coding := strings.ToLower(strings.TrimSpace(strings.Join(codings, ","))); {
	case len(raw) == 0, coding == "", coding == "identity":
		return raw, nil
	case coding != "gzip" && coding != "x-gzip":
		return nil, &failure{Malformed, "the body of the answer has a content coding that was not asked for"}
	}
	gz, _ := r.gzips.Get().(*gzip.Reader)
	if gz == nil {
		gz = new(gzip.Reader)
	}
	defer r.gzips.Put(gz)
	err := gz.Reset(bytes.NewReader(raw))
	var body []byte
	if err == nil {
		body, err = readBody(gz, -1, r.limits.ResponseBytes)
	}
	switch {
	case errors.Is(err, errTooLarge):
		return nil, &failure{TooLarge, "the body of the answer is above the limit after decompression"}
	case err != nil:
		return nil, &failure{Malformed, "the body of the answer does not decompress"}
	}
	return body, nil
}

// readBody reads to the end of the body, or to the limit. length is what was announced; -1 if nothing was.
func readBody(body io.Reader, length, limit int64) ([]byte, error) {
	if length > limit {
		return nil, errTooLarge
	}
	// The announced length is the provider's word: memory is taken only as bytes come, but for small bodies.
	const small = 64 << 10
	if 0 < length && length <= small {
		buf := make([]byte, length) // net/http gives no more, and the end with the last of them
		n, err := io.ReadFull(body, buf)
		return buf[:n], err
	}
	buf := new(bytes.Buffer)
	if length > 0 {
		buf.Grow(small)
	}
	n, err := buf.ReadFrom(io.LimitReader(body, limit+1))
	if err == nil && n > limit {
		err = errTooLarge
	}
	return buf.Bytes(), err
}

// head notes what the head of the answer says.
func (a *attempt) head(resp *http.Response) {
	a.reach(Head)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.record.Status = resp.StatusCode
	a.record.Unframed = resp.ContentLength < 0 && resp.Body != http.NoBody &&
		!slices.Contains(resp.TransferEncoding, "chunked")
}
