package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// The checks that are watched in every life, whatever it is lived for.
const (
	idPrivate    = "L0.private"
	idLog        = "L0.log"
	idEgress     = "L0.egress"
	idPure       = "L0.pure"
	idBounded    = "L0.bounded"
	idOperations = "L0.operations"
	idMoneyCalls = "L1.money_calls"
	idMarked     = "L1.marked"
	idKey        = "L1.key"
	idResend     = "L2.resend"
	idSame       = "L2.same_body"
)

// watched are these checks.
func watched(level Level) []check {
	var list []check
	for _, c := range []Check{
		{
			ID: idPrivate, Level: L0, Proves: "contract 9, abi",
			Sentence: "No secret, card number or name of a payer reaches an answer of the API or the host's log.",
		},
		{
			ID: idLog, Level: L0, Proves: "contract 9",
			Sentence: "The plugin writes no card number, e-mail address, payer's name or code to its log, masked or not.",
		},
		{
			ID: idEgress, Level: L0, Proves: "abi, HTTP",
			Sentence: "The plugin calls no host, method or path that its manifest does not declare.",
		},
		{ID: idPure, Level: L0, Sentence: "describe, check_config and notification do not try to use the network.", Proves: "contract 2"},
		{
			ID: idBounded, Level: L0, Proves: "abi, limits",
			Sentence: "No call of the plugin traps, runs out of time or memory, or ends without a reply.",
		},
		{ID: idOperations, Level: L0, Sentence: "Every operation that the manifest declares is implemented.", Proves: "contract 2"},
		{
			ID: idMoneyCalls, Level: L1, Proves: "contract 2",
			Sentence: "An operation makes no more writing calls than the manifest declares.",
		},
		{
			ID: idMarked, Level: L1, Proves: "contract 2, abi",
			Sentence: "No call that the manifest lists as reading has an effect at the provider.",
		},
		{
			ID: idKey, Level: L1, Proves: "contract 5",
			Sentence: "A writing call carries the provider key that the host gave, unchanged, at every send.",
		},
		{
			ID: idResend, Level: L2, Proves: "contract 3, 5",
			Sentence: "A writing call whose answer is lost is not sent again where the provider knows no key.",
		},
		{
			ID: idSame, Level: L2, Proves: "contract 5",
			Sentence: "Every send of an operation under one key says the same.",
		},
	} {
		if c.Level == level {
			list = append(list, check{Check: c, watched: true})
		}
	}
	return list
}

// watchCalls looks at what the plugin did in a life.
func (l *Life) watchCalls() {
	recordings := l.Recordings()
	for _, r := range recordings {
		l.watchVerdict(r)
		l.watchKey(r)
		for i := range r.Calls {
			l.watchCall(r, &r.Calls[i])
		}
		for _, line := range r.Lines() {
			l.watchLine(r.Operation, string(line.Text))
		}
	}
	l.watchMarks(recordings)
	l.watchEnds()
	l.watchSame(recordings)
}

func (l *Life) watchVerdict(r *host.Recording) {
	switch e := r.Verdict.Err; {
	case r.Fault != nil && (r.Fault.Class == pay.ClassPluginFault || ranOut(r.Fault) && !l.heldUp()):
		l.observed(idBounded, fmt.Sprintf("%s: %s", r.Operation, r.Fault.Message))
	case e != nil && e.Class == pay.ClassPluginFault:
		l.observed(idBounded, fmt.Sprintf("%s: %s", r.Operation, e.Message))
	case e != nil && e.Class == pay.ClassUnsupported:
		l.observed(idOperations, fmt.Sprintf("%s is declared, and answers that it is not supported", r.Operation))
	}
}

// ranOut reports a call that the sandbox has ended: the plugin went on behind its
// deadline, or wanted more memory than it may have. One that never got an instance is
// none.
func ranOut(e *pay.Error) bool {
	return (e.Class == pay.ClassTimeout || e.Class == pay.ClassLimit) && strings.HasPrefix(e.Message, "plugin ran ")
}

// heldUp reports whether an answer was kept from the plugin until its time was over:
// what little is left then may be too little on a machine that is busy.
func (l *Life) heldUp() bool {
	return slices.ContainsFunc(l.Wire.Journal(), func(x wire.Exchange) bool { return x.Fault == wire.Slow || x.Fault == wire.Late })
}

// watchCall looks at what the host refused to the plugin.
func (l *Life) watchCall(r *host.Recording, c *host.ImportCall) {
	if c.Send == nil || c.Code != abi.Denied || c.Error == nil || c.Error.Class == pay.ClassHostFault {
		return
	}
	where := fmt.Sprintf("%s tried %s %s: %s", r.Operation, c.Send.Request.Method, pathOf(c.Send.Request.URL), c.Error.Message)
	switch {
	case r.Operation.Kind() == pay.KindPure:
		l.observed(idPure, where)
	case c.Error.Class == pay.ClassConfig, !l.grants(r, c.Send.Request.Method, c.Send.Request.URL):
		l.observed(idEgress, where)
	case strings.Contains(c.Error.Message, "unknown outcome"):
		l.observed(idResend, where)
	default:
		l.observed(idMoneyCalls, where)
	}
}

// grants reports whether the manifest has a rule for a request. The host looks at it
// only behind what it asks first.
func (l *Life) grants(r *host.Recording, method, url string) bool {
	return slices.ContainsFunc(l.Manifest.Egress, func(rule pay.EgressRule) bool {
		origin := rule.Origin
		if origin == abi.ConfigBaseURL {
			origin = r.Seen.BaseURL
		}
		return slices.Contains(rule.Methods, method) && strings.HasPrefix(pathOf(url), origin+rule.PathPrefix)
	})
}

// pathOf is a URL without its query, which may be private.
func pathOf(url string) string {
	path, _, _ := strings.Cut(url, "?")
	return path
}

// watchKey looks for the provider key in the writing calls of an operation that has
// one.
func (l *Life) watchKey(r *host.Recording) {
	spec, _ := l.Manifest.Operation(r.Operation)
	key := r.Verdict.ProviderKey
	if !r.Operation.Kind().Writes() || spec.KeyForm == pay.KeyNone || key == "" {
		return
	}
	for _, s := range r.Sends() {
		if !s.Money || s.Evidence == "" || said(s, key) {
			continue
		}
		l.observed(idKey, fmt.Sprintf("%s was to send the key %s, and %s %s does not carry it", r.Operation, key,
			s.Request.Method, pathOf(s.Request.URL)))
	}
}

// said reports whether a text stands in a request by itself: not as a part of a
// longer word, as a key with something behind it would be.
func said(s *host.RecordedSend, text string) bool {
	if alone(s.Request.URL, text) || alone(string(s.Body), text) {
		return true
	}
	for _, f := range s.Request.Header {
		if alone(f.Value, text) {
			return true
		}
	}
	return false
}

func alone(in, text string) bool {
	for rest := in; ; {
		i := strings.Index(rest, text)
		if i < 0 {
			return false
		}
		before := len(in) - len(rest) + i
		after := before + len(text)
		if (before == 0 || !wordByte(in[before-1])) && (after == len(in) || !wordByte(in[after])) {
			return true
		}
		rest = rest[i+1:]
	}
}

func wordByte(b byte) bool {
	return b == '-' || b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// watchMarks holds the provider's effects against what the plugin called reading.
func (l *Life) watchMarks(recordings []*host.Recording) {
	type mark struct{ money, reading bool }
	marks := map[string]mark{}
	for _, r := range recordings {
		if !r.Operation.Kind().Writes() {
			continue
		}
		for _, s := range r.Sends() {
			name := s.Request.Method + " " + s.Request.URL[strings.LastIndex(s.Request.URL, "//")+1:]
			m := marks[name]
			m.money, m.reading = m.money || s.Money, m.reading || !s.Money
			marks[name] = m
		}
	}
	for _, x := range l.Wire.Journal() {
		if x.Effects == 0 {
			continue
		}
		for name, m := range marks {
			method, url, _ := strings.Cut(name, " ")
			if method == x.Method && strings.HasSuffix(pathOf(url), x.Path) && m.reading && !m.money {
				l.observed(idMarked, fmt.Sprintf("%s %s moved money, and the manifest lists it as reading", x.Method, x.Path))
			}
		}
	}
}

var (
	longDigits = regexp.MustCompile(`\d[\d -]{11,21}\d`)
	email      = regexp.MustCompile(`[\w.+-]+@[\w-]+\.[\w.]+`)
)

// watchLine looks at a line of the plugin's log as the plugin gave it: the host masks
// what it can, and can't know a name.
func (l *Life) watchLine(op pay.Operation, line string) {
	for text, what := range l.private() {
		if strings.Contains(line, text) {
			l.observed(idLog, fmt.Sprintf("%s logs %s", op, what))
		}
	}
	for _, code := range l.codes {
		if strings.Contains(line, code) {
			l.observed(idLog, fmt.Sprintf("%s logs the payer's code", op))
		}
	}
	if email.MatchString(line) {
		l.observed(idLog, fmt.Sprintf("%s logs an e-mail address", op))
	}
	for _, digits := range longDigits.FindAllString(line, -1) {
		if cardNumber(digits) {
			l.observed(idLog, fmt.Sprintf("%s logs a card number", op))
		}
	}
}

// cardNumber reports 13 to 19 digits whose check digit is right (ISO/IEC 7812-1), and
// that begin as a card's do.
func cardNumber(text string) bool {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	if len(digits) < 13 || len(digits) > 19 || !strings.Contains("234569", digits[:1]) {
		return false
	}
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// private are the texts that must not be told: the connection's secrets, what the
// merchant tells of the payer, what the provider tells of a card.
func (l *Life) private() map[string]string {
	const shortest = 6 // a shorter one stands in some other word
	texts := map[string]string{}
	for name, secret := range l.config.Secrets {
		if secret.Len() >= shortest {
			texts[secret.Reveal()] = "the secret " + name
		}
	}
	if customer, ok := l.Terms.Payment["customer"].(map[string]any); ok {
		for name, value := range customer {
			if text, ok := value.(string); ok && len(text) >= shortest {
				texts[text] = "the customer's " + name
			}
		}
	}
	for _, text := range l.Terms.Private {
		texts[text] = "what the provider tells in private"
	}
	return texts
}

// watch looks for private texts in what payhost answers.
func (l *Life) watch(where string, raw []byte) {
	for text, what := range l.private() {
		if strings.Contains(string(raw), text) {
			l.observed(idPrivate, fmt.Sprintf("%s stands in the API's answer to %s", what, where))
		}
	}
}

// watchLog looks for them in the log, which the host has masked as far as it can.
func (l *Life) watchLog() {
	for _, line := range l.station.log.all(l.Connection) {
		for text, what := range l.private() {
			if strings.Contains(line, text) {
				l.observed(idPrivate, fmt.Sprintf("%s stands in the log: %s", what, cut(strings.ReplaceAll(line, text, "(it)"))))
			}
		}
	}
}

// observed fails a watched check, once in a life.
func (l *Life) observed(id, message string) {
	wire := l.wireLines()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.failures {
		if l.failures[i].check == id {
			return
		}
	}
	l.failures = append(l.failures, Failure{Message: message, Where: l.where, Reproduce: l.only, Wire: wire, check: id})
}
