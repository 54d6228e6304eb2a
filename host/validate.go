package host

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// The limits of text fields, in bytes.
const (
	maxOrderID     = 255
	maxText        = 4 << 10
	maxCode        = 8 << 10
	maxLines       = 500
	maxDescription = 2 << 10
)

func checkCreate(m *pay.Manifest, r *pay.CreateRequest, now time.Time) error {
	if r.OrderID == "" || len(r.OrderID) > maxOrderID {
		return invalid("order_id", "must be 1 to 255 bytes")
	}
	if !r.Amount.IsZero() || !slices.Contains(m.Flows, pay.FlowTill) {
		if err := checkAmount(m, "amount", r.Amount); err != nil {
			return err
		}
	}
	if len(r.Description) > maxDescription {
		return invalid("description", "is longer than 2048 bytes")
	}
	// A repeat that is to end a doubt goes as the first send did, though its time is over by now.
	if !r.ExpiresAt.IsZero() && !r.ExpiresAt.After(now) && !r.Earlier.Doubtful() {
		return invalid("expires_at", "is in the past")
	}
	for _, u := range []struct{ field, value string }{
		{"return_url", r.ReturnURL}, {"fail_url", r.FailURL}, {"notification_url", r.NotificationURL},
	} {
		if err := checkURL(u.field, u.value); err != nil {
			return err
		}
	}
	return checkLines(r.Lines, r.Amount.Currency)
}

func checkURL(field, value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || len(value) > maxText {
		return invalid(field, "is not an absolute URL of at most 4096 bytes")
	}
	return nil
}

func checkLines(lines []pay.Line, currency pay.Currency) error {
	if len(lines) > maxLines {
		return invalid("lines", "are more than 500")
	}
	for i, line := range lines {
		field := "lines[" + strconv.Itoa(i) + "]"
		switch {
		case line.Name == "" || len(line.Name) > maxText:
			return invalid(field+".name", "must be 1 to 4096 bytes")
		case line.Quantity < 1:
			return invalid(field+".quantity", "must be 1 or more")
		case line.Price.Minor < 0:
			return invalid(field+".price.value", "must not be negative")
		case currency != "" && line.Price.Currency != currency:
			return invalid(field+".price.currency", "must be the payment's, "+string(currency))
		}
	}
	return nil
}

// checkAmount holds an amount against the currencies that the plugin takes.
func checkAmount(m *pay.Manifest, field string, amount pay.Money) error {
	spec, err := currencyOf(m, field, amount)
	if err != nil {
		return err
	}
	return bounded(spec, field, amount)
}

func currencyOf(m *pay.Manifest, field string, amount pay.Money) (pay.CurrencySpec, error) {
	if amount.IsZero() {
		return pay.CurrencySpec{}, invalid(field, "is missing")
	}
	spec, ok := m.Currency(amount.Currency)
	if !ok {
		return spec, invalid(field+".currency", "provider does not take "+strconv.Quote(string(amount.Currency)))
	}
	return spec, nil
}

func bounded(spec pay.CurrencySpec, field string, amount pay.Money) error {
	if problem := amountProblem(spec, amount.Minor); problem != "" {
		return invalid(field+".value", problem)
	}
	return nil
}

// amountProblem says why an amount in minor units is not taken, "" if it is.
func amountProblem(spec pay.CurrencySpec, minor int64) string {
	switch {
	case minor < 1:
		return "must be above zero"
	case minor%spec.Step != 0:
		return "must be a multiple of " + pay.New(spec.Step, spec.Currency).String()
	case minor < spec.Min:
		return "is below the provider's least, " + pay.New(spec.Min, spec.Currency).String()
	case spec.Max > 0 && minor > spec.Max:
		return "is above the provider's most, " + pay.New(spec.Max, spec.Currency).String()
	}
	return ""
}

// ofRefunds is what a refund is held to; all says that it gives back all that is left.
// A currency's bounds are of payments, and what was paid may have been paid under
// others: no refund is too large for them, nor is all that is left too small. The
// step holds in any case, since a plugin may write amounts in units of it.
func ofRefunds(spec pay.CurrencySpec, all bool) pay.CurrencySpec {
	spec.Max = 0
	if all {
		spec.Min = 0
	}
	return spec
}

func checkCode(code string) error {
	if code == "" || len(code) > maxCode {
		return invalid("code", "must be 1 to 8192 bytes")
	}
	return nil
}

// checkRefund holds a refund against the manifest and what was paid.
func checkRefund(m *pay.Manifest, r *pay.RefundRequest) error {
	spec, err := currencyOf(m, "amount", r.Amount)
	if err != nil {
		return err
	}
	all := r.Amount.Minor == r.Paid.Minor-r.Refunded.Minor
	if err := bounded(ofRefunds(spec, all), "amount", r.Amount); err != nil {
		return err
	}
	if r.Paid.IsZero() {
		return invalid("paid", "is missing: nothing was paid that could be given back")
	}
	if r.Refunded.IsZero() {
		r.Refunded = pay.New(0, r.Paid.Currency)
	}
	rest, err := r.Paid.Sub(r.Refunded)
	if err != nil {
		return invalid("refunded", err.Error())
	}
	over, err := r.Amount.Cmp(rest)
	if err != nil {
		return invalid("amount.currency", "is not the payment's, "+string(r.Paid.Currency))
	}
	if over > 0 {
		return invalid("amount.value", "is above what is left to refund, "+rest.String())
	}
	return nil
}

func checkReceipt(r *pay.ReceiptRequest) error {
	switch {
	case r.RegisterNumber == "" || len(r.RegisterNumber) > maxOrderID:
		return invalid("register_number", "must be 1 to 255 bytes")
	case r.FiscalSign == "" || len(r.FiscalSign) > maxOrderID:
		return invalid("fiscal_sign", "must be 1 to 255 bytes")
	case len(r.Code) > maxCode:
		return invalid("code", "is longer than 8192 bytes")
	}
	return checkLines(r.Lines, r.Total.Currency)
}

func tooLarge() *pay.Error {
	return invalid("", "request is larger than a message may be (256 KiB)")
}
