package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// TestStatesDocument draws docs/states.md from the tables and from what the fold does,
// and fails when the file says anything else.
func TestStatesDocument(t *testing.T) {
	t.Parallel()
	d := &document{}
	d.intro()
	for _, table := range pay.Tables() {
		d.object(table)
	}
	d.operations()
	d.doubts()
	golden(t, "../../docs/states.md", []byte(d.String()))
}

// document is a page of Markdown.
type document struct{ strings.Builder }

func (d *document) line(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

func (d *document) row(cells ...string) { d.line("| %s |", strings.Join(cells, " | ")) }

func (d *document) head(cells ...string) {
	d.row(cells...)
	d.row(strings.Split(strings.Repeat("--- ", len(cells)-1)+"---", " ")...)
}

func (d *document) intro() {
	d.line("<!-- Made by go test ./payments/ledger -run TestStatesDocument -update; edits are overwritten. -->")
	d.line("# States\n")
	d.line("What a merchant sees is folded from what was sent, answered and observed. A status moves by the tables below and by")
	d.line("nothing else: forward by rank; an end is left only when the success turns out to have come after all.\n")
	d.line("What is seen may come late, twice and in any order. Each observation is one of these moves:\n")
	d.head("move", "what it does")
	for m := pay.MoveNone; m <= pay.MoveConflict; m++ {
		d.row("`"+m.String()+"`", map[pay.Move]string{
			pay.MoveNone: "nothing: it says nothing about the status", pay.MoveSame: "nothing: it is so already",
			pay.MoveForward: "the status moves", pay.MoveReopen: "the status moves: a success after an end, see the connection's policy `late_success`",
			pay.MoveOlder: "nothing: it has been overtaken", pay.MoveReversal: "the status stays; of a payment or refund it is recorded that the provider took a success back",
			pay.MoveConflict: "nothing: the first end stands",
		}[m])
	}
	d.line("\nAn observation that contradicts what was asked for (another amount or currency, more paid than asked, more returned than")
	d.line("paid) moves nothing at all: it raises an alert for a person.")
}

// object draws one table and lists its moves.
func (d *document) object(table *pay.Table) {
	d.line("\n## %s%s\n", strings.ToUpper(table.Object[:1]), table.Object[1:])
	d.line("```mermaid\nstateDiagram-v2")
	d.line("    [*] --> %s", table.Name(table.Start))
	for _, row := range table.Rows {
		label := ""
		if row.Move == pay.MoveReopen {
			label = " : late"
		}
		d.line("    %s --> %s%s", table.Name(row.From), table.Name(row.To), label)
	}
	for _, end := range table.Final {
		d.line("    %s --> [*]", table.Name(end))
	}
	d.line("```\n")
	d.line("Every pair, the status held in rows and the one observed in columns:\n")
	names := []string{"held"}
	for s := range table.Rank[1:] {
		names = append(names, table.Name(uint8(s+1)))
	}
	d.head(names...)
	for held := range table.Rank[1:] {
		cells := []string{"**" + names[held+1] + "**"}
		for seen := range table.Rank[1:] {
			move := table.Move(uint8(held+1), uint8(seen+1))
			word := move.String()
			if move.Changes() {
				word = "**" + word + "**"
			}
			cells = append(cells, word)
		}
		d.row(cells...)
	}
}

func fold(bodies ...ledger.Body) *ledger.Book {
	b := &ledger.Book{}
	for _, body := range bodies {
		b.Apply(ledger.Entry{Book: bookID, At: epoch, Body: body})
	}
	return b
}

// inStatus is how a payment of 1000 gets to a status.
func inStatus(s pay.PaymentStatus) []ledger.Body {
	return []ledger.Body{
		ledger.Opened{Connection: "c", Provider: "p", Caller: "shop", Amount: kzt(1000)},
		ledger.Observed{Observation: ledger.Observation{Subject: pay.SubjectPayment, Payment: s}, Source: "probe"},
	}
}

// run is an operation that ends so, on a payment of 1000 and on its first refund or
// receipt.
func run(op pay.Operation, o ledger.Outcome) []ledger.Body {
	id := ledger.OperationID(bookID, 9)
	p := ledger.Prepared{Operation: id, Op: op, Attempt: 1, Amount: kzt(1000)}
	o.Operation, o.Attempt = id, 1
	var before []ledger.Body
	switch op {
	case pay.OpRefund:
		p.Refund = ledger.RefundID(bookID, 1)
	case pay.OpConfirmRefund, pay.OpCancelRefund: // of a refund that the provider has accepted
		p.Refund = ledger.RefundID(bookID, 1)
		first := ledger.OperationID(bookID, 8)
		before = []ledger.Body{
			ledger.Prepared{Operation: first, Op: pay.OpRefund, Attempt: 1, Amount: kzt(1000), Refund: p.Refund},
			ledger.Outcome{Operation: first, Attempt: 1, Outcome: pay.OutcomeAccepted},
		}
	case pay.OpReceipt:
		p.Receipt = ledger.ReceiptID(bookID, 1)
	}
	return append(before, p, ledger.Sending{Operation: id, Attempt: 1, Call: 1}, o)
}

// ending is a way in which an operation ends.
type ending struct {
	name    string
	outcome ledger.Outcome
}

func endings() []ending {
	return []ending{
		{"applied", ledger.Outcome{Outcome: pay.OutcomeApplied}},
		{"accepted", ledger.Outcome{Outcome: pay.OutcomeAccepted}},
		{"declined", ledger.Outcome{Outcome: pay.OutcomeDeclined, Error: &ledger.Error{Class: pay.ClassDeclined}}},
		{"not_applied", ledger.Outcome{Outcome: pay.OutcomeNotApplied, Error: &ledger.Error{Class: pay.ClassConfig, Advice: pay.AdviceFix}}},
		{"not_applied, may be repeated", ledger.Outcome{
			Outcome: pay.OutcomeNotApplied, Error: &ledger.Error{Class: pay.ClassUnavailable, Advice: pay.AdviceRetrySameKey},
		}},
		{"in_doubt", ledger.Outcome{Outcome: pay.OutcomeInDoubt}},
	}
}

func (d *document) operations() {
	d.line("\n## What an operation's outcome does\n")
	d.line("The status that a payment has after an operation on it, by the status before; a dot where it stays. How an operation")
	d.line("ends is decided by the host's evidence. One that had no effect and may be repeated moves nothing for as long as its")
	d.line("caller may come back; then it counts as `not_applied`.\n")
	head := []string{"operation", "outcome"}
	for s := pay.PaymentCreated; s <= pay.PaymentExpired; s++ {
		head = append(head, s.String())
	}
	d.head(head...)
	for _, op := range []pay.Operation{pay.OpCreate, pay.OpBind, pay.OpRelease, pay.OpConfirm, pay.OpCancel} {
		for _, e := range endings() {
			cells, moves := []string{op.String(), e.name}, false
			for s := pay.PaymentCreated; s <= pay.PaymentExpired; s++ {
				b := fold(append(inStatus(s), run(op, e.outcome)...)...)
				switch {
				case b.Status != s:
					cells, moves = append(cells, "**"+b.Status.String()+"**"), true
				case b.Reversed:
					cells, moves = append(cells, "reversed"), true
				default:
					cells = append(cells, "·")
				}
			}
			if moves {
				d.row(cells...)
			}
		}
	}
	d.line("\nOutcomes that are not listed move nothing. A create that is answered with the next action `wait` brings the payment to")
	d.line("processing at once. Operations on refunds and receipts never move the payment:\n")
	d.head("operation", "outcome", "refund or receipt")
	for _, op := range []pay.Operation{pay.OpRefund, pay.OpConfirmRefund, pay.OpCancelRefund, pay.OpReceipt} {
		for _, e := range endings() {
			b := fold(append(inStatus(pay.PaymentSucceeded), run(op, e.outcome)...)...)
			status := ""
			if len(b.Refunds) > 0 {
				status = b.Refunds[0].Status.String()
			}
			if len(b.Receipts) > 0 {
				status = b.Receipts[0].Status.String()
			}
			if status != "pending" {
				d.row(op.String(), e.name, status)
			}
		}
	}
	d.line("\nEvery other outcome leaves them pending.")
}

func (d *document) doubts() {
	d.line("\n## In doubt\n")
	d.line("`in_doubt` is no status. It stands beside the status, and says that an operation may or may not have happened: since when,")
	d.line("which one, and why. The status stays what it is proven to be. While it lasts, payhost asks the provider, sends again only")
	d.line("what the plugin declares safe to send again, and refuses release, confirm, another refund and another payment of the order.")
	d.line("Another payment of the order is refused, as `in_progress`, while the first is being created, too: that may come to be in doubt.\n")
	d.line("A doubt ends by proof, never by time and never by an absence alone: by the answer to a repeat, by an operator's recorded")
	d.line("word, by two status answers beyond the provider's visibility horizon that both miss it, or by what the provider shows. An answer")
	d.line("that contradicts what was asked for raises an alert and proves nothing:\n")
	head := []string{"operation in doubt"}
	for s := pay.PaymentPending; s <= pay.PaymentExpired; s++ {
		head = append(head, "payment is "+s.String())
	}
	d.head(head...)
	for _, op := range []pay.Operation{pay.OpCreate, pay.OpBind, pay.OpRelease, pay.OpConfirm, pay.OpCancel} {
		cells := []string{op.String()}
		for s := pay.PaymentPending; s <= pay.PaymentExpired; s++ {
			bodies := append(inStatus(pay.PaymentCreated), run(op, ledger.Outcome{Outcome: pay.OutcomeInDoubt})...)
			cells = append(cells, shown(fold(append(bodies, inStatus(s)[1])...)))
		}
		d.row(cells...)
	}
	d.line("")
	d.head("operation in doubt", "refund is pending", "refund is succeeded", "refund is failed")
	for _, op := range []pay.Operation{pay.OpRefund, pay.OpConfirmRefund, pay.OpCancelRefund} {
		cells := []string{op.String()}
		for s := pay.RefundPending; s <= pay.RefundFailed; s++ {
			bodies := append(inStatus(pay.PaymentSucceeded), run(op, ledger.Outcome{Outcome: pay.OutcomeInDoubt})...)
			cells = append(cells, shown(fold(append(bodies, ledger.Observed{
				Observation: ledger.Observation{Subject: pay.SubjectRefund, RefundStatus: s, ProviderRef: "r-1"}, Refund: ledger.RefundID(bookID, 1),
			})...)))
		}
		d.row(cells...)
	}
	d.line("\nA pending refund also succeeds when the sum that the provider gave back covers it and all that was asked for before it. A")
	d.line("dot means that the doubt lasts. A bind in doubt ends, too, as soon as the provider's id of the payment is known.")
	d.line("\n## What reopens an end\n")
	d.head("object", "end", "reopened by", "what else happens")
	for _, table := range pay.Tables() {
		for _, row := range table.Rows {
			if row.Move != pay.MoveReopen {
				continue
			}
			also := ""
			if table.Object == "payment" {
				also = "`late_success`: `accept` keeps it, `review` raises an alert, `auto_refund` gives it back once"
			}
			d.row(table.Object, table.Name(row.From), table.Name(row.To), also)
		}
	}
}

// shown is what became of the operation that run made.
func shown(b *ledger.Book) string {
	op := b.Operation(ledger.OperationID(bookID, 9))
	if op.Outcome == pay.OutcomeInDoubt {
		return "·"
	}
	return op.Outcome.String()
}
