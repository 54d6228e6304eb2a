package aurora

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

const (
	currency = "EUR"
	maxText  = 4096
	// Amounts in cents. The most is a billion euros: enough for anyone and far from an overflow.
	minAmount = 50
	maxAmount = 100_000_000_000
)

// wanted is what an order request asks for.
type wanted struct {
	number               string
	amount               int64
	returnURL, notifyURL string
}

// fields are the members of a body, not read yet.
type fields map[string]json.RawMessage

func readFields(body []byte) (fields, *refusal) {
	var f fields
	if json.Unmarshal(body, &f) != nil || f == nil {
		return nil, badField("", "the body must be a JSON object")
	}
	return f, nil
}

func (f fields) order() (wanted, *refusal) {
	known := []string{"shop", "order", "amount", "currency", "return_url", "notify_url"}
	if bad := f.only(known); bad != nil {
		return wanted{}, bad
	}
	var w wanted
	shop, bad1 := f.text("shop", true)
	number, bad2 := f.text("order", true)
	cents, bad3 := f.money("amount")
	currencyWord, bad4 := f.text("currency", true)
	back, bad5 := f.link("return_url")
	tell, bad6 := f.link("notify_url")
	for _, bad := range []*refusal{bad1, bad2, bad3, bad4, bad5, bad6} {
		if bad != nil {
			return wanted{}, bad
		}
	}
	switch {
	case shop != ShopID:
		return wanted{}, badField("shop", "no such shop")
	case currencyWord != currency:
		return wanted{}, badField("currency", "must be EUR")
	case cents < minAmount:
		return wanted{}, badField("amount", "too small")
	}
	w = wanted{number, cents, back, tell}
	return w, nil
}

func (f fields) refund() (id string, amount int64, bad *refusal) {
	if bad := f.only([]string{"order_id", "amount"}); bad != nil {
		return "", 0, bad
	}
	id, bad = f.text("order_id", true)
	if bad != nil {
		return "", 0, bad
	}
	amount, bad = f.money("amount")
	return id, amount, bad
}

// only refuses a member that is not known.
func (f fields) only(known []string) *refusal {
	for name := range f {
		if !slices.Contains(known, name) {
			return badField(name, "no such field")
		}
	}
	return nil
}

// text reads a string; a missing one is "".
func (f fields) text(name string, required bool) (string, *refusal) {
	raw, given := f[name]
	var value string
	switch {
	case given && (raw[0] != '"' || json.Unmarshal(raw, &value) != nil):
		return "", badField(name, "must be a text")
	case required && value == "":
		return "", badField(name, "is missing")
	case len(value) > maxText:
		return "", badField(name, "is too long")
	}
	return value, nil
}

// money reads a number of euros with at most two decimals, exactly, from its text.
func (f fields) money(name string) (int64, *refusal) {
	text := bytes.TrimSpace(f[name])
	cents, err := simkit.ParseNumber(json.Number(text), 2)
	switch {
	case len(text) == 0:
		return 0, badField(name, "is missing")
	case err != nil:
		return 0, badField(name, "must be a number with at most two decimals")
	case cents == 0:
		return 0, badField(name, "too small")
	case cents > maxAmount:
		return 0, badField(name, "too large")
	}
	return cents, nil
}

// link reads the address of a page; a missing one is "".
func (f fields) link(name string) (string, *refusal) {
	value, bad := f.text(name, false)
	if bad != nil || value == "" {
		return "", bad
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", badField(name, "must be an http or https address")
	}
	return value, nil
}
