package abi

import "github.com/payhost/payhost/sdk/pay"

// The messages that stand inside several others.

func putMoney(w *writer, field int, m pay.Money) {
	if m.IsZero() {
		return
	}
	start := w.begin(field)
	w.int(1, m.Minor)
	w.string(2, string(m.Currency))
	w.end(start)
}

func setMoney(m *pay.Money, field int, r *reader) bool {
	switch field {
	case 1:
		m.Minor = r.int()
	case 2:
		m.Currency = pay.Currency(r.string())
	default:
		return false
	}
	return true
}

func putEvidence(w *writer, m *pay.Evidence) {
	w.int(1, int64(m.Wire))
	w.int(2, int64(m.Status))
	w.int(3, int64(m.Calls))
	w.int(4, int64(m.Reads))
	w.int(5, m.BytesOut)
	w.bool(6, m.InDoubt)
}

func setEvidence(m *pay.Evidence, field int, r *reader) bool {
	switch field {
	case 1:
		m.Wire = pay.Wire(r.small())
	case 2:
		m.Status = r.number()
	case 3:
		m.Calls = r.number()
	case 4:
		m.Reads = r.number()
	case 5:
		m.BytesOut = r.int()
	case 6:
		m.InDoubt = r.bool()
	default:
		return false
	}
	return true
}

func putIntent(w *writer, m *pay.Intent) {
	w.string(1, m.Key)
	w.string(2, m.ProviderKey)
	w.int(3, int64(m.Attempt))
	w.time(4, m.Deadline)
	if m.Earlier != (pay.Evidence{}) {
		putSub(w, 5, &m.Earlier, putEvidence)
	}
}

func setIntent(m *pay.Intent, field int, r *reader) bool {
	switch field {
	case 1:
		m.Key = r.string()
	case 2:
		m.ProviderKey = r.string()
	case 3:
		m.Attempt = r.number()
	case 4:
		m.Deadline = r.time()
	case 5:
		getSub(r, &m.Earlier, setEvidence)
	default:
		return false
	}
	return true
}

func putRef(w *writer, m *pay.Ref) {
	w.string(1, m.ID)
	w.string(2, m.OrderID)
	w.string(3, m.ProviderRef)
	putStrings(w, 4, m.Keys)
	putMoney(w, 5, m.Amount)
	w.time(6, m.CreatedAt)
}

func setRef(m *pay.Ref, field int, r *reader) bool {
	switch field {
	case 1:
		m.ID = r.string()
	case 2:
		m.OrderID = r.string()
	case 3:
		m.ProviderRef = r.string()
	case 4:
		m.Keys = getString(r, m.Keys)
	case 5:
		getSub(r, &m.Amount, setMoney)
	case 6:
		m.CreatedAt = r.time()
	default:
		return false
	}
	return true
}

func putLine(w *writer, m *pay.Line) {
	w.string(1, m.Name)
	w.int(2, m.Quantity)
	putMoney(w, 3, m.Price)
}

func setLine(m *pay.Line, field int, r *reader) bool {
	switch field {
	case 1:
		m.Name = r.string()
	case 2:
		m.Quantity = r.int()
	case 3:
		getSub(r, &m.Price, setMoney)
	default:
		return false
	}
	return true
}

func putCustomer(w *writer, m *pay.Customer) {
	w.string(1, m.Name)
	w.string(2, m.Email)
	w.string(3, m.Phone)
}

func setCustomer(m *pay.Customer, field int, r *reader) bool {
	switch field {
	case 1:
		m.Name = r.string()
	case 2:
		m.Email = r.string()
	case 3:
		m.Phone = r.string()
	default:
		return false
	}
	return true
}

func putPair(w *writer, name, value string) {
	w.string(1, name)
	w.string(2, value)
}

func setPair(name, value *string, field int, r *reader) bool {
	switch field {
	case 1:
		*name = r.string()
	case 2:
		*value = r.string()
	default:
		return false
	}
	return true
}

func putOption(w *writer, m *pay.Option) { putPair(w, m.Name, m.Value) }
func putField(w *writer, m *pay.Field)   { putPair(w, m.Name, m.Value) }

func setOption(m *pay.Option, field int, r *reader) bool { return setPair(&m.Name, &m.Value, field, r) }

func setField(m *pay.Field, field int, r *reader) bool { return setPair(&m.Name, &m.Value, field, r) }
