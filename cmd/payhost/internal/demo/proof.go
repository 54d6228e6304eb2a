package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

// The steps here look at what was left behind: refunds, the timeline, doubts and
// webhooks.

// giveBack asks for a refund.
func (l *life) giveBack(amount client.Money, want ...string) error {
	return l.step("refund "+amount.String(), func() (string, error) {
		l.refund = client.Refund{}
		err := l.post(l.path("/refunds"), map[string]any{"amount": amount, "reason": "demo"}, &l.refund)
		if err != nil {
			return "", err
		}
		if !slices.Contains(want, l.refund.Status) {
			return "", fmt.Errorf("refund is %s, the contract wants %s", l.refund.Status, strings.Join(want, " or "))
		}
		return l.refund.Status, nil
	})
}

// refunded looks until the refund has succeeded and the payment shows its sum.
func (l *life) refunded(name string, amount client.Money) error {
	return l.step(name, func() (string, error) {
		err := l.until(true, func() bool {
			return l.payment.AmountRefunded != nil && *l.payment.AmountRefunded == amount && l.payment.InDoubt == nil
		})
		if err != nil {
			return "", fmt.Errorf("refunded %s, the contract wants %s%s", l.payment.AmountRefunded.String(), amount.String(), l.trouble())
		}
		if err := l.get(l.path("/refunds/"+l.refund.ID), &l.refund); err != nil {
			return "", err
		}
		if l.refund.Status != "succeeded" {
			return "", fmt.Errorf("refund is %s, the contract wants succeeded", l.refund.Status)
		}
		return "succeeded; payment " + l.payment.Status + l.amounts(), nil
	})
}

// lose cuts the answer of the next request to a path, does an operation into it, and
// lets payhost find out how it ended.
func (l *life) lose(name, faultPath, path string, body map[string]any) error {
	err := l.step(name+", the answer is lost", func() (string, error) {
		fault := fmt.Sprintf(`{"path":%q,"fault":"cut_after","count":1}`, faultPath)
		if err := l.control(http.MethodPost, "/_sim/faults", fault, nil); err != nil {
			return "", err
		}
		answer, err := l.send(path, body)
		if err != nil {
			return "", err
		}
		if err := answer.Into(&l.payment); err != nil {
			return "", err
		}
		if !answer.InDoubt() || l.payment.InDoubt == nil {
			return "", fmt.Errorf("HTTP %d, the contract wants 202 and in doubt", answer.Status)
		}
		return "202, in doubt: " + l.payment.InDoubt.Reason, nil
	})
	if err != nil {
		return err
	}
	return l.step("payhost finds out", func() (string, error) {
		if err := l.until(true, func() bool { return l.payment.InDoubt == nil }); err != nil {
			return "", errors.New("still in doubt" + l.trouble())
		}
		n, err := l.effects()
		return fmt.Sprintf("%s; %d object at the provider", l.payment.Status, n), err
	})
}

// resent cuts the answer of the next request to a path, of an operation whose
// provider recognizes our key: payhost may send it again, and there must be one
// object for all that.
func (l *life) resent(name, faultPath, path string, body map[string]any) error {
	return l.step(name+", the answer is lost", func() (string, error) {
		fault := fmt.Sprintf(`{"path":%q,"fault":"cut_after","count":1}`, faultPath)
		if err := l.control(http.MethodPost, "/_sim/faults", fault, nil); err != nil {
			return "", err
		}
		if err := l.post(path, body, &l.payment); err != nil {
			return "", err
		}
		n, err := l.effects()
		return fmt.Sprintf("sent again under its key: %s; %d object at the provider", l.payment.Status, n), err
	})
}

// effects counts the provider's objects of the payment's order.
func (l *life) effects() (int, error) {
	var list struct{ Objects []simkit.Object }
	if err := l.control(http.MethodGet, "/_sim/objects", "", &list); err != nil {
		return 0, err
	}
	n := 0
	for _, o := range list.Objects {
		if l.payment.ProviderRef != "" && (o.ID == l.payment.ProviderRef || o.Ref == l.payment.ProviderRef) {
			n++
		}
	}
	if n != 1 {
		return n, fmt.Errorf("the provider has %d objects of the payment, the contract wants 1", n)
	}
	return n, nil
}

// received counts the writing requests that the simulator got.
func (l *life) received() (int, error) {
	var got struct{ Requests []simkit.Request }
	if err := l.control(http.MethodGet, "/_sim/requests", "", &got); err != nil {
		return 0, err
	}
	n := 0
	for _, r := range got.Requests {
		if !strings.Contains(strings.ToLower(r.Path), "status") && !strings.Contains(r.Path, "auth") {
			n++
		}
	}
	return n, nil
}

// timeline shows the ledger in short, and wants it to begin and to hold what it must.
func (l *life) timeline(want ...string) error {
	return l.step("timeline", func() (string, error) {
		t, err := l.entries()
		if err != nil {
			return "", err
		}
		var kinds []string
		counts := map[string]int{}
		for _, e := range t {
			if counts[e.Kind] == 0 {
				kinds = append(kinds, e.Kind)
			}
			counts[e.Kind]++
		}
		for _, kind := range append([]string{"opened", "operation.prepared", "operation.outcome"}, want...) {
			if counts[kind] == 0 {
				return "", fmt.Errorf("no entry %s among %s", kind, strings.Join(kinds, ", "))
			}
		}
		for i, kind := range kinds {
			if counts[kind] > 1 {
				kinds[i] = fmt.Sprintf("%s ×%d", kind, counts[kind])
			}
		}
		return fmt.Sprintf("%d entries: %s", len(t), strings.Join(kinds, ", ")), nil
	})
}

func (l *life) entries() ([]client.Entry, error) {
	var t client.Timeline
	err := l.get(l.path("/timeline"), &t)
	return t.Entries, err
}

// lastProbe is what the latest probe without a finding met.
func (l *life) lastProbe() string {
	entries, err := l.entries()
	if err != nil {
		return ""
	}
	for _, e := range slices.Backward(entries) {
		var body struct {
			Error *client.LastError `json:"error"`
		}
		if e.Kind == "probe" && json.Unmarshal(e.Body, &body) == nil && body.Error != nil {
			return ": status: " + body.Error.Message
		}
	}
	return ""
}

// webhooks waits for an event of the payment and shows all that came.
func (l *life) webhooks(want string) error {
	return l.step("webhooks", func() (string, error) {
		types, err := l.receiver.wait(l.ctx, l.payment.ID, want)
		if err != nil {
			return "", fmt.Errorf("%w; there were: %s", err, strings.Join(types, ", "))
		}
		return fmt.Sprintf("%d received and verified: %s", len(types), strings.Join(types, ", ")), nil
	})
}
