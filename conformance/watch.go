package conformance

import (
	"fmt"
	"strings"
)

// idPrivate is the check that watches for what must not be told.
const idPrivate = "L0.private"

// private are the texts that must reach no answer, log or timeline: the connection's
// secrets, what the merchant tells of the payer, what the provider tells of a card.
func (l *Life) private() map[string]string {
	texts := map[string]string{}
	for name, secret := range l.config.Secrets {
		if secret.Len() >= 6 {
			texts[secret.Reveal()] = "the secret " + name
		}
	}
	if customer, ok := l.Terms.Payment["customer"].(map[string]any); ok {
		for name, value := range customer {
			if text, ok := value.(string); ok && len(text) >= 6 {
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
	for i := range l.failures {
		if l.failures[i].check == id {
			return
		}
	}
	l.failures = append(l.failures, Failure{Message: message, Where: l.where, Reproduce: l.only, Wire: l.wireLines(), check: id})
}
