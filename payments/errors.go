package payments

import (
	"errors"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

func invalid(field, message string) *pay.Error {
	return (&pay.Error{Class: pay.ClassInvalidRequest, Effect: pay.EffectNone, Field: field, Message: message}).Fill()
}

func notFound(field, message string) *pay.Error {
	return (&pay.Error{Class: pay.ClassNotFound, Effect: pay.EffectNone, Field: field, Message: message}).Fill()
}

func unsupported(op pay.Operation) *pay.Error {
	return (&pay.Error{
		Class: pay.ClassUnsupported, Effect: pay.EffectNone, Operation: op, Message: "the provider has no such operation: " + op.String(),
	}).Fill()
}

func conflict(advice pay.Advice, message string) *pay.Error {
	return &pay.Error{Class: pay.ClassStateConflict, Effect: pay.EffectNone, Advice: advice, Message: message}
}

// inDoubt refuses an operation while an earlier one may or may not have happened.
func inDoubt(b *ledger.Book, d *ledger.Doubt) *pay.Error {
	return &pay.Error{
		Class: pay.ClassInDoubt, Effect: pay.EffectNone, Advice: pay.AdviceProbe,
		Message: d.Op.String() + " of " + b.PaymentID() + " may or may not have happened (" + d.Operation +
			"): it must be known first",
	}
}

func inProgress(message string) *pay.Error {
	return (&pay.Error{Class: pay.ClassInProgress, Effect: pay.EffectNone, Message: message}).Fill()
}

func errClosed() *pay.Error {
	return (&pay.Error{
		Class: pay.ClassHostFault, Effect: pay.EffectNone, Advice: pay.AdviceRetrySameKey, Message: "payhost is stopping",
	}).Fill()
}

// storeError turns an error of the store into one for callers. The database's own
// text stays behind. Errors that decide what is done next pass as they are.
func storeError(err error) error {
	var own *pay.Error
	switch {
	case err == nil, errors.As(err, &own), errors.Is(err, errMoved), errors.Is(err, store.ErrNotFound):
		return err
	case errors.Is(err, store.ErrStale), errors.Is(err, store.ErrExists):
		return errMoved
	case errors.Is(err, store.ErrCursor):
		return invalid("cursor", "is none that payhost has given")
	}
	return &pay.Error{
		Class: pay.ClassHostFault, Effect: pay.EffectNone, Advice: pay.AdviceRetrySameKey,
		Message: "the store is not available", Err: err,
	}
}

// found turns what the store says of an id into an error for callers.
func found(err error, what string) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound("id", "there is no such "+what)
	}
	return storeError(err)
}
