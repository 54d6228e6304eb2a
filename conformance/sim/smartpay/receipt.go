package smartpay

import (
	"bytes"
	"encoding/json"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// receipt is a fiscal receipt that was sent on its own, with or without the payer's code.
type receipt struct {
	id         string
	till       string
	register   string
	fiscalSign string
	total      int64           // kopecks
	user       string          // empty without a code
	purchase   *purchase       // the one that claimed the code, if any did
	content    json.RawMessage // members in order of their names
}

// receiptContent is what the service reads of a receipt; it stores the rest as it came.
type receiptContent struct {
	RegisterNumber string `json:"register_number"`
	FiscalSign     string `json:"fiscal_sign"`
	Total          int64  `json:"total"`
}

// fiscal stores the receipt of a successful purchase. The same receipt may come again.
func (s *service) fiscal(sess session, in fiscalRequest) (okAnswer, error) {
	if in.RegisterNumber == "" || in.FiscalSign == "" {
		return okAnswer{}, refuse(CodeBadRequest)
	}
	p, err := s.purchase(sess, in.PurchaseID)
	if err != nil {
		return okAnswer{}, err
	}
	switch {
	case p.state != stateSuccess:
		return okAnswer{}, refuse(CodePurchaseState)
	case p.receipt != nil && *p.receipt != in:
		return okAnswer{}, refuse(CodeReceiptDiffers)
	}
	p.receipt = &in
	return ok(), nil
}

// receipt stores a receipt of any tender. Its code may be old and claimed by then: it names the payer, it
// does not pay.
func (s *service) receipt(sess session, in receiptRequest) (okAnswer, error) {
	content, members, err := readReceipt(in.Receipt)
	if err != nil {
		return okAnswer{}, err
	}
	r := &receipt{
		id: s.receipts.nextID(), till: sess.till, content: members,
		register: content.RegisterNumber, fiscalSign: content.FiscalSign, total: content.Total,
	}
	if in.QR != nil {
		text, err := s.openCode(*in.QR)
		if err != nil {
			return okAnswer{}, err
		}
		r.user, r.purchase = text.user, s.codes[text.otp]
	}
	key := ownerKey{r.register, r.fiscalSign}
	if old, repeated := s.receipts.byKey[key]; repeated {
		if !bytes.Equal(old.content, r.content) || old.user != r.user {
			return okAnswer{}, refuse(CodeReceiptDiffers)
		}
		return ok(), nil
	}
	s.receipts.add(r.id, key, r)
	return ok(), nil
}

// readReceipt takes the known members of a receipt and returns all of them in one order, for comparison.
func readReceipt(raw json.RawMessage) (content receiptContent, members json.RawMessage, err error) {
	if json.Unmarshal(raw, &content) != nil || content.RegisterNumber == "" || content.FiscalSign == "" {
		return content, nil, refuse(CodeBadRequest)
	}
	if content.Total < 0 {
		return content, nil, refuse(CodeAmount)
	}
	var all map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // numbers stay as they were written
	if decoder.Decode(&all) != nil {
		return content, nil, refuse(CodeBadRequest)
	}
	if members, err = json.Marshal(all); err != nil {
		return content, nil, refuse(CodeBadRequest)
	}
	return content, members, nil
}

func (r *receipt) object() simkit.Object {
	details := map[string]any{"till": r.till, "user": r.user, "receipt": r.content}
	if r.purchase != nil {
		details["purchase_id"] = r.purchase.id
	}
	return simkit.Object{
		ID: r.id, Ref: r.register + "/" + r.fiscalSign, Kind: "receipt", State: "registered", Amount: r.total,
		Outcomes: []string{}, Details: details,
	}
}
