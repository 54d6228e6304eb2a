package yeniltoleg

import (
	"strconv"
	"strings"
	"time"

	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// This file is the provider's wire: every path and field name, and what is written
// and read by them. Nothing else in the package spells one.

// Paths, from section "Данные для выполнения запроса". The document prints a space
// after v1/ in three of them.
const (
	pathRegister = "/api/v1/payment/register"
	pathStatus   = "/api/v1/payment/getPaymentStatus" // then a slash and the payment's id
	pathCancel   = "/api/v1/payment/cancel"
	pathRefund   = "/api/v1/payment/refund"
)

// Names of answers' fields. They are compared without case: the document spells
// status and Status.
const (
	// Section "Запрос регистрации платежа" and those of cancel and refund.
	fieldPaymentID = "paymentId"
	fieldReturnURL = "returnUrl" // in an answer the payment page, in a request the shop's
	fieldResult    = "result"
	fieldMessage   = "message"

	// Section "Запрос состояния платежа".
	fieldID          = "id"
	fieldStatus      = "status"
	fieldAmount      = "amount"
	fieldOrderNumber = "orderNumber"
	fieldReason      = "reason"
	fieldName        = "customerName"
	fieldEmail       = "customerEmail"
	fieldCard        = "cardMask"
)

// Names of the error object, from section "HTTP-коды ответов".
const (
	fieldErrors = "errors"
	fieldTitle  = "title"
	errorKey    = "idempotencykey" // in lower case
	errorOrder  = "ordernumber"    // likewise
)

// Names of this plugin's own.
const (
	currency     = pay.TMT
	secretToken  = "access_token"
	settingZone  = "time_zone"
	defaultZone  = "Asia/Ashgabat"
	optionMethod = "payment_method"
)

// registerBody writes the request of section "Запрос регистрации платежа". The
// same request always gives the same bytes, so that a repeat is one.
func registerBody(r *pay.CreateRequest, zone time.Duration) *json.Writer {
	w := &json.Writer{}
	w.Object("")
	w.String("idempotencyKey", r.ProviderKey)
	w.String("orderNumber", r.OrderID)
	w.Money("amount", r.Amount)
	w.String("returnUrl", r.ReturnURL)
	w.StringIf("failUrl", r.FailURL)
	w.StringIf("locale", locale(r.Locale))
	w.StringIf("description", r.Description)
	if !r.ExpiresAt.IsZero() {
		// Table of parameters, expireAt: yyyy-mm-dd'T'HH:MM:ss, no zone.
		w.String("expireAt", r.ExpiresAt.UTC().Add(zone).Format("2006-01-02T15:04:05"))
	}
	if method := r.Option(optionMethod); method != "" {
		n, _ := strconv.ParseInt(method, 10, 64) // checkCreate has seen it
		w.Int("paymentMethod", n)                // table PaymentMethod
	}
	w.Object("customer") // table Customer
	w.String("name", r.Customer.Name)
	w.StringIf("email", r.Customer.Email)
	w.End()
	if len(r.Lines) > 0 {
		w.Array("lines") // table Lines
		for _, line := range r.Lines {
			w.Object("")
			w.String("name", line.Name)
			w.Int("quantity", line.Quantity)
			w.Money("price", line.Price)
			w.End()
		}
		w.End()
	}
	w.End()
	return w
}

// paymentBody writes the request of cancel and of refund.
func paymentBody(id string) *json.Writer {
	w := &json.Writer{}
	w.Object("")
	w.String(fieldPaymentID, id)
	w.End()
	return w
}

// locale returns a language that the provider has, or "" for its default.
func locale(tag string) string {
	language, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if language == "ru" || language == "tk" {
		return language
	}
	return ""
}

// offset returns how far a zone is ahead of UTC. Turkmenistan has had no summer
// time since 1992, so one offset is the whole zone.
func offset(zone string) (time.Duration, bool) {
	switch zone {
	case "Asia/Ashgabat":
		return 5 * time.Hour, true
	case "UTC":
		return 0, true
	}
	if len(zone) != 6 || zone[3] != ':' || zone[0] != '+' && zone[0] != '-' {
		return 0, false
	}
	hours, minutes := digits(zone[1:3]), digits(zone[4:6])
	if hours < 0 || hours > 14 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if zone[0] == '-' {
		d = -d
	}
	return d, true
}

// digits reads two digits, or -1.
func digits(s string) int {
	if s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return -1
	}
	return int(s[0]-'0')*10 + int(s[1]-'0')
}

// validID reports whether a payment's id can stand in a path as it is. Ids are
// UUIDs in every example; nothing says that they must be.
func validID(id string) bool {
	if id == "" || len(id) > 128 || strings.Trim(id, ".") == "" {
		return false
	}
	for i := range len(id) {
		c := id[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// fieldOf returns our name of a field that an error object names: "Amount",
// "Customer.Name", "Lines[0].Price", or with "$." in front; "" if we have none.
func fieldOf(name string) string {
	name = strings.ToLower(strings.TrimPrefix(name, "$."))
	switch name {
	case "amount", "description", "locale", "customer", "lines", "customer.name", "customer.email":
		return name
	case errorOrder:
		return "order_id"
	case "returnurl":
		return "return_url"
	case "failurl":
		return "fail_url"
	case "expireat":
		return "expires_at"
	case "paymentmethod":
		return "options." + optionMethod
	case "paymentid":
		return "provider_ref"
	}
	if line, ok := strings.CutPrefix(name, "lines["); ok {
		index, part, closed := strings.Cut(line, "]")
		_, err := strconv.ParseUint(index, 10, 16)
		if err == nil && closed && (part == "" || part == ".name" || part == ".quantity" || part == ".price") {
			return name
		}
	}
	return ""
}
