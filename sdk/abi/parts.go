package abi

import (
	"unsafe"

	"github.com/payhost/payhost/sdk/pay"
)

// The messages that stand inside several others.

// textMessage is what a list of texts has: a text is no message, but takes its place.
var textMessage = message{size: unsafe.Sizeof(""), grow: growTexts}

var moneyMessage = message{
	size: unsafe.Sizeof(pay.Money{}),
	fields: []field{
		{kind: number, at: unsafe.Offsetof(pay.Money{}.Minor)},
		{kind: text, at: unsafe.Offsetof(pay.Money{}.Currency)},
	},
}

var evidenceMessage = message{
	size: unsafe.Sizeof(pay.Evidence{}),
	fields: []field{
		{kind: enum, at: unsafe.Offsetof(pay.Evidence{}.Wire)},
		{kind: count, at: unsafe.Offsetof(pay.Evidence{}.Status)},
		{kind: count, at: unsafe.Offsetof(pay.Evidence{}.Calls)},
		{kind: count, at: unsafe.Offsetof(pay.Evidence{}.Reads)},
		{kind: number, at: unsafe.Offsetof(pay.Evidence{}.BytesOut)},
		{kind: flag, at: unsafe.Offsetof(pay.Evidence{}.InDoubt)},
	},
}

var intentMessage = message{
	size: unsafe.Sizeof(pay.Intent{}),
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.Intent{}.Key)},
		{kind: text, at: unsafe.Offsetof(pay.Intent{}.ProviderKey)},
		{kind: count, at: unsafe.Offsetof(pay.Intent{}.Attempt)},
		{kind: moment, at: unsafe.Offsetof(pay.Intent{}.Deadline)},
		{kind: optional, at: unsafe.Offsetof(pay.Intent{}.Earlier), part: &evidenceMessage},
	},
}

var refMessage = message{
	size: unsafe.Sizeof(pay.Ref{}), grow: growRefs,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.Ref{}.ID)},
		{kind: text, at: unsafe.Offsetof(pay.Ref{}.OrderID)},
		{kind: text, at: unsafe.Offsetof(pay.Ref{}.ProviderRef)},
		{kind: texts, at: unsafe.Offsetof(pay.Ref{}.Keys), part: &textMessage},
		{kind: optional, at: unsafe.Offsetof(pay.Ref{}.Amount), part: &moneyMessage},
		{kind: moment, at: unsafe.Offsetof(pay.Ref{}.CreatedAt)},
	},
}

var lineMessage = message{
	size: unsafe.Sizeof(pay.Line{}), grow: growLines,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.Line{}.Name)},
		{kind: number, at: unsafe.Offsetof(pay.Line{}.Quantity)},
		{kind: optional, at: unsafe.Offsetof(pay.Line{}.Price), part: &moneyMessage},
	},
}

var customerMessage = message{
	size: unsafe.Sizeof(pay.Customer{}),
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.Customer{}.Name)},
		{kind: text, at: unsafe.Offsetof(pay.Customer{}.Email)},
		{kind: text, at: unsafe.Offsetof(pay.Customer{}.Phone)},
	},
}

var optionMessage = message{
	size: unsafe.Sizeof(pay.Option{}), grow: growOptions,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.Option{}.Name)},
		{kind: text, at: unsafe.Offsetof(pay.Option{}.Value)},
	},
}

var fieldMessage = message{
	size: unsafe.Sizeof(pay.Field{}), grow: growFields,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.Field{}.Name)},
		{kind: text, at: unsafe.Offsetof(pay.Field{}.Value)},
	},
}
