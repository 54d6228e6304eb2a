package pay

// PaymentStatus is where a payment stands for the merchant.
type PaymentStatus uint8

// The statuses of a payment, in the order of their rank. The last three end it,
// though evidence of a late success may reopen them.
const (
	PaymentUnknown    PaymentStatus = 0 // an observation that says nothing about the status
	PaymentCreated    PaymentStatus = 1 // known to payhost, nobody can pay yet
	PaymentPending    PaymentStatus = 2 // the payer has a link or a code
	PaymentProcessing PaymentStatus = 3 // the provider is moving the money
	PaymentAuthorized PaymentStatus = 4 // approved, waits for confirm
	PaymentSucceeded  PaymentStatus = 5 // paid
	PaymentFailed     PaymentStatus = 6 // the provider said no
	PaymentCanceled   PaymentStatus = 7 // withdrawn before it was paid
	PaymentExpired    PaymentStatus = 8 // nobody paid in time, by the provider's word
)

var paymentNames = names{
	PaymentCreated: "created", PaymentPending: "pending", PaymentProcessing: "processing",
	PaymentAuthorized: "authorized", PaymentSucceeded: "succeeded", PaymentFailed: "failed",
	PaymentCanceled: "canceled", PaymentExpired: "expired",
}

// String returns the status as the API spells it.
func (s PaymentStatus) String() string { return paymentNames.of(uint8(s)) }

// Final reports whether the status ends a payment.
func (s PaymentStatus) Final() bool { return s >= PaymentSucceeded && s <= PaymentExpired }

// RefundStatus is where a refund stands for the merchant.
type RefundStatus uint8

// The statuses of a refund.
const (
	RefundUnknown   RefundStatus = 0 // an observation that says nothing about the status
	RefundPending   RefundStatus = 1 // asked for or accepted, not yet done
	RefundSucceeded RefundStatus = 2 // the money went back
	RefundFailed    RefundStatus = 3 // the provider said no
)

var refundNames = names{RefundPending: "pending", RefundSucceeded: "succeeded", RefundFailed: "failed"}

// String returns the status as the API spells it.
func (s RefundStatus) String() string { return refundNames.of(uint8(s)) }

// Final reports whether the status ends a refund.
func (s RefundStatus) Final() bool { return s == RefundSucceeded || s == RefundFailed }

// ReceiptStatus is where a fiscal receipt stands. It never touches a payment.
type ReceiptStatus uint8

// The statuses of a receipt.
const (
	ReceiptUnknown    ReceiptStatus = 0
	ReceiptPending    ReceiptStatus = 1
	ReceiptRegistered ReceiptStatus = 2
	ReceiptRejected   ReceiptStatus = 3
)

var receiptNames = names{
	ReceiptPending: "pending", ReceiptRegistered: "registered", ReceiptRejected: "rejected",
}

// String returns the status as the API spells it.
func (s ReceiptStatus) String() string { return receiptNames.of(uint8(s)) }

// Final reports whether the status ends a receipt.
func (s ReceiptStatus) Final() bool { return s == ReceiptRegistered || s == ReceiptRejected }
