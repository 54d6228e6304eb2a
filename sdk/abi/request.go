package abi

import (
	"unsafe"

	"github.com/payhost/payhost/sdk/pay"
)

// AppendCreate appends the input message of create.
func AppendCreate(b []byte, m *pay.CreateRequest) []byte {
	return encode(b, unsafe.Pointer(m), &createMessage)
}

// DecodeCreate reads the input message of create.
func DecodeCreate(b []byte) (m pay.CreateRequest, err error) {
	if err = decode(b, unsafe.Pointer(&m), &createMessage); err != nil {
		m = pay.CreateRequest{}
	}
	return m, err
}

// AppendBind appends the input message of bind.
func AppendBind(b []byte, m *pay.BindRequest) []byte {
	return encode(b, unsafe.Pointer(m), &bindMessage)
}

// DecodeBind reads the input message of bind.
func DecodeBind(b []byte) (m pay.BindRequest, err error) {
	if err = decode(b, unsafe.Pointer(&m), &bindMessage); err != nil {
		m = pay.BindRequest{}
	}
	return m, err
}

// AppendPayment appends the input message of release, confirm and cancel.
func AppendPayment(b []byte, m *pay.PaymentRequest) []byte {
	return encode(b, unsafe.Pointer(m), &paymentMessage)
}

// DecodePayment reads the input message of release, confirm and cancel.
func DecodePayment(b []byte) (m pay.PaymentRequest, err error) {
	if err = decode(b, unsafe.Pointer(&m), &paymentMessage); err != nil {
		m = pay.PaymentRequest{}
	}
	return m, err
}

// refs gives the list of references a struct, as the schema has it.
type refs struct{ list []pay.Ref }

// AppendRefs appends the input message of status and refund_status.
func AppendRefs(b []byte, list []pay.Ref) []byte {
	m := refs{list}
	return encode(b, unsafe.Pointer(&m), &refsMessage)
}

// DecodeRefs reads the input message of status and refund_status.
func DecodeRefs(b []byte) ([]pay.Ref, error) {
	var m refs
	if err := decode(b, unsafe.Pointer(&m), &refsMessage); err != nil {
		return nil, err
	}
	return m.list, nil
}

// AppendRefund appends the input message of refund, confirm_refund and
// cancel_refund.
func AppendRefund(b []byte, m *pay.RefundRequest) []byte {
	return encode(b, unsafe.Pointer(m), &refundMessage)
}

// DecodeRefund reads the input message of refund, confirm_refund and
// cancel_refund.
func DecodeRefund(b []byte) (m pay.RefundRequest, err error) {
	if err = decode(b, unsafe.Pointer(&m), &refundMessage); err != nil {
		m = pay.RefundRequest{}
	}
	return m, err
}

// AppendReceipt appends the input message of receipt.
func AppendReceipt(b []byte, m *pay.ReceiptRequest) []byte {
	return encode(b, unsafe.Pointer(m), &receiptMessage)
}

// DecodeReceipt reads the input message of receipt.
func DecodeReceipt(b []byte) (m pay.ReceiptRequest, err error) {
	if err = decode(b, unsafe.Pointer(&m), &receiptMessage); err != nil {
		m = pay.ReceiptRequest{}
	}
	return m, err
}

// inbound joins a notification's request and the handle of its body.
type inbound struct {
	pay.NotificationRequest
	body int32
}

// AppendNotification appends the input message of notification. The body stays
// at the host: body is the handle of the blob that holds it, and m.Body is not
// written.
func AppendNotification(b []byte, m *pay.NotificationRequest, body int32) []byte {
	w := writer{b: encode(b, unsafe.Pointer(&inbound{NotificationRequest: *m}), &inboundMessage)}
	w.int(5, int64(body)) // the last field, as it always was
	return w.b
}

// DecodeNotification reads the input message of notification and returns the
// handle of the body's blob.
func DecodeNotification(b []byte) (m pay.NotificationRequest, body int32, err error) {
	var in inbound
	if err = decode(b, unsafe.Pointer(&in), &inboundMessage); err != nil {
		return m, 0, err
	}
	return in.NotificationRequest, in.body, nil
}

var createMessage = message{
	size: unsafe.Sizeof(pay.CreateRequest{}),
	fields: []field{
		{kind: nested, at: unsafe.Offsetof(pay.CreateRequest{}.Intent), part: &intentMessage},
		{kind: text, at: unsafe.Offsetof(pay.CreateRequest{}.PaymentID)},
		{kind: text, at: unsafe.Offsetof(pay.CreateRequest{}.OrderID)},
		{kind: optional, at: unsafe.Offsetof(pay.CreateRequest{}.Amount), part: &moneyMessage},
		{kind: text, at: unsafe.Offsetof(pay.CreateRequest{}.Description)},
		{kind: text, at: unsafe.Offsetof(pay.CreateRequest{}.ReturnURL)},
		{kind: text, at: unsafe.Offsetof(pay.CreateRequest{}.FailURL)},
		{kind: text, at: unsafe.Offsetof(pay.CreateRequest{}.NotificationURL)},
		{kind: optional, at: unsafe.Offsetof(pay.CreateRequest{}.Customer), part: &customerMessage},
		{kind: list, at: unsafe.Offsetof(pay.CreateRequest{}.Lines), part: &lineMessage},
		{kind: text, at: unsafe.Offsetof(pay.CreateRequest{}.Locale)},
		{kind: moment, at: unsafe.Offsetof(pay.CreateRequest{}.ExpiresAt)},
		{kind: list, at: unsafe.Offsetof(pay.CreateRequest{}.Options), part: &optionMessage},
	},
}

var bindMessage = message{
	size: unsafe.Sizeof(pay.BindRequest{}),
	fields: []field{
		{kind: nested, at: unsafe.Offsetof(pay.BindRequest{}.Intent), part: &intentMessage},
		{kind: nested, at: unsafe.Offsetof(pay.BindRequest{}.Payment), part: &refMessage},
		{kind: text, at: unsafe.Offsetof(pay.BindRequest{}.Code)},
	},
}

var paymentMessage = message{
	size: unsafe.Sizeof(pay.PaymentRequest{}),
	fields: []field{
		{kind: nested, at: unsafe.Offsetof(pay.PaymentRequest{}.Intent), part: &intentMessage},
		{kind: nested, at: unsafe.Offsetof(pay.PaymentRequest{}.Payment), part: &refMessage},
		{kind: optional, at: unsafe.Offsetof(pay.PaymentRequest{}.Amount), part: &moneyMessage},
	},
}

var refsMessage = message{
	size: unsafe.Sizeof(refs{}),
	fields: []field{
		{kind: list, at: unsafe.Offsetof(refs{}.list), part: &refMessage},
	},
}

var refundMessage = message{
	size: unsafe.Sizeof(pay.RefundRequest{}),
	fields: []field{
		{kind: nested, at: unsafe.Offsetof(pay.RefundRequest{}.Intent), part: &intentMessage},
		{kind: nested, at: unsafe.Offsetof(pay.RefundRequest{}.Payment), part: &refMessage},
		{kind: nested, at: unsafe.Offsetof(pay.RefundRequest{}.Refund), part: &refMessage},
		{kind: optional, at: unsafe.Offsetof(pay.RefundRequest{}.Amount), part: &moneyMessage},
		{kind: optional, at: unsafe.Offsetof(pay.RefundRequest{}.Paid), part: &moneyMessage},
		{kind: optional, at: unsafe.Offsetof(pay.RefundRequest{}.Refunded), part: &moneyMessage},
		{kind: text, at: unsafe.Offsetof(pay.RefundRequest{}.Reason)},
	},
}

var receiptMessage = message{
	size: unsafe.Sizeof(pay.ReceiptRequest{}),
	fields: []field{
		{kind: nested, at: unsafe.Offsetof(pay.ReceiptRequest{}.Intent), part: &intentMessage},
		{kind: pointer, at: unsafe.Offsetof(pay.ReceiptRequest{}.Payment), part: &refMessage},
		{kind: text, at: unsafe.Offsetof(pay.ReceiptRequest{}.Code)},
		{kind: text, at: unsafe.Offsetof(pay.ReceiptRequest{}.RegisterNumber)},
		{kind: text, at: unsafe.Offsetof(pay.ReceiptRequest{}.FiscalSign)},
		{kind: optional, at: unsafe.Offsetof(pay.ReceiptRequest{}.Total), part: &moneyMessage},
		{kind: list, at: unsafe.Offsetof(pay.ReceiptRequest{}.Lines), part: &lineMessage},
		{kind: moment, at: unsafe.Offsetof(pay.ReceiptRequest{}.IssuedAt)},
	},
}

var inboundMessage = message{
	size: unsafe.Sizeof(inbound{}),
	fields: []field{
		{kind: text, at: unsafe.Offsetof(inbound{}.Method)},
		{kind: text, at: unsafe.Offsetof(inbound{}.Path)},
		{kind: text, at: unsafe.Offsetof(inbound{}.Query)},
		{kind: list, at: unsafe.Offsetof(inbound{}.Header), part: &fieldMessage},
		{kind: handle, at: unsafe.Offsetof(inbound{}.body)},
		{kind: text, at: unsafe.Offsetof(inbound{}.PeerCertificate)},
		{kind: nested, at: unsafe.Offsetof(inbound{}.Payment), part: &refMessage},
		{kind: moment, at: unsafe.Offsetof(inbound{}.ReceivedAt)},
	},
}
