package simkit_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// toy is the smallest provider: POST /charge moves 100 and answers JSON.
type toy struct {
	kit   *simkit.Kit
	mu    sync.Mutex
	state map[string]string
	order []string
}

func (m *toy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/charge" {
		http.NotFound(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	m.state["1"] = "charged"
	m.mu.Unlock()
	m.kit.Record(simkit.Effect{Kind: simkit.Charge, Object: "1", Ref: string(body), Amount: 100})
	simkit.WriteJSON(w, http.StatusOK, map[string]any{
		"id": 7, "state": "charged", "paid": true, "data": map[string]any{"amount": 100},
	})
}

func (m *toy) Objects() []simkit.Object {
	m.mu.Lock()
	defer m.mu.Unlock()
	var objects []simkit.Object
	for _, id := range m.order {
		objects = append(objects, simkit.Object{ID: id, Ref: "ref", State: m.state[id]})
	}
	return objects
}

func (m *toy) Move(id, outcome string) error {
	if outcome != "charged" && outcome != "open" {
		return simkit.UnknownOutcome(outcome, []string{"charged", "open"})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state[id] = outcome
	return nil
}

func (m *toy) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.order = map[string]string{"1": "open", "2": "open"}, []string{"1", "2"}
}

func startToy(t *testing.T) (*simkit.Kit, string) {
	t.Helper()
	m := &toy{}
	m.Reset()
	m.kit = simkit.New(simkit.Config{
		App: m, Model: m, Start: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
		Settings: []simkit.Setting{
			{Name: "mood", Default: "good", Allowed: []string{"good", "bad", "true", "5"}},
			{Name: "delay", Default: "1s", Check: simkit.CheckDuration},
			{Name: "part", Default: "0", Check: simkit.CheckPercent},
		},
	})
	url, stop, err := simkit.Start("127.0.0.1:0", m.kit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.kit.Close(); err != nil {
			t.Error(err)
		}
		stop()
		stop()
	})
	return m.kit, url
}

// exchange sends one request over a connection of its own.
func exchange(method, url, body string) (*http.Response, []byte, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return response, read, err
}

// control makes a control call and decodes its answer.
func control(t *testing.T, method, url, body string, wantStatus int) map[string]any {
	t.Helper()
	response, raw, err := exchange(method, url, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	var answer map[string]any
	if err := json.Unmarshal(raw, &answer); err != nil || response.StatusCode != wantStatus {
		t.Fatalf("%s %s = %d %s, %v; want %d", method, url, response.StatusCode, raw, err, wantStatus)
	}
	return answer
}

func TestControlAPI(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)

	objects := control(t, "GET", url+"/_sim/objects", "", 200)["objects"].([]any)
	if len(objects) != 2 {
		t.Fatalf("%d objects, want 2", len(objects))
	}
	moved := control(t, "POST", url+"/_sim/objects/ref/outcome", `{"outcome":"charged"}`, 200)
	if moved["id"] != "2" || moved["state"] != "charged" {
		t.Errorf("moved %v, want the newest with that ref", moved)
	}
	if one := control(t, "GET", url+"/_sim/objects/1", "", 200); one["state"] != "open" {
		t.Errorf("object 1 is %v, want open", one["state"])
	}
	later := control(t, "POST", url+"/_sim/clock", `{"advance":"3h"}`, 200)
	if later["now"] != "2030-01-02T06:04:05Z" {
		t.Errorf("%v after 3h", later)
	}
	control(t, "POST", url+"/_sim/faults", `{"path":"/x*","fault":"status","status":503,"count":2}`, 200)
	if n := len(control(t, "GET", url+"/_sim/faults", "", 200)["faults"].([]any)); n != 1 {
		t.Errorf("%d faults armed, want 1", n)
	}
	if n := len(control(t, "DELETE", url+"/_sim/faults", "", 200)["faults"].([]any)); n != 0 {
		t.Errorf("%d faults after DELETE, want 0", n)
	}
	if _, _, err := exchange("POST", url+"/charge?a=b", "shop-1"); err != nil {
		t.Fatal(err)
	}
	effects := control(t, "GET", url+"/_sim/effects", "", 200)["effects"].([]any)
	if len(effects) != 1 || effects[0].(map[string]any)["at"] != "2030-01-02T06:04:05Z" {
		t.Errorf("effects %v, want one at the simulator's time", effects)
	}
	requests := control(t, "GET", url+"/_sim/requests", "", 200)["requests"].([]any)
	first := requests[0].(map[string]any)
	if len(requests) != 1 || first["body"] != "shop-1" || first["query"] != "a=b" {
		t.Errorf("requests %v, want only the charge", requests)
	}
	control(t, "POST", url+"/_sim/settings", `{"mood":true,"part":"7","delay":"2m"}`, 200)
	delay, part := kit.DurationSetting("delay"), kit.PercentSetting("part")
	if kit.Setting("mood") != "true" || part != 7 || delay != 2*time.Minute {
		t.Errorf("settings were not taken: %s %d %s", kit.Setting("mood"), part, delay)
	}
	if n := len(control(t, "GET", url+"/_sim/deliveries", "", 200)["deliveries"].([]any)); n != 0 {
		t.Errorf("%d deliveries, want none", n)
	}
	control(t, "POST", url+"/_sim/reset", "", 200)
	if kit.Setting("mood") != "good" || len(kit.Effects())+len(kit.Requests()) != 0 || kit.Now().Hour() != 3 {
		t.Error("reset left something")
	}
}

func TestControlRefusesBadInput(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	tests := []struct {
		name, method, path, body, field string
		status                          int
	}{
		{"unknown outcome", "POST", "/_sim/objects/1/outcome", `{"outcome":"flown"}`, "outcome", 400},
		{"unknown object", "POST", "/_sim/objects/9/outcome", `{"outcome":"open"}`, "id", 404},
		{"unknown object read", "GET", "/_sim/objects/9", ``, "id", 404},
		{"not JSON", "POST", "/_sim/objects/1/outcome", `outcome=open`, "body", 400},
		{"empty", "POST", "/_sim/clock", ``, "body", 400},
		{"list", "POST", "/_sim/clock", `[]`, "body", 400},
		{"two values", "POST", "/_sim/clock", `{"advance":"1h"} {}`, "body", 400},
		{"unknown member", "POST", "/_sim/clock", `{"advance":"1h","by":"me"}`, "by", 400},
		{"wrong type", "POST", "/_sim/clock", `{"advance":3}`, "advance", 400},
		{"backwards", "POST", "/_sim/clock", `{"advance":"-3h"}`, "advance", 400},
		{"not a duration", "POST", "/_sim/clock", `{"advance":"soon"}`, "advance", 400},
		{"unknown setting", "POST", "/_sim/settings", `{"mood":"bad","hue":"red"}`, "hue", 400},
		{"bad setting", "POST", "/_sim/settings", `{"mood":"sad"}`, "mood", 400},
		{"null setting", "POST", "/_sim/settings", `{"mood":null}`, "mood", 400},
		{"bad duration", "POST", "/_sim/settings", `{"delay":"-1s"}`, "delay", 400},
		{"bad percent", "POST", "/_sim/settings", `{"part":101}`, "part", 400},
		{"unknown call", "PUT", "/_sim/clock", `{}`, "path", 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer := control(t, test.method, url+test.path, test.body, test.status)
			if answer["field"] != test.field || answer["error"] == "" {
				t.Errorf("answer %v, want field %q and an error", answer, test.field)
			}
		})
	}
	t.Cleanup(func() {
		if kit.Setting("mood") != "good" || kit.Now().Hour() != 3 {
			t.Error("a refused call left something behind")
		}
	})
}

func TestFaultRefusesBadInput(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	tests := []struct{ name, body, field string }{
		{"no path", `{"fault":"empty"}`, "path"},
		{"star inside", `{"path":"/a*b","fault":"empty"}`, "path"},
		{"control path", `{"path":"/_sim/clock","fault":"empty"}`, "path"},
		{"bad method", `{"path":"/a","method":"post","fault":"empty"}`, "method"},
		{"bad fault", `{"path":"/a","fault":"melt"}`, "fault"},
		{"bad status", `{"path":"/a","fault":"status","status":99}`, "status"},
		{"bad count", `{"path":"/a","fault":"empty","count":-1}`, "count"},
		{"slow at once", `{"path":"/a","fault":"slow"}`, "delay_ms"},
		{"late", `{"path":"/a","fault":"slow","delay_ms":600001}`, "delay_ms"},
		{"no answer", `{"path":"/a","fault":"answer"}`, "body"},
		{"stray field", `{"path":"/a","fault":"bom","field":"x"}`, "field"},
		{"bad header", `{"path":"/a","fault":"empty","headers":{"A":"b\r\nC: d"}}`, "headers"},
		{"framing", `{"path":"/a","fault":"empty","headers":{"content-length":"1"}}`, "headers"},
	}
	for _, test := range tests {
		answer := control(t, "POST", url+"/_sim/faults", test.body, 400)
		if answer["field"] != test.field || answer["error"] == "" {
			t.Errorf("%s: %v, want field %q and an error", test.name, answer, test.field)
		}
	}
	if len(kit.Faults()) != 0 {
		t.Error("a refused fault was armed")
	}
}

func TestRequestBodyIsBounded(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	response, _, err := exchange("POST", url+"/charge", strings.Repeat("x", 1<<20+1))
	if err == nil && response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", response.StatusCode)
	}
	if len(kit.Effects()) != 0 {
		t.Error("an oversized request had an effect")
	}
	requests := kit.Requests()
	if len(requests) != 1 || len(requests[0].Body) > 64<<10 || requests[0].BodySize < 1<<20 {
		t.Error("the journal must keep 64 KiB of an oversized body and its size")
	}
}

func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	kit, url := startToy(t)
	client := &http.Client{}
	defer client.CloseIdleConnections()
	for range 4200 {
		response, err := client.Post(url+"/none", "text/plain", bytes.NewReader(nil))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	requests := kit.Requests()
	if len(requests) > 4096 || requests[len(requests)-1].Seq != 4200 {
		t.Errorf("%d kept, the last is %d", len(requests), requests[len(requests)-1].Seq)
	}
	if !slices.IsSortedFunc(requests, func(a, b simkit.Request) int { return a.Seq - b.Seq }) {
		t.Error("requests are out of order")
	}
}
