package conformance

import (
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
)

// Provider tells the suite of a provider: how to simulate it, how to connect to it,
// and what can be asked of it. Its own package writes one in Go; package scenario
// reads one from a file.
type Provider struct {
	// Name is the provider's, in lowercase: it is shown in reports.
	Name string
	// Start starts a simulator of the provider, as new: nothing in it, default
	// settings, the wall clock. The suite starts one for each life and closes it.
	Start func() (Simulator, error)
	// Connect returns how payhost connects to a simulator that is reached at baseURL.
	// Name, Plugin and Egress are filled in by the suite. Files that it needs go into
	// dir, which is the life's own.
	Connect func(s Simulator, baseURL, dir string) (host.ConnectionConfig, error)
	// Terms are what a merchant asks of the provider, and the words it answers with.
	Terms Terms
	// Cases are the provider's own checks, beside those that every plugin must pass.
	Cases []Case
}

// Simulator is a provider that does as it is told. A *[simkit.Kit] is one: give it
// an http.Handler that speaks the provider's wire and a [simkit.Model] that holds
// its objects.
//
// The suite serves it on loopback over plain HTTP. One that must listen by itself,
// for TLS, also has a URL method; see [Listening].
type Simulator interface {
	// ServeHTTP speaks the provider's wire. It must be right: faults are the suite's,
	// which puts them on the wire between the plugin and the simulator.
	http.Handler
	// Objects lists what there is at the provider, oldest first.
	Objects() []simkit.Object
	// Move brings an object, by its exact id, to an outcome, whatever its state is.
	Move(id, outcome string) error
	// Effects is the provider's own ledger: every movement of money, oldest first. What
	// it says is the truth that payhost is held against.
	Effects() []simkit.Effect
	// Advance moves the provider's clock forward.
	Advance(d time.Duration)
	// Close frees what the simulator holds.
	Close() error
}

// Listening is a [Simulator] that listens by itself.
type Listening interface {
	// URL is the base URL of the provider's API: scheme, host and port.
	URL() string
}

// Presenter is a [Simulator] of a till, whose payers show codes.
type Presenter interface {
	// Present returns a code as a payer shows it. kind is "" for a good one, or one of
	// Terms.BadCodes.
	Present(kind string) (string, error)
}

// Caller is a [Simulator] that calls the merchant, in the background.
type Caller interface {
	// WaitDeliveries returns when no call is under way.
	WaitDeliveries()
}

// Terms are what a merchant asks of a provider, and the provider's words.
type Terms struct {
	// Currency and Amount, in minor units, are those of an ordinary payment. The amount
	// must be one that the simulator treats as ordinary.
	Currency string
	Amount   int64
	// Amounts are more of them that must come through exactly: the smallest, one that a
	// float would spoil, a large one. The suite adds none.
	Amounts []int64
	// BadAmounts must be refused before anything is sent.
	BadAmounts []int64
	// Payment is merged into the body of POST /v1/payments: customer, lines, options. A
	// customer's name and e-mail address there are private, and watched.
	Payment map[string]any
	// Receipt is the body of POST /v1/payments/{id}/receipts.
	Receipt map[string]any
	// Private are texts that the provider tells and that must reach no log: a card's
	// number, a payer's name.
	Private []string

	// PaymentKind and RefundKind are the Kind of a payment's and of a refund's objects.
	PaymentKind, RefundKind string
	// Outcomes are the provider's words for what may become of them.
	Outcomes Outcomes
	// WholeRefunds: only the whole amount can be given back.
	WholeRefunds bool
	// Lifetime is when an unpaid payment is over at the provider, if the merchant gave no
	// time; 0 if it never is by itself.
	Lifetime time.Duration
	// Expiry: the merchant may say until when a payment can be paid.
	Expiry bool
	// BadCodes are the kinds of codes that must be refused at a till.
	BadCodes []string
	// BadSettings are settings that must be refused, by what is wrong with them, with the
	// field's path that the error must name.
	BadSettings []BadSettings
}

// Outcomes are the words that Move takes, by what they mean. An empty word means
// that the provider has no such end, or comes to it by itself.
type Outcomes struct {
	Paid         string // the payer has paid
	Processing   string // the payer has begun to pay
	Failed       string // the payment has failed for good
	Canceled     string // it was canceled at the provider
	Expired      string // the time to pay is over
	Refunded     string // a refund's object: the money has gone back
	RefundFailed string // a refund's object: it was refused
}

// BadSettings are settings that a plugin must refuse.
type BadSettings struct {
	Settings string // a JSON object
	Field    string // the path that the error names: "branch_token"
}
