package host

import (
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// judgement is what a verdict rests on: what the host knows before and after a
// writing call of a plugin.
type judgement struct {
	spec        pay.OperationSpec
	earlier     pay.Evidence  // of earlier attempts of the same operation
	seen        pay.Evidence  // of this attempt
	retryAfter  time.Duration // what the deciding answer asked for
	unprocessed bool          // the manifest says that 503 means not processed
	result      *pay.Result   // the plugin's reading, nil if it failed
	err         *pay.Error    // why it failed
	hostMade    bool          // err is the host's own, given to the plugin after the answer
	unwritten   *pay.Error    // why the operation could not be written down, nil if it could
}

// verdict decides the outcome of a writing operation (contract, section 3). The
// host's evidence comes first: what the plugin says can make the outcome more
// cautious and never bolder. It returns the outcome, and the error that goes with
// it, nil for applied and accepted.
func (j *judgement) verdict() (pay.Outcome, *pay.Error) {
	outcome, err := j.thisAttempt()
	if outcome == pay.OutcomeNotApplied || outcome == pay.OutcomeDeclined {
		outcome, err = j.withEarlier(outcome, err)
	}
	if err == nil {
		return outcome, nil
	}
	switch outcome {
	case pay.OutcomeInDoubt:
		err.Effect = pay.EffectMaybe
		// A duplicate may be the provider's word that this key leads nowhere, while
		// the plugin knows that another may be tried beside it (see rahmet).
		beside := err.Class == pay.ClassDuplicate && err.Advice == pay.AdviceNewAttempt
		if err.Advice != pay.AdviceOperator && !beside {
			err.Advice = j.doubtAdvice()
		}
	default:
		err.Effect = pay.EffectNone
		// An answer that could not be read is usually a reason to ask. Where it is proven
		// that nothing happened, there is nothing to ask after: the same key may go again.
		if outcome == pay.OutcomeNotApplied && err.Class == pay.ClassProtocol && err.Advice == 0 {
			err.Advice = pay.AdviceRetrySameKey
		}
	}
	return outcome, err.Fill()
}

// thisAttempt judges the attempt by itself.
func (j *judgement) thisAttempt() (pay.Outcome, *pay.Error) {
	if j.unwritten != nil && !j.sent() {
		return j.kept()
	}
	switch j.seen.Wire {
	case pay.WireUnknown:
		return pay.OutcomeInDoubt, j.because(pay.ClassTimeout, "bytes left and no whole answer came")
	case pay.WireNotSent:
		if j.doubts() {
			return pay.OutcomeInDoubt, j.because(pay.ClassTimeout, "plugin is in doubt")
		}
		return pay.OutcomeNotApplied, j.because(pay.ClassUnavailable, "nothing was sent")
	case pay.WireAnswered:
		return j.answered()
	}
	return j.unsent()
}

// sent reports whether a byte of a writing call may have left.
func (j *judgement) sent() bool {
	return j.seen.Wire == pay.WireAnswered || j.seen.Wire == pay.WireUnknown
}

// kept judges an attempt that could not be written down and sent nothing that
// writes: what the plugin makes of that counts for nothing, unless it has read at
// the provider and doubts.
func (j *judgement) kept() (pay.Outcome, *pay.Error) {
	if j.seen.Reads > 0 && j.doubts() {
		return pay.OutcomeInDoubt, j.unwritten
	}
	return pay.OutcomeNotApplied, j.unwritten
}

// doubts reports whether the plugin itself says that it does not know.
func (j *judgement) doubts() bool {
	return j.result != nil && j.result.Outcome == pay.OutcomeInDoubt || j.err != nil && j.err.Effect == pay.EffectMaybe
}

// unsent judges an attempt that made no writing call.
func (j *judgement) unsent() (pay.Outcome, *pay.Error) {
	if j.doubts() {
		return pay.OutcomeInDoubt, j.because(pay.ClassProtocol, "plugin is in doubt")
	}
	if j.result == nil {
		if declines(j.err) {
			return pay.OutcomeDeclined, j.err
		}
		return pay.OutcomeNotApplied, j.because(pay.ClassPluginFault, "plugin failed before it sent anything")
	}
	switch j.result.Outcome {
	case pay.OutcomeApplied, pay.OutcomeAccepted:
		// Without a writing call only two things can make it so: an operation that
		// sends nothing by design, or a read that found it done.
		if j.spec.MoneyCalls == 0 || j.seen.Reads > 0 {
			return j.result.Outcome, nil
		}
		return pay.OutcomeNotApplied, &pay.Error{
			Class: pay.ClassPluginFault, Message: "plugin claims an effect, but it sent nothing and asked nothing",
		}
	case pay.OutcomeDeclined:
		return pay.OutcomeDeclined, j.declined()
	case pay.OutcomeNotApplied:
		return pay.OutcomeNotApplied, j.because(pay.ClassStateConflict, "plugin reports no effect")
	}
	return pay.OutcomeNotApplied, badOutcome()
}

// answered judges an attempt whose deciding call got a whole answer.
func (j *judgement) answered() (pay.Outcome, *pay.Error) {
	switch status := j.seen.Status; {
	case j.doubts():
		return pay.OutcomeInDoubt, j.because(pay.ClassProtocol, "plugin is in doubt")
	case status == 429:
		return pay.OutcomeNotApplied, j.wait(pay.ClassRateLimited, "provider says too many requests")
	case status == 503 && j.unprocessed:
		return pay.OutcomeNotApplied, j.wait(pay.ClassUnavailable, "provider is not available and did not process the request")
	case status >= 500:
		return pay.OutcomeInDoubt, j.wait(pay.ClassProtocol, "provider answered with a server error")
	}
	if j.result != nil {
		return j.reading()
	}
	return j.refusal()
}

// reading takes the plugin's reading of a whole answer.
func (j *judgement) reading() (pay.Outcome, *pay.Error) {
	switch j.result.Outcome {
	case pay.OutcomeApplied, pay.OutcomeAccepted:
		return j.result.Outcome, nil
	case pay.OutcomeDeclined:
		return pay.OutcomeDeclined, j.declined()
	case pay.OutcomeNotApplied:
		return pay.OutcomeNotApplied, j.because(pay.ClassStateConflict, "provider did nothing")
	}
	return pay.OutcomeInDoubt, badOutcome()
}

// refusal takes the plugin's error about a whole answer. Only a class that is a
// definite no of the provider proves that nothing happened; everything else, a
// trap included, leaves a doubt.
func (j *judgement) refusal() (pay.Outcome, *pay.Error) {
	switch {
	case j.hostMade: // the plugin passed on a later failure; what was answered is not told
		return pay.OutcomeInDoubt, j.err
	case declines(j.err):
		return pay.OutcomeDeclined, j.err
	case definite(j.err.Class), j.err.Effect == pay.EffectNone && !broken(j.err.Class):
		return pay.OutcomeNotApplied, j.err
	}
	return pay.OutcomeInDoubt, j.err
}

// withEarlier judges an attempt that did nothing in the light of earlier ones
// that are in doubt. Where the provider knows the key, a decline is its answer to
// that key and settles it. Nothing else does: a refused token, a limit or a field
// that is wrong by now tell of this attempt only.
func (j *judgement) withEarlier(outcome pay.Outcome, err *pay.Error) (pay.Outcome, *pay.Error) {
	keyed := j.spec.Idempotency == pay.IdempotencyNative || j.spec.Idempotency == pay.IdempotencyNatural
	settled := outcome == pay.OutcomeDeclined && keyed && j.seen.Wire == pay.WireAnswered
	if !j.earlier.Doubtful() || settled {
		return outcome, err
	}
	return pay.OutcomeInDoubt, err
}

func (j *judgement) doubtAdvice() pay.Advice {
	if j.spec.Idempotency == pay.IdempotencyNative {
		return pay.AdviceRetrySameKey
	}
	return pay.AdviceProbe
}

// because returns the plugin's own error, or one with the class and message.
func (j *judgement) because(class pay.Class, message string) *pay.Error {
	if j.err != nil {
		return j.err
	}
	e := &pay.Error{Class: class, Message: message}
	if j.result != nil {
		e.ProviderCode, e.ProviderMessage = j.result.ProviderCode, j.result.ProviderMessage
	}
	return e
}

func (j *judgement) wait(class pay.Class, message string) *pay.Error {
	e := &pay.Error{Class: class, Message: message, RetryAfter: j.retryAfter}
	if j.err != nil {
		e.ProviderCode, e.ProviderMessage = j.err.ProviderCode, j.err.ProviderMessage
		e.RetryAfter = max(e.RetryAfter, j.err.RetryAfter)
	}
	return e
}

func (j *judgement) declined() *pay.Error {
	e := j.because(pay.ClassDeclined, "provider declined")
	e.Reason = j.result.Reason
	if e.Reason == 0 {
		e.Reason = pay.DeclinedOther
	}
	return e
}

func badOutcome() *pay.Error {
	return &pay.Error{Class: pay.ClassPluginFault, Message: "plugin answered an outcome that is none"}
}

// declines reports whether an error is a definite no to the payer's side.
func declines(e *pay.Error) bool {
	switch e.Class {
	case pay.ClassDeclined, pay.ClassCodeInvalid, pay.ClassCodeExpired:
		return true
	}
	return false
}

// definite reports whether a class, read from a whole answer, is the provider's
// word that it did nothing.
func definite(class pay.Class) bool {
	switch class {
	case pay.ClassInvalidRequest, pay.ClassUnsupported, pay.ClassConfig, pay.ClassAuth,
		pay.ClassStateConflict, pay.ClassNotFound, pay.ClassLimit, pay.ClassRateLimited:
		return true
	}
	return false
}

// broken reports whether a class says that the plugin or the host failed, so that
// its word about the effect is worth nothing.
func broken(class pay.Class) bool {
	return class == pay.ClassPluginFault || class == pay.ClassHostFault || class == pay.ClassIntegrity ||
		class == pay.ClassProtocol || class == pay.ClassDuplicate
}
