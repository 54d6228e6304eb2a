package host

import (
	"testing"

	"github.com/payhost/payhost/sdk/pay"
)

// TestVerdictIsNeverBolder goes through every combination of evidence, answer and
// plugin's word, and holds each verdict against the rules that may not be given
// up.
func TestVerdictIsNeverBolder(t *testing.T) {
	t.Parallel()
	cases := 0
	for _, j := range judgements() {
		cases++
		word := *j
		outcome, err := j.verdict()
		for _, rule := range brokenRules(&word, outcome, err) {
			t.Errorf("%s\n  wire %s, HTTP %d, earlier %s, %s, %d call(s) allowed, %d read(s), result %+v, error %+v\n  gave %s, %v",
				rule, word.seen.Wire, word.seen.Status, word.earlier.Wire, word.spec.Idempotency, word.spec.MoneyCalls,
				word.seen.Reads, word.result, word.err, outcome, err)
			if t.Failed() {
				return
			}
		}
	}
	if cases < 10_000 {
		t.Errorf("only %d cases", cases)
	}
}

// brokenRules returns the rules that a verdict breaks.
func brokenRules(j *judgement, outcome pay.Outcome, err *pay.Error) []string {
	var rules []string
	must := func(ok bool, rule string) {
		if !ok {
			rules = append(rules, rule)
		}
	}
	claimed := j.result != nil && (j.result.Outcome == pay.OutcomeApplied || j.result.Outcome == pay.OutcomeAccepted)
	done := outcome == pay.OutcomeApplied || outcome == pay.OutcomeAccepted
	settled := outcome == pay.OutcomeDeclined || outcome == pay.OutcomeNotApplied
	keyed := j.spec.Idempotency == pay.IdempotencyNative || j.spec.Idempotency == pay.IdempotencyNatural

	must(j.seen.Wire != pay.WireUnknown || outcome == pay.OutcomeInDoubt, "bytes left and no answer came: in doubt")
	must(!done || claimed, "an effect that the plugin did not claim")
	must(!done || j.seen.Wire == pay.WireAnswered || j.spec.MoneyCalls == 0 || j.seen.Reads > 0,
		"an effect without a call or a read that shows it")
	must(!done || j.seen.Wire != pay.WireAnswered || j.seen.Status < 500 && j.seen.Status != 429, "an effect in a server's error")
	must(j.seen.Wire != pay.WireAnswered || j.seen.Status < 500 || j.seen.Status == 503 && j.unprocessed ||
		outcome == pay.OutcomeInDoubt, "a server's error: in doubt")
	must(!settled || !j.earlier.Doubtful() || keyed && j.seen.Wire == pay.WireAnswered && outcome == pay.OutcomeDeclined,
		"an earlier doubt is not settled by an attempt that did nothing")
	must(!j.hostMade || j.seen.Wire != pay.WireAnswered || outcome == pay.OutcomeInDoubt || j.seen.Status == 429 || j.unprocessed,
		"a failure of the host after an answer tells nothing of the answer")
	unwritten := j.unwritten != nil && j.seen.Wire != pay.WireAnswered && j.seen.Wire != pay.WireUnknown
	must(!unwritten || !done && outcome != pay.OutcomeDeclined && err == j.unwritten,
		"what could not be written down and sent nothing did nothing, and the error says why")
	must(!j.doubts() || outcome == pay.OutcomeInDoubt || unwritten && j.seen.Reads == 0, "the plugin's own doubt is kept")
	must(outcome >= pay.OutcomeApplied && outcome <= pay.OutcomeInDoubt, "an outcome that is an end")
	must(done == (err == nil), "an error goes with everything but an effect")
	if err != nil {
		must(outcome != pay.OutcomeInDoubt || err.Effect == pay.EffectMaybe, "a doubt has effect maybe")
		must(!settled || err.Effect == pay.EffectNone, "no effect is said to be none")
		must(err.Advice != 0, "every error has advice")
		must(outcome != pay.OutcomeInDoubt || err.Advice == pay.AdviceProbe || err.Advice == pay.AdviceOperator ||
			j.spec.Idempotency == pay.IdempotencyNative || err.Class == pay.ClassDuplicate, "a doubt never invites a blind retry")
	}
	return rules
}

// judgements returns every combination; the words are copied, since a verdict may
// fill an error in.
func judgements() []*judgement {
	var all []*judgement
	wires := []pay.Wire{pay.WireNone, pay.WireAnswered, pay.WireNotSent, pay.WireUnknown}
	for _, seen := range wires {
		for _, earlier := range wires {
			for _, status := range []int{0, 200, 302, 400, 409, 429, 500, 503} {
				if (seen == pay.WireAnswered) != (status != 0) {
					continue
				}
				for idempotency := pay.IdempotencyNone; idempotency <= pay.IdempotencyLookup; idempotency++ {
					for _, shape := range [][3]int{{0, 0, 0}, {1, 0, 0}, {1, 1, 1}} {
						for _, word := range words() {
							j := word
							j.spec = pay.OperationSpec{Idempotency: idempotency, MoneyCalls: shape[0]}
							j.seen = pay.Evidence{Wire: seen, Status: status, Reads: shape[1]}
							j.earlier = pay.Evidence{Wire: earlier, InDoubt: shape[0] == 1 && earlier == pay.WireAnswered}
							j.unprocessed = shape[2] == 1
							all = append(all, &j)
						}
					}
				}
			}
		}
	}
	return all
}

// words are what a plugin can say: a result with any outcome, or an error of any
// class with any effect. Each stands also beside a journal that could not write.
func words() []judgement {
	var list []judgement
	for o := range pay.OutcomeInDoubt + 2 {
		list = append(list, judgement{result: &pay.Result{Outcome: o}},
			judgement{result: &pay.Result{Outcome: o}, unwritten: &pay.Error{Class: pay.ClassHostFault}})
	}
	for class := pay.Class(0); class <= pay.ClassHostFault; class++ {
		for effect := pay.Effect(0); effect <= pay.EffectMaybe; effect++ {
			list = append(list, judgement{err: &pay.Error{Class: class, Effect: effect}},
				judgement{err: &pay.Error{Class: class, Effect: effect}, hostMade: true},
				judgement{err: &pay.Error{Class: class, Effect: effect}, unwritten: &pay.Error{Class: pay.ClassInProgress}})
		}
	}
	return list
}
