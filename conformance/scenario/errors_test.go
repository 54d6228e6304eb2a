package scenario_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payhost/payhost/conformance/scenario"
)

// small is a good file that the tests break in one place each.
const small = `name: corner
time: {zone: UTC, format: rfc3339}
terms:
  currency: EUR
  amount: 1230
  outcomes: {paid: paid}
connection:
  secrets: {api_key: an-invented-key}
  keys: {hook: {algorithms: [HS256], generate: true}}
objects:
  order:
    id: "{uuid}"
    amount: "{request.amount}"
    keep: {to: "{request.to}", at: "{request.at}", more: "{request.more}"}
    states: {new: nothing, paid: charged, over: nothing}
    times: [{from: new, after: 15m, to: over}, {from: new, at: at, to: over}]
  refund:
    of: order
    id: "{uuid}"
    amount: "{request.amount}"
    states: {done: refunded}
calls:
  - call: POST /orders
    request: {amount: major 2, to: optional url, at: optional time, more: optional any}
    refuse: [{when: request.amount > 100000, answer: refused, field: amount, message: too much}]
    create: {object: order, key: "{header.Key}", key_reused: refused_plainly}
    answer: {status: 201, json: {id: "{order.id}"}}
  - call: GET /orders/{id}
    find: {object: order, is: "{path.id}", else: {status: 404}}
    answer: {json: {state: "{order.state}", amount: "{order.amount | major 2}"}}
  - call: POST /refunds
    request: {order: text, amount: major 2}
    find: {object: order, is: "{request.order}", else: {status: 404}}
    refuse: [{when: order.state is not paid, answer: refused_plainly}]
    create: {object: refund}
    answer: {json: {id: "{refund.id}"}}
answers:
  bad_request: refused
  refused: {status: 400, json: {field: "{bad.field}", message: "{bad.message}"}}
  refused_plainly: {status: 409, headers: {X-Why: no}, text: no}
notifications:
  - object: order
    states: [paid]
    to: "{order.to}"
    json: {state: "{order.state}"}
    sign: {key: hook}
    headers: {X-Sign: "{signature}"}
`

// TestErrors breaks the file in one place at a time: the error names line and path.
func TestErrors(t *testing.T) {
	t.Parallel()
	if _, err := scenario.Parse("f.yaml", []byte(small), ""); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ old, new, want string }{
		// YAML itself
		{small, "", "f.yaml:1: is empty"},
		{small, "- a\n", "f.yaml:1: must be an object"},
		{"terms:", "terms: [", "is not YAML"},
		{"answers:\n", "answers: &a\n", "f.yaml:37: answers: is an alias or an anchor"},
		{"name: corner", "name: corner\nname: corner", "f.yaml:2: name: is there twice"},
		{"name: corner", "title: corner", "f.yaml:1: title: no such field; there are name, time,"},
		{"name: corner\n", "", "f.yaml:1: name: is missing"},
		{"name: corner", "name: the corner", "f.yaml:1: name: a name has letters"},
		{small, small + "---\nname: other\n", "is a second document"},
		// terms
		{"currency: EUR", "currency: EURO", "f.yaml:4: terms.currency: \"EURO\" is not"},
		{"amount: 1230", "amount: 12.30", "f.yaml:5: terms.amount: must be a whole number, not \"12.30\""},
		{"amount: 1230", "amount: 0", "f.yaml:5: terms.amount: must be above 0"},
		{"amount: 1230", "amount: 1230\n  amounts: [1, x]", "f.yaml:6: terms.amounts[1]: must be a whole number"},
		{"{paid: paid}", "{}", "f.yaml:6: terms.outcomes.paid: is missing"},
		{"{paid: paid}", "{paid: gone}", "f.yaml:6: terms.outcomes.paid: order has no state \"gone\"; there are new, paid, over"},
		{"{paid: paid}", "{paid: new}", "terms.outcomes.paid: state new means nothing for the money, not charged"},
		{"{paid: paid}", "{paid: paid}\n  lifetime: 10m", "f.yaml:7: terms.lifetime: is 10m0s, and by the times of order an unpaid one ends after 15m0s"},
		{"{paid: paid}", "{paid: paid}\n  whole_refunds: maybe", "f.yaml:7: terms.whole_refunds: must be true or false"},
		{"{paid: paid}", "{paid: paid}\n  payment: [1]", "f.yaml:7: terms.payment: must be an object"},
		{"{paid: paid}", "{paid: paid}\n  bad_settings: [{settings: 1, field: x}]", "terms.bad_settings[0].settings: must be an object"},
		// time
		{"zone: UTC", "zone: Nowhere/Land", "f.yaml:2: time.zone: \"Nowhere/Land\" is not UTC"},
		{"format: rfc3339", "format: 2006-01-02", "f.yaml:2: time.format: \"2\" in form"},
		{"format: rfc3339", "format: hh:mm", "time.format: form \"hh:mm\" has no YYYY"},
		// connection
		{"algorithms: [HS256]", "algorithms: [HS1]", "f.yaml:9: connection.keys.hook: keys.hook.alg: unknown algorithm"},
		{"generate: true", "generate: false", "f.yaml:9: connection.keys.hook: "},
		{"generate: true", "private_key_file: none.txt", "f.yaml:9: connection.keys.hook: "},
		// objects
		{"paid: charged,", "paid: nothing,", "objects: one object must have a state that means charged"},
		{"paid: charged,", "paid: gone,", "f.yaml:15: objects.order.states.paid: \"gone\" is not one of nothing, charged, refunded"},
		{`amount: "{request.amount}"` + "\n    keep", "keep", "f.yaml:11: objects.order.amount: is missing"},
		{`amount: "{request.amount}"` + "\n    keep", "amount: \"{request.to}\"\n    keep", "f.yaml:13: objects.order.amount: must be an amount that is always there: a field of the type major or minor; this is a text"},
		{"order:\n    id: \"{uuid}\"", "order:\n    id: \"{uid}\"", "f.yaml:12: objects.order.id: {uid}: nothing is called \"uid\" here; there are base,"},
		{"of: order", "of: ordre", "f.yaml:18: objects.refund.of: there is no other object \"ordre\""},
		{"keep: {to:", "keep: {state:", "objects.order.keep.state: every object has a member state"},
		{"after: 15m", "after: soon", "objects.order.times[0].after: \"soon\" is not a time above 0"},
		{"after: 15m", "after: 15m, at: at", "objects.order.times[0]: needs one of at and after"},
		{"at: at, to", "at: to, to", "objects.order: times: \"to\" is nothing that order keeps and that is a time"},
		{"{from: new, after: 15m, to: over}", "{from: new, after: 15m, to: new}", "times[0].to: is one of from"},
		{"create: {object: refund}", "move: {object: order, to: over}", "f.yaml:17: objects.refund: no call creates it"},
		// calls
		{"POST /orders", "PSOT /orders", "f.yaml:23: calls[0].call: must be a method and a path"},
		{"POST /orders", "POST /_sim/x", "calls[0].call: paths below /_sim/"},
		{"GET /orders/{id}", "GET /orders/{id}.json", "f.yaml:28: calls[1].call: \"{id}.json\": a name in braces stands alone"},
		{"POST /refunds", "POST /orders", "f.yaml:31: calls[2]: is never reached: calls[0] is the same"},
		{"amount: major 2, to", "amount: major, to", "calls[0].request.amount: major needs the number of decimal places"},
		{"amount: major 2, to", "amount: decimal, to", "calls[0].request.amount: \"decimal\" is no type"},
		{"amount: major 2, to", "amount: {type: boolean, max: 3}, to", "calls[0].request.amount.max: is for texts"},
		{"to: optional url, at", "to: {type: text, one_of: [a], default: b}, at", "calls[0].request.to.default: is not one of a"},
		{"when: request.amount > 100000", "when: request.amount > a lot", "f.yaml:25: calls[0].refuse[0].when: > compares two amounts"},
		{"when: request.amount > 100000", "when: request.sum > 1", "calls[0].refuse[0].when: \"request.sum > 1\": the call's request has no field \"sum\""},
		{"when: request.amount > 100000", "when: request.amount over 1", "has none of the operators"},
		{"when: request.amount > 100000", "when: request.amount is missing", "this is never missing"},
		{"when: order.state is not paid", "when: order.state is not gone", "f.yaml:34: calls[2].refuse[0].when: \"gone\" is not one of new, paid, over"},
		{"when: order.state is not paid", "when: \"order.state in [new, gone]\"", "\"gone\" is not one of new, paid, over"},
		{"when: order.state is not paid", "when: order.state in new", "in takes a list such as"},
		{"when: order.state is not paid", "when: order.more is x", "this is any JSON and can only be missing or given"},
		{"answer: refused, field", "answer: refuse, field", "f.yaml:25: calls[0].refuse[0].answer: there is no answer \"refuse\""},
		{"answer: refused, field: amount, message: too much", "answer: refused", "nothing is wrong here"},
		{"is: \"{path.id}\"", "is: \"{path.order}\"", "f.yaml:29: calls[1].find.is: {path.order}: the path has no {order}"},
		{"else: {status: 404}}\n    answer", "else: {status: 40}}\n    answer", "f.yaml:29: calls[1].find.else.status: 40 is not from 200 to 599"},
		{"status: 201", "status: created", "f.yaml:27: calls[0].answer.status: must be a whole number"},
		{"{order.state}\", amount", "{order.stat}\", amount", "f.yaml:30: calls[1].answer.json.state: {order.stat}: order has no \"stat\""},
		{"{order.state}\", amount", "{refund.id}\", amount", "nothing is called \"refund\" here; there are order, base"},
		{"{order.state}\", amount", "x{order.to}\", amount", "{order.to} may be missing, which can't stand within a text"},
		{"{order.state}\", amount", "x{order.more | or x}\", amount", "or takes one value, not a structure"},
		{"{order.state}\", amount", "{order.state | major 2}\", amount", "major takes an amount, and this is a text"},
		{"{order.state}\", amount", "{order.state\", amount", "has a { without its }"},
		{"{order.state}\", amount", "order.state}\", amount", "has a } without its {"},
		{"{order.state}\", amount", "{order.state | shout}\", amount", "no such filter \"shout\""},
		{"{order.state}\", amount", "{order.state | omit}\", amount", "omit is of no use"},
		{"{order.state}\", amount", "{order.state | }\", amount", "a value or a filter is missing"},
		{"{order.state}\", amount", "{body}\", amount", "nothing is called \"body\" here"},
		{"major 2}\"}}", "major 99}\"}}", "major takes the number of decimal places"},
		{"major 2}\"}}", "major 3}\"}}", "f.yaml:30: calls[1].answer.json.amount: {order.amount | major 3}: major 3 here and major 2 elsewhere"},
		{"{json: {id: \"{refund.id}\"}}", "{json: {}, text: x}", "f.yaml:36: calls[2].answer.text: a body is json or text, not both"},
		{"create: {object: order, key:", "create: {object: order, unique: ref, key:", "calls[0].create: unique and taken go together"},
		{"create: {object: refund}", "create: {object: refund, key_reused: refused_plainly}", "calls[2].create.key_reused: needs a key"},
		{"    find: {object: order, is: \"{request.order}\", else: {status: 404}}\n    refuse: [{when: order.state is not paid, answer: refused_plainly}]\n", "", "f.yaml:33: calls[2].create: refund is of a order, so the call must find one"},
		{"create: {object: refund}", "create: {object: refund}\n    move: {object: order, to: gone}", "f.yaml:36: calls[2].move.to: order has no state \"gone\""},
		// answers
		{"  bad_request: refused\n", "", "answers must have bad_request"},
		{"bad_request: refused", "bad_request: refused\n  other: {status: 200}", "f.yaml:39: answers.other: nothing gives this answer"},
		{"X-Why: no", "Content-Length: 3", "answers.refused_plainly.headers.Content-Length: is no header of a message's own"},
		// notifications
		{"states: [paid]", "states: [gone]", "notifications[0].states[0]: order has no state \"gone\""},
		{"to: \"{order.to}\"\n", "to: \"{order.amount}\"\n", "notifications[0].to: must be an address"},
		{"sign: {key: hook}", "sign: {key: hoook}", "notifications[0].sign.key: the connection has no key \"hoook\""},
		{"    sign: {key: hook}\n", "", "notifications[0].headers.X-Sign: {signature}: nothing is called \"signature\" here"},
		{"{state: \"{order.state}\"}\n    sign", "{state: \"{request.amount}\"}\n    sign", "request: there is no request here"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			if strings.Count(small, tt.old) != 1 {
				t.Fatalf("%q stands %d times in the file", tt.old, strings.Count(small, tt.old))
			}
			_, err := scenario.Parse("f.yaml", []byte(strings.Replace(small, tt.old, tt.new, 1)), t.TempDir())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v\nwant  %s", err, tt.want)
			}
			var one *scenario.Error
			if !errors.As(err, &one) || one.File != "f.yaml" || one.Line < 1 {
				t.Errorf("error %#v is no *Error", err)
			}
		})
	}
}

// TestErrorsComeTogether reports several, in the order of the file.
func TestErrorsComeTogether(t *testing.T) {
	t.Parallel()
	broken := strings.NewReplacer("currency: EUR", "currency: EURO", "states: [paid]", "states: [x]", "status: 201", "status: 1").Replace(small)
	_, err := scenario.Parse("f.yaml", []byte(broken), "")
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "f.yaml:4:") || !strings.HasPrefix(lines[1], "f.yaml:27:") {
		t.Errorf("errors\n%s", err)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := scenario.Load(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := scenario.Load(large); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("a large file: %v", err)
	}
}
