package pay_test

import (
	"errors"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

func TestErrorText(t *testing.T) {
	t.Parallel()
	cases := []struct {
		err  pay.Error
		want string
	}{
		{pay.Error{Class: pay.ClassTimeout}, "timeout"},
		{pay.Error{Class: pay.ClassTimeout, Err: io.ErrUnexpectedEOF}, "unexpected EOF"},
		{pay.Error{Class: pay.ClassTimeout, Err: io.EOF, Message: "no answer"}, "no answer"},
		{pay.Error{Class: pay.ClassConfig, Field: "settings.zone", Message: "empty"}, "settings.zone: empty"},
		{pay.Error{Class: pay.ClassDeclined, Operation: pay.OpRelease}, "release: declined"},
		{
			pay.Error{
				Class: pay.ClassDeclined, Operation: pay.OpCreate, Field: "amount", Message: "too small",
				ProviderCode: "E-17", ProviderMessage: "not in the text", RetryAfter: time.Second,
			},
			"create: amount: too small (provider code E-17)",
		},
		{pay.Error{}, "unknown"},
	}
	for _, c := range cases {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestErrorFill(t *testing.T) {
	t.Parallel()
	usual := map[pay.Advice][]pay.Class{
		pay.AdviceFix: {
			pay.ClassInvalidRequest, pay.ClassConfig, pay.ClassUnsupported, pay.ClassNotFound, pay.ClassKeyReused,
		},
		pay.AdviceAskPayer: {pay.ClassDeclined, pay.ClassCodeInvalid, pay.ClassCodeExpired},
		pay.AdviceRetrySameKey: {
			pay.ClassRateLimited, pay.ClassUnavailable, pay.ClassTimeout, pay.ClassInProgress, pay.ClassLimit,
		},
		pay.AdviceProbe:    {pay.ClassDuplicate, pay.ClassProtocol, pay.ClassInDoubt, pay.ClassStateConflict},
		pay.AdviceOperator: {0, pay.ClassAuth, pay.ClassIntegrity, pay.ClassPluginFault, pay.ClassHostFault},
	}
	seen := 0
	for advice, classes := range usual {
		for _, class := range classes {
			seen++
			if got := (&pay.Error{Class: class, Effect: pay.EffectNone}).Fill().Advice; got != advice {
				t.Errorf("%s: advice %s, want %s", class, got, advice)
			}
			cautious := (&pay.Error{Class: class, Effect: pay.EffectMaybe}).Fill().Advice
			if cautious != pay.AdviceProbe && cautious != pay.AdviceOperator {
				t.Errorf("%s with an effect not known: advice %s may move money twice", class, cautious)
			}
			given := &pay.Error{Class: class, Advice: pay.AdviceNewAttempt}
			if given.Fill() != given || given.Advice != pay.AdviceNewAttempt {
				t.Errorf("%s: given advice became %s", class, given.Advice)
			}
		}
	}
	if seen != int(pay.ClassHostFault)+1 {
		t.Errorf("%d classes looked at, want all", seen)
	}
}

// wrapped carries another error, as fmt's %w does.
type wrapped struct{ error }

func (w wrapped) Unwrap() error { return w.error }

func TestAsErrorAndClassOf(t *testing.T) {
	t.Parallel()
	if pay.AsError(nil) != nil || pay.ClassOf(nil) != 0 {
		t.Error("nil is not nil")
	}
	declined := &pay.Error{Class: pay.ClassDeclined, Err: io.EOF}
	if pay.AsError(wrapped{declined}) != declined || pay.ClassOf(wrapped{declined}) != pay.ClassDeclined {
		t.Error("a wrapped error is not found")
	}
	if !errors.Is(wrapped{declined}, io.EOF) {
		t.Error("the cause is not reachable")
	}
	foreign := errors.New("open /etc/payhost/key.pem")
	e := pay.AsError(foreign)
	if e.Class != pay.ClassHostFault || pay.ClassOf(foreign) != pay.ClassHostFault {
		t.Errorf("class %s", e.Class)
	}
	if e.Error() != "internal error" || !errors.Is(e, foreign) {
		t.Errorf("text %q must not show the cause, but errors.Is must find it", e.Error())
	}
}

func TestStringsOfUnknownNumbers(t *testing.T) {
	t.Parallel()
	for _, word := range []string{
		pay.Class(0).String(), pay.Class(255).String(), pay.PaymentStatus(0).String(), pay.Wire(9).String(),
		pay.KeyForm(9).String(), pay.Found(9).String(), pay.Authenticity(9).String(), pay.Operation(0).String(),
	} {
		if word != "unknown" {
			t.Errorf("got %q", word)
		}
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	required, writing := 0, 0
	for i, op := range pay.Operations() {
		if int(op) != i+1 {
			t.Errorf("%s has number %d, stands at %d", op, op, i+1)
		}
		if op.Required() {
			required++
		}
		if op.Kind().Writes() {
			writing++
		}
	}
	if n := len(pay.Operations()); n != 16 || required != 4 || writing != 9 {
		t.Errorf("%d operations, %d required, %d writing", n, required, writing)
	}
	for op, kind := range map[pay.Operation]pay.OperationKind{
		pay.OpDescribe: pay.KindPure, pay.OpCheckConfig: pay.KindPure, pay.OpNotification: pay.KindPure,
		pay.OpStatus: pay.KindRead, pay.OpPing: pay.KindRead, pay.OpReceipt: pay.KindFiscal,
		pay.OpCancelRefund: pay.KindMoney, pay.OpBind: pay.KindMoney, pay.Operation(99): pay.KindPure,
	} {
		if op.Kind() != kind {
			t.Errorf("%s (%d): kind %s", op, op, strconv.Itoa(int(op.Kind())))
		}
	}
}

func TestOutcomeSettled(t *testing.T) {
	t.Parallel()
	settled := map[pay.Outcome]bool{
		pay.OutcomeApplied: true, pay.OutcomeDeclined: true, pay.OutcomeNotApplied: true,
	}
	for o := range pay.OutcomeInDoubt + 1 {
		if o.Settled() != settled[o] {
			t.Errorf("%s: settled %t", o, o.Settled())
		}
	}
}

func TestManifestLookups(t *testing.T) {
	t.Parallel()
	m := pay.Manifest{
		Operations: []pay.OperationSpec{{Operation: pay.OpCreate, MoneyCalls: 2}},
		Currencies: []pay.CurrencySpec{{Currency: pay.KZT, Step: 100}},
	}
	if spec, ok := m.Operation(pay.OpCreate); !ok || spec.MoneyCalls != 2 {
		t.Errorf("create: %+v %t", spec, ok)
	}
	if _, ok := m.Operation(pay.OpRefund); ok {
		t.Error("refund was not declared")
	}
	if spec, ok := m.Currency(pay.KZT); !ok || spec.Step != 100 {
		t.Errorf("KZT: %+v %t", spec, ok)
	}
	if _, ok := m.Currency(pay.TMT); ok {
		t.Error("TMT was not declared")
	}
	r := pay.CreateRequest{Options: []pay.Option{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}}}
	if r.Option("a") != "1" || r.Option("b") != "" {
		t.Error("the first option of a name counts, an absent one is empty")
	}
}
