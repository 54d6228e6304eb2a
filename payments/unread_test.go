package payments_test

import (
	"testing"

	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// unread is a plugin that does not know the provider's word for paid: it hands the word
// and the sum on, as it should, and no status.
type unread struct{ *rahmet.Provider }

// Status forgets what succeeded means.
func (u unread) Status(h *sdk.Host, refs []pay.Ref) ([]pay.StatusItem, error) {
	items, err := u.Provider.Status(h, refs)
	for i := range items {
		for j := range items[i].Observations {
			if o := &items[i].Observations[j]; o.Payment == pay.PaymentSucceeded {
				o.Payment = 0
			}
		}
	}
	return items, err
}

// TestUnreadWordEndsNothing pays an order while the plugin can't read the word for it. The
// time to pay goes by: the provider has not said that the payment is unpaid, so it has not
// expired. It did, with the payer's money taken.
func TestUnreadWordEndsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{Native: map[string]sdk.Provider{rig.Rahmet: unread{rahmet.New()}}})
	book := b.shortRahmet("1")
	if err := b.Rahmet.Move("1", "paid"); err != nil {
		t.Fatal(err)
	}
	b.pass(3 * day)
	if book = b.reload(book); book.Status != pay.PaymentPending {
		t.Errorf("payment is %s\n%s", book.Status, b.timeline(book))
	}
	b.folded(book)
}
