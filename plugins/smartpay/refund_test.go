package smartpay_test

import (
	"testing"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

func askedRefund() pay.RefundRequest {
	return pay.RefundRequest{
		Intent:  pay.Intent{ProviderKey: "1-1768471200-1"},
		Payment: bound(), Refund: pay.Ref{ID: "ref_1", ProviderRef: "r-1"},
		Amount: kopecks(10000), Paid: kopecks(25050), Refunded: kopecks(15050),
	}
}

func TestRefundLife(t *testing.T) {
	t.Parallel()
	p := openTill(t, "testdata/refund.txt#life")
	r := askedRefund()
	result, err := p.Refund(r)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "refund", result, &pay.Result{
		Outcome: pay.OutcomeAccepted, ProviderRef: "r-1", Next: pay.NextAction{Type: pay.NextWait},
		Observations: []pay.Observation{{
			Subject: pay.SubjectRefund, Refund: pay.RefundPending, ProviderRef: "r-1",
			ProviderKey: "1-1768471200-1", Amount: kopecks(10000),
		}},
	})
	for _, want := range []pay.RefundStatus{pay.RefundPending, pay.RefundSucceeded} {
		items, err := p.RefundStatus(r.Refund)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "status", items[0].Observations[0].Refund, want)
	}
	result, err = p.ConfirmRefund(r)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "confirm", result.Outcome, pay.OutcomeApplied)
	equal(t, "confirm", result.Observations[0].Refund, pay.RefundSucceeded)
}

func TestRefundCanceled(t *testing.T) {
	t.Parallel()
	for section, want := range map[string]pay.RefundStatus{
		"canceled": pay.RefundFailed, "canceled_too_late": pay.RefundSucceeded,
	} {
		p := openTill(t, "testdata/refund.txt#"+section)
		result, err := p.CancelRefund(askedRefund())
		if err != nil {
			t.Fatal(err)
		}
		if result.Outcome != pay.OutcomeAccepted || len(result.Observations) > 0 {
			t.Errorf("%s: %+v", section, result)
		}
		items, err := p.RefundStatus(askedRefund().Refund)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, section, items[0].Observations[0].Refund, want)
	}
	_, err := openTill(t, "testdata/refund.txt#confirm_too_early").ConfirmRefund(askedRefund())
	equal(t, "confirm too early", failed(t, err), failure{Class: pay.ClassStateConflict, Code: "4005"})
}

// TestRefundRefused compares a first send with a repeat after a lost answer: what is
// a definite no at first may be our own refund's doing then.
func TestRefundRefused(t *testing.T) {
	t.Parallel()
	doubt := failure{Class: pay.ClassDuplicate, Field: "amount", Advice: pay.AdviceOperator, Code: "4003"}
	early := failure{Class: pay.ClassDuplicate, Advice: pay.AdviceOperator, Code: "4002"}
	other := failure{Class: pay.ClassDuplicate, Advice: pay.AdviceOperator, Code: "4004"}
	for name, tt := range map[string]struct {
		section string
		earlier pay.Wire
		want    failure
	}{
		"too much":                {section: "too_much", want: failure{Class: pay.ClassInvalidRequest, Field: "amount", Code: "4003"}},
		"too much, never sent":    {section: "too_much", earlier: pay.WireNotSent, want: failure{Class: pay.ClassInvalidRequest, Field: "amount", Code: "4003"}},
		"too much after a doubt":  {section: "too_much", earlier: pay.WireUnknown, want: doubt},
		"too much after a 500":    {section: "too_much", earlier: pay.WireAnswered, want: doubt},
		"too early":               {section: "too_early", want: failure{Class: pay.ClassStateConflict, Code: "4002"}},
		"too early after a doubt": {section: "too_early", earlier: pay.WireUnknown, want: early},
		"another's key":           {section: "key_of_another_refund", want: other},
		"lost":                    {section: "lost", want: failure{Class: pay.ClassTimeout, Effect: pay.EffectMaybe}},
		"lost again":              {section: "lost", earlier: pay.WireUnknown, want: failure{Class: pay.ClassTimeout, Effect: pay.EffectMaybe}},
		"found by the same key":   {section: "accepted", earlier: pay.WireUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := askedRefund()
			r.Attempt, r.Earlier.Wire = 2, tt.earlier
			_, err := openTill(t, "testdata/refund.txt#"+tt.section).Refund(r)
			equal(t, "error", failed(t, err), tt.want)
		})
	}
}

func receiptOf(payment *pay.Ref) pay.ReceiptRequest {
	return pay.ReceiptRequest{Payment: payment, RegisterNumber: "0001234567012345", FiscalSign: "2890123456"}
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	const shownCode = `{"id_loyalty": "9643100020003000", "encrypted": "ZW5j", "sign": "c2lnbg=="}`
	purchase, unbound := bound(), pay.Ref{ID: "pay_1"}
	whole := receiptOf(nil)
	whole.Total, whole.IssuedAt = kopecks(25050), time.Date(2026, 1, 15, 12, 59, 0, 0, time.FixedZone("MSK", 3*60*60))
	whole.Lines = []pay.Line{
		{Name: `Хлеб "Бородинский"`, Quantity: 3, Price: kopecks(5050)}, {Name: "Пакет", Quantity: 1, Price: kopecks(9900)},
	}
	withCode, both := receiptOf(nil), receiptOf(&purchase)
	withCode.Code, both.Code = shownCode, shownCode
	for name, tt := range map[string]struct {
		request pay.ReceiptRequest
		section string
		want    failure
	}{
		"of a payment":                 {request: receiptOf(&purchase), section: "purchase_v1"},
		"alone":                        {request: whole, section: "alone_v2"},
		"alone, no more than needed":   {request: receiptOf(nil), section: "alone_v2_bare"},
		"of a payment by other tender": {request: receiptOf(&unbound), section: "alone_v2_bare"},
		"with the code":                {request: withCode, section: "with_code_v2"},
		"of a payment, with the code":  {request: both, section: "with_code_v2"},
		"another one is stored":        {request: receiptOf(&purchase), section: "differs", want: failure{Class: pay.ClassStateConflict, Code: "3010"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := openTill(t, "testdata/receipt.txt#"+tt.section, withKeys).Receipt(tt.request)
			equal(t, "error", failed(t, err), tt.want)
			if err == nil && (result.Outcome != pay.OutcomeApplied || result.Observations[0].Receipt != pay.ReceiptRegistered) {
				t.Errorf("%+v", result)
			}
		})
	}
}

func TestReceiptThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*pay.ReceiptRequest)
		class  pay.Class
		field  string
	}{
		"no register":    {func(r *pay.ReceiptRequest) { r.RegisterNumber = "" }, pay.ClassInvalidRequest, "register_number"},
		"no fiscal sign": {func(r *pay.ReceiptRequest) { r.FiscalSign = "" }, pay.ClassInvalidRequest, "fiscal_sign"},
		"total in tenge": {func(r *pay.ReceiptRequest) { r.Total = pay.New(1, pay.KZT) }, pay.ClassInvalidRequest, "total"},
		"total below 0":  {func(r *pay.ReceiptRequest) { r.Total = kopecks(-1) }, pay.ClassInvalidRequest, "total"},
		"no name":        {func(r *pay.ReceiptRequest) { r.Lines = []pay.Line{{Quantity: 1, Price: kopecks(1)}} }, pay.ClassInvalidRequest, "lines[0].name"},
		"no quantity":    {func(r *pay.ReceiptRequest) { r.Lines = []pay.Line{{Name: "a", Price: kopecks(1)}} }, pay.ClassInvalidRequest, "lines[0].quantity"},
		"price in tenge": {func(r *pay.ReceiptRequest) {
			r.Lines = []pay.Line{{Name: "a", Quantity: 1, Price: kopecks(1)}, {Name: "b", Quantity: 1, Price: pay.New(1, pay.KZT)}}
		}, pay.ClassInvalidRequest, "lines[1].price"},
		"a barcode": {func(r *pay.ReceiptRequest) { r.Code = "4607001234567" }, pay.ClassCodeInvalid, "code"},
	} {
		r := receiptOf(nil)
		tt.change(&r)
		_, err := openTill(t, "").Receipt(r)
		equal(t, name, failed(t, err), failure{Class: tt.class, Field: tt.field})
	}
}
