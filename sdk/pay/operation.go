package pay

// Operation is one thing a plugin can be asked to do. The numbers are the ABI's
// and never change.
type Operation uint8

// The operations of the contract. Every plugin has Describe, CheckConfig,
// Create and Status; the others are declared in its manifest.
const (
	OpDescribe      Operation = 1  // what the plugin is; pure
	OpCheckConfig   Operation = 2  // are a connection's settings good; no network
	OpPing          Operation = 3  // is the provider there
	OpCreate        Operation = 4  // start a payment
	OpBind          Operation = 5  // submit the code that the payer shows at the till
	OpRelease       Operation = 6  // send the amount for a bound code
	OpConfirm       Operation = 7  // finish an authorized payment
	OpCancel        Operation = 8  // void, unbind or withdraw a payment
	OpStatus        Operation = 9  // ask after one or more payments
	OpRefund        Operation = 10 // give money back
	OpRefundStatus  Operation = 11 // ask after one or more refunds
	OpConfirmRefund Operation = 12 // the till acknowledges a refund
	OpCancelRefund  Operation = 13 // the till gives up waiting for a refund
	OpReceipt       Operation = 14 // register fiscal data
	OpNotification  Operation = 15 // parse an inbound call; no network, no money
	OpErrorCatalog  Operation = 16 // the provider's own list of error codes
)

var operationNames = names{
	OpDescribe: "describe", OpCheckConfig: "check_config", OpPing: "ping", OpCreate: "create",
	OpBind: "bind", OpRelease: "release", OpConfirm: "confirm", OpCancel: "cancel", OpStatus: "status",
	OpRefund: "refund", OpRefundStatus: "refund_status", OpConfirmRefund: "confirm_refund",
	OpCancelRefund: "cancel_refund", OpReceipt: "receipt", OpNotification: "notification",
	OpErrorCatalog: "error_catalog",
}

// Operations returns every operation in the order of its number.
func Operations() []Operation {
	ops := make([]Operation, 0, len(operationNames)-1)
	for op := range operationNames[1:] {
		ops = append(ops, Operation(op+1))
	}
	return ops
}

// String returns the operation's name as it stands in documents and logs.
func (o Operation) String() string { return operationNames.of(uint8(o)) }

// Required reports whether every plugin must have the operation.
func (o Operation) Required() bool {
	return o == OpDescribe || o == OpCheckConfig || o == OpCreate || o == OpStatus
}

// Kind returns what the operation can change at the provider.
func (o Operation) Kind() OperationKind {
	switch o {
	case OpCreate, OpBind, OpRelease, OpConfirm, OpCancel, OpRefund, OpConfirmRefund, OpCancelRefund:
		return KindMoney
	case OpReceipt:
		return KindFiscal
	case OpPing, OpStatus, OpRefundStatus, OpErrorCatalog:
		return KindRead
	}
	return KindPure
}

// OperationKind says what an operation can change and whether it may use the
// network at all.
type OperationKind uint8

// The kinds of operation.
const (
	KindPure   OperationKind = iota // no network: describe, check_config, notification
	KindRead                        // asks, changes nothing
	KindMoney                       // may move money or bind a payer
	KindFiscal                      // registers fiscal data, never moves money
)

// Writes reports whether an operation of this kind may have an effect at the
// provider, so that its outcome can come to be in doubt.
func (k OperationKind) Writes() bool { return k == KindMoney || k == KindFiscal }

// Outcome is how one operation ended, or where it stands.
type Outcome uint8

// The outcomes of contract section 3.
const (
	OutcomePrepared   Outcome = 1 // row and key are durable, nothing was sent
	OutcomeSending    Outcome = 2 // a request may be on its way
	OutcomeApplied    Outcome = 3 // the provider did it
	OutcomeAccepted   Outcome = 4 // the provider will tell later
	OutcomeDeclined   Outcome = 5 // a definite no, with a reason
	OutcomeNotApplied Outcome = 6 // definitely no effect
	OutcomeInDoubt    Outcome = 7 // it may or may not have happened
)

var outcomeNames = names{
	OutcomePrepared: "prepared", OutcomeSending: "sending", OutcomeApplied: "applied",
	OutcomeAccepted: "accepted", OutcomeDeclined: "declined", OutcomeNotApplied: "not_applied",
	OutcomeInDoubt: "in_doubt",
}

// String returns the outcome's name in documents and in the API.
func (o Outcome) String() string { return outcomeNames.of(uint8(o)) }

// Settled reports whether nothing can change the outcome any more. Accepted and
// in doubt are open: status, a notification or an operator's proof ends them.
func (o Outcome) Settled() bool {
	return o == OutcomeApplied || o == OutcomeDeclined || o == OutcomeNotApplied
}

// names maps small numbers to words, index by number.
type names []string

func (n names) of(i uint8) string {
	if int(i) < len(n) && n[i] != "" {
		return n[i]
	}
	return "unknown"
}

func (n names) find(word string) (uint8, bool) {
	for i, w := range n {
		if w == word && w != "" {
			return uint8(i), true
		}
	}
	return 0, false
}
