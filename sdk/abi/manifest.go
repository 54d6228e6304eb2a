package abi

import (
	"unsafe"

	"github.com/payhost/payhost/sdk/pay"
)

// AppendManifest appends a manifest message: what stands in the custom section
// and what describe answers. The same manifest always gives the same bytes.
func AppendManifest(b []byte, m *pay.Manifest) []byte {
	return encode(b, unsafe.Pointer(m), &manifestMessage)
}

// DecodeManifest reads a manifest message.
func DecodeManifest(b []byte) (m pay.Manifest, err error) {
	if err = decode(b, unsafe.Pointer(&m), &manifestMessage); err != nil {
		m = pay.Manifest{}
	}
	return m, err
}

var manifestMessage = message{
	size: unsafe.Sizeof(pay.Manifest{}),
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.Manifest{}.ID)},
		{kind: text, at: unsafe.Offsetof(pay.Manifest{}.Version)},
		{kind: text, at: unsafe.Offsetof(pay.Manifest{}.Title)},
		{kind: list, at: unsafe.Offsetof(pay.Manifest{}.Operations), part: &operationMessage},
		{kind: enums, at: unsafe.Offsetof(pay.Manifest{}.Flows)},
		{kind: list, at: unsafe.Offsetof(pay.Manifest{}.Currencies), part: &currencyMessage},
		{kind: list, at: unsafe.Offsetof(pay.Manifest{}.Egress), part: &egressMessage},
		{kind: list, at: unsafe.Offsetof(pay.Manifest{}.Secrets), part: &secretMessage},
		{kind: list, at: unsafe.Offsetof(pay.Manifest{}.Keys), part: &keyMessage},
		{kind: list, at: unsafe.Offsetof(pay.Manifest{}.Identities), part: &identityMessage},
		{kind: list, at: unsafe.Offsetof(pay.Manifest{}.OAuth2), part: &oauth2Message},
		{kind: span, at: unsafe.Offsetof(pay.Manifest{}.PollInterval)},
		{kind: count, at: unsafe.Offsetof(pay.Manifest{}.BatchSize)},
		{kind: span, at: unsafe.Offsetof(pay.Manifest{}.VisibilityHorizon)},
		{kind: enum, at: unsafe.Offsetof(pay.Manifest{}.Notification)},
		{kind: flag, at: unsafe.Offsetof(pay.Manifest{}.NotProcessed503)},
		{kind: flag, at: unsafe.Offsetof(pay.Manifest{}.Storage)},
		{kind: nested, at: unsafe.Offsetof(pay.Manifest{}.State), part: &stateMessage},
		{kind: text, at: unsafe.Offsetof(pay.Manifest{}.SettingsSchema)},
	},
}

var operationMessage = message{
	size: unsafe.Sizeof(pay.OperationSpec{}), grow: growOperations,
	fields: []field{
		{kind: enum, at: unsafe.Offsetof(pay.OperationSpec{}.Operation)},
		{kind: enum, at: unsafe.Offsetof(pay.OperationSpec{}.Idempotency)},
		{kind: span, at: unsafe.Offsetof(pay.OperationSpec{}.KeyLifetime)},
		{kind: enum, at: unsafe.Offsetof(pay.OperationSpec{}.KeyForm)},
		{kind: count, at: unsafe.Offsetof(pay.OperationSpec{}.KeyMaxLen)},
		{kind: text, at: unsafe.Offsetof(pay.OperationSpec{}.KeySetting)},
		{kind: count, at: unsafe.Offsetof(pay.OperationSpec{}.MoneyCalls)},
	},
}

var currencyMessage = message{
	size: unsafe.Sizeof(pay.CurrencySpec{}), grow: growCurrencies,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.CurrencySpec{}.Currency)},
		{kind: number, at: unsafe.Offsetof(pay.CurrencySpec{}.Step)},
		{kind: number, at: unsafe.Offsetof(pay.CurrencySpec{}.Min)},
		{kind: number, at: unsafe.Offsetof(pay.CurrencySpec{}.Max)},
	},
}

var egressMessage = message{
	size: unsafe.Sizeof(pay.EgressRule{}), grow: growEgress,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.EgressRule{}.Origin)},
		{kind: texts, at: unsafe.Offsetof(pay.EgressRule{}.Methods), part: &textMessage},
		{kind: text, at: unsafe.Offsetof(pay.EgressRule{}.PathPrefix)},
		{kind: flag, at: unsafe.Offsetof(pay.EgressRule{}.Read)},
	},
}

var secretMessage = message{
	size: unsafe.Sizeof(pay.SecretSpec{}), grow: growSecrets,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.SecretSpec{}.Name)},
		{kind: text, at: unsafe.Offsetof(pay.SecretSpec{}.Title)},
		{kind: flag, at: unsafe.Offsetof(pay.SecretSpec{}.Required)},
		{kind: enums, at: unsafe.Offsetof(pay.SecretSpec{}.Slots)},
	},
}

var keyMessage = message{
	size: unsafe.Sizeof(pay.KeySpec{}), grow: growKeys,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.KeySpec{}.Name)},
		{kind: text, at: unsafe.Offsetof(pay.KeySpec{}.Title)},
		{kind: flag, at: unsafe.Offsetof(pay.KeySpec{}.Required)},
		{kind: texts, at: unsafe.Offsetof(pay.KeySpec{}.Algorithms), part: &textMessage},
	},
}

var identityMessage = message{
	size: unsafe.Sizeof(pay.IdentitySpec{}), grow: growIdentities,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.IdentitySpec{}.Name)},
		{kind: text, at: unsafe.Offsetof(pay.IdentitySpec{}.Title)},
		{kind: flag, at: unsafe.Offsetof(pay.IdentitySpec{}.Required)},
	},
}

var oauth2Message = message{
	size: unsafe.Sizeof(pay.OAuth2Profile{}), grow: growOAuth2,
	fields: []field{
		{kind: text, at: unsafe.Offsetof(pay.OAuth2Profile{}.Name)},
		{kind: text, at: unsafe.Offsetof(pay.OAuth2Profile{}.TokenPath)},
		{kind: text, at: unsafe.Offsetof(pay.OAuth2Profile{}.ClientID)},
		{kind: text, at: unsafe.Offsetof(pay.OAuth2Profile{}.ClientSecret)},
		{kind: flag, at: unsafe.Offsetof(pay.OAuth2Profile{}.BasicAuth)},
		{kind: text, at: unsafe.Offsetof(pay.OAuth2Profile{}.Scope)},
		{kind: text, at: unsafe.Offsetof(pay.OAuth2Profile{}.TokenField)},
		{kind: text, at: unsafe.Offsetof(pay.OAuth2Profile{}.ExpiresField)},
		{kind: text, at: unsafe.Offsetof(pay.OAuth2Profile{}.ErrorField)},
		{kind: text, at: unsafe.Offsetof(pay.OAuth2Profile{}.ErrorOK)},
		{kind: span, at: unsafe.Offsetof(pay.OAuth2Profile{}.DefaultLifetime)},
	},
}

var stateMessage = message{
	size: unsafe.Sizeof(pay.StateSchema{}),
	fields: []field{
		{kind: count, at: unsafe.Offsetof(pay.StateSchema{}.Writes)},
		{kind: counts, at: unsafe.Offsetof(pay.StateSchema{}.Reads)},
	},
}
