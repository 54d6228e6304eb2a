package abi

import "github.com/payhost/payhost/sdk/pay"

// AppendManifest appends a manifest message: what stands in the custom section
// and what describe answers. The same manifest always gives the same bytes.
func AppendManifest(b []byte, m *pay.Manifest) []byte { return encode(b, m, putManifest) }

// DecodeManifest reads a manifest message.
func DecodeManifest(b []byte) (pay.Manifest, error) { return decode(b, setManifest) }

func putManifest(w *writer, m *pay.Manifest) {
	w.string(1, m.ID)
	w.string(2, m.Version)
	w.string(3, m.Title)
	putList(w, 4, m.Operations, putOperationSpec)
	for _, f := range m.Flows {
		w.element(5, int64(f))
	}
	putList(w, 6, m.Currencies, putCurrencySpec)
	putList(w, 7, m.Egress, putEgressRule)
	putList(w, 8, m.Secrets, putSecretSpec)
	putList(w, 9, m.Keys, putKeySpec)
	putList(w, 10, m.Identities, putIdentitySpec)
	putList(w, 11, m.OAuth2, putOAuth2)
	w.duration(12, m.PollInterval)
	w.int(13, int64(m.BatchSize))
	w.duration(14, m.VisibilityHorizon)
	w.int(15, int64(m.Notification))
	w.bool(16, m.NotProcessed503)
	w.bool(17, m.Storage)
	putSub(w, 18, &m.State, putState)
	w.string(19, m.SettingsSchema)
}

func setManifest(m *pay.Manifest, field int, r *reader) bool {
	switch field {
	case 1:
		m.ID = r.string()
	case 2:
		m.Version = r.string()
	case 3:
		m.Title = r.string()
	case 4:
		m.Operations = getList(r, m.Operations, setOperationSpec)
	case 5:
		m.Flows = appendNumber(r, m.Flows, getEnum[pay.Flow])
	case 6:
		m.Currencies = getList(r, m.Currencies, setCurrencySpec)
	case 7:
		m.Egress = getList(r, m.Egress, setEgressRule)
	case 8:
		m.Secrets = getList(r, m.Secrets, setSecretSpec)
	case 9:
		m.Keys = getList(r, m.Keys, setKeySpec)
	case 10:
		m.Identities = getList(r, m.Identities, setIdentitySpec)
	case 11:
		m.OAuth2 = getList(r, m.OAuth2, setOAuth2)
	default:
		return setManifestTraits(m, field, r)
	}
	return true
}

func setManifestTraits(m *pay.Manifest, field int, r *reader) bool {
	switch field {
	case 12:
		m.PollInterval = r.duration()
	case 13:
		m.BatchSize = r.number()
	case 14:
		m.VisibilityHorizon = r.duration()
	case 15:
		m.Notification = pay.Authenticity(r.small())
	case 16:
		m.NotProcessed503 = r.bool()
	case 17:
		m.Storage = r.bool()
	case 18:
		getSub(r, &m.State, setState)
	case 19:
		m.SettingsSchema = r.string()
	default:
		return false
	}
	return true
}

// appendNumber reads one entry of a repeated number, which other encoders may
// pack into one field.
func appendNumber[T any](r *reader, list []T, get func(*reader) T) []T {
	if r.wire == wireVarint {
		if !r.entry(len(list)) {
			return list
		}
		return append(list, get(r))
	}
	outer := r.open()
	r.wire = wireVarint
	for r.err == nil && r.i < len(r.b) && r.entry(len(list)) {
		list = append(list, get(r))
	}
	r.close(outer)
	return list
}

func getEnum[T ~uint8](r *reader) T { return T(r.small()) }

func putOperationSpec(w *writer, m *pay.OperationSpec) {
	w.int(1, int64(m.Operation))
	w.int(2, int64(m.Idempotency))
	w.duration(3, m.KeyLifetime)
	w.int(4, int64(m.KeyForm))
	w.int(5, int64(m.KeyMaxLen))
	w.string(6, m.KeySetting)
	w.int(7, int64(m.MoneyCalls))
}

func setOperationSpec(m *pay.OperationSpec, field int, r *reader) bool {
	switch field {
	case 1:
		m.Operation = pay.Operation(r.small())
	case 2:
		m.Idempotency = pay.Idempotency(r.small())
	case 3:
		m.KeyLifetime = r.duration()
	case 4:
		m.KeyForm = pay.KeyForm(r.small())
	case 5:
		m.KeyMaxLen = r.number()
	case 6:
		m.KeySetting = r.string()
	case 7:
		m.MoneyCalls = r.number()
	default:
		return false
	}
	return true
}

func putCurrencySpec(w *writer, m *pay.CurrencySpec) {
	w.string(1, string(m.Currency))
	w.int(2, m.Step)
	w.int(3, m.Min)
	w.int(4, m.Max)
}

func setCurrencySpec(m *pay.CurrencySpec, field int, r *reader) bool {
	switch field {
	case 1:
		m.Currency = pay.Currency(r.string())
	case 2:
		m.Step = r.int()
	case 3:
		m.Min = r.int()
	case 4:
		m.Max = r.int()
	default:
		return false
	}
	return true
}

func putEgressRule(w *writer, m *pay.EgressRule) {
	w.string(1, m.Origin)
	putStrings(w, 2, m.Methods)
	w.string(3, m.PathPrefix)
	w.bool(4, m.Read)
}

func setEgressRule(m *pay.EgressRule, field int, r *reader) bool {
	switch field {
	case 1:
		m.Origin = r.string()
	case 2:
		m.Methods = getString(r, m.Methods)
	case 3:
		m.PathPrefix = r.string()
	case 4:
		m.Read = r.bool()
	default:
		return false
	}
	return true
}

func putSecretSpec(w *writer, m *pay.SecretSpec) {
	w.string(1, m.Name)
	w.string(2, m.Title)
	w.bool(3, m.Required)
	for _, s := range m.Slots {
		w.element(4, int64(s))
	}
}

func setSecretSpec(m *pay.SecretSpec, field int, r *reader) bool {
	switch field {
	case 1:
		m.Name = r.string()
	case 2:
		m.Title = r.string()
	case 3:
		m.Required = r.bool()
	case 4:
		m.Slots = appendNumber(r, m.Slots, getEnum[pay.Slot])
	default:
		return false
	}
	return true
}

func putKeySpec(w *writer, m *pay.KeySpec) {
	w.string(1, m.Name)
	w.string(2, m.Title)
	w.bool(3, m.Required)
	putStrings(w, 4, m.Algorithms)
}

func setKeySpec(m *pay.KeySpec, field int, r *reader) bool {
	switch field {
	case 1:
		m.Name = r.string()
	case 2:
		m.Title = r.string()
	case 3:
		m.Required = r.bool()
	case 4:
		m.Algorithms = getString(r, m.Algorithms)
	default:
		return false
	}
	return true
}

func putIdentitySpec(w *writer, m *pay.IdentitySpec) {
	w.string(1, m.Name)
	w.string(2, m.Title)
	w.bool(3, m.Required)
}

func setIdentitySpec(m *pay.IdentitySpec, field int, r *reader) bool {
	switch field {
	case 1:
		m.Name = r.string()
	case 2:
		m.Title = r.string()
	case 3:
		m.Required = r.bool()
	default:
		return false
	}
	return true
}

func putOAuth2(w *writer, m *pay.OAuth2Profile) {
	w.string(1, m.Name)
	w.string(2, m.TokenPath)
	w.string(3, m.ClientID)
	w.string(4, m.ClientSecret)
	w.bool(5, m.BasicAuth)
	w.string(6, m.Scope)
	w.string(7, m.TokenField)
	w.string(8, m.ExpiresField)
	w.string(9, m.ErrorField)
	w.string(10, m.ErrorOK)
	w.duration(11, m.DefaultLifetime)
}

func setOAuth2(m *pay.OAuth2Profile, field int, r *reader) bool {
	switch field {
	case 1:
		m.Name = r.string()
	case 2:
		m.TokenPath = r.string()
	case 3:
		m.ClientID = r.string()
	case 4:
		m.ClientSecret = r.string()
	case 5:
		m.BasicAuth = r.bool()
	case 6:
		m.Scope = r.string()
	case 7:
		m.TokenField = r.string()
	case 8:
		m.ExpiresField = r.string()
	case 9:
		m.ErrorField = r.string()
	case 10:
		m.ErrorOK = r.string()
	case 11:
		m.DefaultLifetime = r.duration()
	default:
		return false
	}
	return true
}

func putState(w *writer, m *pay.StateSchema) {
	w.int(1, int64(m.Writes))
	for _, n := range m.Reads {
		w.element(2, int64(n))
	}
}

func setState(m *pay.StateSchema, field int, r *reader) bool {
	switch field {
	case 1:
		m.Writes = r.number()
	case 2:
		m.Reads = appendNumber(r, m.Reads, (*reader).number)
	default:
		return false
	}
	return true
}
