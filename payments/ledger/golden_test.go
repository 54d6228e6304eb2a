package ledger_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

var update = flag.Bool("update", false, "write testdata and docs/states.md anew")

// golden compares with a file, or writes it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what is made now; go test ./payments/ledger -update writes it (-file +now):\n%s", filepath.Base(path), diff)
	}
}

// everything is one entry of each kind, with every field filled.
func everything() []ledger.Body {
	at := time.Date(2026, time.January, 15, 10, 0, 0, 123456000, time.UTC)
	op, refund, receipt := ledger.OperationID(bookID, 2), ledger.RefundID(bookID, 1), ledger.ReceiptID(bookID, 1)
	failure := &ledger.Error{
		Class: pay.ClassDeclined, Effect: pay.EffectNone, Advice: pay.AdviceAskPayer, Operation: pay.OpRelease, Field: "amount",
		Message: "declined", Reason: pay.DeclinedInsufficientFunds, ProviderCode: "51", ProviderMessage: "no money", RetryAfterMS: 1500,
	}
	seen := ledger.Observation{
		Subject: pay.SubjectPayment, Payment: pay.PaymentSucceeded, RefundStatus: pay.RefundPending, ReceiptStatus: pay.ReceiptPending,
		ProviderRef: "9001", ProviderKey: "100500", ProviderState: "is_paid=true", Amount: kzt(250000), AmountPaid: kzt(250000),
		AmountRefunded: kzt(0), ProviderAt: at, Reason: pay.DeclinedOther, Detail: "seen",
	}
	return []ledger.Body{
		ledger.Opened{
			Receipt: true, Connection: "rahmet-main", Provider: "rahmet", Caller: "shop", OrderID: "100500", Amount: kzt(250000),
			Nonce: "00ff", Revision: "abc", Flow: "redirect", ExpiresAt: at, Metadata: map[string]string{"b": "2", "a": "1"},
		},
		ledger.Prepared{
			Operation: op, Op: pay.OpRelease, Attempt: 1, Sequence: 2, ProviderKey: "100500-2", Amount: kzt(250000), Refund: refund,
			Receipt: receipt, Reason: "one less", Register: "0000", FiscalSign: "2718", Idempotency: pay.IdempotencyLookup, Revision: "abc",
			RequestID: "req-1", Lease: at, Summary: map[string]string{"x": "y"}, HorizonMS: 600000, KeyLifetimeMS: 86400000,
		},
		ledger.Sending{Operation: op, Attempt: 1, Call: 2, Method: "POST", URL: "https://pay.example/orders"},
		ledger.Outcome{
			Operation: op, Attempt: 1, Outcome: pay.OutcomeInDoubt,
			Evidence: ledger.Evidence{Wire: pay.WireUnknown, Status: 502, Calls: 1, Reads: 2, BytesOut: 812, InDoubt: true},
			Error:    failure, ProviderRef: "9001", PayerHint: "***42", ExpiresAt: at, Seen: []ledger.Observation{seen},
			Next: &ledger.Next{Type: pay.NextShowQR, URL: "https://p.example/1", QRPayload: "p:1", QRPNG: []byte{1, 2, 3}, ExpiresAt: at},
			Calls: []ledger.Call{{
				Method: "POST", URL: "https://pay.example/orders", Money: true, Evidence: "unknown", Status: 502, Attempts: 2, BytesOut: 812,
				BytesIn: 9, Failure: "reset", TookMS: 31,
			}},
			Revision: "abc", TookUS: 31415, Recovered: true,
		},
		ledger.Resolved{Operation: op, Outcome: pay.OutcomeNotApplied, Evidence: "ticket 17"},
		ledger.Abandoned{Operation: op, Reason: "not repeated in time"},
		ledger.Observed{Observation: seen, Source: "probe", Refund: refund, Ref: "ntf_1"},
		ledger.Probed{Found: pay.FoundNot, Refund: refund, Absent: []string{op}, Error: failure},
		ledger.Notified{ID: "ntf_1", Authenticity: pay.AuthenticityWeak, State: "postlink", Detail: "unsigned"},
		ledger.Expired{Reason: "not paid in time"},
		ledger.Alert{Operation: op, Error: failure},
		ledger.Note{Text: "a note"},
		ledger.Acknowledged{Evidence: "asked the provider: ticket 7"},
	}
}

// TestStoredForm keeps the ledger's JSON as it is: what was written years ago must
// still be read.
func TestStoredForm(t *testing.T) {
	t.Parallel()
	var all bytes.Buffer
	kinds := map[ledger.Kind]bool{}
	for _, body := range everything() {
		text, err := json.MarshalIndent(struct {
			Kind ledger.Kind `json:"kind"`
			Body ledger.Body `json:"body"`
		}{body.Kind(), body}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		all.Write(append(text, '\n'))
		kinds[body.Kind()] = true
	}
	if len(kinds) != len(allKinds()) {
		t.Errorf("%d kinds of %d", len(kinds), len(allKinds()))
	}
	golden(t, "testdata/entries.json", all.Bytes())
}

func allKinds() []ledger.Kind {
	return []ledger.Kind{
		ledger.KindOpened, ledger.KindPrepared, ledger.KindSending, ledger.KindOutcome, ledger.KindResolved, ledger.KindAbandoned,
		ledger.KindObserved, ledger.KindProbed, ledger.KindNotified, ledger.KindExpired, ledger.KindAlert, ledger.KindNote,
		ledger.KindLookedAt,
	}
}

// TestStoredFormIsRead reads the file, not what is written now.
func TestStoredFormIsRead(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/entries.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want := everything()
	decoder := json.NewDecoder(file)
	for i := range want {
		var line struct {
			Kind ledger.Kind
			Body json.RawMessage
		}
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		got, err := ledger.DecodeBody(line.Kind, line.Body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("%s (-want +read):\n%s", line.Kind, diff)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	const other = "01jd5x3v8czzzzzzzzzzzzzzzz"
	tests := map[string]string{
		"pay_" + bookID: bookID, "op_" + bookID + "_1": bookID, "op_" + other + "_31": other, "ref_" + bookID + "_2": bookID,
		"rec_" + bookID: bookID, "rec_" + bookID + "_1": bookID,
		"": "", "_": "", "pay": "", "pay_": "", "pay_x": "", bookID: "", "pay_" + bookID + "_1": "", "op_" + bookID: "", "ref_" + bookID: "",
		"op_" + bookID + "_0": "", "op_" + bookID + "_01": "", "op_" + bookID + "_-1": "", "op_" + bookID + "_+1": "",
		"op_" + bookID + "_1_1": "", "op_" + bookID + "_": "", "rec_" + bookID + "_": "", "op_" + bookID + "_99999999999999999999": "",
		"PAY_" + bookID: "", "pay_" + strings.ToUpper(bookID): "", "pay_" + bookID + " ": "", "evt_" + bookID: "",
		"pay_" + bookID[:25]: "", "pay_" + bookID + "0": "", "pay_u" + bookID[1:]: "", "pay_9" + bookID[1:]: "",
	}
	for id, want := range tests {
		if got, ok := ledger.BookOf(id); got != want || ok != (want != "") {
			t.Errorf("BookOf(%q) = %q, %t, want %q", id, got, ok, want)
		}
	}
	book := ledger.NewID()
	for _, id := range []string{
		ledger.PaymentID(book), ledger.OperationID(book, 7), ledger.RefundID(book, 1), ledger.ReceiptID(book, 0), ledger.ReceiptID(book, 3),
	} {
		if got, ok := ledger.BookOf(id); got != book || !ok {
			t.Errorf("BookOf(%q) = %q, %t", id, got, ok)
		}
	}
}

func TestNewIDsSort(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id := ledger.NewID()
		if seen[id] {
			t.Fatalf("%s twice", id)
		}
		seen[id] = true
	}
}

// FuzzBookOf: an id is one that payhost makes, letter by letter, or none.
func FuzzBookOf(f *testing.F) {
	for _, id := range []string{"pay_" + bookID, "op_" + bookID + "_1", "ref_" + bookID + "_2", "rec_" + bookID, "rec_" + bookID + "_9", "x_y_z"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		book, ok := ledger.BookOf(id)
		if !ok {
			if book != "" {
				t.Errorf("no id, and book %q", book)
			}
			return
		}
		prefix, rest, _ := strings.Cut(id, "_")
		if len(book) != 26 || !strings.HasPrefix(rest, book) || strings.ToLower(id) != id {
			t.Errorf("%q leads to %q", id, book)
		}
		switch prefix {
		case "pay", "op", "ref", "rec":
		default:
			t.Errorf("%q is an id", id)
		}
	})
}

func TestAmountJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ledger.Amount{
		"null": {}, `{"value":"0","currency":"KZT"}`: kzt(0), `{"value":"-5","currency":"KZT"}`: kzt(-5),
		`{"value":"9223372036854775807","currency":"TMT"}`: ledger.Of(pay.New(1<<63-1, pay.TMT)),
	} {
		var got ledger.Amount
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want || asJSON(t, got) != text {
			t.Errorf("%s is %+v, %v, and written %s", text, got, err, asJSON(t, got))
		}
	}
	for _, bad := range []string{`{"value":1,"currency":"KZT"}`, `"1"`, `{"value":"1.0","currency":"KZT"}`, `{"value":"9223372036854775808","currency":"KZT"}`} {
		var a ledger.Amount
		if err := json.Unmarshal([]byte(bad), &a); err == nil {
			t.Errorf("%s is %+v", bad, a)
		}
	}
	if text, err := json.Marshal(ledger.Of(pay.New(1, `K"T`))); err == nil {
		t.Errorf("written %s", text)
	}
}
