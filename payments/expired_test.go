package payments_test

import (
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// settled reports whether nothing of a book is in doubt.
func settled(b *ledger.Book) bool { return len(b.Doubts(true)) == 0 }

// TestDoubtPastTheTimeToPay loses the answer to a create, and has the provider be away
// until the time to pay is over. Once it is back the doubt ends all the same: nobody was
// given a link, and nobody is given one then.
func TestDoubtPastTheTimeToPay(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simkit.Fault{
		"with effect": {Kind: simkit.CutAfter}, "without effect": {Kind: simkit.CutBefore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStores(t, func(t *testing.T, kind string) {
				b := newBench(t, kind, rig.Options{})
				p := rahmetPayment("1")
				p.ExpiresAt = b.Clock.Now().Add(10 * time.Minute)
				fault.Path = rahmetCreate
				b.fault(rig.Rahmet, fault)
				b.fault(rig.Rahmet, simkit.Fault{Path: rahmetStatus, Kind: simkit.Status, Status: 500})
				answer, err := b.Engine.Create(b.ctx(), b.call(), p)
				b.doubtful(answer, err)
				b.Advance(time.Hour)
				b.work()
				b.Kits()[rig.Rahmet].ClearFaults()
				book := b.until(answer.Book, 20*day, settled)
				book = b.until(book, time.Hour, status(pay.PaymentExpired))
				if book.Next != nil {
					t.Errorf("next action %+v", book.Next)
				}
				b.agrees(book, rig.Rahmet)
				b.folded(book)
			})
		})
	}
}

// TestRepeatPastTheTimeToPay has the same with a provider that only a repeat of the same
// request can ask: it goes out, and what the provider makes of it is its own to say.
func TestRepeatPastTheTimeToPay(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	p := yenilPayment("1")
	p.ExpiresAt = b.Clock.Now().Add(10 * time.Minute)
	b.fault(rig.YenilToleg, simkit.Fault{Path: yenilCreate, Kind: simkit.CutAfter})
	answer, err := b.Engine.Create(b.ctx(), b.call(), p)
	book := b.doubtful(answer, err)
	b.Kits()[rig.YenilToleg].ClearFaults()
	b.fault(rig.YenilToleg, simkit.Fault{
		Path: yenilCreate, Kind: simkit.Answer, Body: `{"paymentId":"0b9e","returnUrl":"https://bank.example/0b9e","result":true}`,
	})
	b.Advance(time.Hour)
	book = b.until(book, 20*time.Hour, settled)
	if book.ProviderRef != "0b9e" {
		t.Errorf("payment is %s, known as %q\n%s", book.Status, book.ProviderRef, b.timeline(book))
	}
	_, err = b.Engine.Create(b.ctx(), b.call(), p)
	b.refuses("a new payment that is late", err, pay.ClassInvalidRequest)
}
