package demo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Event is a webhook that was received and verified.
type Event struct {
	ID      string `json:"-"`
	Type    string `json:"type"`
	Payment string `json:"-"`
}

// receiver is the shop's end of the webhooks: it verifies signatures by the Standard
// Webhooks library, which shares no code with payhost.
type receiver struct {
	url    string
	secret string

	verifier *webhooks.Webhook
	tell     func(Event)
	server   *http.Server

	mu     sync.Mutex
	events []Event
	seen   map[string]bool
	forged int
	change chan struct{} // closed and replaced at every event
}

func newReceiver(ctx context.Context, tell func(Event)) (*receiver, error) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	secret := "whsec_" + base64.StdEncoding.EncodeToString(raw)
	verifier, err := webhooks.NewWebhook(secret)
	if err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{
		url: "http://" + l.Addr().String() + "/hooks", secret: secret, verifier: verifier, tell: tell,
		seen: map[string]bool{}, change: make(chan struct{}),
	}
	r.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(r.receive)}
	go func() { _ = r.server.Serve(l) }() // ends with close
	return r, nil
}

func (r *receiver) close() { _ = r.server.Close() }

func (r *receiver) receive(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err == nil {
		err = r.verifier.Verify(body, req.Header)
	}
	var e struct {
		Event
		Data json.RawMessage `json:"data"`
	}
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err != nil {
		r.mu.Lock()
		r.forged++
		r.mu.Unlock()
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e.ID = req.Header.Get(webhooks.HeaderWebhookID)
	e.Payment = paymentOf(e.Data)
	w.WriteHeader(http.StatusNoContent)
	r.add(e.Event)
}

// add keeps an event; one that came before is a repeat, which a receiver must expect.
func (r *receiver) add(e Event) {
	r.mu.Lock()
	if r.seen[e.ID] {
		r.mu.Unlock()
		return
	}
	r.seen[e.ID] = true
	r.events = append(r.events, e)
	close(r.change)
	r.change = make(chan struct{})
	r.mu.Unlock()
	if r.tell != nil {
		r.tell(e)
	}
}

// paymentOf finds the payment that an event is about: its data are the payment, or
// hold it, or name it.
func paymentOf(data json.RawMessage) string {
	var d struct {
		ID        string `json:"id"`
		PaymentID string `json:"payment_id"`
		Payment   struct {
			ID string `json:"id"`
		} `json:"payment"`
	}
	_ = json.Unmarshal(data, &d) // what is not there stays empty
	switch {
	case d.Payment.ID != "":
		return d.Payment.ID
	case d.PaymentID != "":
		return d.PaymentID
	}
	return d.ID
}

// wait returns the types of a payment's events once the one wanted is there.
func (r *receiver) wait(ctx context.Context, payment, want string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		r.mu.Lock()
		change, forged := r.change, r.forged
		var types []string
		found := false
		for _, e := range r.events {
			if e.Payment == payment {
				types = append(types, e.Type)
				found = found || e.Type == want
			}
		}
		r.mu.Unlock()
		switch {
		case forged > 0:
			return types, errors.New("a webhook came whose signature is not good")
		case found:
			return types, nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return types, errors.New("no webhook " + want + " came")
		}
	}
}
