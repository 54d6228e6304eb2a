package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// life is one provider's story: its steps so far, the connection, and the payment
// as the merchant would see it.
type life struct {
	ctx      context.Context
	host     *host.Host
	provider string
	scratch  string
	steps    []Step

	conn    *host.Connection
	control string // base URL of the simulator's control API
	payment pay.Payment
	keys    []string // provider keys ever sent for the payment
	ops     int      // operations begun, for their keys
}

// scene is a simulator made ready, and how to connect to it.
type scene struct {
	config  host.ConnectionConfig
	control string
	stop    func()
}

// live plays the whole life of the provider.
func (l *life) live(o *Options) error {
	open, story := l.script()
	s, err := open(l)
	if err != nil {
		return fmt.Errorf("%s: simulator: %w", l.provider, err)
	}
	defer s.stop()
	l.control = s.control
	for _, f := range o.Faults {
		if f.Provider == l.provider {
			if err := l.post("/_sim/faults", f.JSON, nil); err != nil {
				return fmt.Errorf("%s: fault: %w", l.provider, err)
			}
		}
	}
	if err := l.connect(o.source(l.provider), s.config); err != nil {
		return err
	}
	if err := story(l); err != nil || o.Requests == nil {
		return err
	}
	var received struct{ Requests []simkit.Request }
	if err := l.call(http.MethodGet, "/_sim/requests", "", &received); err != nil {
		return err
	}
	o.Requests(l.provider, received.Requests)
	return nil
}

func (l *life) script() (open func(*life) (*scene, error), story func(*life) error) {
	switch l.provider {
	case "rahmet":
		return openRahmet, liveRahmet
	case "yeniltoleg":
		return openYenilToleg, liveYenilToleg
	}
	return openSmartPay, liveSmartPay
}

func (l *life) connect(plugin host.Source, config host.ConnectionConfig) error {
	err := l.step("load plugin", func() (string, error) {
		rev, err := l.host.Load(l.ctx, l.provider, plugin)
		if err != nil {
			return "", err
		}
		m := rev.Manifest()
		return fmt.Sprintf("%s %s, sha256 %.12s…", m.ID, m.Version, rev.Digest()), nil
	})
	if err != nil {
		return err
	}
	return l.step("connect", func() (string, error) {
		config.Name, config.Plugin = l.provider+"-demo", l.provider
		config.Egress.AllowPrivate = true // simulators live on loopback
		conn, err := l.host.Connect(l.ctx, config)
		l.conn = conn
		return "settings, secrets and keys fit; " + config.BaseURL, err
	})
}

// step runs one step and notes how it went. The error it returns names the
// provider and the step.
func (l *life) step(name string, run func() (string, error)) error {
	began := time.Now()
	result, err := run()
	s := Step{Provider: l.provider, Name: name, Result: result, Took: time.Since(began)}
	if err != nil {
		s.Err = err.Error()
		if e := pay.AsError(err); e.Class != 0 && e.Err == nil {
			s.Err += fmt.Sprintf(" [%s, effect %s, advice %s]", e.Class, e.Effect, e.Advice)
		}
		err = fmt.Errorf("%s: %s: %s", l.provider, name, s.Err)
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

// begin makes a new payment of the life.
func (l *life) begin(order string, amount pay.Money) {
	l.payment = pay.Payment{
		ID: "pay_" + order, OrderID: order, Connection: l.provider + "-demo", Provider: l.provider,
		Status: pay.PaymentCreated, Amount: amount, CreatedAt: time.Now(),
	}
	l.keys = nil
}

// intent is the key of the next operation on the payment.
func (l *life) intent() pay.Intent {
	l.ops++
	return pay.Intent{Key: fmt.Sprintf("%s-op%d", l.payment.ID, l.ops)}
}

func (l *life) ref() pay.Ref {
	p := l.payment
	return pay.Ref{
		ID: p.ID, OrderID: p.OrderID, ProviderRef: p.ProviderRef, Keys: l.keys, Amount: p.Amount, CreatedAt: p.CreatedAt,
	}
}

// took folds what a writing operation brought into the payment.
func (l *life) took(r host.Result) error {
	if r.ProviderRef != "" && l.payment.ProviderRef == "" {
		l.payment.ProviderRef = r.ProviderRef
	}
	if r.Next.Type != 0 {
		l.payment.Next = r.Next
	}
	return l.observe(r.Observations)
}

func (l *life) observe(list []pay.Observation) error {
	for _, o := range list {
		if _, err := l.payment.Observe(o); err != nil {
			return err
		}
	}
	return nil
}

// create starts the payment and wants the next action.
func (l *life) create(request pay.CreateRequest, next pay.NextActionType) error {
	name := "create " + l.payment.Amount.String()
	if l.payment.Amount.IsZero() {
		name = "create, amount not known yet"
	}
	return l.step(name, func() (string, error) {
		request.Intent, request.PaymentID, request.OrderID = l.intent(), l.payment.ID, l.payment.OrderID
		request.Amount = l.payment.Amount
		r, err := l.conn.Create(l.ctx, request)
		if err != nil {
			return "", err
		}
		l.keys = append(l.keys, r.ProviderKey)
		if r.Next.Type != next {
			return "", fmt.Errorf("next action is %s, the contract wants %s", r.Next.Type, next)
		}
		text := r.Outcome.String() + ", next action " + r.Next.Type.String()
		if len(r.Next.QRPNG) > 0 {
			text += fmt.Sprintf(", a QR picture of %d bytes", len(r.Next.QRPNG))
		}
		l.payment.Status = pay.PaymentPending
		return text, l.took(r)
	})
}

// expect asks status until the payment is where it should be.
func (l *life) expect(want pay.PaymentStatus) error {
	return l.step("status", func() (string, error) {
		for polls := 1; ; polls++ {
			if err := l.probe(); err != nil {
				return "", err
			}
			switch {
			case l.payment.Status == want:
				return fmt.Sprintf("%s after %d poll(s)%s", want, polls, l.amounts()), nil
			case polls == 20:
				return "", fmt.Errorf("payment is %s after %d polls, the contract wants %s", l.payment.Status, polls, want)
			}
			if err := wait(l.ctx, 50*time.Millisecond); err != nil {
				return "", err
			}
		}
	})
}

func (l *life) probe() error {
	items, err := l.conn.Status(l.ctx, l.ref())
	if err != nil {
		return err
	}
	if items[0].Err != nil {
		return items[0].Err
	}
	return l.observe(items[0].Observations)
}

func (l *life) amounts() string {
	text := ""
	if !l.payment.AmountPaid.IsZero() {
		text += ", paid " + l.payment.AmountPaid.String()
	}
	if !l.payment.AmountRefunded.IsZero() {
		text += ", refunded " + l.payment.AmountRefunded.String()
	}
	return text
}

// refunded asks status until the sum that went back is the one wanted.
func (l *life) refunded(want pay.Money) error {
	return l.step("status after refund", func() (string, error) {
		for polls := 1; polls <= 20; polls++ {
			if err := l.probe(); err != nil {
				return "", err
			}
			if l.payment.AmountRefunded == want {
				return fmt.Sprintf("%s%s", l.payment.Status, l.amounts()), nil
			}
			if err := wait(l.ctx, 50*time.Millisecond); err != nil {
				return "", err
			}
		}
		return "", fmt.Errorf("refunded %s, the contract wants %s", l.payment.AmountRefunded, want)
	})
}

// write is a step of one writing operation.
func (l *life) write(name string, run func() (host.Result, error), want ...pay.Outcome) error {
	return l.step(name, func() (string, error) {
		r, err := run()
		if err != nil {
			return "", err
		}
		for _, o := range want {
			if r.Outcome == o {
				return r.Outcome.String() + ", " + evidence(r), l.took(r)
			}
		}
		return "", fmt.Errorf("outcome is %s, the contract wants %s", r.Outcome, want)
	})
}

func evidence(r host.Result) string {
	if r.Evidence.Wire == pay.WireNone {
		return "nothing sent"
	}
	return fmt.Sprintf("%d call(s), %d bytes out, HTTP %d", r.Evidence.Calls, r.Evidence.BytesOut, r.Evidence.Status)
}

// move brings an object at the simulator to an outcome, as the payer or the
// provider would.
func (l *life) move(who, id, outcome string) error {
	return l.step(who, func() (string, error) {
		body, err := json.Marshal(map[string]string{"outcome": outcome})
		if err != nil {
			return "", err
		}
		return outcome, l.post("/_sim/objects/"+id+"/outcome", string(body), nil)
	})
}

// post talks to the simulator's control API.
func (l *life) post(path, body string, into any) error {
	return l.call(http.MethodPost, path, body, into)
}

func (l *life) call(method, path, body string, into any) error {
	req, err := http.NewRequestWithContext(l.ctx, method, l.control+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
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

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func scratchDir() (string, func(), error) {
	dir, err := os.MkdirTemp("", "payhost-demo-")
	return dir, func() { os.RemoveAll(dir) }, err
}
