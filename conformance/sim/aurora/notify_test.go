package aurora_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/aurora"
)

// signed is the signature as a merchant works it out.
func signed(body string) string {
	mac := hmac.New(sha256.New, []byte(aurora.WebhookKey))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := b.order("1", "12.30")
	b.move(m.ID, "paid")
	b.refund("r1", m.ID, "0.30")
	b.refund("r1", m.ID, "0.30") // nothing new
	b.move(m.ID, "refunded")
	other := b.order("2", "5")
	b.move(other.ID, "failed")
	want := []string{
		`{"id":"` + m.ID + `","order":"1","state":"paid","amount":12.30,"paid":12.30,"refunded":0.00,"currency":"EUR"}`,
		`{"id":"` + m.ID + `","order":"1","state":"paid","amount":12.30,"paid":12.30,"refunded":0.30,"currency":"EUR"}`,
		`{"id":"` + m.ID + `","order":"1","state":"paid","amount":12.30,"paid":12.30,"refunded":12.30,"currency":"EUR"}`,
		`{"id":"` + other.ID + `","order":"2","state":"failed","amount":5.00,"paid":0.00,"refunded":0.00,"currency":"EUR"}`,
	}
	notes := b.told()
	if len(notes) != len(want) {
		t.Fatalf("told %v", notes)
	}
	// Calls about different orders may pass one another.
	for _, text := range want {
		found := false
		for _, n := range notes {
			found = found || n == note{"POST", "application/json", signed(text), text}
		}
		if !found {
			t.Errorf("told %v, not %s", notes, text)
		}
	}
	kinds := ""
	for _, d := range b.Deliveries() {
		if d.Object == m.ID {
			kinds += d.Kind + " "
		}
	}
	if kinds != "paid refunded refunded " {
		t.Errorf("kinds %q", kinds)
	}
}

func TestNotificationSettings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name, value string
		check       func(t *testing.T, notes []note)
	}{
		"off":   {"notify", "off", func(t *testing.T, notes []note) { wantNotes(t, notes, 0) }},
		"twice": {"notify", "twice", func(t *testing.T, notes []note) { wantNotes(t, notes, 2) }},
		"wrong signature": {"signature", "wrong", func(t *testing.T, notes []note) {
			wantNotes(t, notes, 1)
			if s := notes[0].signature; len(s) != 64 || s == signed(notes[0].body) {
				t.Errorf("signature %q", s)
			}
		}},
		"no signature": {"signature", "none", func(t *testing.T, notes []note) {
			wantNotes(t, notes, 1)
			if notes[0].signature != "" {
				t.Errorf("signature %q", notes[0].signature)
			}
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			b.set(tt.name, tt.value)
			b.move(b.order("1", "12.30").ID, "paid")
			tt.check(t, b.told())
		})
	}
}

func wantNotes(t *testing.T, notes []note, n int) {
	t.Helper()
	if len(notes) != n {
		t.Fatalf("told %v, want %d", notes, n)
	}
	if n == 2 && notes[0] != notes[1] {
		t.Errorf("the second differs: %v", notes)
	}
}

// TestLateNotification tells what was, although more has happened since.
func TestLateNotification(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.set("notify_delay", "5m")
	m := b.order("1", "12.30")
	b.move(m.ID, "paid")
	b.set("notify_delay", "0s")
	b.refund("r1", m.ID, "12.30")
	if notes := b.told(); len(notes) != 1 || !strings.Contains(notes[0].body, `"refunded":12.30`) {
		t.Fatalf("told %v", notes)
	}
	b.Advance(5 * time.Minute)
	if notes := b.told(); len(notes) != 1 || !strings.Contains(notes[0].body, `"paid":12.30,"refunded":0.00`) {
		t.Errorf("told %v", notes)
	}
}

func TestNobodyToTell(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.post("k", body("1", "5.91"))
	if notes := b.told(); len(notes) != 0 || len(b.Deliveries()) != 0 {
		t.Errorf("told %v", notes)
	}
}
