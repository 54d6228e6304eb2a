package payments

import (
	"math/rand/v2"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// The probe clock of contract section 7.
const (
	defaultPoll    = 3 * time.Second    // between status calls while a payer may act, if the plugin names none
	defaultHorizon = 10 * time.Minute   // how long an absence proves nothing, if the plugin names none
	defaultExpiry  = 24 * time.Hour     // how long a payer may take, if nobody said
	pollWindow     = 15 * time.Minute   // how long an open payment or refund without an expiry is polled closely
	expiryGrace    = time.Minute        // how long after its expiry a payment is still polled closely
	repeatWindow   = 15 * time.Minute   // how long an operation without effect waits for its caller to repeat it
	watchPeriod    = 7 * 24 * time.Hour // how long an ended payment is watched for a late success
	day            = 24 * time.Hour
	never          = 100 * 365 * 24 * time.Hour
)

// ladder is when a doubt is looked at, counted from its beginning; then daily.
var ladder = [...]time.Duration{
	5 * time.Second, 20 * time.Second, 80 * time.Second, 380 * time.Second, 1280 * time.Second,
	4880 * time.Second, 26480 * time.Second,
}

// hints is what a plugin's manifest says about looking things up.
type hints struct {
	poll         time.Duration
	horizon      time.Duration
	batch        int
	refundStatus bool // refunds can be asked after by themselves

	specs map[pay.Operation]pay.OperationSpec
}

func hintsOf(m *pay.Manifest) hints {
	h := hints{poll: m.PollInterval, horizon: m.VisibilityHorizon, batch: max(1, m.BatchSize)}
	if h.poll <= 0 {
		h.poll = defaultPoll
	}
	if h.horizon <= 0 {
		h.horizon = defaultHorizon
	}
	_, h.refundStatus = m.Operation(pay.OpRefundStatus)
	h.specs = make(map[pay.Operation]pay.OperationSpec, len(m.Operations))
	for _, spec := range m.Operations {
		h.specs[spec.Operation] = spec
	}
	return h
}

// dueTime returns when a book is to be looked at next, zero for never.
func dueTime(b *ledger.Book, h hints, now time.Time) time.Time {
	next := now.Add(never)
	earlier := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	for i := range b.Operations {
		o := &b.Operations[i]
		switch {
		case o.Running():
			earlier(o.Lease)
		case !o.DoubtSince.IsZero():
			earlier(climb(o.DoubtSince, now))
			if last := lastChance(o, h); last.After(now) {
				earlier(last)
			}
		case o.Repeatable():
			// Nobody may have given it up, since the connection does not work: not at once again then.
			earlier(laterOf(o.EndedAt.Add(repeatWindow), now.Add(time.Minute)))
		}
	}
	for i := range b.Refunds {
		if r := &b.Refunds[i]; r.Status == pay.RefundPending && sent(b, r.Operation) {
			earlier(closely(r.CreatedAt, r.CreatedAt.Add(pollWindow), h.poll, now))
		}
	}
	if !b.Receipt {
		earlier(paymentDue(b, h, now))
	}
	if next.Equal(now.Add(never)) {
		return time.Time{}
	}
	return next
}

// lastChance is when a doubt that a repeat under the same key would end is looked at
// once more, before the provider may have forgotten the key: the ladder's steps are
// a day apart by then, and a night's outage would leave the doubt to an operator.
// Zero for other doubts.
func lastChance(o *ledger.Operation, h hints) time.Time {
	spec, ok := h.specs[o.Op]
	if o.Idempotency != pay.IdempotencyNative || o.FirstSent.IsZero() || !ok {
		return time.Time{}
	}
	lifetime := keyLifetime(o, spec)
	return o.FirstSent.Add(lifetime - lifetime/12)
}

func sent(b *ledger.Book, operation string) bool {
	o := b.Operation(operation)
	return o != nil && !o.Running() && o.Outcome != pay.OutcomeNotApplied && o.Outcome != pay.OutcomeDeclined
}

// paymentDue is when the payment itself is to be looked at.
func paymentDue(b *ledger.Book, h hints, now time.Time) time.Time {
	switch b.Status {
	case pay.PaymentCreated:
		return now.Add(never) // its create operation says when
	case pay.PaymentPending, pay.PaymentProcessing:
		if b.Status == pay.PaymentPending && untold(b) {
			over := expiry(b)
			if !over.After(now) && (runs(b) || b.InDoubt() != nil) {
				return now.Add(never) // what keeps it from its end has a clock of its own
			}
			return laterOf(over, now.Add(time.Second))
		}
		end := b.UpdatedAt.Add(pollWindow) // what moved lately may soon move on
		if open := b.ExpiresAt.Add(expiryGrace); !b.ExpiresAt.IsZero() && b.Status == pay.PaymentPending && open.After(end) {
			end = open
		}
		next := closely(laterOf(b.CreatedAt, end.Add(-pollWindow)), end, h.poll, now)
		if b.Status == pay.PaymentPending {
			if over := settledBy(b, h); over.After(now) && over.Before(next) {
				next = over
			}
		}
		return next
	case pay.PaymentAuthorized:
		return climb(b.UpdatedAt.Add(-time.Minute), now) // it waits for the merchant
	case pay.PaymentFailed, pay.PaymentCanceled, pay.PaymentExpired:
		if untold(b) || now.After(b.EndedAt.Add(watchPeriod)) {
			return now.Add(never)
		}
		return climb(b.EndedAt, now)
	}
	return now.Add(never)
}

// untold reports whether the provider was never told of the payment, so that there
// is nothing to ask it.
func untold(b *ledger.Book) bool { return b.ProviderRef == "" && len(b.Keys()) == 0 }

// expiry is when the time to pay is over by our clock.
func expiry(b *ledger.Book) time.Time {
	if b.ExpiresAt.IsZero() {
		return b.CreatedAt.Add(defaultExpiry)
	}
	return b.ExpiresAt
}

// settledBy is when a payment that nobody paid in time can no longer change unseen: its
// expiry, and the longest horizon that anything of it was sent under.
func settledBy(b *ledger.Book, h hints) time.Time {
	horizon := max(h.horizon, expiryGrace)
	for i := range b.Operations {
		horizon = max(horizon, horizonOf(&b.Operations[i], h))
	}
	return expiry(b).Add(horizon)
}

// closely polls with the provider's interval until end, then ever more rarely.
func closely(began, end time.Time, every time.Duration, now time.Time) time.Time {
	if now.Before(end) {
		return now.Add(every + jitter(every/5))
	}
	if since := end; since.After(began) {
		return climb(since, now)
	}
	return climb(began, now)
}

// climb returns the next step of the ladder that began at since.
func climb(since, now time.Time) time.Time {
	age := now.Sub(since)
	for _, step := range ladder {
		if age < step {
			return since.Add(step)
		}
	}
	last := ladder[len(ladder)-1]
	days := (age-last)/day + 1
	return since.Add(last + days*day)
}

// climbed is how many steps of the ladder that began at since are behind now.
func climbed(since, now time.Time) int {
	n, age := 0, now.Sub(since)
	for n < len(ladder) && ladder[n] <= age {
		n++
	}
	if n == len(ladder) {
		n += int((age - ladder[n-1]) / day)
	}
	return n
}

func jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most)
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
