package conformance

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/payhost/payhost/host"
)

// liveRandom begins two payments in each of two fresh instances, which are an hour
// apart, and looks for what is another thing in both payments of an instance, is
// asked for by nobody, and is the same in the other instance: a plugin made that up,
// and makes up the same whenever it begins anew. A plugin that is put back to its
// first state after each call makes up the same for every payment: what is the same
// in all of them must not look made up.
func liveRandom(l *Life) {
	first, second := l.makings(0), l.makings(time.Hour)
	for text := range first.always {
		if second.always[text] && madeUp.MatchString(text) && !first.given(text) {
			l.Failf("%q looks made up and stands in every payment: ids and nonces must come from the host's random", text)
		}
	}
	for text := range first.once {
		if second.once[text] && !first.always[text] && !first.given(text) {
			l.Failf("%q is made up by the plugin, and another fresh instance makes up the same: ids and nonces "+
				"must come from the host's random", text)
		}
	}
}

// makings are the words that stand in the writing requests of two payments.
type makings struct {
	once   map[string]bool // in one of the two
	always map[string]bool // in both
	inputs string
}

func (m *makings) given(text string) bool { return strings.Contains(m.inputs, text) }

// madeUp is what ids and nonces look like, and words do not.
var madeUp = regexp.MustCompile(`^([0-9a-f]{16,}|[0-9A-F]{16,}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9]{12,})$`)

var word = regexp.MustCompile(`[A-Za-z0-9+/_.-]{8,}`)

// makings lives two payments in a host of its own.
func (l *Life) makings(later time.Duration) makings {
	st, err := newStation(l.ctx, 9_000+int(later/time.Hour), l.suite.target.Plugin, l.suite.options)
	if err != nil {
		l.Fatalf("the plugin loads once, and not again: %v", err)
	}
	defer st.close()
	other, err := l.suite.newLife(l.ctx, st, killPlan{})
	if other != nil {
		defer other.close()
	}
	if err != nil {
		l.Fatalf("%v", err)
	}
	other.orders = int(later/time.Hour) * 100 // other orders than the other instance's
	st.clock.advance(later)
	other.Sim.Advance(later)
	var seen [2]map[string]bool
	m := makings{once: map[string]bool{}, always: map[string]bool{}}
	other.run(func(o *Life) {
		for i := range seen {
			before := len(o.Recordings())
			o.BeginWith(o.Terms.Amount, nil)
			seen[i] = map[string]bool{}
			for _, r := range o.Recordings()[before:] {
				m.inputs += inputOf(r)
				for _, s := range r.Sends() {
					if s.Money {
						for _, w := range word.FindAllString(sent(s), -1) {
							seen[i][w] = true
						}
					}
				}
			}
			o.Pass(7 * time.Second)
		}
	})
	if len(other.failures) > 0 {
		l.Skipf("no payment can be begun: see L1.pay")
	}
	for w := range seen[0] {
		if seen[1][w] {
			m.always[w] = true
		} else {
			m.once[w] = true
		}
	}
	for w := range seen[1] {
		if !m.always[w] {
			m.once[w] = true
		}
	}
	return m
}

// sent is what a request says, as a text to look for words in.
func sent(s *host.RecordedSend) string {
	text := pathOf(s.Request.URL) + " " + string(s.Body)
	for _, f := range s.Request.Header {
		text += " " + f.Value
	}
	return text
}

// inputOf is what the plugin was handed.
func inputOf(r *host.Recording) string {
	in := r.Input
	return fmt.Sprintf("%+v %+v %+v %+v %+v %s %s", in.Create, in.Bind, in.Payment, in.Refund, in.Receipt, r.Seen.BaseURL, r.Seen.Settings)
}
