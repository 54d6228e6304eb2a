package soak_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// deed is something that the hostile plugin does, and how its call must end.
type deed struct {
	name     string
	patience time.Duration // how long the call may take
	classes  []pay.Class   // any of them; none for an answer
}

const (
	short = 100 * time.Millisecond // for what never ends by itself
	ample = 10 * time.Second       // for what does
)

// deeds are all of them. Endless recursion meets whichever bound is the first.
var deeds = []deed{
	{"loop", short, []pay.Class{pay.ClassTimeout}},
	{"recurse", short, []pay.Class{pay.ClassPluginFault, pay.ClassLimit, pay.ClassTimeout}},
	{"sleep", short, []pay.Class{pay.ClassTimeout}},
	{"allocate", ample, []pay.Class{pay.ClassLimit}},
	{"straight", short, []pay.Class{pay.ClassTimeout}},
	{"bulk", short, []pay.Class{pay.ClassTimeout}},
	{"touch", short, []pay.Class{pay.ClassTimeout}},
	{"panic", ample, []pay.Class{pay.ClassPluginFault}},
	{"exit", ample, []pay.Class{pay.ClassPluginFault}},
	{"reply", ample, []pay.Class{pay.ClassPluginFault}},
	{"flood", ample, nil},
	{"keep", ample, nil},
	{"look", ample, nil},
}

// misbehave makes one hostile call.
func misbehave(ctx context.Context, c *host.Connection, d deed, order string) (host.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	return c.Create(ctx, pay.CreateRequest{
		Intent: pay.Intent{Key: "hostile-" + order}, PaymentID: "pay_" + order, OrderID: order, Amount: pay.New(1230, "EUR"),
		Options: []pay.Option{{Name: "do", Value: d.name}},
	})
}

// missed reports whether a call never got to its guest: on a machine with much else to do,
// the instance in place of the last one's is not there within its tenth of a second. It is
// told either of two ways, by whether the calls before failed, too.
func missed(err error) bool {
	return pay.ClassOf(err) == pay.ClassLimit && (strings.Contains(err.Error(), "no plugin instance was free in time") ||
		strings.Contains(err.Error(), "its next instance waits"))
}

// try makes the plugin do a deed. It reports whether the plugin was there to do it, and
// what was wrong with the end.
func (d deed) try(ctx context.Context, c *host.Connection, order string) (done bool, err error) {
	result, err := misbehave(ctx, c, d, order)
	if result.Outcome != pay.OutcomeNotApplied && result.Outcome != pay.OutcomeDeclined {
		return true, fmt.Errorf("%s: outcome is %s, and nothing was sent", d.name, result.Outcome)
	}
	class := pay.ClassOf(err)
	switch {
	case d.classes == nil:
		return true, d.look(&result, err)
	case d.patience == short && missed(err):
		return false, nil
	case !slices.Contains(d.classes, class):
		return true, fmt.Errorf("%s: ended as %s (%w), want %v", d.name, class, err, d.classes)
	case strings.Contains(err.Error(), order):
		return true, fmt.Errorf("%s: the plugin's words came through: %w", d.name, err)
	}
	return true, nil
}

// look holds an answer to what there was to find: nothing, or what the same call left.
func (d deed) look(r *host.Result, err error) error {
	if class := pay.ClassOf(err); err != nil && class != pay.ClassDeclined {
		return fmt.Errorf("%s: ended as %s (%w)", d.name, class, err)
	}
	clean := r.ProviderCode == "clean"
	if clean == (d.name == "keep") {
		return fmt.Errorf("%s: the plugin finds %q", d.name, r.ProviderCode)
	}
	return nil
}
