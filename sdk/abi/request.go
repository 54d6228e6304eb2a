package abi

import "github.com/payhost/payhost/sdk/pay"

// AppendCreate appends the input message of create.
func AppendCreate(b []byte, m *pay.CreateRequest) []byte { return encode(b, m, putCreate) }

// DecodeCreate reads the input message of create.
func DecodeCreate(b []byte) (pay.CreateRequest, error) { return decode(b, setCreate) }

// AppendBind appends the input message of bind.
func AppendBind(b []byte, m *pay.BindRequest) []byte { return encode(b, m, putBind) }

// DecodeBind reads the input message of bind.
func DecodeBind(b []byte) (pay.BindRequest, error) { return decode(b, setBind) }

// AppendPayment appends the input message of release, confirm and cancel.
func AppendPayment(b []byte, m *pay.PaymentRequest) []byte { return encode(b, m, putPayment) }

// DecodePayment reads the input message of release, confirm and cancel.
func DecodePayment(b []byte) (pay.PaymentRequest, error) { return decode(b, setPayment) }

// AppendRefs appends the input message of status and refund_status.
func AppendRefs(b []byte, refs []pay.Ref) []byte {
	w := writer{b: b}
	putList(&w, 1, refs, putRef)
	return w.b
}

// DecodeRefs reads the input message of status and refund_status.
func DecodeRefs(b []byte) ([]pay.Ref, error) {
	return decode(b, func(m *[]pay.Ref, field int, r *reader) bool {
		if field == 1 {
			*m = getList(r, *m, setRef)
		}
		return field == 1
	})
}

// AppendRefund appends the input message of refund, confirm_refund and
// cancel_refund.
func AppendRefund(b []byte, m *pay.RefundRequest) []byte { return encode(b, m, putRefund) }

// DecodeRefund reads the input message of refund, confirm_refund and
// cancel_refund.
func DecodeRefund(b []byte) (pay.RefundRequest, error) { return decode(b, setRefund) }

// AppendReceipt appends the input message of receipt.
func AppendReceipt(b []byte, m *pay.ReceiptRequest) []byte { return encode(b, m, putReceipt) }

// DecodeReceipt reads the input message of receipt.
func DecodeReceipt(b []byte) (pay.ReceiptRequest, error) { return decode(b, setReceipt) }

// AppendNotification appends the input message of notification. The body stays
// at the host: body is the handle of the blob that holds it, and m.Body is not
// written.
func AppendNotification(b []byte, m *pay.NotificationRequest, body int32) []byte {
	w := writer{b: b}
	putNotificationRequest(&w, m)
	w.int(5, int64(body))
	return w.b
}

// DecodeNotification reads the input message of notification and returns the
// handle of the body's blob.
func DecodeNotification(b []byte) (m pay.NotificationRequest, body int32, err error) {
	m, err = decode(b, func(m *pay.NotificationRequest, field int, r *reader) bool {
		if field == 5 {
			body = int32(r.number())
			return true
		}
		return setNotificationRequest(m, field, r)
	})
	if err != nil {
		body = 0
	}
	return m, body, err
}

func putCreate(w *writer, m *pay.CreateRequest) {
	putSub(w, 1, &m.Intent, putIntent)
	w.string(2, m.PaymentID)
	w.string(3, m.OrderID)
	putMoney(w, 4, m.Amount)
	w.string(5, m.Description)
	w.string(6, m.ReturnURL)
	w.string(7, m.FailURL)
	w.string(8, m.NotificationURL)
	if m.Customer != (pay.Customer{}) {
		putSub(w, 9, &m.Customer, putCustomer)
	}
	putList(w, 10, m.Lines, putLine)
	w.string(11, m.Locale)
	w.time(12, m.ExpiresAt)
	putList(w, 13, m.Options, putOption)
}

func setCreate(m *pay.CreateRequest, field int, r *reader) bool {
	switch field {
	case 1:
		getSub(r, &m.Intent, setIntent)
	case 2:
		m.PaymentID = r.string()
	case 3:
		m.OrderID = r.string()
	case 4:
		getSub(r, &m.Amount, setMoney)
	case 5:
		m.Description = r.string()
	case 6:
		m.ReturnURL = r.string()
	case 7:
		m.FailURL = r.string()
	case 8:
		m.NotificationURL = r.string()
	case 9:
		getSub(r, &m.Customer, setCustomer)
	case 10:
		m.Lines = getList(r, m.Lines, setLine)
	case 11:
		m.Locale = r.string()
	case 12:
		m.ExpiresAt = r.time()
	case 13:
		m.Options = getList(r, m.Options, setOption)
	default:
		return false
	}
	return true
}

func putBind(w *writer, m *pay.BindRequest) {
	putSub(w, 1, &m.Intent, putIntent)
	putSub(w, 2, &m.Payment, putRef)
	w.string(3, m.Code)
}

func setBind(m *pay.BindRequest, field int, r *reader) bool {
	switch field {
	case 1:
		getSub(r, &m.Intent, setIntent)
	case 2:
		getSub(r, &m.Payment, setRef)
	case 3:
		m.Code = r.string()
	default:
		return false
	}
	return true
}

func putPayment(w *writer, m *pay.PaymentRequest) {
	putSub(w, 1, &m.Intent, putIntent)
	putSub(w, 2, &m.Payment, putRef)
	putMoney(w, 3, m.Amount)
}

func setPayment(m *pay.PaymentRequest, field int, r *reader) bool {
	switch field {
	case 1:
		getSub(r, &m.Intent, setIntent)
	case 2:
		getSub(r, &m.Payment, setRef)
	case 3:
		getSub(r, &m.Amount, setMoney)
	default:
		return false
	}
	return true
}

func putRefund(w *writer, m *pay.RefundRequest) {
	putSub(w, 1, &m.Intent, putIntent)
	putSub(w, 2, &m.Payment, putRef)
	putSub(w, 3, &m.Refund, putRef)
	putMoney(w, 4, m.Amount)
	putMoney(w, 5, m.Paid)
	putMoney(w, 6, m.Refunded)
	w.string(7, m.Reason)
}

func setRefund(m *pay.RefundRequest, field int, r *reader) bool {
	switch field {
	case 1:
		getSub(r, &m.Intent, setIntent)
	case 2:
		getSub(r, &m.Payment, setRef)
	case 3:
		getSub(r, &m.Refund, setRef)
	case 4:
		getSub(r, &m.Amount, setMoney)
	case 5:
		getSub(r, &m.Paid, setMoney)
	case 6:
		getSub(r, &m.Refunded, setMoney)
	case 7:
		m.Reason = r.string()
	default:
		return false
	}
	return true
}

func putReceipt(w *writer, m *pay.ReceiptRequest) {
	putSub(w, 1, &m.Intent, putIntent)
	if m.Payment != nil {
		putSub(w, 2, m.Payment, putRef)
	}
	w.string(3, m.Code)
	w.string(4, m.RegisterNumber)
	w.string(5, m.FiscalSign)
	putMoney(w, 6, m.Total)
	putList(w, 7, m.Lines, putLine)
	w.time(8, m.IssuedAt)
}

func setReceipt(m *pay.ReceiptRequest, field int, r *reader) bool {
	switch field {
	case 1:
		getSub(r, &m.Intent, setIntent)
	case 2:
		getNew(r, &m.Payment, setRef)
	case 3:
		m.Code = r.string()
	case 4:
		m.RegisterNumber = r.string()
	case 5:
		m.FiscalSign = r.string()
	case 6:
		getSub(r, &m.Total, setMoney)
	case 7:
		m.Lines = getList(r, m.Lines, setLine)
	case 8:
		m.IssuedAt = r.time()
	default:
		return false
	}
	return true
}

func putNotificationRequest(w *writer, m *pay.NotificationRequest) {
	w.string(1, m.Method)
	w.string(2, m.Path)
	w.string(3, m.Query)
	putList(w, 4, m.Header, putField)
	w.string(6, m.PeerCertificate)
	putSub(w, 7, &m.Payment, putRef)
	w.time(8, m.ReceivedAt)
}

func setNotificationRequest(m *pay.NotificationRequest, field int, r *reader) bool {
	switch field {
	case 1:
		m.Method = r.string()
	case 2:
		m.Path = r.string()
	case 3:
		m.Query = r.string()
	case 4:
		m.Header = getList(r, m.Header, setField)
	case 6:
		m.PeerCertificate = r.string()
	case 7:
		getSub(r, &m.Payment, setRef)
	case 8:
		m.ReceivedAt = r.time()
	default:
		return false
	}
	return true
}
