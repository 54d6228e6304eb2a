package conformance

import (
	"fmt"

	"github.com/payhost/payhost/sdk/pay"
)

// notifications are the checks of L3: calls that the provider makes, and calls that
// others make in its name, through payhost's own router.
func notifications() []check {
	return []check{
		called("L3.genuine", "A genuine call brings a payment to its end at once, and is answered as the plugin says.", (*suite).genuine),
		called("L3.forged",
			"A call that is made up moves nothing, whether its signature is missing, another's or changed.",
			lives(liveForged)),
		called("L3.altered", "A genuine call that was changed on its way moves nothing by what was changed.", lives(liveAltered)),
		called("L3.replayed",
			"The same call twenty times, and again after a refund, is one event and has one effect.",
			lives(liveReplayed)),
		called("L3.reordered", "An old call behind a newer one takes nothing back.", (*suite).reordered),
		called("L3.early", "A call that comes before the answer to its create is not lost, and nothing is done twice.", (*suite).early),
		called("L3.late", "A call about a payment that has ended is taken in: the money is there.", (*suite).late),
		called("L3.foreign",
			"A genuine call about one payment, sent to the address of another, moves not that one.",
			lives(liveForeign, liveForeignInDoubt)),
		{
			Check: level3("L3.unknown", "A call to an address that was given to nobody is refused, and nothing of it is kept."),
			jobs:  func(*suite) ([]job, string) { return []job{{live: liveUnknown}}, "" },
		},
		called("L3.scanner",
			"Whoever follows the links of others moves nothing and breaks nothing, whatever the method.",
			lives(liveScanned)),
		called("L3.garbage", "Bytes that mean nothing are refused, and payhost goes on.", lives(liveGarbage)),
		called("L3.hint",
			"A call that anybody could make has the provider asked, and moves nothing that it calls unpaid.",
			(*suite).hint),
		called("L3.quiet", "Reading a call, the plugin asks nobody: it makes no call of its own.", lives(liveQuiet)),
		called("L3.killed",
			"payhost may be killed while it takes in a call: nothing is lost and nothing done twice.",
			(*suite).killedCalled),
		called("L3.unwritten",
			"A call that could not be written down is not acknowledged, and counts when it comes again.",
			(*suite).unwritten),
		called("L3.amount",
			"A genuine call about another amount than asked moves nothing, and an operator is told.",
			(*suite).otherAmount),
	}
}

func level3(id, sentence string) Check {
	return Check{ID: id, Level: L3, Sentence: sentence, Proves: "contract 7"}
}

// called is a check of plugins whose provider calls.
func called(id, sentence string, jobs func(*suite) ([]job, string)) check {
	return check{Check: level3(id, sentence), jobs: func(s *suite) ([]job, string) {
		m := &s.stations[0].manifest
		if _, ok := m.Operation(pay.OpNotification); !ok {
			return nil, "the plugin declares no notification"
		}
		if s.target.Provider.Terms.Outcomes.Paid == "" {
			return nil, "payments are paid by themselves here, so no call can be waited for"
		}
		return jobs(s)
	}}
}

// lives is one life of each.
func lives(list ...func(*Life)) func(*suite) ([]job, string) {
	return func(*suite) ([]job, string) {
		jobs := make([]job, 0, len(list))
		for _, live := range list {
			jobs = append(jobs, job{live: live})
		}
		return jobs, ""
	}
}

// strong reports whether the provider proves its calls.
func (s *suite) strong() bool { return s.stations[0].manifest.Notification == pay.AuthenticityStrong }

func (l *Life) strong() bool { return l.Manifest.Notification == pay.AuthenticityStrong }

// genuine has a life for every end that the provider can bring a payment to.
func (s *suite) genuine() ([]job, string) {
	var jobs []job
	o := s.target.Provider.Terms.Outcomes
	for _, end := range []struct {
		word     string
		statuses []pay.PaymentStatus
	}{
		{o.Paid, paidStatuses()},
		{o.Failed, []pay.PaymentStatus{pay.PaymentFailed}},
		{o.Canceled, []pay.PaymentStatus{pay.PaymentCanceled, pay.PaymentFailed}},
		{o.Expired, []pay.PaymentStatus{pay.PaymentExpired, pay.PaymentFailed}},
	} {
		if end.word != "" {
			jobs = append(jobs, job{
				where: fmt.Sprintf("the provider called about a payment that became %q there", end.word),
				live:  func(l *Life) { l.genuineCall(end.word, end.statuses) },
			})
		}
	}
	return jobs, ""
}

func paidStatuses() []pay.PaymentStatus {
	return []pay.PaymentStatus{pay.PaymentSucceeded, pay.PaymentAuthorized}
}

func (l *Life) genuineCall(word string, statuses []pay.PaymentStatus) {
	p := l.Begin()
	before := len(l.Inbound())
	l.Step("the provider calls")
	l.Move(l.objectOf(p).ID, word)
	calls := l.Inbound()[before:]
	if len(calls) == 0 {
		if word == l.Terms.Outcomes.Paid {
			l.Fatalf("the provider calls nobody about a payment: it was not given the address")
		}
		return // it does not call about this
	}
	for _, call := range calls {
		if call.Status/100 != 2 {
			l.Failf("a genuine call is answered %d: the provider will call again and again", call.Status)
		}
	}
	l.soon(p, statuses...)
	l.answeredAsSaid(p, calls[len(calls)-1])
	l.Until("/v1/payments/"+p.ID, words(statuses)...)
	l.Verify()
}

// answeredAsSaid holds payhost's answer to a call against the plugin's.
func (l *Life) answeredAsSaid(p Answer, in Inbound) {
	note, err := l.Calls().Notification(l.ctx, l.asRead(in, p))
	if err != nil {
		l.Failf("the plugin can't read a genuine call a second time: %v", err)
		return
	}
	want := note.Ack.Status
	if want == 0 {
		want = 200
	}
	status, answer := l.Again(in)
	if status != want || string(answer) != string(note.Ack.Body) {
		l.Failf("a genuine call is answered %d %q, and the plugin said %d %q", status, answer, want, note.Ack.Body)
	}
}
