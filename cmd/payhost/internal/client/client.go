// Package client speaks payhost's HTTP API, as any other program would: by its
// wire JSON and nothing else.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// mostAnswer bounds what is read of an answer, in bytes.
const mostAnswer = 64 << 20

// Client asks one payhost as one caller.
type Client struct {
	URL   string // "http://127.0.0.1:8080"
	Token string
	HTTP  *http.Client // nil for one that waits two minutes
}

// Request is one call. Body is JSON unless it is a Raw.
type Request struct {
	Method string
	Path   string // "/v1/payments"
	Query  url.Values
	Key    string // the idempotency key; empty for none
	Body   any    // nil for none
}

// Raw is a body that is sent as it is.
type Raw []byte

// Answer is what came back: 200 to 299.
type Answer struct {
	Status int
	Body   []byte
}

// InDoubt reports whether the operation may or may not have happened: payhost finds
// out by itself.
func (a Answer) InDoubt() bool { return a.Status == http.StatusAccepted }

// Into reads the body's JSON.
func (a Answer) Into(v any) error {
	if err := json.Unmarshal(a.Body, v); err != nil {
		return fmt.Errorf("answer is not the JSON expected: %w", err)
	}
	return nil
}

// Problem is an error of the API, application/problem+json.
type Problem struct {
	Status          int    `json:"status"`
	Title           string `json:"title"`
	Detail          string `json:"detail"`
	Class           string `json:"class"`
	Effect          string `json:"effect"`
	Advice          string `json:"advice"`
	Field           string `json:"field,omitempty"`
	Reason          string `json:"reason,omitempty"`
	ProviderCode    string `json:"provider_code,omitempty"`
	ProviderMessage string `json:"provider_message,omitempty"`
	Operation       string `json:"operation,omitempty"`
	OperationID     string `json:"operation_id,omitempty"`
	PaymentID       string `json:"payment_id,omitempty"`
	RetryAfter      int    `json:"retry_after,omitempty"` // seconds
	RequestID       string `json:"request_id,omitempty"`
	Errors          []struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"errors,omitempty"`
}

// Error returns one line: class, field, what happened, and what to do.
func (p *Problem) Error() string {
	class, text := p.Class, p.Detail
	if class == "" {
		class = fmt.Sprintf("HTTP %d", p.Status)
	}
	if text == "" {
		text = p.Title
	}
	if p.Field != "" && !strings.HasPrefix(text, p.Field) {
		text = p.Field + ": " + text
	}
	for i, e := range p.Errors {
		if i > 0 { // the first is the problem's own
			text += "; " + strings.TrimPrefix(e.Field+": ", ": ") + e.Message
		}
	}
	line := class + ": " + text
	var marks []string
	for _, m := range [][2]string{
		{"reason", p.Reason},
		{"effect", p.Effect},
		{"advice", p.Advice},
		{"provider code", p.ProviderCode},
		{"provider says", p.ProviderMessage},
		{"payment", p.PaymentID},
		{"request", p.RequestID},
	} {
		if m[1] != "" {
			marks = append(marks, m[0]+" "+m[1])
		}
	}
	if len(marks) > 0 {
		line += " [" + strings.Join(marks, ", ") + "]"
	}
	return line
}

// NewKey returns a fresh idempotency key.
func NewKey() string { return "cli-" + strings.ToLower(rand.Text()) }

// Do makes a call. An answer of the API that is no success is a *Problem.
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	req, err := c.request(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	client := c.HTTP
	if client == nil {
		client = &http.Client{Timeout: 2 * time.Minute, CheckRedirect: stay}
	}
	resp, err := client.Do(req)
	if err != nil {
		var cause *url.Error
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return Answer{}, fmt.Errorf("%s %s: %w", r.Method, shown(req.URL), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: answer: %w", r.Method, r.Path, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return Answer{}, problem(resp, body)
	}
	return Answer{Status: resp.StatusCode, Body: body}, nil
}

// stay follows no redirect: a POST would come out as a GET, whose answer says nothing of
// what was asked for.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// shown is where a request goes, for a person: without a password, which a URL may hold.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host}).Redacted()
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("url: is not an absolute URL of http or https") // it may hold a password: it is not shown
	}
	address := strings.TrimRight(c.URL, "/") + r.Path
	if len(r.Query) > 0 {
		address += "?" + r.Query.Encode()
	}
	var body io.Reader
	kind := ""
	switch b := r.Body.(type) {
	case nil:
	case Raw:
		body, kind = bytes.NewReader(b), "application/wasm"
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		body, kind = bytes.NewReader(text), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, address, body)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if r.Key != "" {
		req.Header.Set("Idempotency-Key", r.Key)
		req.GetBody = nil // never sent again by net/http itself
	}
	return req, nil
}

func problem(resp *http.Response, body []byte) error {
	p := &Problem{}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if !strings.HasSuffix(kind, "json") || json.Unmarshal(body, p) != nil {
		p.Detail = strings.TrimSpace(string(body[:min(len(body), 200)]))
	}
	if to := resp.Header.Get("Location"); to != "" { // not followed
		p.Detail = "redirects to " + to
	}
	p.Status = resp.StatusCode
	if p.Title == "" {
		p.Title = http.StatusText(resp.StatusCode)
	}
	return p
}
