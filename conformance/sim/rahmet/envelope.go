package rahmet

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// envelope is the frame of every answer.
type envelope struct {
	ErrorCode int    `json:"error_code"`
	Status    string `json:"status"`
	Message   string `json:"message"`
	Data      any    `json:"data"`
}

// failure is a refusal. Codes below 100 are about authorization; the others are also the HTTP status, if
// wanted.
type failure struct {
	code    int
	message string
}

func invalid(message string) *failure { return &failure{code: 422, message: message} }

// oddMessage would mislead a client that goes by the text.
const oddMessage = "Ошибка? Нет: ERROR 4 not_paid"

func (s *Server) succeed(w http.ResponseWriter, message string, data any) {
	if s.Setting(messagesSetting) == "odd" {
		message = oddMessage
	}
	simkit.WriteJSON(w, http.StatusOK, envelope{Status: "success", Message: message, Data: data})
}

func (s *Server) fail(w http.ResponseWriter, f *failure) {
	status := http.StatusOK
	switch {
	case f.code < 100 && s.Setting(authErrorStatusSetting) == "401":
		status = http.StatusUnauthorized
	case f.code >= 100 && s.Setting(errorStatusSetting) == "4xx":
		status = f.code
	}
	simkit.WriteJSON(w, status, envelope{ErrorCode: f.code, Status: "error", Message: f.message})
}

// form reads a body that must be form-encoded, with no field given twice unless it is a list.
func (s *Server) form(next func(http.ResponseWriter, *http.Request, url.Values)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/x-www-form-urlencoded" {
			s.fail(w, invalid("Content-Type должен быть application/x-www-form-urlencoded"))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			simkit.Cut()
		}
		values, err := url.ParseQuery(string(body))
		if err != nil {
			s.fail(w, invalid("тело запроса не читается: "+err.Error()))
			return
		}
		for name, all := range values {
			if len(all) > 1 && !strings.HasSuffix(name, "[]") {
				s.fail(w, invalid("поле передано дважды: "+name))
				return
			}
		}
		next(w, r, values)
	}
}

// money writes an amount in tenge, exactly, as the JSON type that is set.
func (s *Server) money(tiyn int64) any {
	text := simkit.FormatShort(tiyn, 2)
	if s.Setting(amountTypeSetting) == "string" {
		return text
	}
	return json.Number(text)
}

// parseMoney reads a positive amount in tenge into tiyn.
func (s *Server) parseMoney(text string) (int64, *failure) {
	tiyn, err := simkit.ParseDecimal(text, 2)
	switch {
	case err != nil || tiyn == 0 || tiyn > maxAmount:
		return 0, invalid("поле amount: неверная сумма")
	case tiyn%100 != 0 && s.Setting(fractionsSetting) == "refuse":
		return 0, invalid("поле amount: сумма должна быть целой")
	}
	return tiyn, nil
}

// maxAmount, in tiyn, is a billion tenge: enough for anyone and far from an overflow.
const maxAmount = 100_000_000_000
