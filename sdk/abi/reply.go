package abi

import "github.com/payhost/payhost/sdk/pay"

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
func AppendReply(b []byte, m *Reply) []byte { return encode(b, m, putReply) }

// DecodeReply reads a reply message.
func DecodeReply(b []byte) (Reply, error) { return decode(b, setReply) }

// AppendError appends an error message: the answer of last_error.
func AppendError(b []byte, m *pay.Error) []byte { return encode(b, m, putError) }

// DecodeError reads an error message.
func DecodeError(b []byte) (pay.Error, error) { return decode(b, setError) }

func putReply(w *writer, m *Reply) {
	if m.Err != nil {
		putSub(w, 1, m.Err, putError)
	}
	w.bytes(2, m.Manifest)
	if m.Result != nil {
		putSub(w, 3, m.Result, putResult)
	}
	putList(w, 4, m.Items, putItem)
	if m.Notification != nil {
		putSub(w, 5, m.Notification, putNotification)
	}
	putList(w, 6, m.Problems, putProblem)
	putList(w, 7, m.Catalog, putCatalogEntry)
}

func setReply(m *Reply, field int, r *reader) bool {
	switch field {
	case 1:
		getNew(r, &m.Err, setError)
	case 2:
		m.Manifest = r.bytes()
	case 3:
		getNew(r, &m.Result, setResult)
	case 4:
		m.Items = getList(r, m.Items, setItem)
	case 5:
		getNew(r, &m.Notification, setNotification)
	case 6:
		m.Problems = getList(r, m.Problems, setProblem)
	case 7:
		m.Catalog = getList(r, m.Catalog, setCatalogEntry)
	default:
		return false
	}
	return true
}

func putError(w *writer, m *pay.Error) {
	w.int(1, int64(m.Class))
	w.int(2, int64(m.Effect))
	w.int(3, int64(m.Advice))
	w.string(4, m.Field)
	w.string(5, m.Message)
	w.int(6, int64(m.Reason))
	w.string(7, m.ProviderCode)
	w.string(8, m.ProviderMessage)
	w.duration(9, m.RetryAfter)
}

func setError(m *pay.Error, field int, r *reader) bool {
	switch field {
	case 1:
		m.Class = pay.Class(r.small())
	case 2:
		m.Effect = pay.Effect(r.small())
	case 3:
		m.Advice = pay.Advice(r.small())
	case 4:
		m.Field = r.string()
	case 5:
		m.Message = r.string()
	case 6:
		m.Reason = pay.DeclinedReason(r.small())
	case 7:
		m.ProviderCode = r.string()
	case 8:
		m.ProviderMessage = r.string()
	case 9:
		m.RetryAfter = r.duration()
	default:
		return false
	}
	return true
}

func putNext(w *writer, m *pay.NextAction) {
	w.int(1, int64(m.Type))
	w.string(2, m.URL)
	w.string(3, m.QRPayload)
	w.bytes(4, m.QRPNG)
	w.time(5, m.ExpiresAt)
}

func setNext(m *pay.NextAction, field int, r *reader) bool {
	switch field {
	case 1:
		m.Type = pay.NextActionType(r.small())
	case 2:
		m.URL = r.string()
	case 3:
		m.QRPayload = r.string()
	case 4:
		m.QRPNG = r.bytes()
	case 5:
		m.ExpiresAt = r.time()
	default:
		return false
	}
	return true
}

func putResult(w *writer, m *pay.Result) {
	w.int(1, int64(m.Outcome))
	w.string(2, m.ProviderRef)
	putSub(w, 3, &m.Next, putNext)
	w.string(4, m.PayerHint)
	w.time(5, m.ExpiresAt)
	w.int(6, int64(m.Reason))
	w.string(7, m.ProviderCode)
	w.string(8, m.ProviderMessage)
	putList(w, 9, m.Observations, putObservation)
}

func setResult(m *pay.Result, field int, r *reader) bool {
	switch field {
	case 1:
		m.Outcome = pay.Outcome(r.small())
	case 2:
		m.ProviderRef = r.string()
	case 3:
		getSub(r, &m.Next, setNext)
	case 4:
		m.PayerHint = r.string()
	case 5:
		m.ExpiresAt = r.time()
	case 6:
		m.Reason = pay.DeclinedReason(r.small())
	case 7:
		m.ProviderCode = r.string()
	case 8:
		m.ProviderMessage = r.string()
	case 9:
		m.Observations = getList(r, m.Observations, setObservation)
	default:
		return false
	}
	return true
}

func putObservation(w *writer, m *pay.Observation) {
	w.int(1, int64(m.Subject))
	w.int(2, int64(m.Payment))
	w.int(3, int64(m.Refund))
	w.int(4, int64(m.Receipt))
	w.string(5, m.ProviderRef)
	w.string(6, m.ProviderKey)
	w.string(7, m.ProviderState)
	putMoney(w, 8, m.Amount)
	putMoney(w, 9, m.AmountPaid)
	putMoney(w, 10, m.AmountRefunded)
	w.time(11, m.At)
	w.int(12, int64(m.Reason))
	w.string(13, m.Detail)
}

func setObservation(m *pay.Observation, field int, r *reader) bool {
	switch field {
	case 1:
		m.Subject = pay.Subject(r.small())
	case 2:
		m.Payment = pay.PaymentStatus(r.small())
	case 3:
		m.Refund = pay.RefundStatus(r.small())
	case 4:
		m.Receipt = pay.ReceiptStatus(r.small())
	case 5:
		m.ProviderRef = r.string()
	case 6:
		m.ProviderKey = r.string()
	case 7:
		m.ProviderState = r.string()
	case 8:
		getSub(r, &m.Amount, setMoney)
	case 9:
		getSub(r, &m.AmountPaid, setMoney)
	case 10:
		getSub(r, &m.AmountRefunded, setMoney)
	case 11:
		m.At = r.time()
	case 12:
		m.Reason = pay.DeclinedReason(r.small())
	case 13:
		m.Detail = r.string()
	default:
		return false
	}
	return true
}

func putItem(w *writer, m *pay.StatusItem) {
	w.string(1, m.ID)
	w.int(2, int64(m.Found))
	putList(w, 3, m.Observations, putObservation)
	if m.Err != nil {
		putSub(w, 4, m.Err, putError)
	}
}

func setItem(m *pay.StatusItem, field int, r *reader) bool {
	switch field {
	case 1:
		m.ID = r.string()
	case 2:
		m.Found = pay.Found(r.small())
	case 3:
		m.Observations = getList(r, m.Observations, setObservation)
	case 4:
		getNew(r, &m.Err, setError)
	default:
		return false
	}
	return true
}

func putAck(w *writer, m *pay.Ack) {
	w.int(1, int64(m.Status))
	putList(w, 2, m.Header, putField)
	w.bytes(3, m.Body)
}

func setAck(m *pay.Ack, field int, r *reader) bool {
	switch field {
	case 1:
		m.Status = r.number()
	case 2:
		m.Header = getList(r, m.Header, setField)
	case 3:
		m.Body = r.bytes()
	default:
		return false
	}
	return true
}

func putNotification(w *writer, m *pay.Notification) {
	w.int(1, int64(m.Authenticity))
	w.string(2, m.ProviderRef)
	w.string(3, m.ProviderKey)
	putList(w, 4, m.Observations, putObservation)
	putSub(w, 5, &m.Ack, putAck)
}

func setNotification(m *pay.Notification, field int, r *reader) bool {
	switch field {
	case 1:
		m.Authenticity = pay.Authenticity(r.small())
	case 2:
		m.ProviderRef = r.string()
	case 3:
		m.ProviderKey = r.string()
	case 4:
		m.Observations = getList(r, m.Observations, setObservation)
	case 5:
		getSub(r, &m.Ack, setAck)
	default:
		return false
	}
	return true
}

func putProblem(w *writer, m *pay.Problem) { putPair(w, m.Field, m.Message) }

func setProblem(m *pay.Problem, field int, r *reader) bool {
	return setPair(&m.Field, &m.Message, field, r)
}

func putCatalogEntry(w *writer, m *pay.CatalogEntry) {
	putPair(w, m.Code, m.Message)
	w.int(3, int64(m.Class))
}

func setCatalogEntry(m *pay.CatalogEntry, field int, r *reader) bool {
	if field == 3 {
		m.Class = pay.Class(r.small())
		return true
	}
	return setPair(&m.Code, &m.Message, field, r)
}
