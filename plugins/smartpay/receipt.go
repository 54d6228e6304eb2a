package smartpay

import (
	"strconv"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// Receipt stores a fiscal receipt, for the payer's app to show. The receipt of a
// purchase goes by version 1 ("Оплата", step 7); one that stands alone or brings the
// payer's code goes by version 2, which takes any tender ("Отправка данных
// фискального чека"). It is safe to repeat, and never touches money.
func (*Provider) Receipt(h *sdk.Host, r *pay.ReceiptRequest) (*pay.Result, error) {
	if problem := checkReceipt(r); problem != nil {
		return nil, problem
	}
	request, problem := receiptCall(r)
	if problem != nil {
		return nil, problem
	}
	if err := newClient(h).acknowledged(request); err != nil {
		return nil, err
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, Next: pay.NextAction{Type: pay.NextNone},
		Observations: []pay.Observation{{
			Subject: pay.SubjectReceipt, Receipt: pay.ReceiptRegistered, ProviderState: wordOK,
		}},
	}, nil
}

// receiptCall picks the version. A code in a receipt says whose it is: it may be old
// and claimed by then, so it is not checked as one that pays.
func receiptCall(r *pay.ReceiptRequest) (*sdk.Request, *pay.Error) {
	if r.Code != "" {
		code, problem := parseCode(r.Code)
		if problem != nil {
			return nil, problem
		}
		return receiptRequest(code, r), nil
	}
	if r.Payment != nil && r.Payment.ProviderRef != "" {
		return fiscalRequest(r.Payment.ProviderRef, r), nil
	}
	return receiptRequest(nil, r), nil
}

// checkReceipt refuses what the service can't carry.
func checkReceipt(r *pay.ReceiptRequest) *pay.Error {
	switch {
	case r.RegisterNumber == "":
		return invalid(fieldRegister, "is required by the provider")
	case r.FiscalSign == "":
		return invalid(fieldFiscalSign, "is required by the provider")
	case !r.Total.IsZero() && (r.Total.Currency != currency || r.Total.Minor < 0):
		return invalid(fieldTotal, "must be zero or more "+string(currency))
	}
	for i, line := range r.Lines {
		field := "lines[" + strconv.Itoa(i) + "]"
		switch {
		case line.Name == "":
			return invalid(field+".name", "is required by the provider")
		case line.Quantity < 1:
			return invalid(field+".quantity", "must be 1 or more")
		case line.Price.Currency != currency || line.Price.Minor < 0:
			return invalid(field+".price", "must be zero or more "+string(currency))
		}
	}
	return nil
}
