package smartpay

import (
	"net/http"
	"slices"
)

// Code is an error code as the provider would number it. The numbers are this
// simulator's own: the provider's list is not public.
type Code int

// The error codes that the simulator answers with; /v1/error_answers lists them.
const (
	CodeBadRequest     Code = 1001 // 400: not the JSON object the call takes
	CodeNoSession      Code = 1002 // 401: no cookie, or one never given out
	CodeSessionExpired Code = 1003 // 401: the cookie is too old or was replaced by a newer one
	CodeSessionForeign Code = 1004 // 401: the cookie was given to another client certificate
	CodeUnknownTill    Code = 1005 // 403: this till may not authorize
	CodeNoSuchCall     Code = 1006 // 404: unknown path or method

	CodeQRInvalid   Code = 2001 // 400: the code cannot be opened or has the wrong shape
	CodeQRSignature Code = 2002 // 403: the signature is not the app's
	CodeQRExpired   Code = 2003 // 403: shown too long ago, or in the future
	CodeQRUsed      Code = 2004 // 409: already claimed by another purchase

	CodePurchaseNotFound  Code = 3001 // 404: no such purchase, or not committed yet
	CodePurchaseElsewhere Code = 3002 // 403: the purchase belongs to another till
	CodePurchaseIDReused  Code = 3003 // 409: this kassa_purchase_id has claimed another code
	CodeAmount            Code = 3004 // 422: the amount is not 1 to MaxAmount kopecks
	CodeReleased          Code = 3005 // 409: released before, by setting release_repeat
	CodeReleasedOtherwise Code = 3006 // 409: released before with another amount
	CodePurchaseState     Code = 3007 // 409: the purchase's state does not allow this
	CodeConfirmed         Code = 3008 // 409: confirmed already, so it cannot be canceled
	CodePollBudget        Code = 3009 // 429: asked too often, by setting poll_budget
	CodeReceiptDiffers    Code = 3010 // 409: another receipt is stored already

	CodeRefundNotFound Code = 4001 // 404: no such refund
	CodeRefundTooEarly Code = 4002 // 409: the payment is not successful
	CodeRefundTooMuch  Code = 4003 // 422: refunds would exceed the payment
	CodeRefundIDReused Code = 4004 // 409: this kassa_refund_id names another refund
	CodeRefundState    Code = 4005 // 409: the refund's state does not allow this

	// CodeUnlisted, 409, is missing from the list of errors unless the setting
	// error_list is extended; a release of AmountUnlisted is refused with it.
	CodeUnlisted Code = 7001
)

// refusal is one row of the list of errors. It is an error, answered as it is.
type refusal struct {
	status  int
	code    Code
	message string
}

// Error is the message; tills must go by the code.
func (r refusal) Error() string { return r.message }

// refuse returns the list's row for a code.
func refuse(code Code) error {
	rows := append(refusals(), unlisted())
	return rows[slices.IndexFunc(rows, func(r refusal) bool { return r.code == code })]
}

func refusals() []refusal {
	return []refusal{
		{http.StatusBadRequest, CodeBadRequest, "Некорректный запрос"},
		{http.StatusUnauthorized, CodeNoSession, "Требуется авторизация"},
		{http.StatusUnauthorized, CodeSessionExpired, "Сессия истекла"},
		{http.StatusUnauthorized, CodeSessionForeign, "Сессия открыта другой кассой"},
		{http.StatusForbidden, CodeUnknownTill, "Касса не зарегистрирована"},
		{http.StatusNotFound, CodeNoSuchCall, "Метод не найден"},
		{http.StatusBadRequest, CodeQRInvalid, "QR-код не распознан"},
		{http.StatusForbidden, CodeQRSignature, "Неверная подпись QR-кода"},
		{http.StatusForbidden, CodeQRExpired, "Срок действия QR-кода истёк"},
		{http.StatusConflict, CodeQRUsed, "QR-код уже использован"},
		{http.StatusNotFound, CodePurchaseNotFound, "Покупка не найдена"},
		{http.StatusForbidden, CodePurchaseElsewhere, "Покупка принадлежит другой кассе"},
		{http.StatusConflict, CodePurchaseIDReused, "kassa_purchase_id уже использован"},
		{http.StatusUnprocessableEntity, CodeAmount, "Недопустимая сумма"},
		{http.StatusConflict, CodeReleased, "Оплата уже начата"},
		{http.StatusConflict, CodeReleasedOtherwise, "Оплата уже начата с другой суммой"},
		{http.StatusConflict, CodePurchaseState, "Недопустимое состояние покупки"},
		{http.StatusConflict, CodeConfirmed, "Покупка уже подтверждена кассой"},
		{http.StatusTooManyRequests, CodePollBudget, "Слишком много запросов статуса"},
		{http.StatusConflict, CodeReceiptDiffers, "Чек уже сохранён с другими данными"},
		{http.StatusNotFound, CodeRefundNotFound, "Возврат не найден"},
		{http.StatusConflict, CodeRefundTooEarly, "Платёж не завершён успешно"},
		{http.StatusUnprocessableEntity, CodeRefundTooMuch, "Сумма возвратов больше суммы платежа"},
		{http.StatusConflict, CodeRefundIDReused, "kassa_refund_id уже использован"},
		{http.StatusConflict, CodeRefundState, "Недопустимое состояние возврата"},
	}
}

func unlisted() refusal {
	return refusal{http.StatusConflict, CodeUnlisted, "Операция временно ограничена"}
}
