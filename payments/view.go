package payments

import (
	"strconv"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// The views are what a merchant sees, in the API and in events alike. Times are
// RFC 3339 in UTC.

// MoneyView is an amount.
type MoneyView struct {
	Value    string `json:"value" doc:"Minor units as a decimal string" example:"250000"`
	Currency string `json:"currency" doc:"ISO 4217 code" example:"KZT"`
}

// PaymentView is a payment.
type PaymentView struct {
	ID                  string            `json:"id" example:"pay_01jd5x3v8c0000000000000000"`
	Connection          string            `json:"connection"`
	Provider            string            `json:"provider"`
	OrderID             string            `json:"order_id"`
	ProviderRef         *string           `json:"provider_ref" doc:"The provider's id, once it is known"`
	Status              string            `json:"status" enum:"created,pending,processing,authorized,succeeded,failed,canceled,expired"`
	NextAction          *NextView         `json:"next_action" doc:"What has to happen for the payment to go on"`
	PayerHint           *string           `json:"payer_hint" doc:"A masked hint at who pays, for the cashier"`
	Amount              *MoneyView        `json:"amount" doc:"Null at a till until it is released"`
	AmountPaid          *MoneyView        `json:"amount_paid"`
	AmountRefunded      *MoneyView        `json:"amount_refunded"`
	AmountRefundPending *MoneyView        `json:"amount_refund_pending"`
	InDoubt             *DoubtView        `json:"in_doubt" doc:"An operation that may or may not have happened; null if there is none"`
	LastError           *ErrorView        `json:"last_error"`
	Alerts              int               `json:"alerts" doc:"Contradictions that a person must look at; see the timeline"`
	Revision            string            `json:"revision" doc:"Digest of the plugin revision that began it"`
	ExpiresAt           *time.Time        `json:"expires_at"`
	CreatedAt           time.Time         `json:"created_at"`
	UpdatedAt           time.Time         `json:"updated_at"`
	Metadata            map[string]string `json:"metadata"`
}

// NextView is what has to happen for a payment to go on.
type NextView struct {
	Type      string     `json:"type" enum:"redirect,show_qr,present_code,wait"`
	URL       *string    `json:"url" doc:"The page of the payment; null if there is none"`
	QRPayload *string    `json:"qr_payload" doc:"Text of the code to show; null if there is none"`
	QRPNG     *[]byte    `json:"qr_png" doc:"PNG picture of the code, base64; null if there is none"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// DoubtView is an operation in doubt.
type DoubtView struct {
	Since       time.Time `json:"since"`
	Operation   string    `json:"operation" example:"release"`
	OperationID string    `json:"operation_id"`
	Reason      string    `json:"reason"`
}

// ErrorView is what went wrong last.
type ErrorView struct {
	Class           string `json:"class"`
	Effect          string `json:"effect,omitempty" enum:"none,done,maybe"`
	Advice          string `json:"advice,omitempty"`
	Operation       string `json:"operation,omitempty"`
	Field           string `json:"field,omitempty"`
	Message         string `json:"message"`
	Reason          string `json:"reason,omitempty" doc:"Why it was declined"`
	ProviderCode    string `json:"provider_code,omitempty"`
	ProviderMessage string `json:"provider_message,omitempty"`
}

// RefundView is a refund.
type RefundView struct {
	ID          string     `json:"id"`
	PaymentID   string     `json:"payment_id"`
	Status      string     `json:"status" enum:"pending,succeeded,failed"`
	Amount      *MoneyView `json:"amount"`
	Reason      string     `json:"reason"`
	ProviderRef *string    `json:"provider_ref"`
	Bounced     bool       `json:"bounced" doc:"The provider took back a refund that had succeeded"`
	InDoubt     *DoubtView `json:"in_doubt"`
	LastError   *ErrorView `json:"last_error"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// ReceiptView is a fiscal receipt.
type ReceiptView struct {
	ID             string     `json:"id"`
	PaymentID      *string    `json:"payment_id" doc:"Null for a receipt that stands alone"`
	Connection     string     `json:"connection"`
	Status         string     `json:"status" enum:"pending,registered,rejected"`
	RegisterNumber string     `json:"register_number"`
	FiscalSign     string     `json:"fiscal_sign"`
	Total          *MoneyView `json:"total"`
	InDoubt        *DoubtView `json:"in_doubt"`
	LastError      *ErrorView `json:"last_error"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// ViewPayment returns the payment of a book.
func ViewPayment(b *ledger.Book) PaymentView {
	return PaymentView{
		ID: b.PaymentID(), Connection: b.Connection, Provider: b.Provider, OrderID: b.OrderID,
		ProviderRef: text(b.ProviderRef), Status: b.Status.String(), NextAction: viewNext(b.Next),
		PayerHint: text(b.PayerHint), Amount: ViewMoney(b.Amount.Money), AmountPaid: viewOrZero(b, b.Paid),
		AmountRefunded: viewOrZero(b, b.Refunded()), AmountRefundPending: viewOrZero(b, b.RefundPending()),
		InDoubt: viewDoubt(b.InDoubt()), LastError: ViewError(b.LastError), Alerts: b.Alerts, Revision: b.Revision,
		ExpiresAt: instant(b.ExpiresAt), CreatedAt: b.CreatedAt, UpdatedAt: b.UpdatedAt, Metadata: metadata(b.Metadata),
	}
}

// ViewRefund returns a refund of a book.
func ViewRefund(b *ledger.Book, r *ledger.Refund) RefundView {
	return RefundView{
		ID: r.ID, PaymentID: b.PaymentID(), Status: r.Status.String(), Amount: ViewMoney(r.Amount.Money),
		Reason: r.Reason, ProviderRef: text(r.ProviderRef), Bounced: r.Bounced,
		InDoubt:   viewDoubt(doubtWhere(b, func(o *ledger.Operation) bool { return o.Refund == r.ID })),
		LastError: ViewError(r.LastError), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

// ViewReceipt returns a receipt of a book.
func ViewReceipt(b *ledger.Book, r *ledger.Receipt) ReceiptView {
	v := ReceiptView{
		ID: r.ID, Connection: b.Connection, Status: r.Status.String(), RegisterNumber: r.Register,
		FiscalSign: r.FiscalSign, Total: ViewMoney(r.Total.Money),
		InDoubt:   viewDoubt(doubtWhere(b, func(o *ledger.Operation) bool { return o.Receipt == r.ID })),
		LastError: ViewError(r.LastError), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if !b.Receipt {
		v.PaymentID = text(b.PaymentID())
	}
	return v
}

// ViewError returns an error of the ledger; nil for nil.
func ViewError(e *ledger.Error) *ErrorView {
	if e == nil {
		return nil
	}
	v := &ErrorView{
		Class: e.Class.String(), Field: e.Field, Message: e.Message, ProviderCode: e.ProviderCode,
		ProviderMessage: e.ProviderMessage,
	}
	if e.Effect != 0 {
		v.Effect = e.Effect.String()
	}
	if e.Advice != 0 {
		v.Advice = e.Advice.String()
	}
	if e.Operation != 0 {
		v.Operation = e.Operation.String()
	}
	if e.Reason != 0 {
		v.Reason = e.Reason.String()
	}
	return v
}

// ViewMoney returns an amount; nil for none.
func ViewMoney(m pay.Money) *MoneyView {
	if m.IsZero() {
		return nil
	}
	return &MoneyView{Value: strconv.FormatInt(m.Minor, 10), Currency: string(m.Currency)}
}

// viewOrZero shows a sum that is not there as zero, once the currency is known.
func viewOrZero(b *ledger.Book, a ledger.Amount) *MoneyView {
	if a.IsZero() && !b.Amount.IsZero() {
		a = ledger.Of(pay.New(0, b.Amount.Currency))
	}
	return ViewMoney(a.Money)
}

func viewNext(n *ledger.Next) *NextView {
	if n == nil || n.Type == 0 || n.Type == pay.NextNone {
		return nil
	}
	v := &NextView{
		Type: n.Type.String(), URL: text(n.URL), QRPayload: text(n.QRPayload), ExpiresAt: instant(n.ExpiresAt),
	}
	if len(n.QRPNG) > 0 {
		v.QRPNG = &n.QRPNG
	}
	return v
}

func viewDoubt(d *ledger.Doubt) *DoubtView {
	if d == nil {
		return nil
	}
	return &DoubtView{Since: d.Since, Operation: d.Op.String(), OperationID: d.Operation, Reason: d.Reason}
}

// doubtWhere returns the oldest doubt of an operation that is meant, nil if there
// is none.
func doubtWhere(b *ledger.Book, meant func(*ledger.Operation) bool) *ledger.Doubt {
	for _, d := range b.Doubts(true) {
		if meant(b.Operation(d.Operation)) {
			return &d
		}
	}
	return nil
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func metadata(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
