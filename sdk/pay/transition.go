package pay

import "errors"

// Move says what an observed status does to the status we hold.
type Move uint8

// The moves. Only Forward and Reopen change what the merchant sees; the others
// are stored and change nothing.
const (
	MoveNone     Move = 0 // the observation says nothing
	MoveSame     Move = 1 // equal: no-op
	MoveForward  Move = 2 // a step in the table
	MoveReopen   Move = 3 // a late success after an end
	MoveOlder    Move = 4 // news that has been overtaken: stored, ignored
	MoveReversal Move = 5 // the provider takes back a success: recorded for an operator
	MoveConflict Move = 6 // one end against another: recorded for an operator
)

var moveNames = names{
	MoveNone: "none", MoveSame: "same", MoveForward: "forward", MoveReopen: "reopen",
	MoveOlder: "older", MoveReversal: "reversal", MoveConflict: "conflict",
}

// String returns the move's name.
func (m Move) String() string { return moveNames.of(uint8(m)) }

// Changes reports whether the move changes what the merchant sees.
func (m Move) Changes() bool { return m == MoveForward || m == MoveReopen }

// Transition is one row of a table: from one status to another by a move that
// changes it. The statuses are the numbers of the object's status type.
type Transition struct {
	From, To uint8
	Move     Move
}

// Table is a transition table as data, of one kind of object. The same table
// drives the host's folding, the documents' diagram and the tests.
type Table struct {
	Object  string       // "payment", "refund", "receipt"
	Start   uint8        // where an object begins
	Rank    []uint8      // rank of each status by its number; 0 for none
	Success uint8        // the end that means the money moved
	Final   []uint8      // the ends
	Rows    []Transition // every allowed change
	name    names
}

// Name returns the word for a status number of this table.
func (t *Table) Name(status uint8) string { return t.name.of(status) }

// PaymentTransitions returns the table for payments. A payment moves forward by
// rank; an end other than success can be reopened by a late success only.
func PaymentTransitions() *Table {
	return &Table{
		Object: "payment", Start: uint8(PaymentCreated), Success: uint8(PaymentSucceeded), name: paymentNames,
		Rank: []uint8{
			PaymentCreated: 1, PaymentPending: 2, PaymentProcessing: 3, PaymentAuthorized: 4,
			PaymentSucceeded: 5, PaymentFailed: 5, PaymentCanceled: 5, PaymentExpired: 5,
		},
		Final: []uint8{
			uint8(PaymentSucceeded), uint8(PaymentFailed), uint8(PaymentCanceled), uint8(PaymentExpired),
		},
		Rows: []Transition{
			{uint8(PaymentCreated), uint8(PaymentPending), MoveForward},
			{uint8(PaymentCreated), uint8(PaymentProcessing), MoveForward},
			{uint8(PaymentCreated), uint8(PaymentAuthorized), MoveForward},
			{uint8(PaymentCreated), uint8(PaymentSucceeded), MoveForward},
			{uint8(PaymentCreated), uint8(PaymentFailed), MoveForward},
			{uint8(PaymentCreated), uint8(PaymentCanceled), MoveForward},
			{uint8(PaymentCreated), uint8(PaymentExpired), MoveForward},
			{uint8(PaymentPending), uint8(PaymentProcessing), MoveForward},
			{uint8(PaymentPending), uint8(PaymentAuthorized), MoveForward},
			{uint8(PaymentPending), uint8(PaymentSucceeded), MoveForward},
			{uint8(PaymentPending), uint8(PaymentFailed), MoveForward},
			{uint8(PaymentPending), uint8(PaymentCanceled), MoveForward},
			{uint8(PaymentPending), uint8(PaymentExpired), MoveForward},
			{uint8(PaymentProcessing), uint8(PaymentAuthorized), MoveForward},
			{uint8(PaymentProcessing), uint8(PaymentSucceeded), MoveForward},
			{uint8(PaymentProcessing), uint8(PaymentFailed), MoveForward},
			{uint8(PaymentProcessing), uint8(PaymentCanceled), MoveForward},
			{uint8(PaymentProcessing), uint8(PaymentExpired), MoveForward},
			{uint8(PaymentAuthorized), uint8(PaymentSucceeded), MoveForward},
			{uint8(PaymentAuthorized), uint8(PaymentFailed), MoveForward},
			{uint8(PaymentAuthorized), uint8(PaymentCanceled), MoveForward},
			{uint8(PaymentAuthorized), uint8(PaymentExpired), MoveForward},
			{uint8(PaymentFailed), uint8(PaymentSucceeded), MoveReopen},
			{uint8(PaymentCanceled), uint8(PaymentSucceeded), MoveReopen},
			{uint8(PaymentExpired), uint8(PaymentSucceeded), MoveReopen},
		},
	}
}

// RefundTransitions returns the table for refunds.
func RefundTransitions() *Table {
	return &Table{
		Object: "refund", Start: uint8(RefundPending), Success: uint8(RefundSucceeded), name: refundNames,
		Rank:  []uint8{RefundPending: 1, RefundSucceeded: 2, RefundFailed: 2},
		Final: []uint8{uint8(RefundSucceeded), uint8(RefundFailed)},
		Rows: []Transition{
			{uint8(RefundPending), uint8(RefundSucceeded), MoveForward},
			{uint8(RefundPending), uint8(RefundFailed), MoveForward},
			{uint8(RefundFailed), uint8(RefundSucceeded), MoveReopen},
		},
	}
}

// ReceiptTransitions returns the table for receipts.
func ReceiptTransitions() *Table {
	return &Table{
		Object: "receipt", Start: uint8(ReceiptPending), Success: uint8(ReceiptRegistered), name: receiptNames,
		Rank:  []uint8{ReceiptPending: 1, ReceiptRegistered: 2, ReceiptRejected: 2},
		Final: []uint8{uint8(ReceiptRegistered), uint8(ReceiptRejected)},
		Rows: []Transition{
			{uint8(ReceiptPending), uint8(ReceiptRegistered), MoveForward},
			{uint8(ReceiptPending), uint8(ReceiptRejected), MoveForward},
			{uint8(ReceiptRejected), uint8(ReceiptRegistered), MoveReopen},
		},
	}
}

// Tables returns the three tables.
func Tables() []*Table {
	return []*Table{PaymentTransitions(), RefundTransitions(), ReceiptTransitions()}
}

// Move classifies an observed status against the one held. It is total: every
// pair of numbers has an answer, and a number outside the table is MoveNone.
func (t *Table) Move(held, observed uint8) Move {
	if t.rank(held) == 0 || t.rank(observed) == 0 {
		return MoveNone
	}
	if held == observed {
		return MoveSame
	}
	for _, row := range t.Rows {
		if row.From == held && row.To == observed {
			return row.Move
		}
	}
	switch {
	case t.rank(observed) < t.rank(held):
		return MoveOlder
	case held == t.Success:
		return MoveReversal
	}
	return MoveConflict
}

func (t *Table) rank(status uint8) uint8 {
	if int(status) < len(t.Rank) {
		return t.Rank[status]
	}
	return 0
}

func (t *Table) final(status uint8) bool {
	for _, f := range t.Final {
		if f == status {
			return true
		}
	}
	return false
}

// Check proves the table's own rules and returns the first broken one: every
// status has a rank and can be reached from the start; forward rows go up in
// rank; an end is left only by reopening, and only to the success; no row stands
// twice; and none is missing, since a missing step would read as a conflict.
func (t *Table) Check() error {
	if err := t.checkEnds(); err != nil {
		return err
	}
	seen := make(map[[2]uint8]bool, len(t.Rows))
	for _, row := range t.Rows {
		pair := [2]uint8{row.From, row.To}
		switch {
		case t.rank(row.From) == 0 || t.rank(row.To) == 0:
			return t.broken(row.From, row.To, "status without a rank")
		case seen[pair]:
			return t.broken(row.From, row.To, "stands twice")
		case !row.Move.Changes():
			return t.broken(row.From, row.To, "row that changes nothing")
		case row.Move != t.due(row.From, row.To):
			return t.broken(row.From, row.To, "should be "+t.due(row.From, row.To).String())
		}
		seen[pair] = true
	}
	for from := range t.Rank {
		for to := range t.Rank {
			pair := [2]uint8{uint8(from), uint8(to)}
			if t.due(pair[0], pair[1]) != MoveNone && !seen[pair] {
				return t.broken(pair[0], pair[1], "is missing")
			}
		}
	}
	return nil
}

// due returns the move that the rules of ranks and ends ask for between two
// statuses, or MoveNone where no row may stand.
func (t *Table) due(from, to uint8) Move {
	switch {
	case t.rank(from) == 0 || t.rank(to) == 0:
		return MoveNone
	case t.final(from) && from != t.Success && to == t.Success:
		return MoveReopen
	case !t.final(from) && t.rank(to) > t.rank(from):
		return MoveForward
	}
	return MoveNone
}

// checkEnds proves what the rules of rows rest on: one start below all others,
// and the ends, the success among them, above all others. With a row for every
// step up, each status can then be reached from the start.
func (t *Table) checkEnds() error {
	if t.rank(t.Start) == 0 || t.final(t.Start) || !t.final(t.Success) {
		return errors.New(t.Object + ": start without a rank, or start and success at the wrong place")
	}
	top := t.rank(t.Success)
	for status := range t.Rank {
		s, rank := uint8(status), t.rank(uint8(status))
		switch {
		case s == 0 && rank != 0, s != 0 && rank == 0:
			return errors.New(t.Object + " " + t.Name(s) + ": only status zero is without a rank")
		case s != 0 && s != t.Start && rank <= t.rank(t.Start):
			return errors.New(t.Object + " " + t.Name(s) + ": not above the start")
		case t.final(s) != (rank == top) || rank > top:
			return errors.New(t.Object + " " + t.Name(s) + ": ends, and only they, have the top rank")
		}
	}
	return nil
}

func (t *Table) broken(from, to uint8, rule string) error {
	return errors.New(t.Object + " " + t.Name(from) + " -> " + t.Name(to) + ": " + rule)
}
