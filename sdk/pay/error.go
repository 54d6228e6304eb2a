package pay

import "time"

// Class says what kind of thing went wrong.
type Class uint8

// The classes of contract section 6.
const (
	ClassInvalidRequest Class = 1  // a field is wrong; nothing was sent
	ClassUnsupported    Class = 2  // the provider or plugin has no such operation
	ClassConfig         Class = 3  // the connection's settings are wrong
	ClassAuth           Class = 4  // the provider refused our credentials
	ClassDeclined       Class = 5  // a definite no; see Reason
	ClassCodeInvalid    Class = 6  // the payer's code is forged, used or unreadable
	ClassCodeExpired    Class = 7  // the payer's code is too old
	ClassStateConflict  Class = 8  // the payment is not where the operation needs it
	ClassDuplicate      Class = 9  // the provider has seen our key: ask status
	ClassNotFound       Class = 10 // the provider does not know the reference
	ClassLimit          Class = 11 // a limit of payhost: size, calls, memory
	ClassRateLimited    Class = 12 // too many calls; see RetryAfter
	ClassUnavailable    Class = 13 // the provider can't be reached or says so
	ClassTimeout        Class = 14 // no answer in time
	ClassProtocol       Class = 15 // an answer that can't be understood
	ClassIntegrity      Class = 16 // an answer that contradicts what was asked, or a bad signature
	ClassInDoubt        Class = 17 // refused while an earlier operation is in doubt
	ClassKeyReused      Class = 18 // the same key with other fields
	ClassInProgress     Class = 19 // the same key, or what must end first, is still running
	ClassPluginFault    Class = 20 // the plugin trapped, lied or broke the ABI
	ClassHostFault      Class = 21 // payhost's own fault
)

var classNames = names{
	ClassInvalidRequest: "invalid_request", ClassUnsupported: "unsupported", ClassConfig: "config",
	ClassAuth: "auth", ClassDeclined: "declined", ClassCodeInvalid: "code_invalid",
	ClassCodeExpired: "code_expired", ClassStateConflict: "state_conflict", ClassDuplicate: "duplicate",
	ClassNotFound: "not_found", ClassLimit: "limit", ClassRateLimited: "rate_limited",
	ClassUnavailable: "unavailable", ClassTimeout: "timeout", ClassProtocol: "protocol",
	ClassIntegrity: "integrity", ClassInDoubt: "in_doubt", ClassKeyReused: "key_reused",
	ClassInProgress: "in_progress", ClassPluginFault: "plugin_fault", ClassHostFault: "host_fault",
}

// String returns the class as the API spells it.
func (c Class) String() string { return classNames.of(uint8(c)) }

// Effect says whether the failed operation changed anything at the provider.
// The host sets it from evidence; a plugin can only make it worse.
type Effect uint8

// The effects, worst last.
const (
	EffectNone  Effect = 1 // proven: nothing happened
	EffectDone  Effect = 2 // proven: it happened
	EffectMaybe Effect = 3 // not known
)

var effectNames = names{EffectNone: "none", EffectDone: "done", EffectMaybe: "maybe"}

// String returns the effect as the API spells it.
func (e Effect) String() string { return effectNames.of(uint8(e)) }

// Advice says what the caller should do next.
type Advice uint8

// The advices.
const (
	AdviceFix          Advice = 1 // mend the request or the settings
	AdviceRetrySameKey Advice = 2 // send again with the same key, after RetryAfter
	AdviceProbe        Advice = 3 // ask status; do not send again
	AdviceAskPayer     Advice = 4 // the payer must act: another card, a fresh code
	AdviceNewAttempt   Advice = 5 // start again with a new key
	AdviceOperator     Advice = 6 // a person must look
)

var adviceNames = names{
	AdviceFix: "fix", AdviceRetrySameKey: "retry_same_key", AdviceProbe: "probe",
	AdviceAskPayer: "ask_payer", AdviceNewAttempt: "new_attempt", AdviceOperator: "operator",
}

// String returns the advice as the API spells it.
func (a Advice) String() string { return adviceNames.of(uint8(a)) }

// DeclinedReason says why a provider said no.
type DeclinedReason uint8

// The reasons for a decline.
const (
	DeclinedOther             DeclinedReason = 1
	DeclinedInsufficientFunds DeclinedReason = 2
	DeclinedPayerRejected     DeclinedReason = 3
	DeclinedPayerTimeout      DeclinedReason = 4
	DeclinedLimitExceeded     DeclinedReason = 5
	DeclinedAccountBlocked    DeclinedReason = 6
	DeclinedRisk              DeclinedReason = 7
	DeclinedMerchantBlocked   DeclinedReason = 8
	DeclinedInstrumentInvalid DeclinedReason = 9
)

var reasonNames = names{
	DeclinedOther: "other", DeclinedInsufficientFunds: "insufficient_funds",
	DeclinedPayerRejected: "payer_rejected", DeclinedPayerTimeout: "payer_timeout",
	DeclinedLimitExceeded: "limit_exceeded", DeclinedAccountBlocked: "account_blocked",
	DeclinedRisk: "risk", DeclinedMerchantBlocked: "merchant_blocked",
	DeclinedInstrumentInvalid: "instrument_invalid",
}

// String returns the reason as the API spells it.
func (r DeclinedReason) String() string { return reasonNames.of(uint8(r)) }

// Error is every failure of an operation: class × effect × advice. It is written
// as a literal, so that class, field and advice stand where it is made. Its texts
// hold no secret, no card number and no name of a person.
type Error struct {
	Class  Class
	Effect Effect // zero from a plugin means "the host decides"
	Advice Advice // zero means the usual advice of the class, see [Error.Fill]

	Operation Operation
	Field     string // path of the field at fault, "amount" or "settings.time_zone"
	Message   string // what happened, lowercase, for a developer
	Reason    DeclinedReason

	ProviderCode    string // the provider's own code, as text
	ProviderMessage string // the provider's own message, masked by the host
	RetryAfter      time.Duration

	Err error // what caused it, inside one process only; never crosses the ABI
}

// Error returns one line: operation, field, then the message (or the cause, or
// the name of the class), then the provider's code.
func (e *Error) Error() string {
	text := ""
	if e.Operation != 0 {
		text = e.Operation.String() + ": "
	}
	if e.Field != "" {
		text += e.Field + ": "
	}
	switch {
	case e.Message != "":
		text += e.Message
	case e.Err != nil:
		text += e.Err.Error()
	default:
		text += e.Class.String()
	}
	if e.ProviderCode != "" {
		text += " (provider code " + e.ProviderCode + ")"
	}
	return text
}

// Unwrap returns the cause, if there is one in this process.
func (e *Error) Unwrap() error { return e.Err }

// Fill sets the class's usual advice where none is given, and returns e. An
// effect that is not known turns all advice but a person's look into a probe:
// neither a repeat nor a fresh code is safe while money may have moved.
func (e *Error) Fill() *Error {
	if e.Advice != 0 {
		return e
	}
	switch e.Class {
	case ClassInvalidRequest, ClassConfig, ClassUnsupported, ClassNotFound, ClassKeyReused:
		e.Advice = AdviceFix
	case ClassDeclined, ClassCodeInvalid, ClassCodeExpired:
		e.Advice = AdviceAskPayer
	case ClassRateLimited, ClassUnavailable, ClassTimeout, ClassInProgress, ClassLimit:
		e.Advice = AdviceRetrySameKey
	case ClassDuplicate, ClassProtocol, ClassInDoubt, ClassStateConflict:
		e.Advice = AdviceProbe
	default:
		e.Advice = AdviceOperator
	}
	if e.Effect == EffectMaybe && e.Advice != AdviceOperator {
		e.Advice = AdviceProbe
	}
	return e
}

// AsError returns err as an [Error]. What is no such error becomes host_fault
// with the cause kept for errors.Is but its text kept from callers; nil stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e := find(err); e != nil {
		return e
	}
	return &Error{Class: ClassHostFault, Message: "internal error", Err: err}
}

// find is errors.As for an [Error] without its reflection, which would be 65 KB of
// each plugin.
func find(err error) *Error {
	for err != nil {
		if e, ok := err.(*Error); ok { //nolint:errorlint // this is the unwrapping itself
			return e
		}
		var e *Error
		if as, ok := err.(interface{ As(target any) bool }); ok && as.As(&e) {
			return e
		}
		switch wrapper := err.(type) { //nolint:errorlint // likewise
		case interface{ Unwrap() error }:
			err = wrapper.Unwrap()
		case interface{ Unwrap() []error }:
			for _, one := range wrapper.Unwrap() {
				if e := find(one); e != nil {
					return e
				}
			}
			return nil
		default:
			return nil
		}
	}
	return nil
}

// ClassOf returns the class of err: zero for nil, host_fault for an error that
// is no [Error].
func ClassOf(err error) Class {
	if e := AsError(err); e != nil {
		return e.Class
	}
	return 0
}
