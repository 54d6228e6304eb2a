package scenario

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// request is what came, taken apart.
type request struct {
	*http.Request
	params map[string]string
	fields map[string]any // those that the call names, read and checked
	body   any            // as it came: JSON, or a form as an object of texts
	form   bool           // it is a form
	broken string         // why the body can't be read

	address string // in place of where the request went, when there is none
}

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// receive reads the body by what it says it is.
func receive(r *http.Request) (*request, error) {
	got := &request{Request: r, fields: map[string]any{}}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		got.broken = "there is no body"
	case kind == formType:
		got.readForm(string(raw))
	case kind == jsonType:
		got.readJSON(raw)
	default:
		got.broken = "is neither JSON nor a form by its Content-Type"
	}
	return got, nil
}

func (r *request) readForm(raw string) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		r.broken = "is no form"
		return
	}
	r.body, r.form = texts(values), true
}

// texts are the first values of a form or a query.
func texts(values url.Values) map[string]any {
	all := make(map[string]any, len(values))
	for name := range values {
		all[name] = values.Get(name)
	}
	return all
}

// whole is everything that stands in the path, the query or the body.
func (r *request) whole(root string) any {
	switch root {
	case "path":
		all := make(map[string]any, len(r.params))
		for name, value := range r.params {
			all[name] = value
		}
		return all
	case "query":
		return texts(r.URL.Query())
	}
	return r.body
}

func (r *request) readJSON(raw []byte) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var body map[string]any
	if err := decoder.Decode(&body); err != nil || body == nil {
		r.broken = "is no JSON object"
		return
	}
	if _, err := decoder.Token(); err != io.EOF {
		r.broken = "has something after the JSON object"
		return
	}
	r.body = body
}

// header is nil when the header is not there, or there twice.
func (r *request) header(name string) any {
	if values := r.Header.Values(name); len(values) == 1 {
		return values[0]
	}
	return nil
}

func (r *request) query(name string) any {
	if values := r.URL.Query()[name]; len(values) > 0 {
		return values[0]
	}
	return nil
}

// raw is a field of the body as it came, if it is one value.
func (r *request) raw(name string) any {
	value := r.body
	for step := range strings.SplitSeq(name, ".") {
		object, _ := value.(map[string]any)
		value = object[step]
	}
	return rawScalar(value)
}

// base is how the caller reached the simulator.
func (r *request) base() string {
	if r.address != "" {
		return r.address
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// segment is a piece of a path: a text, or the name of what stands there.
type segment struct {
	text  string
	param bool
}

// match takes a path apart by a pattern; nil when it does not fit.
func match(pattern []segment, path string) map[string]string {
	steps := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(steps) != len(pattern) {
		return nil
	}
	params := map[string]string{}
	for i, s := range pattern {
		step, err := url.PathUnescape(steps[i])
		switch {
		case err != nil || s.param && step == "" || !s.param && step != s.text:
			return nil
		case s.param:
			params[s.text] = step
		}
	}
	return params
}
