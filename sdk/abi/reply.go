package abi

import (
	"unsafe"

	"github.com/payhost/payhost/sdk/pay"
)

// Reply is the answer of every operation; which fields are set depends on the
// operation. Err alone means that the operation failed.
type Reply struct {
	Err          *pay.Error
	Manifest     []byte // describe: an encoded manifest
	Result       *pay.Result
	Items        []pay.StatusItem   // status, refund_status
	Notification *pay.Notification  // notification
	Problems     []pay.Problem      // check_config
	Catalog      []pay.CatalogEntry // error_catalog
}

// AppendReply appends a reply message.
func AppendReply(b []byte, m *Reply) []byte { return encode(b, unsafe.Pointer(m), &replyMessage) }

// DecodeReply reads a reply message.
func DecodeReply(b []byte) (m Reply, err error) {
	if err = decode(b, unsafe.Pointer(&m), &replyMessage); err != nil {
		m = Reply{}
	}
	return m, err
}

// AppendError appends an error message: the answer of last_error.
func AppendError(b []byte, m *pay.Error) []byte { return encode(b, unsafe.Pointer(m), &errorMessage) }

// DecodeError reads an error message.
func DecodeError(b []byte) (m pay.Error, err error) {
	if err = decode(b, unsafe.Pointer(&m), &errorMessage); err != nil {
		m = pay.Error{}
	}
	return m, err
}

var replyMessage = message{
	size: unsafe.Sizeof(Reply{}),
	fields: []field{
		{kind: pointer, at: unsafe.Offsetof(Reply{}.Err), part: &errorMessage},
		{kind: raw, at: unsafe.Offsetof(Reply{}.Manifest)},
		{kind: pointer, at: unsafe.Offsetof(Reply{}.Result), part: &resultMessage},
		{kind: list, at: unsafe.Offsetof(Reply{}.Items), part: &itemMessage},
		{kind: pointer, at: unsafe.Offsetof(Reply{}.Notification), part: &notificationMessage},
		{kind: list, at: unsafe.Offsetof(Reply{}.Problems), part: &problemMessage},
		{kind: list, at: unsafe.Offsetof(Reply{}.Catalog), part: &catalogMessage},
	},
}

var errorMessage = message{
	size: unsafe.Sizeof(pay.Error{}), grow: growErrors,
	fields: []field{
		{kind: enum, at: unsafe.Offsetof(pay.Error{}.Class)},
		{kind: enum, at: unsafe.Offsetof(pay.Error{}.Effect)},
		{kind: enum, at: unsafe.Offsetof(pay.Error{}.Advice)},
		{kind: text, at: unsafe.Offsetof(pay.Error{}.Field)},
		{kind: text, at: unsafe.Offsetof(pay.Error{}.Message)},
		{kind: enum, at: unsafe.Offsetof(pay.Error{}.Reason)},
		{kind: text, at: unsafe.Offsetof(pay.Error{}.ProviderCode)},
		{kind: text, at: unsafe.Offsetof(pay.Error{}.ProviderMessage)},
		{kind: span, at: unsafe.Offsetof(pay.Error{}.RetryAfter)},
	},
}

var nextMessage = message{
	size: unsafe.Sizeof(pay.NextAction{}),
	fields: []field{
		{kind: enum, at: unsafe.Offsetof(pay.NextAction{}.Type)},
		{kind: text, at: unsafe.Offsetof(pay.NextAction{}.URL)},
		{kind: text, at: unsafe.Offsetof(pay.NextAction{}.QRPayload)},
		{kind: raw, at: unsafe.Offsetof(pay.NextAction{}.QRPNG)},
		{kind: moment, at: unsafe.Offsetof(pay.NextAction{}.ExpiresAt)},
	},
}

var resultMessage = message{
	size: unsafe.Sizeof(pay.Result{}), grow: growResults,
	fields: []field{
		{kind: enum, at: unsafe.Offsetof(pay.Result{}.Outcome)},
		{kind: text, at: unsafe.Offsetof(pay.Result{}.ProviderRef)},
		{kind: nested, at: unsafe.Offsetof(pay.Result{}.Next), part: &nextMessage},
		{kind: text, at: unsafe.Offsetof(pay.Result{}.PayerHint)},
		{kind: moment, at: unsafe.Offsetof(pay.Result{}.ExpiresAt)},
		{kind: enum, at: unsafe.Offsetof(pay.Result{}.Reason)},
		{kind: text, at: unsafe.Offsetof(pay.Result{}.ProviderCode)},
		{kind: text, at: unsafe.Offsetof(pay.Result{}.ProviderMessage)},
		{kind: list, at: unsafe.Offsetof(pay.Result{}.Observations), part: &observationMessage},
	},
}

var observationMessage = message{
	size: unsafe.Sizeof(pay.Observation{}), grow: growObservations,
	fields: []field{
		{kind: enum, at: unsafe.Offsetof(pay.Observation{}.Subject)},
		{kind: enum, at: unsafe.Offsetof(pay.Observation{}.Payment)},
		{kind: enum, at: unsafe.Offsetof(pay.Observation{}.Refund)},
		{kind: enum, at: unsafe.Offsetof(pay.Observation{}.Receipt)},
		{kind: text, at: unsafe.Offsetof(pay.Observation{}.ProviderRef)},
		{kind: text, at: unsafe.Offsetof(pay.Observation{}.ProviderKey)},
		{kind: text, at: unsafe.Offsetof(pay.Observation{}.ProviderState)},
		{kind: optional, at: unsafe.Offsetof(pay.Observation{}.Amount), part: &moneyMessage},
		{kind: optional, at: unsafe.Offsetof(pay.Observation{}.AmountPaid), part: &moneyMessage},
		{kind: optional, at: unsafe.Offsetof(pay.Observation{}.AmountRefunded), part: &moneyMessage},
		{kind: moment, at: unsafe.Offsetof(pay.Observation{}.At)},
		{kind: enum, at: unsafe.Offsetof(pay.Observation{}.Reason)},
		{kind: text, at: unsafe.Offsetof(pay.Observation{}.Detail)},
	},
}

var itemMessage = message{
	size: unsafe.Sizeof(pay.StatusItem{}), grow: growItems,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.StatusItem{}.ID)},
		{kind: enum, at: unsafe.Offsetof(pay.StatusItem{}.Found)},
		{kind: list, at: unsafe.Offsetof(pay.StatusItem{}.Observations), part: &observationMessage},
		{kind: pointer, at: unsafe.Offsetof(pay.StatusItem{}.Err), part: &errorMessage},
	},
}

var ackMessage = message{
	size: unsafe.Sizeof(pay.Ack{}),
	fields: []field{
		{kind: count, at: unsafe.Offsetof(pay.Ack{}.Status)},
		{kind: list, at: unsafe.Offsetof(pay.Ack{}.Header), part: &fieldMessage},
		{kind: raw, at: unsafe.Offsetof(pay.Ack{}.Body)},
	},
}

var notificationMessage = message{
	size: unsafe.Sizeof(pay.Notification{}), grow: growNotifications,
	fields: []field{
		{kind: enum, at: unsafe.Offsetof(pay.Notification{}.Authenticity)},
		{kind: text, at: unsafe.Offsetof(pay.Notification{}.ProviderRef)},
		{kind: text, at: unsafe.Offsetof(pay.Notification{}.ProviderKey)},
		{kind: list, at: unsafe.Offsetof(pay.Notification{}.Observations), part: &observationMessage},
		{kind: nested, at: unsafe.Offsetof(pay.Notification{}.Ack), part: &ackMessage},
	},
}

var problemMessage = message{
	size: unsafe.Sizeof(pay.Problem{}), grow: growProblems,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.Problem{}.Field)},
		{kind: text, at: unsafe.Offsetof(pay.Problem{}.Message)},
	},
}

var catalogMessage = message{
	size: unsafe.Sizeof(pay.CatalogEntry{}), grow: growCatalog,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.CatalogEntry{}.Code)},
		{kind: text, at: unsafe.Offsetof(pay.CatalogEntry{}.Message)},
		{kind: enum, at: unsafe.Offsetof(pay.CatalogEntry{}.Class)},
	},
}
