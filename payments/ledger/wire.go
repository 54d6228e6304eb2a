package ledger

import (
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// The types of this file are those of package pay as they stand in the ledger's
// JSON.

// Evidence is what the host saw of an operation's writing calls.
type Evidence struct {
	Wire     pay.Wire `json:"wire"`
	Status   int      `json:"status,omitempty"`
	Calls    int      `json:"calls,omitempty"`
	Reads    int      `json:"reads,omitempty"`
	BytesOut int64    `json:"bytes_out,omitempty"`
	InDoubt  bool     `json:"in_doubt,omitempty"` // of the attempts before
}

// Error is a pay.Error without what belongs to one process only.
type Error struct {
	Class           pay.Class          `json:"class"`
	Effect          pay.Effect         `json:"effect,omitempty"`
	Advice          pay.Advice         `json:"advice,omitempty"`
	Operation       pay.Operation      `json:"operation,omitempty"`
	Field           string             `json:"field,omitempty"`
	Message         string             `json:"message,omitempty"`
	Reason          pay.DeclinedReason `json:"reason,omitempty"`
	ProviderCode    string             `json:"provider_code,omitempty"`
	ProviderMessage string             `json:"provider_message,omitempty"`
	RetryAfterMS    int64              `json:"retry_after_ms,omitempty"`
}

// ErrorOf returns the ledger's form of an error; nil for nil.
func ErrorOf(err error) *Error {
	e := pay.AsError(err)
	if e == nil {
		return nil
	}
	message := e.Message
	if message == "" && e.Err == nil {
		message = e.Class.String()
	}
	return &Error{
		Class: e.Class, Effect: e.Effect, Advice: e.Advice, Operation: e.Operation, Field: e.Field, Message: message,
		Reason: e.Reason, ProviderCode: e.ProviderCode, ProviderMessage: e.ProviderMessage,
		RetryAfterMS: e.RetryAfter.Milliseconds(),
	}
}

// Pay returns the error as package pay has it; nil for nil.
func (e *Error) Pay() *pay.Error {
	if e == nil {
		return nil
	}
	return &pay.Error{
		Class: e.Class, Effect: e.Effect, Advice: e.Advice, Operation: e.Operation, Field: e.Field, Message: e.Message,
		Reason: e.Reason, ProviderCode: e.ProviderCode, ProviderMessage: e.ProviderMessage,
		RetryAfter: time.Duration(e.RetryAfterMS) * time.Millisecond,
	}
}

// Next is what has to happen for a payment to go on.
type Next struct {
	Type      pay.NextActionType `json:"type"`
	URL       string             `json:"url,omitempty"`
	QRPayload string             `json:"qr_payload,omitempty"`
	QRPNG     []byte             `json:"qr_png,omitempty"` // base64 in JSON
	ExpiresAt time.Time          `json:"expires_at,omitzero"`
}

// Observation is one thing seen at the provider.
type Observation struct {
	Subject        pay.Subject        `json:"subject"`
	Payment        pay.PaymentStatus  `json:"payment,omitempty"`
	RefundStatus   pay.RefundStatus   `json:"refund_status,omitempty"`
	ReceiptStatus  pay.ReceiptStatus  `json:"receipt_status,omitempty"`
	ProviderRef    string             `json:"provider_ref,omitempty"`
	ProviderKey    string             `json:"provider_key,omitempty"`
	ProviderState  string             `json:"provider_state,omitempty"`
	Amount         Amount             `json:"amount,omitzero"`
	AmountPaid     Amount             `json:"amount_paid,omitzero"`
	AmountRefunded Amount             `json:"amount_refunded,omitzero"`
	ProviderAt     time.Time          `json:"provider_at,omitzero"`
	Reason         pay.DeclinedReason `json:"reason,omitempty"`
	Detail         string             `json:"detail,omitempty"`
}

// ObservationOf returns the ledger's form of an observation.
func ObservationOf(o pay.Observation) Observation {
	return Observation{
		Subject: o.Subject, Payment: o.Payment, RefundStatus: o.Refund, ReceiptStatus: o.Receipt,
		ProviderRef: o.ProviderRef, ProviderKey: o.ProviderKey, ProviderState: o.ProviderState,
		Amount: Of(o.Amount), AmountPaid: Of(o.AmountPaid), AmountRefunded: Of(o.AmountRefunded),
		ProviderAt: o.At, Reason: o.Reason, Detail: o.Detail,
	}
}

// Pay returns the observation as package pay has it.
func (o Observation) Pay() pay.Observation {
	return pay.Observation{
		Subject: o.Subject, Payment: o.Payment, Refund: o.RefundStatus, Receipt: o.ReceiptStatus,
		ProviderRef: o.ProviderRef, ProviderKey: o.ProviderKey, ProviderState: o.ProviderState,
		Amount: o.Amount.Money, AmountPaid: o.AmountPaid.Money, AmountRefunded: o.AmountRefunded.Money,
		At: o.ProviderAt, Reason: o.Reason, Detail: o.Detail,
	}
}

// Call is one outbound call of an attempt, masked: no header, no body, no query
// value.
type Call struct {
	Method   string `json:"method,omitempty"`
	URL      string `json:"url,omitempty"`
	Money    bool   `json:"money,omitempty"`
	Evidence string `json:"evidence"` // unknown, not_sent, answered
	Status   int    `json:"status,omitempty"`
	Attempts int    `json:"attempts"`
	BytesOut int64  `json:"bytes_out,omitempty"`
	BytesIn  int64  `json:"bytes_in,omitempty"`
	Failure  string `json:"failure,omitempty"`
	TookMS   int64  `json:"took_ms"`
}
