package demo

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
)

// liveSmartPay: the payer shows a code, the till binds it before it knows the
// amount, charges, confirms, registers the receipt, and gives part back; then a
// confirm whose answer is lost.
func liveSmartPay(l *life) error {
	amount, part := client.Money{Value: "129900", Currency: "RUB"}, client.Money{Value: "29900", Currency: "RUB"}
	return story(
		func() error { return l.create("create, amount not known yet", till("demo-till-7"), "present_code") },
		l.again,
		l.bindAndReplay,
		func() error { return l.release(amount) },
		func() error { return l.expect("status", "authorized", true) },
		func() error { return l.act("confirm", "/confirm", map[string]any{}, "succeeded") },
		func() error { return l.receipt(amount) },
		func() error { return l.giveBack(part, "pending", "succeeded") },
		func() error { return l.refunded("status after refund", part) },
		l.confirmRefund,
		func() error { return l.timeline("observation") },
		func() error { return l.webhooks("refund.succeeded") },
		func() error { return l.loseConfirm(amount) },
		func() error { return l.webhooks("payment.doubt_ended") },
	)
}

func till(order string) map[string]any { return map[string]any{"order_id": order} }

// bindAndReplay has the payer show a code and the till claim it; the same code shown
// for another payment must be refused, and nothing be sent.
func (l *life) bindAndReplay() error {
	var code string
	err := story(
		func() error { return l.shows(&code) },
		func() error {
			return l.act("bind (decrypt, verify, commit)", "/bind", map[string]any{"code": code}, "pending")
		},
	)
	if err != nil {
		return err
	}
	first := l.payment
	return story(
		func() error { return l.create("create another", till("demo-till-8"), "present_code") },
		func() error { return l.refuses(code) },
		func() error { l.payment = first; return nil },
	)
}

func (l *life) shows(code *string) error {
	return l.step("payer shows a code", func() (string, error) {
		err := l.control(http.MethodGet, "/payer/code", "", code)
		return fmt.Sprintf("%d bytes, encrypted and signed", len(*code)), err
	})
}

func (l *life) refuses(code string) error {
	return l.step("the same code again", func() (string, error) {
		before, err := l.received()
		if err != nil {
			return "", err
		}
		var p client.Payment
		err = l.post(l.path("/bind"), map[string]any{"code": code}, &p)
		var problem *client.Problem
		after, countErr := l.received()
		switch {
		case !errors.As(err, &problem) || problem.Class != "code_invalid":
			return "", fmt.Errorf("answer is %w, the contract wants code_invalid", err)
		case countErr != nil:
			return "", countErr
		case after != before:
			return "", errors.New("something was sent, the contract wants nothing")
		}
		return fmt.Sprintf("HTTP %d %s, effect %s, nothing sent", problem.Status, problem.Class, problem.Effect), nil
	})
}

func (l *life) release(amount client.Money) error {
	return l.act("release "+amount.String(), "/release", map[string]any{"amount": amount}, "processing", "authorized")
}

func (l *life) receipt(total client.Money) error {
	return l.step("receipt", func() (string, error) {
		var r client.Receipt
		err := l.post(l.path("/receipts"), map[string]any{
			"register_number": "0000000001012345", "fiscal_sign": "2718281828", "total": total,
			"issued_at": time.Now().UTC().Format(time.RFC3339),
		}, &r)
		if err == nil && r.Status != "registered" {
			err = fmt.Errorf("receipt is %s, the contract wants registered", r.Status)
		}
		return r.Status, err
	})
}

func (l *life) confirmRefund() error {
	return l.step("confirm refund", func() (string, error) {
		err := l.post(l.path("/refunds/"+url.PathEscape(l.refund.ID)+"/confirm"), map[string]any{}, &l.refund)
		if err == nil && l.refund.Status != "succeeded" {
			err = fmt.Errorf("refund is %s, the contract wants succeeded", l.refund.Status)
		}
		return l.refund.Status, err
	})
}

// loseConfirm charges once more and loses the answer to confirm.
func (l *life) loseConfirm(amount client.Money) error {
	var code string
	return story(
		func() error { return l.create("create one more", till("demo-till-9"), "present_code") },
		func() error { return l.shows(&code) },
		func() error { return l.act("bind", "/bind", map[string]any{"code": code}, "pending") },
		func() error { return l.release(amount) },
		func() error { return l.expect("status", "authorized", true) },
		func() error {
			return l.lose("confirm", "/v1/purchase/kassa/status", l.path("/confirm"), map[string]any{})
		},
		func() error { return l.expect("status", "succeeded", true) },
	)
}
