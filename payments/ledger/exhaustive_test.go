package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// The model is a second telling of what a payment does, in words: no code of the
// ledger, and of package pay only the rows of the table. Every short history is told
// to both.

// stage is where the model has an operation.
type stage string

const (
	none     stage = ""
	sending  stage = "sending"
	doubt    stage = "in_doubt"
	accepted stage = "accepted"
	done     stage = "applied"
	refused  stage = "refused" // declined, or without effect and given up
	again    stage = "may be repeated"
)

// act is an operation in the model.
type act struct {
	stage    stage
	repeated bool // there was a second attempt
	doubted  bool
}

// model is a payment.
type model struct {
	status string
	bound  bool // the provider's id is known
	acts   [5]act
}

// The operations of the model, by their place in it.
var actors = [...]pay.Operation{pay.OpCreate, pay.OpBind, pay.OpRelease, pay.OpConfirm, pay.OpCancel}

const (
	create = iota
	bind
	release
	confirm
	cancel
)

// aims is what an operation that happened brings the payment to.
var aims = [...]string{create: "pending", bind: "pending", release: "processing", confirm: "succeeded", cancel: "canceled"}

// shows is what a status tells of an operation that is open: that it happened, or
// that it did not. Nothing where it tells nothing.
var shows = [...]map[string]stage{
	create: {"processing": done, "authorized": done, "succeeded": done, "failed": done, "canceled": done, "expired": done},
	bind:   {"processing": done, "authorized": done, "succeeded": done, "failed": done, "canceled": done, "expired": done},
	release: {
		"processing": done, "authorized": done, "succeeded": done, "failed": done, "canceled": refused, "expired": refused,
	},
	confirm: {"succeeded": done, "failed": refused, "canceled": refused, "expired": refused},
	cancel:  {"canceled": done, "expired": done, "succeeded": refused, "failed": refused},
}

// rows is the table as pairs of words.
func rows() map[string]bool {
	table := pay.Tables()[0]
	pairs := map[string]bool{}
	for _, row := range table.Rows {
		pairs[table.Name(row.From)+" "+table.Name(row.To)] = true
	}
	return pairs
}

var allowed = rows()

func (m *model) want(status string) {
	if allowed[m.status+" "+status] {
		m.status = status
	}
}

func (m *model) shown(n int, s stage) stage {
	switch {
	case n == create && s == accepted && m.status == "pending", n == bind && m.bound:
		return done
	}
	return shows[n][m.status]
}

// look ends what is open and can be seen by now.
func (m *model) look() {
	for n := range m.acts {
		a := &m.acts[n]
		if a.stage == doubt || a.stage == accepted {
			if s := m.shown(n, a.stage); s != none {
				a.stage, a.doubted = s, false
			}
		}
	}
}

// ends puts an operation where an outcome puts it.
func (m *model) ends(n int, s stage) {
	a := &m.acts[n]
	a.stage, a.doubted = s, a.doubted && s == doubt || s == doubt
	switch {
	case s == done, s == accepted && (n == create || n == release):
		m.want(aims[n])
	case s == refused && n == create && (m.status == "created" || m.status == "pending"):
		m.want("failed")
	}
}

// symbol is one thing that can happen, as both tell it.
type symbol struct {
	name  string
	bodys func(b *ledger.Book) []ledger.Body
	tell  func(m *model)
}

func begins(n int) symbol {
	id := ledger.OperationID(bookID, n+1)
	return symbol{
		name: actors[n].String() + " begins",
		bodys: func(b *ledger.Book) []ledger.Body {
			attempt := 1
			if op := b.Operation(id); op != nil {
				attempt = op.Attempt + 1
			}
			return []ledger.Body{
				ledger.Prepared{Operation: id, Op: actors[n], Attempt: attempt, Amount: kzt(1000)},
				ledger.Sending{Operation: id, Attempt: attempt, Call: 1},
			}
		},
		tell: func(m *model) {
			switch a := &m.acts[n]; a.stage {
			case none:
				a.stage = sending
			case doubt, again:
				a.stage, a.repeated = sending, true
			}
		},
	}
}

func outcome(n int, s stage) symbol {
	id := ledger.OperationID(bookID, n+1)
	o := ledger.Outcome{Operation: id}
	switch s {
	case done:
		o.Outcome = pay.OutcomeApplied
	case accepted:
		o.Outcome = pay.OutcomeAccepted
	case doubt:
		o.Outcome, o.Evidence.Wire = pay.OutcomeInDoubt, pay.WireUnknown
	case refused:
		o.Outcome, o.Error = pay.OutcomeDeclined, &ledger.Error{Class: pay.ClassDeclined}
	case again:
		o.Outcome, o.Error = pay.OutcomeNotApplied, &ledger.Error{Class: pay.ClassRateLimited, Advice: pay.AdviceRetrySameKey}
	}
	return symbol{
		name: actors[n].String() + " is " + string(s),
		bodys: func(b *ledger.Book) []ledger.Body {
			if op := b.Operation(id); op != nil {
				o := o
				o.Attempt = op.Attempt
				return []ledger.Body{o}
			}
			return []ledger.Body{o}
		},
		tell: func(m *model) {
			a := m.acts[n]
			happened := s == done || s == accepted
			switch {
			case a.stage == sending:
			case a.stage == doubt && s != doubt && (happened || !a.repeated):
			case (a.stage == refused || a.stage == again) && happened && (s == done || m.shown(n, s) != refused):
			default:
				return
			}
			m.ends(n, s)
			m.look()
		},
	}
}

func resolved(n int, o pay.Outcome) symbol {
	s := refused
	if o == pay.OutcomeApplied {
		s = done
	}
	return symbol{
		name: actors[n].String() + " is proven to be " + o.String(),
		bodys: func(*ledger.Book) []ledger.Body {
			return []ledger.Body{ledger.Resolved{Operation: ledger.OperationID(bookID, n+1), Outcome: o, Evidence: "a letter"}}
		},
		tell: func(m *model) {
			if m.acts[n].stage == doubt || m.acts[n].stage == accepted {
				m.ends(n, s)
				m.look()
			}
		},
	}
}

func abandoned(n int) symbol {
	return symbol{
		name: actors[n].String() + " is given up",
		bodys: func(*ledger.Book) []ledger.Body {
			return []ledger.Body{ledger.Abandoned{Operation: ledger.OperationID(bookID, n+1)}}
		},
		tell: func(m *model) {
			if m.acts[n].stage == again {
				m.ends(n, refused)
			}
		},
	}
}

func sees(s pay.PaymentStatus) symbol {
	return symbol{
		name: "seen: " + s.String(),
		bodys: func(*ledger.Book) []ledger.Body {
			return []ledger.Body{ledger.Observed{Observation: ledger.Observation{Subject: pay.SubjectPayment, Payment: s}, Source: "probe"}}
		},
		tell: func(m *model) { m.want(s.String()); m.look() },
	}
}

func others() []symbol {
	list := []symbol{
		{
			name:  "expired by our clock",
			bodys: func(*ledger.Book) []ledger.Body { return []ledger.Body{ledger.Expired{}} },
			tell:  func(m *model) { m.want("expired") },
		},
		{
			name: "the provider's id is seen",
			bodys: func(*ledger.Book) []ledger.Body {
				return []ledger.Body{ledger.Observed{Observation: ledger.Observation{Subject: pay.SubjectPayment, ProviderRef: "p-1"}}}
			},
			tell: func(m *model) { m.bound = true; m.look() },
		},
		{
			name:  "nothing is known there",
			bodys: func(*ledger.Book) []ledger.Body { return []ledger.Body{ledger.Probed{Found: pay.FoundNot}} },
			tell:  func(*model) {},
		},
	}
	for s := pay.PaymentUnknown; s <= pay.PaymentExpired; s++ {
		list = append(list, sees(s))
	}
	return list
}

// alphabet is all that can happen to a payment with these operations.
func alphabet(ops ...int) []symbol {
	list := others()
	for _, n := range ops {
		list = append(list, begins(n), abandoned(n))
		for _, s := range []stage{done, accepted, doubt, refused, again} {
			list = append(list, outcome(n, s))
		}
		for _, o := range []pay.Outcome{pay.OutcomeApplied, pay.OutcomeDeclined, pay.OutcomeNotApplied} {
			list = append(list, resolved(n, o))
		}
	}
	return list
}

// world is a book and its model after the same history.
type world struct {
	book    *ledger.Book
	model   model
	history []string
}

func opened() world {
	b := &ledger.Book{}
	b.Apply(ledger.Entry{Book: bookID, At: epoch, Body: ledger.Opened{Connection: "c", Provider: "p", Caller: "shop", Amount: kzt(1000)}})
	return world{book: b, model: model{status: "created"}}
}

// after is the world after one thing more.
func (w *world) after(s *symbol) world {
	next := world{book: w.book.Clone(), model: w.model, history: append(w.history[:len(w.history):len(w.history)], s.name)}
	for _, body := range s.bodys(next.book) {
		next.book.Apply(ledger.Entry{Book: bookID, At: epoch, Body: body})
	}
	s.tell(&next.model)
	return next
}

// differs says how the book is not what the model is; "" if they agree.
func (w *world) differs() string {
	if got := w.book.Status.String(); got != w.model.status {
		return fmt.Sprintf("payment is %s, want %s", got, w.model.status)
	}
	doubts := 0
	for n, a := range w.model.acts {
		op := w.book.Operation(ledger.OperationID(bookID, n+1))
		if a.doubted {
			doubts++
		}
		if got := stageOf(op); got != a.stage {
			return fmt.Sprintf("%s is %q, want %q", actors[n], got, a.stage)
		}
	}
	switch b := w.book; {
	case len(b.Doubts(true)) != doubts:
		return fmt.Sprintf("%d doubts, want %d", len(b.Doubts(true)), doubts)
	case b.Status.Final() == b.EndedAt.IsZero():
		return "the end and its time do not go together"
	case b.Status == pay.PaymentSucceeded && b.Paid != kzt(1000):
		return "succeeded, and paid is " + b.Paid.String()
	case b.Reopened && b.Status != pay.PaymentSucceeded:
		return "reopened, and is " + b.Status.String()
	}
	return ""
}

func stageOf(op *ledger.Operation) stage {
	switch {
	case op == nil:
		return none
	case op.Running():
		return sending
	case op.Repeatable():
		return again
	case op.Outcome == pay.OutcomeDeclined, op.Outcome == pay.OutcomeNotApplied:
		return refused
	}
	return stage(op.Outcome.String())
}

// explore goes on from a world with everything that can happen, until nothing new
// comes or the depth is reached. It returns how many worlds it saw.
func explore(t *testing.T, symbols []symbol, depth int) int {
	t.Helper()
	seen := map[model]bool{}
	level := []world{opened()}
	for d := 0; len(level) > 0 && d < depth; d++ {
		var next []world
		for i := range level {
			for s := range symbols {
				w := level[i].after(&symbols[s])
				if problem := w.differs(); problem != "" {
					t.Fatalf("%s, after:\n  %s", problem, strings.Join(w.history, "\n  "))
				}
				if !seen[w.model] {
					seen[w.model] = true
					next = append(next, w)
				}
			}
		}
		level = next
	}
	return len(seen)
}

// TestEveryPair tells every history of two operations, however long: the worlds that
// differ are few.
func TestEveryPair(t *testing.T) {
	t.Parallel()
	for one := range actors {
		for two := range one {
			t.Run(actors[two].String()+" and "+actors[one].String(), func(t *testing.T) {
				t.Parallel()
				if n := explore(t, alphabet(one, two), 100); n < 200 {
					t.Errorf("only %d worlds", n)
				}
			})
		}
	}
}

// TestEveryShortHistory tells every history of all operations up to a length, those
// that lead to the same world once.
func TestEveryShortHistory(t *testing.T) {
	t.Parallel()
	depth := 5
	if testing.Short() {
		depth = 4
	}
	t.Logf("%d worlds", explore(t, alphabet(create, bind, release, confirm, cancel), depth))
}
