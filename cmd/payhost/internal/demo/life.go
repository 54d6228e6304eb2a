package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

const (
	// patience is how long anything may take to become what it should be.
	patience = 10 * time.Second
	// pause is how long to wait before looking again.
	pause = 50 * time.Millisecond
)

// life is one provider's story: its steps so far and the payment as the merchant
// sees it by the API.
type life struct {
	ctx      context.Context
	provider string
	scene    *Scene
	receiver *receiver
	client   client.Client
	steps    []Step

	payment client.Payment
	refund  client.Refund
	request map[string]any // the create request of the payment
	keys    int            // idempotency keys used
	last    string         // the latest of them
}

func newLife(ctx context.Context, s *Stage, provider string) *life {
	l := &life{ctx: ctx, provider: provider, receiver: s.receiver, client: s.client()}
	for _, scene := range s.Scenes {
		if scene.Provider == provider {
			l.scene = scene
		}
	}
	return l
}

// live plays the whole life of the provider.
func (l *life) live(o *Options) error {
	for _, f := range o.Faults {
		if f.Provider == l.provider {
			if err := l.control(http.MethodPost, "/_sim/faults", f.JSON, nil); err != nil {
				return fmt.Errorf("%s: fault: %w", l.provider, err)
			}
		}
	}
	stories := map[string]func(*life) error{
		"rahmet": liveRahmet, "yeniltoleg": liveYenilToleg, "smartpay": liveSmartPay,
	}
	if err := story(l.connected, func() error { return stories[l.provider](l) }); err != nil || o.Requests == nil {
		return err
	}
	var received struct{ Requests []simkit.Request }
	if err := l.control(http.MethodGet, "/_sim/requests", "", &received); err != nil {
		return err
	}
	o.Requests(l.provider, received.Requests)
	return nil
}

// connected wants the connection to be there, without a problem.
func (l *life) connected() error {
	name := "connect"
	if strings.HasPrefix(l.scene.config.BaseURL, "https:") {
		name = "connect over mutual TLS"
	}
	return l.step(name, func() (string, error) {
		var list client.Connections
		if err := l.get("/v1/connections", &list); err != nil {
			return "", err
		}
		for _, c := range list.Connections {
			if c.Name != l.scene.Connection {
				continue
			}
			if c.Problem != "" {
				return "", l.broken(c.Problem)
			}
			return fmt.Sprintf("%s, plugin %s %s", c.Name, c.Plugin, c.Version), nil
		}
		return "", errors.New("there is no connection " + l.scene.Connection)
	})
}

// broken is why the connection is not there, with what is wrong with its plugin.
func (l *life) broken(problem string) error {
	var list client.Plugins
	if err := l.get("/v1/plugins", &list); err != nil {
		return err
	}
	for _, p := range list.Plugins {
		if p.Name == l.provider && p.Problem != "" {
			problem += ": " + p.Problem
		}
	}
	return errors.New(problem)
}

// step runs one step and notes how it went. The error it returns names the
// provider and the step.
func (l *life) step(name string, run func() (string, error)) error {
	began := time.Now()
	result, err := run()
	s := Step{Provider: l.provider, Name: name, Result: result, Took: time.Since(began)}
	if err != nil {
		s.Err = err.Error()
		err = fmt.Errorf("%s: %s: %w", l.provider, name, err)
	}
	l.steps = append(l.steps, s)
	return err
}

// story runs steps until one fails.
func story(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) get(path string, into any) error {
	answer, err := l.client.Do(l.ctx, client.Request{Method: http.MethodGet, Path: path})
	if err != nil {
		return err
	}
	return answer.Into(into)
}

// post does an operation under a key of its own. One in doubt is an error here:
// nothing was cut.
func (l *life) post(path string, body, into any) error {
	answer, err := l.send(path, body)
	if err != nil {
		return err
	}
	if err := answer.Into(into); err != nil {
		return err
	}
	if answer.InDoubt() {
		var view struct {
			InDoubt *client.Doubt `json:"in_doubt"`
		}
		_ = answer.Into(&view) // read once already
		if view.InDoubt != nil {
			return fmt.Errorf("is in doubt, and the contract wants an answer: %s", view.InDoubt.Reason)
		}
		return errors.New("is in doubt, and the contract wants an answer")
	}
	return nil
}

func (l *life) send(path string, body any) (client.Answer, error) {
	l.keys++
	l.last = fmt.Sprintf("%s-demo-%d", l.provider, l.keys)
	return l.client.Do(l.ctx, client.Request{Method: http.MethodPost, Path: path, Key: l.last, Body: body})
}

func (l *life) path(rest string) string { return "/v1/payments/" + url.PathEscape(l.payment.ID) + rest }

// act is a step of one operation on the payment, which must then have a status.
func (l *life) act(name, path string, body any, want ...string) error {
	return l.step(name, func() (string, error) {
		if err := l.post(l.path(path), body, &l.payment); err != nil {
			return "", err
		}
		if !slices.Contains(want, l.payment.Status) {
			return "", fmt.Errorf("payment is %s, the contract wants %s", l.payment.Status, strings.Join(want, " or "))
		}
		return l.payment.Status + l.amounts(), nil
	})
}

// create starts a payment and wants the next action.
func (l *life) create(name string, request map[string]any, next string) error {
	return l.step(name, func() (string, error) {
		request["connection"] = l.scene.Connection
		l.request, l.payment = request, client.Payment{}
		if err := l.post("/v1/payments", request, &l.payment); err != nil {
			return "", err
		}
		return l.started(next)
	})
}

func (l *life) started(next string) (string, error) {
	n := l.payment.NextAction
	if n == nil || n.Type != next {
		return "", fmt.Errorf("next action is %+v, the contract wants %s", n, next)
	}
	text := l.payment.Status + ", next action " + n.Type
	if len(n.QRPNG) > 0 {
		text += fmt.Sprintf(", a QR picture of %d bytes", len(n.QRPNG))
	}
	return text, nil
}

// again repeats the create under its key: it must be the same payment, and nothing
// may be sent.
func (l *life) again() error {
	return l.step("create again, same key", func() (string, error) {
		before, err := l.received()
		if err != nil {
			return "", err
		}
		answer, err := l.client.Do(l.ctx, client.Request{Method: http.MethodPost, Path: "/v1/payments", Key: l.last, Body: l.request})
		if err != nil {
			return "", err
		}
		var p client.Payment
		if err := answer.Into(&p); err != nil {
			return "", err
		}
		after, err := l.received()
		switch {
		case err != nil:
			return "", err
		case p.ID != l.payment.ID:
			return "", fmt.Errorf("answers payment %s, the contract wants %s", p.ID, l.payment.ID)
		case after != before:
			return "", fmt.Errorf("sent %d writing requests, the contract wants none", after-before)
		}
		return "the same payment, nothing sent", nil
	})
}

// expect looks until the payment is where it should be; with refresh, payhost asks
// the provider each time.
func (l *life) expect(name, want string, refresh bool) error {
	return l.step(name, func() (string, error) {
		err := l.until(refresh, func() bool { return l.payment.Status == want && l.payment.InDoubt == nil })
		if err != nil {
			return "", fmt.Errorf("payment is %s, the contract wants %s%s", l.payment.Status, want, l.trouble())
		}
		return want + l.amounts(), nil
	})
}

// until reads the payment until a condition is met.
func (l *life) until(refresh bool, met func() bool) error {
	path := l.path("")
	if refresh {
		path += "?refresh=true"
	}
	for deadline := time.Now().Add(patience); ; {
		var p client.Payment
		if err := l.get(path, &p); err != nil {
			return err
		}
		l.payment = p
		switch {
		case met():
			return nil
		case time.Now().After(deadline):
			return errors.New("it did not become so")
		}
		if err := wait(l.ctx); err != nil {
			return err
		}
	}
}

// trouble says what payhost knows of why a payment is not where it should be.
func (l *life) trouble() string {
	switch p := l.payment; {
	case p.InDoubt != nil:
		return ": " + p.InDoubt.Operation + " is in doubt: " + p.InDoubt.Reason
	case p.LastError != nil:
		return ": " + p.LastError.Class + ": " + p.LastError.Message
	case p.Alerts > 0:
		return fmt.Sprintf(": %d alert(s)", p.Alerts)
	}
	return l.lastProbe()
}

func (l *life) amounts() string {
	text := ""
	for _, m := range []struct {
		word  string
		money *client.Money
	}{{"paid", l.payment.AmountPaid}, {"refunded", l.payment.AmountRefunded}} {
		if m.money != nil && m.money.Value != "0" {
			text += ", " + m.word + " " + m.money.String()
		}
	}
	return text
}

// move brings an object at the simulator to an outcome, as the payer or the
// provider would.
func (l *life) move(who, kind, ref, outcome string) error {
	return l.step(who, func() (string, error) {
		var list struct{ Objects []simkit.Object }
		if err := l.control(http.MethodGet, "/_sim/objects", "", &list); err != nil {
			return "", err
		}
		for _, o := range slices.Backward(list.Objects) {
			if o.Kind == kind && (ref == "" || o.ID == ref || o.Ref == ref) {
				body, err := json.Marshal(map[string]string{"outcome": outcome})
				if err != nil {
					return "", err
				}
				return outcome, l.control(http.MethodPost, "/_sim/objects/"+url.PathEscape(o.ID)+"/outcome", string(body), nil)
			}
		}
		return "", fmt.Errorf("the provider has no %s %s", kind, ref)
	})
}

// control talks to the simulator's control API.
func (l *life) control(method, path, body string, into any) error {
	req, err := http.NewRequestWithContext(l.ctx, method, l.scene.Control+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("control API: %s: %s", resp.Status, bytes.TrimSpace(answer))
	}
	if into == nil {
		return nil
	}
	if text, ok := into.(*string); ok {
		*text = string(answer)
		return nil
	}
	return json.Unmarshal(answer, into)
}

// wait lets a moment pass.
func wait(ctx context.Context) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
