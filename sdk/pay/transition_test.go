package pay_test

import (
	"testing"

	"github.com/payhost/payhost/sdk/pay"
)

func TestTablesCheck(t *testing.T) {
	t.Parallel()
	for _, table := range pay.Tables() {
		if err := table.Check(); err != nil {
			t.Error(err)
		}
	}
}

// TestTableCheckCatchesMutations changes every row of every table into every
// other row, drops it and doubles it: no such table may pass.
func TestTableCheckCatchesMutations(t *testing.T) {
	t.Parallel()
	for which, table := range pay.Tables() {
		for i, row := range table.Rows {
			mutant := func(rows ...pay.Transition) *pay.Table {
				m := pay.Tables()[which]
				m.Rows = append(append(append([]pay.Transition{}, table.Rows[:i]...), rows...), table.Rows[i+1:]...)
				return m
			}
			if mutant().Check() == nil {
				t.Errorf("%s: row %d can be dropped", table.Object, i)
			}
			if mutant(row, row).Check() == nil {
				t.Errorf("%s: row %d can stand twice", table.Object, i)
			}
			for n := range 11 * 11 * 8 {
				other := pay.Transition{From: uint8(n / 88), To: uint8(n / 8 % 11), Move: pay.Move(n % 8)}
				if other != row && mutant(other).Check() == nil {
					t.Errorf("%s: row %d can be %+v", table.Object, i, other)
				}
				if mutant(row, other).Check() == nil {
					t.Errorf("%s: %+v can be added", table.Object, other)
				}
			}
			if err := mutant(row).Check(); err != nil {
				t.Errorf("%s: the unchanged table fails: %v", table.Object, err)
			}
		}
	}
}

func TestTableCheckCatchesWrongEnds(t *testing.T) {
	t.Parallel()
	for name, mutate := range map[string]func(*pay.Table){
		"start without a rank": func(m *pay.Table) { m.Start = 0 },
		"start out of range":   func(m *pay.Table) { m.Start = 200 },
		"start at an end":      func(m *pay.Table) { m.Start = m.Success },
		"another start":        func(m *pay.Table) { m.Start = uint8(pay.PaymentPending) },
		"success is no end":    func(m *pay.Table) { m.Success = uint8(pay.PaymentPending) },
		"another success":      func(m *pay.Table) { m.Success = uint8(pay.PaymentFailed) },
		"an end left out":      func(m *pay.Table) { m.Final = m.Final[:2] },
		"an end too many":      func(m *pay.Table) { m.Final = append(m.Final, uint8(pay.PaymentAuthorized)) },
		"a rank left out":      func(m *pay.Table) { m.Rank[pay.PaymentPending] = 0 },
		"zero has a rank":      func(m *pay.Table) { m.Rank[0] = 1 },
		"an end too low":       func(m *pay.Table) { m.Rank[pay.PaymentFailed] = 4 },
		"an end too high":      func(m *pay.Table) { m.Rank[pay.PaymentFailed] = 6 },
		"two of one rank":      func(m *pay.Table) { m.Rank[pay.PaymentPending] = 3 },
		"a status too many":    func(m *pay.Table) { m.Rank = append(m.Rank, 3) },
		"no rows":              func(m *pay.Table) { m.Rows = nil },
	} {
		m := pay.PaymentTransitions()
		mutate(m)
		if m.Check() == nil {
			t.Errorf("%s: check passes", name)
		}
	}
}

// TestTablesMoves holds Move, for every pair of bytes, against the rules in words.
func TestTablesMoves(t *testing.T) {
	t.Parallel()
	for _, table := range pay.Tables() {
		rank := func(s int) int {
			if s < len(table.Rank) {
				return int(table.Rank[s])
			}
			return 0
		}
		top := rank(int(table.Success))
		for held := range 256 {
			for seen := range 256 {
				var want pay.Move
				switch end := rank(held) == top; {
				case rank(held) == 0 || rank(seen) == 0:
					want = pay.MoveNone
				case held == seen:
					want = pay.MoveSame
				case end && rank(seen) < top:
					want = pay.MoveOlder
				case end && seen == int(table.Success):
					want = pay.MoveReopen
				case end && held == int(table.Success):
					want = pay.MoveReversal
				case end:
					want = pay.MoveConflict
				case rank(seen) > rank(held):
					want = pay.MoveForward
				default:
					want = pay.MoveOlder
				}
				if got := table.Move(uint8(held), uint8(seen)); got != want {
					t.Fatalf("%s: %s -> %s is %s, want %s", table.Object,
						table.Name(uint8(held)), table.Name(uint8(seen)), got, want)
				}
			}
		}
	}
}

func TestFinalStatuses(t *testing.T) {
	t.Parallel()
	for i, final := range []func(uint8) bool{
		func(s uint8) bool { return pay.PaymentStatus(s).Final() },
		func(s uint8) bool { return pay.RefundStatus(s).Final() },
		func(s uint8) bool { return pay.ReceiptStatus(s).Final() },
	} {
		table := pay.Tables()[i]
		ends := map[uint8]bool{}
		for _, s := range table.Final {
			ends[s] = true
		}
		for s := range 256 {
			if final(uint8(s)) != ends[uint8(s)] {
				t.Errorf("%s %s: final %t", table.Object, table.Name(uint8(s)), final(uint8(s)))
			}
		}
	}
}
