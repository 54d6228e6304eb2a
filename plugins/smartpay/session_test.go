package smartpay_test

import (
	"testing"

	"github.com/payhost/payhost/sdk/pay"
)

func TestSessionIsOpenedAndKept(t *testing.T) {
	t.Parallel()
	p := newTill(t)
	p.Transcript("testdata/session.txt#opened")
	p.Transcript("testdata/session.txt#kept")
	for range 2 {
		if err := p.Ping(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSessionBelongsToItsTill changes till_id: the old cookie would speak for the
// old till.
func TestSessionBelongsToItsTill(t *testing.T) {
	t.Parallel()
	p := newTill(t, settings(`{"till_id": "2"}`))
	p.Store("session/1", []byte("kassa=of-till-1"), 0)
	p.Transcript(`> POST /v1/auth read
>
> {"till_id": "2"}
< 200
< set-cookie: kassa=of-till-2
<
< {"status": "ok"}
> GET /v1/ping read
> cookie: kassa=of-till-2
< 200
<
< {"status": "ok"}
`)
	if err := p.Ping(); err != nil {
		t.Fatal(err)
	}
}

func TestSessionIsRenewedOnce(t *testing.T) {
	t.Parallel()
	for _, section := range []string{"expired", "refused_without_a_body", "refused_under_403"} {
		t.Run(section, func(t *testing.T) {
			t.Parallel()
			p := openTill(t, "testdata/session.txt#"+section)
			if err := p.Ping(); err != nil {
				t.Fatal(err)
			}
			if kept, _ := p.Stored("session/1"); string(kept) != "kassa=fresh" {
				t.Errorf("the session kept is %q", kept)
			}
		})
	}
	err := openTill(t, "testdata/session.txt#refused_twice").Ping()
	equal(t, "refused twice", failed(t, err), failure{
		Class: pay.ClassAuth, Advice: pay.AdviceOperator, Effect: pay.EffectNone, Code: "1004",
	})
}

func TestLoginFails(t *testing.T) {
	t.Parallel()
	for section, want := range map[string]failure{
		"unknown_till": {
			Class: pay.ClassConfig, Field: "settings.till_id", Advice: pay.AdviceOperator, Code: "1005",
		},
		"login_refused":       {Class: pay.ClassAuth, Advice: pay.AdviceOperator},
		"no_cookie":           {Class: pay.ClassProtocol},
		"login_not_ok":        {Class: pay.ClassProtocol},
		"login_html":          {Class: pay.ClassProtocol},
		"login_down":          {Class: pay.ClassUnavailable},
		"certificate_refused": {Class: pay.ClassUnavailable},
	} {
		t.Run(section, func(t *testing.T) {
			t.Parallel()
			p := newTill(t)
			p.Transcript("testdata/session.txt#" + section)
			equal(t, "error", failed(t, p.Ping()), want)
			if _, kept := p.Stored("session/1"); kept {
				t.Error("a session that was not opened is kept")
			}
		})
	}
}

// TestSessionExpiresUnderMoney says what a refused session proves: as long as every
// request was refused at the door, nothing happened; one lost answer, and it may have.
func TestSessionExpiresUnderMoney(t *testing.T) {
	t.Parallel()
	for section, want := range map[string]failure{
		"release_expired":               {},
		"release_expired_login_down":    {Class: pay.ClassUnavailable, Effect: pay.EffectNone},
		"release_expired_then_not_sent": {Class: pay.ClassUnavailable, Effect: pay.EffectNone},
		"release_expired_then_lost":     {Class: pay.ClassTimeout, Effect: pay.EffectMaybe},
		"release_expired_twice": {
			Class: pay.ClassAuth, Advice: pay.AdviceOperator, Effect: pay.EffectNone, Code: "1002",
		},
	} {
		t.Run(section, func(t *testing.T) {
			t.Parallel()
			p := openTill(t, "testdata/session.txt#"+section)
			_, err := p.Release(pay.PaymentRequest{Payment: bound(), Amount: kopecks(25050)})
			equal(t, "error", failed(t, err), want)
		})
	}
}
