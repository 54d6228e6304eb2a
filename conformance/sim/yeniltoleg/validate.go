package yeniltoleg

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// timeForm is the form of expireAt and expiresAt: no zone.
const timeForm = "2006-01-02T15:04:05"

// messageKey is what the document's sample says about a key.
const messageKey = "Указанное условие не было выполнено для 'Idempotency Key'."

const (
	maxText  = 4096
	maxLines = 1000
	// maxAmount, in minor units, is a billion manat: enough for anyone and far from an overflow.
	maxAmount = 100_000_000_000
)

// order is what a register request asks for. Amounts are in minor units.
type order struct {
	key, number, description, locale string
	returnURL, failURL               string
	customer, email                  string
	amount                           int64
	expireAt                         time.Time
	lines                            []line
	// body is the request in one canonical form, to tell whether it is the same again.
	body string
}

type line struct {
	name     string
	quantity json.Number
	price    int64
}

// checker reads members and gathers what is wrong with them, as ASP.NET does, instead of stopping at the
// first.
type checker struct {
	members object
	// path and field are put before a member's name: $.customer. and Customer.
	path, field string
	errors      map[string][]string
}

// inside is a checker of a member that must be an object.
func (c checker) inside(name string, raw json.RawMessage) (checker, bool) {
	inner := checker{path: c.path + name + ".", field: c.field + capital(name) + ".", errors: c.errors}
	ok := json.Unmarshal(raw, &inner.members) == nil && inner.members != nil
	if !ok {
		c.wrongType(name, "object")
	}
	return inner, ok
}

// text reads a string; a missing or empty one is "" and wrong only if it is required.
func (c checker) text(name string, required bool) string {
	var value string
	if raw, ok := c.given(name); ok {
		if json.Unmarshal(raw, &value) != nil {
			c.wrongType(name, "System.String")
			return ""
		}
	}
	switch {
	case required && strings.TrimSpace(value) == "":
		c.bad(name, "'%s' должно быть заполнено.", words(name))
	case len(value) > maxText:
		c.bad(name, "'%s' слишком длинное.", words(name))
	}
	return value
}

// money reads a number of manat with at most two decimals, exactly, from its text.
func (c checker) money(name string, zero bool) int64 {
	raw, ok := c.given(name)
	if !ok {
		c.bad(name, "'%s' должно быть заполнено.", words(name))
		return 0
	}
	number, ok := asNumber(raw)
	if !ok {
		c.wrongType(name, "System.Double")
		return 0
	}
	minor, err := simkit.ParseNumber(number, 2)
	switch {
	case err != nil || minor > maxAmount:
		c.bad(name, "'%s' имеет неверный формат: %s.", words(name), number)
	case minor == 0 && !zero:
		c.bad(name, "'%s' должно быть больше '0'.", words(name))
	}
	return minor
}

// link reads the address of a page.
func (c checker) link(name string, required bool) string {
	value := c.text(name, required)
	u, err := url.Parse(value)
	if value != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		c.bad(name, "'%s' имеет неверный формат.", words(name))
	}
	return value
}

// given says whether a member is there and not null.
func (c checker) given(name string) (json.RawMessage, bool) {
	raw, ok := c.members[name]
	return raw, ok && string(raw) != "null"
}

func (c checker) bad(name, format string, args ...any) {
	field := c.field + capital(name)
	c.errors[field] = append(c.errors[field], fmt.Sprintf(format, args...))
}

func (c checker) wrongType(name, kind string) {
	path := c.path + name
	c.errors[path] = append(c.errors[path],
		fmt.Sprintf("The JSON value could not be converted to %s. Path: %s | LineNumber: 0.", kind, path))
}

// readOrder checks a whole register request.
func readOrder(members object, zone *time.Location, now time.Time) (order, map[string][]string) {
	c := checker{members: members, path: "$.", errors: map[string][]string{}}
	o := order{
		key: c.text("idempotencyKey", false), number: c.text("orderNumber", true),
		description: c.text("description", false), locale: c.text("locale", false),
		returnURL: c.link("returnUrl", true), failURL: c.link("failUrl", false),
		amount: c.money("amount", false),
	}
	if strings.TrimSpace(o.key) == "" {
		c.bad("idempotencyKey", messageKey)
	}
	switch o.locale {
	case "":
		o.locale = "ru"
	case "ru", "tk":
	default:
		c.bad("locale", "'Locale' имеет диапазон значений, который не включает '%s'.", o.locale)
	}
	if raw, ok := c.given("paymentMethod"); ok && string(raw) != "0" {
		c.bad("paymentMethod", "'Payment Method' имеет диапазон значений, который не включает '%s'.", raw)
	}
	c.readExpiry(&o, zone, now)
	c.readCustomer(&o)
	c.readLines(&o)
	o.body = canonical(members)
	return o, c.errors
}

func (c checker) readExpiry(o *order, zone *time.Location, now time.Time) {
	text := c.text("expireAt", false)
	if text == "" {
		return
	}
	at, err := time.ParseInLocation(timeForm, text, zone)
	switch {
	case err != nil:
		c.wrongType("expireAt", "System.DateTime")
	case !at.After(now):
		c.bad("expireAt", "'Expire At' должно быть больше текущего времени.")
	}
	o.expireAt = at
}

func (c checker) readCustomer(o *order) {
	raw, ok := c.given("customer")
	if !ok {
		c.bad("customer", "'Customer' должно быть заполнено.")
		return
	}
	inner, ok := c.inside("customer", raw)
	if !ok {
		return
	}
	o.customer, o.email = inner.text("name", true), inner.text("email", false)
	if o.email != "" && !strings.Contains(o.email, "@") {
		inner.bad("email", "'Email' неверный email адрес.")
	}
}

func (c checker) readLines(o *order) {
	raw, ok := c.given("lines")
	if !ok {
		return
	}
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil || len(all) > maxLines {
		c.wrongType("lines", "System.Collections.Generic.List")
		return
	}
	for i, one := range all {
		inner, ok := c.inside(fmt.Sprintf("lines[%d]", i), one)
		if !ok {
			continue
		}
		l := line{name: inner.text("name", true), price: inner.money("price", true)}
		quantity, _ := inner.given("quantity")
		number, ok := asNumber(quantity)
		if n, err := simkit.ParseNumber(number, 6); !ok || err != nil || n == 0 {
			inner.bad("quantity", "'Quantity' должно быть больше '0'.")
		}
		l.quantity = number
		o.lines = append(o.lines, l)
	}
}

// asNumber takes the text of a JSON number and nothing else.
func asNumber(raw json.RawMessage) (json.Number, bool) {
	text := string(bytes.TrimSpace(raw))
	return json.Number(text), text != "" && strings.Contains("-0123456789", text[:1])
}

// canonical writes the members in one order, so that two spellings of the same request are equal.
func canonical(members object) string {
	whole, _ := json.Marshal(members) // the members were JSON a moment ago
	decoder := json.NewDecoder(bytes.NewReader(whole))
	decoder.UseNumber()
	var value any
	_ = decoder.Decode(&value)
	text, _ := json.Marshal(value)
	return string(text)
}

func capital(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// words spells a name as the messages do: returnUrl is Return Url.
func words(name string) string {
	var out strings.Builder
	for i, r := range capital(name) {
		if i > 0 && unicode.IsUpper(r) {
			out.WriteByte(' ')
		}
		out.WriteRune(r)
	}
	return out.String()
}
