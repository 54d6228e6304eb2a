package rahmet

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// Paths under the gateway's base URL; each comment names the chapter of the
// provider's document ("Rahmet Pay", last published 2022-03-29).
const (
	pathToken        = "/auth/token"                      // "Авторизация"
	pathAvailability = "/orders/v1/preorder/availability" // "Доступность", GET
	pathCreateV1     = "/orders/v1/preorder/create"       // "Размещение заказа", to 2021-10-11
	pathCreateV2     = "/orders/v2/preorder/create"       // "Размещение заказа", after it
	pathStatus       = "/orders/v1/preorder/status"       // "Проверка статуса заказов"
	pathRefund       = "/orders/v1/preorder/refund"       // "Возврат"

	headerRefundKey = "X-Idempotency-Key" // "Возврат", a UUID v4, since 2019-07-09
)

// The picture of create, "Размещение заказа".
const (
	picturePrefix = "data:image/png;base64,"
	pngSignature  = "\x89PNG\r\n\x1a\n" // RFC 2083, section 3.1
	maxPicture    = 128 << 10           // bytes: a reply must fit the host's message
)

// Bytes of the provider's code and message that are kept.
const maxCode, maxText = 64, 300

// Fields of the envelope that every answer has, "Формат ответа".
const (
	fieldErrorCode = "error_code"
	fieldStatus    = "status"
	fieldMessage   = "message"
	fieldData      = "data"

	wordError       = "error" // status; the other word is "success"
	codeOK          = "0"
	codeWrongToken  = "4"   // "Авторизация": client authentication failed
	codeDenied      = "9"   // inferred: what the same OAuth2 library says of a bad token
	codeWrongClient = "101" // "Формат ответа": wrong user name or password
	codeUnavailable = "400" // "Доступность", for 25 minutes of 2019-11-05
)

// Fields of the answers' data.
const (
	fieldBearer    = "token"     // "Авторизация"; not access_token
	fieldExpireIn  = "expire_in" // "Авторизация", seconds; not expires_in
	fieldAvailable = "available" // "Доступность"

	// "Размещение заказа"
	fieldPreorderID  = "preorder_id"
	fieldURL         = "url"              // v1
	fieldInnerURL    = "inner_url"        // v2, for the mini app
	fieldExternalURL = "external_url"     // v2, for everybody else
	fieldPicture     = "qr_image_base_64" // if image_size was asked for

	// "Проверка статуса заказов"
	fieldIsPaid         = "is_paid"
	fieldReference      = "reference"       // Rahmet's number, since 2020-11-02
	fieldAmount         = "amount"          // major units or null; also of a refund
	fieldRefund         = "refund"          // only after one
	fieldRefundedAmount = "refunded_amount" // the sum so far

	// "Возврат", seven fields, or fourteen under refund_request on 2019-09-23
	fieldRefundRequest   = "refund_request"
	fieldID              = "id"
	fieldRequestedAmount = "requested_amount"
	fieldIdempotencyKey  = "idempotency_key"
)

// answer is the envelope of the provider and what HTTP says around it.
type answer struct {
	status int           // HTTP
	wait   time.Duration // Retry-After; 0 if not told

	code    string // error_code as text; "" if the body is not the envelope
	word    string // status
	message string
	data    json.Value
}

// parse never fails: what is not the envelope has no code.
func (a *answer) parse(r *sdk.Response) {
	*a = answer{status: r.Status, wait: parseWait(r.HeaderValue("Retry-After"))}
	body, err := json.Parse(r.Body)
	if err != nil {
		return
	}
	code, _ := body.Get(fieldErrorCode).Decimal()
	a.code = short(code, maxCode)
	a.word = body.Get(fieldStatus).Str()
	a.message = short(body.Get(fieldMessage).Str(), maxText)
	a.data = body.Get(fieldData)
}

// parseWait reads a number of seconds, cut to a day. A date is left to the host, which
// reads the header of writing calls too: time.Parse would cost 60 KiB of module.
func parseWait(retryAfter string) time.Duration {
	const most = 24 * 60 * 60
	seconds := int64(0)
	for i := range len(retryAfter) {
		digit := int64(retryAfter[i]) - '0'
		if seconds = seconds*10 + digit; digit < 0 || digit > 9 || seconds > math.MaxInt32 {
			return 0
		}
	}
	return time.Duration(min(seconds, most)) * time.Second
}

// orderForm is a request of create, "Размещение заказа". Empty and zero fields are
// optional there and left out.
type orderForm struct {
	orderID        string
	amount         string // major units
	branch         string // the branch's hash, not the access token
	backlink       string
	postlink       string
	failedPostlink string
	imageSize      int64 // pixels
	timeout        int64 // seconds to pay
}

func (f *orderForm) encode(w *form.Writer) {
	w.Add("merchant_order_id", f.orderID)
	w.Add("amount", f.amount)
	w.Add("token", f.branch)
	w.AddIf("backlink", f.backlink)
	w.AddIf("postlink", f.postlink)
	w.AddIf("failed_postlink", f.failedPostlink)
	if f.imageSize > 0 {
		w.AddInt("image_size", f.imageSize)
	}
	if f.timeout > 0 {
		w.AddInt("timeout", f.timeout)
	}
}

// statusForm asks after orders, "Проверка статуса заказов".
func statusForm(orderIDs []string) *form.Writer {
	w := &form.Writer{}
	for _, id := range orderIDs {
		w.Add("merchant_order_ids[]", id)
	}
	return w
}

// refundForm asks for money back, "Возврат".
func refundForm(orderID, amount string) *form.Writer {
	w := &form.Writer{}
	w.Add("merchant_order_id", orderID)
	w.Add("amount", amount)
	return w
}

// wireAmount writes an amount as the provider's examples do: whole tenge without a
// point, anything else with two decimals.
func wireAmount(m pay.Money) string {
	if whole, ok := m.Whole(); ok {
		return strconv.FormatInt(whole, 10)
	}
	return m.Decimal()
}

// parsePicture takes the PNG out of the data URI of create, or returns nil.
func parsePicture(v json.Value) []byte {
	text, ok := strings.CutPrefix(v.Str(), picturePrefix)
	if !ok || len(text) > base64.StdEncoding.EncodedLen(maxPicture) {
		return nil
	}
	picture, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !strings.HasPrefix(string(picture), pngSignature) {
		return nil
	}
	return picture
}

// parseNumber reads one of the provider's numbers as text: a whole number, bare or
// in quotes, of at most 20 digits. It returns "" for anything else.
func parseNumber(v json.Value) string {
	text, _ := v.Decimal()
	if !digits(text, "") {
		return ""
	}
	return text
}

// digits reports whether a text is 1 to 20 digits, or characters of others.
func digits(text, others string) bool {
	for i := range len(text) {
		if (text[i] < '0' || text[i] > '9') && strings.IndexByte(others, text[i]) < 0 {
			return false
		}
	}
	return text != "" && len(text) <= 20
}

// parseAmount reads an amount that may be absent: zero money then. It is false for
// what is there and is no exact amount of tenge.
func parseAmount(v json.Value) (pay.Money, bool) {
	if !v.Exists() {
		return pay.Money{}, true
	}
	text, ok := v.Decimal()
	if !ok {
		return pay.Money{}, false
	}
	m, err := pay.ParseMoney(text, pay.KZT)
	return m, err == nil
}

// order is what status says of one order id, in whichever of its shapes.
type order struct {
	word      string // for the timeline, "is_paid=true"
	paid      bool
	reference string    // Rahmet's number; "" if not told
	amount    pay.Money // zero if not told
	refunded  pay.Money // zero if not told
}

// tookMoney reports whether money came in, be it gone again since.
func (o *order) tookMoney() bool { return o.paid || o.refunded.Minor > 0 }

// parseOrders reads the data of status: an object by order id. PHP writes an empty
// one as [] or null. Orders that can't be read stand in the map as nil.
func parseOrders(data json.Value) (map[string]*order, bool) {
	orders := map[string]*order{}
	if !data.Exists() || data.Kind() == json.Array && data.Len() == 0 {
		return orders, true
	}
	data.Each(func(id string, v json.Value) bool {
		if _, twice := orders[id]; !twice && v.Exists() {
			orders[id] = parseOrder(v)
		}
		return true
	})
	return orders, data.Kind() == json.Object
}

// parseOrder reads a bare flag (to 2019-09-23) or an object, nil for anything else.
func parseOrder(v json.Value) *order {
	if paid, ok := v.Bool(); ok {
		return &order{paid: paid, word: strconv.FormatBool(paid)}
	}
	paid, ok := v.Get(fieldIsPaid).Bool()
	if !ok {
		return nil
	}
	o := &order{
		paid: paid, word: fieldIsPaid + "=" + strconv.FormatBool(paid),
		reference: parseNumber(v.Get(fieldReference)),
	}
	if o.amount, ok = parseAmount(v.Get(fieldAmount)); !ok {
		return nil
	}
	refund := v.Get(fieldRefund)
	if refund.Exists() && refund.Kind() != json.Object && (refund.Kind() != json.Array || refund.Len() > 0) {
		return nil
	}
	if o.refunded, ok = parseAmount(refund.Get(fieldRefundedAmount)); !ok {
		return nil
	}
	return o
}

// acceptedRefund is the answer to a refund, of which every field may be absent.
type acceptedRefund struct {
	id        string
	key       string
	amount    pay.Money // what will go back, as the provider has it
	requested pay.Money // what was asked for, as the provider has it
}

// parseRefund reads any of the three documented shapes. It is false for an amount
// that is none.
func parseRefund(data json.Value) (acceptedRefund, bool) {
	if inner := data.Get(fieldRefundRequest); inner.Kind() == json.Object {
		data = inner
	}
	r := acceptedRefund{id: parseNumber(data.Get(fieldID)), key: data.Get(fieldIdempotencyKey).Str()}
	amount, ok := parseAmount(data.Get(fieldAmount))
	requested, ok2 := parseAmount(data.Get(fieldRequestedAmount))
	r.amount, r.requested = amount, requested
	return r, ok && ok2
}
