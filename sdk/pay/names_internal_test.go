package pay

import (
	"regexp"
	"testing"
)

// TestNames holds that each number has one word, each word one number, and no
// number in between is without.
func TestNames(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)
	for what, c := range map[string]struct {
		table names
		zero  bool // number 0 has a word of its own
		last  uint8
	}{
		"payment":      {paymentNames, false, uint8(PaymentExpired)},
		"refund":       {refundNames, false, uint8(RefundFailed)},
		"receipt":      {receiptNames, false, uint8(ReceiptRejected)},
		"operation":    {operationNames, false, uint8(OpErrorCatalog)},
		"outcome":      {outcomeNames, false, uint8(OutcomeInDoubt)},
		"class":        {classNames, false, uint8(ClassHostFault)},
		"effect":       {effectNames, false, uint8(EffectMaybe)},
		"advice":       {adviceNames, false, uint8(AdviceOperator)},
		"reason":       {reasonNames, false, uint8(DeclinedInstrumentInvalid)},
		"move":         {moveNames, true, uint8(MoveConflict)},
		"next":         {nextNames, false, uint8(NextWait)},
		"idempotency":  {idempotencyNames, false, uint8(IdempotencyLookup)},
		"flow":         {flowNames, false, uint8(FlowQR)},
		"slot":         {slotNames, false, uint8(SlotOAuth2)},
		"wire":         {wireNames, true, uint8(WireUnknown)},
		"key form":     {keyFormNames, true, uint8(KeyCounter)},
		"found":        {foundNames, true, uint8(FoundNot)},
		"authenticity": {authenticityNames, true, uint8(AuthenticityStrong)},
	} {
		if len(c.table) != int(c.last)+1 {
			t.Errorf("%s: %d words, last number %d", what, len(c.table), c.last)
		}
		for i := range c.table {
			n := uint8(i)
			if n == 0 && !c.zero {
				if c.table[0] != "" {
					t.Errorf("%s: zero is called %q", what, c.table[0])
				}
				continue
			}
			if !word.MatchString(c.table.of(n)) {
				t.Errorf("%s %d: no word or a strange one, %q", what, n, c.table.of(n))
			}
			if back, ok := c.table.find(c.table.of(n)); !ok || back != n {
				t.Errorf("%s %d: %q finds %d %t", what, n, c.table.of(n), back, ok)
			}
		}
		if _, ok := c.table.find(""); ok {
			t.Errorf("%s: the empty word finds a number", what)
		}
		if _, ok := c.table.find("no such word"); ok {
			t.Errorf("%s: a strange word finds a number", what)
		}
	}
}
