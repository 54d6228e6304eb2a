package aurora_test

import (
	"net/http"
	"strings"
	"testing"
)

// press presses a button of an order's page and returns where the payer is sent.
func (b *bench) press(m made, button string) string {
	b.t.Helper()
	got := b.send("POST", strings.TrimPrefix(m.Page, b.url), "action="+button, "Content-Type", "application/x-www-form-urlencoded")
	if got.status != http.StatusSeeOther {
		b.t.Errorf("%s gives %d, want 303", button, got.status)
	}
	return got.header.Get("Location")
}

// page is the order's page as it is now.
func (b *bench) page(m made) string {
	b.t.Helper()
	got := b.send("GET", strings.TrimPrefix(m.Page, b.url), "")
	if got.status != 200 {
		b.t.Fatalf("page: %d", got.status)
	}
	return got.body
}

func TestPaymentPage(t *testing.T) {
	t.Parallel()
	for button, state := range map[string]string{"pay": "paid", "decline": "failed", "expire": "expired"} {
		t.Run(button, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			m := b.order("N-1", "12.30")
			if !strings.HasPrefix(m.Page, b.url+"/p/ord_") {
				t.Fatalf("page %q", m.Page)
			}
			page := b.page(m)
			for _, want := range []string{"N-1", "12.30 EUR", `src="data:image/png;`, `value="pay"`, `value="decline"`, `value="expire"`} {
				if !strings.Contains(page, want) {
					t.Errorf("page lacks %q", want)
				}
			}
			if to := b.press(m, button); to != "https://shop.example/back" {
				t.Errorf("the payer is sent to %q", to)
			}
			b.want(m.ID, `"state":"`+state+`"`)
			if page := b.page(m); strings.Contains(page, "<button") || !strings.Contains(page, `href="https://shop.example/back"`) {
				t.Errorf("the page of an ended order must lead back and have no button:\n%s", page)
			}
			for _, other := range []string{"pay", "decline", "expire"} { // an end is an end
				b.press(m, other)
			}
			b.want(m.ID, `"state":"`+state+`"`)
		})
	}
}

func TestLatePayment(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := b.order("1", "12.30")
	b.move(m.ID, "expired")
	b.set("late_payment", "accept")
	if !strings.Contains(b.page(m), "Pay late") {
		t.Error("no button to pay late")
	}
	b.press(m, "decline")
	b.want(m.ID, `"state":"expired"`)
	b.press(m, "pay")
	b.want(m.ID, `"state":"paid"`)
}

func TestPageTellsOfRefunds(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := b.order("1", "5.91")
	if page := b.page(m); !strings.Contains(page, ">Paid<") {
		t.Errorf("page does not say that it is paid:\n%s", page)
	}
	b.refund("r", m.ID, "0.30")
	if !strings.Contains(b.page(m), "Paid, refunded in part") {
		t.Error("page does not say that a part was refunded")
	}
	b.move(m.ID, "refunded")
	if !strings.Contains(b.page(m), "Refunded") {
		t.Error("page does not say that it is refunded")
	}
}

func TestPaymentPageIsSafe(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := b.order(`"><script>alert(1)</script>`, "12.30")
	if page := b.page(m); strings.Contains(page, "<script") || !strings.Contains(page, "&lt;script&gt;") {
		t.Errorf("hostile text reached the page as it was:\n%s", page)
	}
	got := b.send("POST", "/p/"+m.ID, "action=steal", "Content-Type", "application/x-www-form-urlencoded")
	if got.status != http.StatusBadRequest {
		t.Errorf("unknown button: %d", got.status)
	}
	for _, method := range []string{"GET", "POST"} {
		if got := b.send(method, "/p/none", ""); got.status != http.StatusNotFound {
			t.Errorf("%s of no order: %d", method, got.status)
		}
	}
}
