package simkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxAdvance keeps the clock inside what time.Time and a person can make sense of.
const maxAdvance = 10 * 365 * 24 * time.Hour

// controlAPI is the handler of everything under ControlPrefix.
func (k *Kit) controlAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/objects", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"objects": orEmpty(k.Objects())})
	})
	mux.HandleFunc("GET /_sim/objects/{id}", k.getObject)
	mux.HandleFunc("POST /_sim/objects/{id}/outcome", k.postOutcome)
	mux.HandleFunc("GET /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { k.replyFaults(w) })
	mux.HandleFunc("POST /_sim/faults", k.postFault)
	mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, _ *http.Request) {
		k.ClearFaults()
		k.replyFaults(w)
	})
	mux.HandleFunc("POST /_sim/clock", k.postClock)
	mux.HandleFunc("GET /_sim/effects", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"effects": orEmpty(k.Effects())})
	})
	mux.HandleFunc("GET /_sim/requests", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"requests": orEmpty(k.Requests())})
	})
	mux.HandleFunc("GET /_sim/deliveries", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"deliveries": orEmpty(k.Deliveries())})
	})
	mux.HandleFunc("GET /_sim/settings", func(w http.ResponseWriter, _ *http.Request) { k.replySettings(w) })
	mux.HandleFunc("POST /_sim/settings", k.postSettings)
	mux.HandleFunc("POST /_sim/reset", func(w http.ResponseWriter, _ *http.Request) {
		k.Reset()
		reply(w, map[string]any{"reset": true})
	})
	mux.HandleFunc(ControlPrefix, func(w http.ResponseWriter, r *http.Request) {
		replyError(w, http.StatusNotFound, "path", "no such control call: "+r.Method+" "+r.URL.Path)
	})
	return mux
}

func (k *Kit) getObject(w http.ResponseWriter, r *http.Request) {
	o, err := k.Object(r.PathValue("id"))
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, o)
}

func (k *Kit) postOutcome(w http.ResponseWriter, r *http.Request) {
	var input struct {
		Outcome string `json:"outcome"`
	}
	if err := decode(r, &input); err != nil {
		refuse(w, err)
		return
	}
	o, err := k.Object(r.PathValue("id"))
	if err == nil {
		err = k.model.Move(o.ID, input.Outcome)
	}
	if err == nil {
		o, err = k.Object(o.ID)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, o)
}

func (k *Kit) postFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	err := decode(r, &f)
	if err == nil {
		err = k.Fault(f)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	k.replyFaults(w)
}

func (k *Kit) postClock(w http.ResponseWriter, r *http.Request) {
	var input struct {
		Advance string `json:"advance"`
	}
	if err := decode(r, &input); err != nil {
		refuse(w, err)
		return
	}
	d, err := time.ParseDuration(input.Advance)
	if err != nil || d <= 0 || d > maxAdvance {
		message := fmt.Sprintf("%q is not a duration above 0 such as 3h", input.Advance)
		refuse(w, &FieldError{"advance", message})
		return
	}
	k.Advance(d)
	reply(w, map[string]any{"now": k.Now()})
}

func (k *Kit) postSettings(w http.ResponseWriter, r *http.Request) {
	var input map[string]json.RawMessage
	if err := decode(r, &input); err != nil {
		refuse(w, err)
		return
	}
	values := make(map[string]string, len(input))
	for name, raw := range input {
		text, err := settingText(raw)
		if err != nil {
			refuse(w, &FieldError{name, err.Error()})
			return
		}
		values[name] = text
	}
	if err := k.settings.set(values); err != nil {
		refuse(w, err)
		return
	}
	k.replySettings(w)
}

func (k *Kit) replyFaults(w http.ResponseWriter) {
	reply(w, map[string]any{"faults": orEmpty(k.Faults())})
}

func (k *Kit) replySettings(w http.ResponseWriter) {
	reply(w, map[string]any{"settings": orEmpty(k.settings.states())})
}

// settingText takes "false", false and 5 alike, since a setting is text.
func settingText(raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil && string(raw) != "null" {
		return text, nil
	}
	if strings.ContainsAny(string(raw[:1]), "{[n") {
		return "", errors.New("is not a text, a number or a boolean")
	}
	return string(raw), nil
}

// decode reads exactly one JSON value without unknown members. Its errors are *FieldError.
func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return &FieldError{"body", "could not be read, or is longer than 1 MiB"}
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return &FieldError{wrongType.Field, "must not be a " + wrongType.Value}
	case err != nil:
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return &FieldError{strings.Trim(name, `"`), "no such field"}
		}
		return &FieldError{"body", "is not the JSON object expected: " + err.Error()}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return &FieldError{"body", "has something after the JSON object"}
	}
	return nil
}

// refuse answers 404 for an unknown object and 400 with the field for everything else.
func refuse(w http.ResponseWriter, err error) {
	var bad *FieldError
	switch {
	case errors.Is(err, ErrNoObject):
		replyError(w, http.StatusNotFound, "id", err.Error())
	case errors.As(err, &bad):
		replyError(w, http.StatusBadRequest, bad.Field, bad.Message)
	default:
		replyError(w, http.StatusInternalServerError, "", err.Error())
	}
}

func replyError(w http.ResponseWriter, status int, field, message string) {
	WriteJSON(w, status, map[string]string{"error": message, "field": field})
}

func reply(w http.ResponseWriter, value any) { WriteJSON(w, http.StatusOK, value) }

// WriteJSON answers with a JSON body, with letters and <, >, & as they are.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	// A client that has gone is not the simulator's trouble.
	_ = encoder.Encode(value)
}

// orEmpty makes a nil list an empty JSON array.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
