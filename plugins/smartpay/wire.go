package smartpay

import (
	"strconv"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// This file is SmartPay's whole wire, so that it can be replaced when the
// provider's OpenAPI file is at hand. Documented are the paths, kassa_purchase_id,
// kassa_refund_id, the three members of the QR code, and the word "cancel". All
// other names, words, numbers and units here are ASSUMPTIONS.

// Paths. The names in quotes are sections of the document.
const (
	pathAuth         = "/v1/auth"                         // "Авторизация"
	pathCommit       = "/v1/purchase/code/commit"         // "Оплата", step 2
	pathRelease      = "/v1/purchase/release"             // "Оплата", step 4
	pathStatus       = "/v1/purchase/status"              // "Оплата", step 5
	pathVerdict      = "/v1/purchase/kassa/status"        // "Оплата", step 6; "Отмена оплаты"
	pathFiscal       = "/v1/purchase/fiscal"              // "Оплата", step 7
	pathReceipt      = "/v2/purchase/fiscal"              // "Отправка данных фискального чека"
	pathRefund       = "/v1/purchase/refund"              // "Возврат", step 1
	pathRefundStatus = "/v1/purchase/refund/status"       // "Возврат", step 4
	pathRefundDone   = "/v1/purchase/refund/kassa/status" // "Возврат", step 5
	pathPing         = "/v1/ping"                         // "Вспомогательные методы", 1
	pathErrors       = "/v1/error_answers"                // "Вспомогательные методы", 2
)

// Members of bodies.
const (
	fieldLoyalty    = "id_loyalty"        // "Структура QR-кода"
	fieldEncrypted  = "encrypted"         // "Структура QR-кода"
	fieldSign       = "sign"              // "Структура QR-кода"
	fieldPurchase   = "kassa_purchase_id" // "Оплата", step 2
	fieldRefund     = "kassa_refund_id"   // "Возврат", step 1
	fieldTill       = "till_id"
	fieldPurchaseID = "purchase_id"
	fieldRefundID   = "refund_id"
	fieldAmount     = "amount" // kopecks, a whole number
	fieldStatus     = "status"
	fieldRegister   = "register_number"
	fieldFiscalSign = "fiscal_sign"
	fieldQR         = "qr"
	fieldReceipt    = "receipt"
	fieldTotal      = "total"     // kopecks
	fieldIssued     = "issued_at" // RFC 3339, UTC
	fieldItems      = "items"
	fieldName       = "name"
	fieldQuantity   = "quantity"
	fieldPrice      = "price" // of one piece, kopecks
	fieldError      = "error"
	fieldErrors     = "errors"
	fieldCode       = "code"
	fieldMessage    = "message"
)

// Words of "status". Of them the document has only "cancel", and "Успешен" in
// Russian.
const (
	wordOK        = "ok"
	wordCommitted = "committed"
	wordPending   = "pending"
	wordSuccess   = "success"
	wordFail      = "fail"
	wordCanceled  = "canceled"
	wordCancel    = "cancel" // "Отмена оплаты": the till's verdict
)

// maxID bounds an id that the provider gives, in bytes.
const maxID = 255

// authRequest asks for a session. It reads, as far as money goes.
func authRequest(till string) *sdk.Request {
	w := object()
	w.String(fieldTill, till)
	return post(pathAuth, w, sdk.Read)
}

// commitRequest claims a presented code for the purchase that we call key.
func commitRequest(key string, c *presented) *sdk.Request {
	w := object()
	w.String(fieldPurchase, key)
	c.write(w)
	return post(pathCommit, w, sdk.Money)
}

// releaseRequest starts the payment of a claimed code.
func releaseRequest(purchase string, amount pay.Money) *sdk.Request {
	w := object()
	w.String(fieldPurchaseID, purchase)
	w.Int(fieldAmount, amount.Minor)
	return post(pathRelease, w, sdk.Money)
}

// statusRequest asks how a purchase stands.
func statusRequest(purchase string) *sdk.Request {
	w := object()
	w.String(fieldPurchaseID, purchase)
	return post(pathStatus, w, sdk.Read)
}

// verdictRequest is the till's last word on a purchase: wordSuccess or wordCancel.
func verdictRequest(purchase, word string) *sdk.Request {
	w := object()
	w.String(fieldPurchaseID, purchase)
	w.String(fieldStatus, word)
	return post(pathVerdict, w, sdk.Money)
}

// refundRequest asks for money back under the name that we call key.
func refundRequest(purchase, key string, amount pay.Money) *sdk.Request {
	w := object()
	w.String(fieldPurchaseID, purchase)
	w.String(fieldRefund, key)
	w.Int(fieldAmount, amount.Minor)
	return post(pathRefund, w, sdk.Money)
}

// refundStatusRequest asks how a refund stands.
func refundStatusRequest(refund string) *sdk.Request {
	w := object()
	w.String(fieldRefundID, refund)
	return post(pathRefundStatus, w, sdk.Read)
}

// refundVerdictRequest is the till's last word on a refund: wordSuccess or
// wordCancel.
func refundVerdictRequest(refund, word string) *sdk.Request {
	w := object()
	w.String(fieldRefundID, refund)
	w.String(fieldStatus, word)
	return post(pathRefundDone, w, sdk.Money)
}

// fiscalRequest stores the receipt of a purchase, version 1.
func fiscalRequest(purchase string, r *pay.ReceiptRequest) *sdk.Request {
	w := object()
	w.String(fieldPurchaseID, purchase)
	w.String(fieldRegister, r.RegisterNumber)
	w.String(fieldFiscalSign, r.FiscalSign)
	return post(pathFiscal, w, sdk.Money)
}

// receiptRequest stores a receipt of any tender, version 2. The code may be nil.
func receiptRequest(c *presented, r *pay.ReceiptRequest) *sdk.Request {
	w := object()
	if c == nil {
		w.Null(fieldQR)
	} else {
		w.Object(fieldQR)
		c.write(w)
		w.End()
	}
	w.Object(fieldReceipt)
	w.String(fieldRegister, r.RegisterNumber)
	w.String(fieldFiscalSign, r.FiscalSign)
	if !r.Total.IsZero() {
		w.Int(fieldTotal, r.Total.Minor)
	}
	if !r.IssuedAt.IsZero() {
		w.String(fieldIssued, r.IssuedAt.UTC().Format(time.RFC3339))
	}
	if len(r.Lines) > 0 {
		w.Array(fieldItems)
		for _, line := range r.Lines {
			w.Object("")
			w.String(fieldName, line.Name)
			w.Int(fieldQuantity, line.Quantity)
			w.Int(fieldPrice, line.Price.Minor)
			w.End()
		}
		w.End()
	}
	w.End()
	return post(pathReceipt, w, sdk.Money)
}

func pingRequest() *sdk.Request   { return sdk.GetJSON(pathPing) }
func errorsRequest() *sdk.Request { return sdk.GetJSON(pathErrors) }

func object() *json.Writer {
	w := &json.Writer{}
	w.Object("")
	return w
}

func post(path string, w *json.Writer, effect sdk.Effect) *sdk.Request {
	w.End()
	return sdk.PostJSON(path, w, effect)
}

// readID reads an id that the provider gave.
func readID(body json.Value, field string) (string, *pay.Error) {
	id := body.Get(field).Str()
	if id == "" || len(id) > maxID {
		return "", protocol("answer has no " + field)
	}
	return id, nil
}

// readOK reads the answer that says no more than that the till was heard.
func readOK(body json.Value) *pay.Error {
	if body.Get(fieldStatus).Str() != wordOK {
		return protocol("answer does not say ok")
	}
	return nil
}

// readWord reads a state. It may be a word that we don't know.
func readWord(body json.Value) (string, *pay.Error) {
	word, ok := body.Get(fieldStatus).Text()
	if !ok || word == "" {
		return "", protocol("answer has no status")
	}
	return word, nil
}

// readAmount reads kopecks, in a number or in a string; told is false if there are
// none.
func readAmount(body json.Value) (amount pay.Money, told bool, err *pay.Error) {
	v := body.Get(fieldAmount)
	if !v.Exists() {
		return pay.Money{}, false, nil
	}
	text, _ := v.Decimal()
	kopecks, parseErr := strconv.ParseInt(text, 10, 64)
	if parseErr != nil || kopecks < 0 || text[0] == '+' {
		return pay.Money{}, false, protocol("amount is not a whole number of kopecks")
	}
	return pay.New(kopecks, currency), true, nil
}

// readError finds the provider's error in a body: its code as text, and its message
// for people.
func readError(body json.Value) (code, message string, found bool) {
	e := body.Get(fieldError)
	if e.Kind() != json.Object {
		return "", "", false
	}
	code, found = e.Get(fieldCode).Decimal()
	return short(code, 40), short(e.Get(fieldMessage).Str(), 500), found && code != ""
}

// readErrors reads the provider's list of errors. Rows without a code are counted,
// not guessed.
func readErrors(body json.Value) (list []pay.CatalogEntry, odd int, err *pay.Error) {
	rows := body.Get(fieldErrors)
	if rows.Kind() != json.Array {
		return nil, 0, protocol("answer has no list of errors")
	}
	rows.Each(func(_ string, row json.Value) bool {
		code, ok := row.Get(fieldCode).Decimal()
		if !ok || code == "" || len(list) == maxErrors {
			odd++
			return true
		}
		entry := pay.CatalogEntry{Code: short(code, 40), Message: short(row.Get(fieldMessage).Str(), 200)}
		if r, known := meaning(entry.Code); known {
			entry.Class = r.class
		}
		list = append(list, entry)
		return true
	})
	return list, odd, nil
}

// Error codes that decide more than a class.
const (
	codeNoSession      = "1002"
	codeSessionExpired = "1003"
	codeSessionForeign = "1004"
	codeReleased       = "3005"
)

// refusal is what an error code means.
type refusal struct {
	class   pay.Class
	field   string
	advice  pay.Advice // zero for the usual one of the class
	message string
}

// meaning returns what an error code means, and false for one that is not in the
// table. The provider has such a list (/v1/error_answers) and does not publish it:
// every number here is an assumption, agreed with the project's simulator.
func meaning(code string) (refusal, bool) {
	r, known := sessionMeaning(code)
	if known {
		return r, true
	}
	switch code {
	case "1001":
		r = refusal{class: pay.ClassInvalidRequest, message: "provider can't read the request"}
	case "1006":
		r = refusal{class: pay.ClassUnsupported, field: "base_url", message: "provider has no such call"}
	case "2001":
		r = refusal{class: pay.ClassCodeInvalid, field: fieldCode, message: "provider can't read the code"}
	case "2002":
		r = refusal{class: pay.ClassCodeInvalid, field: fieldCode, message: "the code's signature is not the app's"}
	case "2003":
		r = refusal{class: pay.ClassCodeExpired, field: fieldCode, message: "code is too old"}
	case "2004":
		r = refusal{class: pay.ClassCodeInvalid, field: fieldCode, message: "code was already claimed"}
	case "3001":
		r = refusal{class: pay.ClassNotFound, message: "provider does not know the purchase"}
	case "3002":
		r = refusal{
			class: pay.ClassConfig, field: "settings." + settingTill, advice: pay.AdviceOperator,
			message: "the purchase belongs to another till",
		}
	case "3003":
		r = reused("provider has seen kassa_purchase_id with another code")
	case "3004":
		r = refusal{class: pay.ClassInvalidRequest, field: fieldAmount, message: "provider refuses the amount"}
	case codeReleased:
		r = refusal{class: pay.ClassDuplicate, message: "the purchase was released before"}
	case "3006":
		r = refusal{
			class: pay.ClassIntegrity, field: fieldAmount, advice: pay.AdviceOperator,
			message: "the purchase was released before with another amount",
		}
	case "3007":
		r = refusal{class: pay.ClassStateConflict, message: "the purchase is not where this needs it"}
	case "3008":
		r = refusal{class: pay.ClassStateConflict, message: "the purchase is confirmed already"}
	case "3009":
		r = refusal{class: pay.ClassRateLimited, message: "status was asked too often"}
	case "3010":
		r = refusal{class: pay.ClassStateConflict, message: "another receipt is stored already"}
	case "4001":
		r = refusal{class: pay.ClassNotFound, message: "provider does not know the refund"}
	case "4002":
		r = refusal{class: pay.ClassStateConflict, message: "the payment is not successful"}
	case "4003":
		r = refusal{class: pay.ClassInvalidRequest, field: fieldAmount, message: "refunds would exceed the payment"}
	case "4004":
		r = reused("provider has seen kassa_refund_id with another refund")
	case "4005":
		r = refusal{class: pay.ClassStateConflict, message: "the refund is not where this needs it"}
	}
	return r, r.class != 0
}

// sessionMeaning is meaning for the codes that speak of the till itself.
func sessionMeaning(code string) (refusal, bool) {
	r := refusal{class: pay.ClassAuth, advice: pay.AdviceOperator}
	switch code {
	case codeNoSession:
		r.message = "provider asks for a session"
	case codeSessionExpired:
		r.message = "session has expired"
	case codeSessionForeign:
		r.message = "session was opened with another certificate"
	case "1005":
		return refusal{
			class: pay.ClassConfig, field: "settings." + settingTill, advice: pay.AdviceOperator,
			message: "provider does not know the till",
		}, true
	default:
		return refusal{}, false
	}
	return r, true
}

// reused is a key of ours that the provider has under another purchase or refund.
// No probe can tell more: two tills may share one till_id.
func reused(message string) refusal {
	return refusal{class: pay.ClassDuplicate, advice: pay.AdviceOperator, message: message}
}
