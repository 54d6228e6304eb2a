package smartpay_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/smartpay"
)

const (
	fiscalV1 = "/v1/purchase/fiscal"
	fiscalV2 = "/v2/purchase/fiscal"
)

func TestS9ReceiptOfAPurchase(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till, other := openTill(t, srv, "1"), openTill(t, srv, "2")
	id := till.commit("K", present(t, srv))
	receipt := m{"purchase_id": id, "register_number": "0000000001", "fiscal_sign": "1234567890"}
	till.refused(smartpay.CodePurchaseState, fiscalV1, receipt)
	till.release(id, 700)
	must(t, srv.Kit().Move(id, "success"))
	other.refused(smartpay.CodePurchaseElsewhere, fiscalV1, receipt)
	till.ok(fiscalV1, receipt)
	till.ok(fiscalV1, receipt)
	till.refused(smartpay.CodeReceiptDiffers, fiscalV1,
		m{"purchase_id": id, "register_number": "0000000001", "fiscal_sign": "another"})
	for _, missing := range []string{"register_number", "fiscal_sign"} {
		body := m{"purchase_id": id, "register_number": "1", "fiscal_sign": "2"}
		delete(body, missing)
		till.refused(smartpay.CodeBadRequest, fiscalV1, body)
	}
	till.refused(smartpay.CodePurchaseNotFound, fiscalV1,
		m{"purchase_id": "purchase-9", "register_number": "1", "fiscal_sign": "2"})
	wantEffects(t, srv, "charge 700 K")
}

func TestS9ReceiptWithoutAPurchase(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	receipt := m{
		"register_number": "0000000001", "fiscal_sign": "1", "total": 123_45, "tender": "cash",
		"lines": []m{{"name": "Хлеб", "quantity": "1", "price": 123_45}},
	}
	for range 2 {
		till.ok(fiscalV2, m{"qr": nil, "receipt": receipt})
	}
	objects := srv.Kit().Objects()
	if len(objects) != 1 || objects[0].Kind != "receipt" || objects[0].Amount != 123_45 ||
		objects[0].Ref != "0000000001/1" {
		t.Fatalf("objects %+v, want the one receipt", objects)
	}
	receipt["tender"] = "card"
	till.refused(smartpay.CodeReceiptDiffers, fiscalV2, m{"qr": nil, "receipt": receipt})
	if err := srv.Kit().Move(objects[0].ID, "fail"); err == nil {
		t.Error("a receipt was moved")
	}
	wantEffects(t, srv)
}

func TestS9ReceiptWithACode(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	code := present(t, srv)
	id := till.commit("K", code)
	srv.Kit().Advance(20 * time.Minute) // a code stays good for a receipt
	var qr m
	must(t, json.Unmarshal([]byte(code), &qr))
	till.ok(fiscalV2, m{"qr": qr, "receipt": m{"register_number": "1", "fiscal_sign": "1", "total": 700}})
	_, d := details(t, srv, "1/1")
	if d["user"] != "alice" || d["purchase_id"] != id {
		t.Errorf("receipt %v, want alice's of %s", d, id)
	}
	till.refused(smartpay.CodeReceiptDiffers, fiscalV2, // the same receipt, and nobody's
		m{"qr": nil, "receipt": m{"register_number": "1", "fiscal_sign": "1", "total": 700}})
	forged, err := srv.PresentFlawed("alice", smartpay.ForgedSignature)
	must(t, err)
	must(t, json.Unmarshal([]byte(forged), &qr))
	till.refused(smartpay.CodeQRSignature, fiscalV2,
		m{"qr": qr, "receipt": m{"register_number": "1", "fiscal_sign": "2"}})
	till.refused(smartpay.CodeQRInvalid, fiscalV2,
		m{"qr": m{"encrypted": "AAAA", "sign": "AAAA"}, "receipt": m{"register_number": "1", "fiscal_sign": "2"}})
}

func TestS9ReceiptIsChecked(t *testing.T) {
	t.Parallel()
	srv := start(t)
	till := openTill(t, srv, "1")
	for _, receipt := range []any{
		nil, "text", 5,
		[]string{},
		m{},
		m{"register_number": "1"},
		m{"fiscal_sign": "1"},
		m{"register_number": "1", "fiscal_sign": "1", "total": "700"},
		m{"register_number": "1", "fiscal_sign": "1", "total": 7.5},
		m{"register_number": 1, "fiscal_sign": "1"},
	} {
		till.refused(smartpay.CodeBadRequest, fiscalV2, m{"qr": nil, "receipt": receipt})
	}
	till.refused(smartpay.CodeBadRequest, fiscalV2, m{"qr": nil})
	till.refused(smartpay.CodeBadRequest, fiscalV2, m{"qr": "text", "receipt": m{}})
	till.refused(smartpay.CodeAmount, fiscalV2,
		m{"qr": nil, "receipt": m{"register_number": "1", "fiscal_sign": "1", "total": -1}})
}
