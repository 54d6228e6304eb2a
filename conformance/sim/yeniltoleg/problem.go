package yeniltoleg

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// problem is a refusal: an HTTP status and, for a 400, what is wrong with which field.
type problem struct {
	status int
	errors map[string][]string
}

func invalid(field, message string) *problem {
	return &problem{status: http.StatusBadRequest, errors: map[string][]string{field: {message}}}
}

// problemBody is the answer of the document's sample, in its order.
type problemBody struct {
	Type    string              `json:"type"`
	Title   string              `json:"title"`
	Status  int                 `json:"status"`
	TraceID string              `json:"traceId"`
	Errors  map[string][]string `json:"errors,omitempty"`
}

func (s *Server) fail(w http.ResponseWriter, p *problem) {
	kind, title := describe(p.status)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(problemBody{kind, title, p.status, newTraceID(), p.errors}) // plain text and numbers
	body := out.String()
	if s.Setting(problemSetting) == "trailing_comma" {
		body = strings.ReplaceAll(body, "\"\n", "\",\n")
	}
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, body)
}

// describe is the type and title that ASP.NET gives to a status.
func describe(status int) (kind, title string) {
	const (
		rfc7231 = "https://tools.ietf.org/html/rfc7231#section-"
		rfc7235 = "https://tools.ietf.org/html/rfc7235#section-"
	)
	switch status {
	case http.StatusBadRequest:
		return rfc7231 + "6.5.1", "One or more validation errors occurred."
	case http.StatusUnauthorized:
		return rfc7235 + "3.1", "Unauthorized"
	case http.StatusForbidden:
		return rfc7231 + "6.5.3", "Forbidden"
	case http.StatusNotFound:
		return rfc7231 + "6.5.4", "Not Found"
	case http.StatusUnsupportedMediaType:
		return rfc7231 + "6.5.13", "Unsupported Media Type"
	default:
		return rfc7231 + "6.6.1", "An error occurred while processing your request."
	}
}

// authorized lets a call through that bears the token, spelled exactly as documented.
func (s *Server) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		headers := r.Header.Values("Authorization")
		right := len(headers) == 1 && headers[0] == "Bearer "+s.options.AccessToken
		switch state := s.Setting(tokenSetting); {
		case !right || state == "revoked":
			s.fail(w, &problem{status: http.StatusUnauthorized})
		case state == "forbidden":
			s.fail(w, &problem{status: http.StatusForbidden})
		default:
			next(w, r)
		}
	}
}

// object is a JSON object whose members are not read yet.
type object map[string]json.RawMessage

// json reads a body that must be one JSON object.
func (s *Server) json(next func(http.ResponseWriter, *http.Request, object)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" {
			s.fail(w, &problem{status: http.StatusUnsupportedMediaType})
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			simkit.Cut()
		}
		var members object
		if err := json.Unmarshal(body, &members); err != nil || members == nil {
			s.fail(w, invalid("$", "The JSON value could not be converted. Path: $ | LineNumber: 0."))
			return
		}
		next(w, r, members)
	}
}

// newTraceID looks like the sample's: |5cea99d1-4678699392974c7d.
func newTraceID() string {
	text := randomHex(12)
	return "|" + text[:8] + "-" + text[8:] + "."
}

// newUUID is a random UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := hex.EncodeToString(b[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // crypto/rand never fails
	return hex.EncodeToString(b)
}
