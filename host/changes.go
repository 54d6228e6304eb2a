package host

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// unknownLifetime is how long a provider is trusted to know a key if its plugin does
// not say.
const unknownLifetime = 24 * time.Hour

// KeyLifetime is how long a provider is trusted to know an operation's key: what the
// manifest says, or a day if it says nothing.
func KeyLifetime(spec pay.OperationSpec) time.Duration {
	if spec.KeyLifetime <= 0 {
		return unknownLifetime
	}
	return spec.KeyLifetime
}

// AmountChange is a currency of which the next revision takes fewer amounts.
type AmountChange struct {
	Now, Next pay.CurrencySpec
}

// Fits reports whether the next revision takes an amount in minor units.
func (c AmountChange) Fits(minor int64) bool { return amountProblem(c.Next, minor) == "" }

// FitsRefund is Fits for a refund; all says that it gives back all that is left, which
// is held to the step alone.
func (c AmountChange) FitsRefund(minor int64, all bool) bool {
	return amountProblem(ofRefunds(c.Next, all), minor) == ""
}

// String is such as "amounts KZT step 0.01 KZT to 1.00 KZT and max none to 400.00 KZT".
func (c AmountChange) String() string {
	return "amounts " + string(c.Now.Currency) + " " + strings.Join(c.differences(), " and ")
}

func (c AmountChange) differences() []string {
	text := func(minor int64) string { return pay.New(minor, c.Now.Currency).String() }
	most := func(minor int64) string {
		if minor == 0 {
			return "none"
		}
		return text(minor)
	}
	var list []string
	if c.Next.Step > 0 && c.Now.Step%c.Next.Step != 0 {
		list = append(list, "step "+text(c.Now.Step)+" to "+text(c.Next.Step))
	}
	if c.Next.Min > max(c.Now.Min, 1) { // nothing below one minor unit is taken anyway
		list = append(list, "min "+text(c.Now.Min)+" to "+text(c.Next.Min))
	}
	if c.Next.Max > 0 && (c.Now.Max == 0 || c.Next.Max < c.Now.Max) {
		list = append(list, "max "+most(c.Now.Max)+" to "+most(c.Next.Max))
	}
	return list
}

// RepeatChange is a writing operation of which the next revision says otherwise what
// the provider makes of a second send, so that one that this revision has sent can't
// be repeated by the next one as it was promised.
type RepeatChange struct {
	Now, Next pay.OperationSpec
}

// changed looks the operation up in the next manifest. An operation that is lost, or
// does not write, has not changed.
func (c *RepeatChange) changed(next *pay.Manifest) bool {
	var ok bool
	c.Next, ok = next.Operation(c.Now.Operation)
	return ok && c.Now.Operation.Kind().Writes() && len(c.differences()) > 0
}

// Takes reports whether a provider key that an operation has, "" for none, is one that
// the next revision could have given it.
func (c RepeatChange) Takes(key string) bool {
	if key == "" || c.Next.KeyForm == pay.KeyNone {
		return key == "" && c.Next.KeyForm == pay.KeyNone
	}
	return c.Now.KeyForm == c.Next.KeyForm && len(key) <= mostKey(c.Next)
}

// Shorter reports whether the provider is trusted to know a key for less long.
func (c RepeatChange) Shorter() bool { return KeyLifetime(c.Next) < KeyLifetime(c.Now) }

// String is such as "repeat create idempotency native to lookup and key uuid to none".
func (c RepeatChange) String() string {
	return "repeat " + c.Now.Operation.String() + " " + strings.Join(c.differences(), " and ")
}

func (c RepeatChange) differences() []string {
	var list []string
	change := func(what string, now, next any) { list = append(list, fmt.Sprintf("%s %v to %v", what, now, next)) }
	// What is never sent again may be said anything of.
	if c.Now.Idempotency != pay.IdempotencyNone && c.Now.Idempotency != c.Next.Idempotency {
		change("idempotency", c.Now.Idempotency, c.Next.Idempotency)
	}
	switch {
	case c.Now.KeyForm != c.Next.KeyForm:
		change("key", c.Now.KeyForm, c.Next.KeyForm)
	case c.Now.KeyForm != pay.KeyNone && mostKey(c.Next) < mostKey(c.Now):
		change("key length", strconv.Itoa(mostKey(c.Now)), strconv.Itoa(mostKey(c.Next)))
	}
	native := c.Now.Idempotency == pay.IdempotencyNative && c.Next.Idempotency == pay.IdempotencyNative
	if native && c.Shorter() {
		change("key lifetime", KeyLifetime(c.Now), KeyLifetime(c.Next))
	}
	return list
}

// ProofChange is how far a notification is trusted, before and after.
type ProofChange struct {
	Now, Next pay.Authenticity
}

// String is such as "notification strong to weak".
func (c ProofChange) String() string {
	return "notification " + c.Now.String() + " to " + c.Next.String()
}
