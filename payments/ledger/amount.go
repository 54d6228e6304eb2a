package ledger

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/payhost/payhost/sdk/pay"
)

// Amount is money as it stands in JSON: {"value":"250000","currency":"KZT"}, the
// value in minor units as a decimal string. No amount is null.
type Amount struct{ pay.Money }

// Of returns the amount of money.
func Of(m pay.Money) Amount { return Amount{m} }

// MarshalJSON writes the amount.
func (a Amount) MarshalJSON() ([]byte, error) {
	if a.IsZero() {
		return []byte("null"), nil
	}
	b := append(make([]byte, 0, 48), `{"value":"`...)
	b = strconv.AppendInt(b, a.Minor, 10)
	b = append(b, `","currency":"`...)
	for _, c := range []byte(a.Currency) { // a code has capitals only, but the text may come from outside
		if c < 'A' || c > 'Z' {
			return nil, errors.New("currency is not in capital letters")
		}
	}
	b = append(b, a.Currency...)
	return append(b, `"}`...), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Amount) UnmarshalJSON(data []byte) error {
	*a = Amount{}
	if string(data) == "null" {
		return nil
	}
	var wire struct {
		Value    int64        `json:"value,string"`
		Currency pay.Currency `json:"currency"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	a.Money = pay.New(wire.Value, wire.Currency)
	return nil
}
