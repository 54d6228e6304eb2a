package scenario_test

import (
	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/simkit"
)

// object is the one with this id.
func object(s conformance.Simulator, id string) (simkit.Object, error) {
	for _, o := range s.Objects() {
		if o.ID == id {
			return o, nil
		}
	}
	return simkit.Object{}, simkit.ErrNoObject
}
