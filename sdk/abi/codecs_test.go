package abi_test

import (
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// codec is one top-level message with its two functions.
type codec struct {
	name   string // in the schema
	zero   func() any
	encode func(b []byte, m any) []byte
	decode func(b []byte) (any, error)
}

// statusRequest gives the list of references a struct, as the schema has it.
type statusRequest struct{ Refs []pay.Ref }

// inbound joins a notification's request and the handle of its body.
type inbound struct {
	pay.NotificationRequest
	BodyBlob int32
}

func of[T any](name string, encode func([]byte, *T) []byte, decode func([]byte) (T, error)) codec {
	return codec{
		name:   name,
		zero:   func() any { return new(T) },
		encode: func(b []byte, m any) []byte { return encode(b, m.(*T)) },
		decode: func(b []byte) (any, error) {
			m, err := decode(b)
			return &m, err
		},
	}
}

// codecs lists every message that crosses the ABI by itself.
func codecs() []codec {
	return []codec{
		of("CreateRequest", abi.AppendCreate, abi.DecodeCreate),
		of("BindRequest", abi.AppendBind, abi.DecodeBind),
		of("PaymentRequest", abi.AppendPayment, abi.DecodePayment),
		of("StatusRequest",
			func(b []byte, m *statusRequest) []byte { return abi.AppendRefs(b, m.Refs) },
			func(b []byte) (statusRequest, error) {
				refs, err := abi.DecodeRefs(b)
				return statusRequest{refs}, err
			}),
		of("RefundRequest", abi.AppendRefund, abi.DecodeRefund),
		of("ReceiptRequest", abi.AppendReceipt, abi.DecodeReceipt),
		of("NotificationRequest",
			func(b []byte, m *inbound) []byte {
				return abi.AppendNotification(b, &m.NotificationRequest, m.BodyBlob)
			},
			func(b []byte) (inbound, error) {
				m, body, err := abi.DecodeNotification(b)
				return inbound{m, body}, err
			}),
		of("Reply", abi.AppendReply, abi.DecodeReply),
		of("Error", abi.AppendError, abi.DecodeError),
		of("Manifest", abi.AppendManifest, abi.DecodeManifest),
		of("HTTPRequest", abi.AppendHTTPRequest, abi.DecodeHTTPRequest),
		of("HTTPResponse", abi.AppendHTTPResponse, abi.DecodeHTTPResponse),
		of("CryptoSpec", abi.AppendCryptoSpec, abi.DecodeCryptoSpec),
		of("KVPage", abi.AppendKVPage, abi.DecodeKVPage),
		of("ConnectionConfig", abi.AppendConnectionConfig, abi.DecodeConnectionConfig),
		of("Features", abi.AppendFeatures, abi.DecodeFeatures),
	}
}
