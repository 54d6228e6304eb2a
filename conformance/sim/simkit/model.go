package simkit

import (
	"errors"
	"fmt"
)

// ErrNoObject means that no object has the id asked for.
var ErrNoObject = errors.New("no such object")

// Model holds a provider's objects. Its methods are called concurrently.
type Model interface {
	// Objects lists every object, oldest first.
	Objects() []Object
	// Move brings the object with this exact id to an outcome, whatever its state is.
	// It returns [ErrNoObject], or a *[FieldError] on field "outcome".
	Move(id, outcome string) error
	// Reset forgets every object.
	Reset()
}

// Ticker is a [Model] that does things by itself when time passes. Tick is called before every request and
// before effects or objects are read.
type Ticker interface {
	Tick()
}

// Object is one thing at the provider that can be looked at and moved.
type Object struct {
	// ID is the provider's own id, unique in the simulator.
	ID string `json:"id"`
	// Ref is the merchant's id; several objects may share it.
	Ref string `json:"ref"`
	// Kind is what the provider calls it: order, payment, refund.
	Kind string `json:"kind"`
	// State is where it stands now.
	State string `json:"state"`
	// Amount is in minor units.
	Amount int64 `json:"amount"`
	// Outcomes are the words that Move takes for this object.
	Outcomes []string `json:"outcomes"`
	// Details is whatever else the simulator tells about it.
	Details any `json:"details,omitempty"`
}

// FieldError is bad input, with the name of the field that is bad.
type FieldError struct {
	Field   string
	Message string
}

// Error is the field and what is wrong with it.
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// UnknownOutcome is the error of a Model for an outcome that it does not know.
func UnknownOutcome(outcome string, allowed []string) error {
	message := fmt.Sprintf("unknown outcome %q; one of %q", outcome, allowed)
	return &FieldError{Field: "outcome", Message: message}
}

// Objects lists every object, oldest first.
func (k *Kit) Objects() []Object {
	k.tick()
	return k.model.Objects()
}

// Object finds one by the provider's id or, failing that, the newest with the merchant's id. It returns
// [ErrNoObject].
func (k *Kit) Object(id string) (Object, error) {
	objects := k.Objects()
	for _, o := range objects {
		if o.ID == id {
			return o, nil
		}
	}
	for i := len(objects) - 1; i >= 0; i-- {
		if objects[i].Ref != "" && objects[i].Ref == id {
			return objects[i], nil
		}
	}
	return Object{}, fmt.Errorf("%w: %q", ErrNoObject, id)
}

// Move brings an object, found as [Kit.Object] finds it, to an outcome. It returns [ErrNoObject], or a
// *[FieldError] on field "outcome".
func (k *Kit) Move(id, outcome string) error {
	o, err := k.Object(id)
	if err != nil {
		return err
	}
	return k.model.Move(o.ID, outcome)
}
