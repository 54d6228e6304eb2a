package smartpay

import (
	"strings"

	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// presented is the QR code that the payer's app shows ("Структура QR-кода").
type presented struct {
	loyalty   string // the payer's id in the loyalty program
	encrypted string // base64 of <otp>.<timestamp>.<user_id>, encrypted for the service
	sign      string // base64 of the app's signature of the same text
}

// parseCode reads what the scanner read. Anything but an object with the three
// texts is refused before it is sent: a goods' barcode, another app's code, half a
// code. Whether the texts mean something is not asked here.
func parseCode(code string) (*presented, *pay.Error) {
	body, err := json.Parse([]byte(code))
	if err != nil || body.Kind() != json.Object {
		return nil, badCode("is not the JSON object of a SmartPay code")
	}
	c := &presented{}
	for _, member := range []struct {
		name string
		into *string
	}{{fieldLoyalty, &c.loyalty}, {fieldEncrypted, &c.encrypted}, {fieldSign, &c.sign}} {
		text, ok := body.Get(member.name).Text()
		// A payer need not be in the loyalty program, but must be in the code.
		if !ok || text == "" && member.name != fieldLoyalty {
			return nil, badCode("has no text " + member.name)
		}
		*member.into = text
	}
	return c, nil
}

// write adds the code's members to an object, as they came.
func (c *presented) write(w *json.Writer) {
	w.String(fieldLoyalty, c.loyalty)
	w.String(fieldEncrypted, c.encrypted)
	w.String(fieldSign, c.sign)
}

// hint is what a cashier may see of the payer: the end of a loyalty id that is long
// enough not to be told by it.
func (c *presented) hint() string {
	const shown = 4
	id := []rune(strings.TrimSpace(c.loyalty))
	if len(id) < 2*shown {
		return ""
	}
	return "***" + string(id[len(id)-shown:])
}

// badCode says that the code is no good; the payer must show another.
func badCode(message string) *pay.Error {
	return &pay.Error{Class: pay.ClassCodeInvalid, Field: fieldCode, Message: message}
}
