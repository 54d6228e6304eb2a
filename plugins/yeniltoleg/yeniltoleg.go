package yeniltoleg

import (
	"strconv"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// Provider is the plugin. It keeps nothing between calls.
type Provider struct{}

// New returns the provider.
func New() *Provider { return &Provider{} }

// Methods returns the provider's methods one by one, as the module registers them.
func Methods() sdk.Methods {
	p := New()
	return sdk.Methods{
		Manifest: p.Manifest, CheckConfig: p.CheckConfig, Create: p.Create, Status: p.Status, Cancel: p.Cancel,
		Refund: p.Refund,
	}
}

var (
	_ sdk.Provider = (*Provider)(nil)
	_ sdk.Canceler = (*Provider)(nil)
	_ sdk.Refunder = (*Provider)(nil)
)

// settingsSchema describes the connection's settings. The form of time_zone is
// CheckConfig's to judge, which can say what is wrong with it.
const settingsSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Yenil-Toleg",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "time_zone": {
      "type": "string",
      "title": "Time zone of the provider",
      "description": "Zone of the provider's expireAt: Asia/Ashgabat, UTC or an offset such as +05:00",
      "default": "Asia/Ashgabat"
    }
  }
}`

// Manifest says what the plugin is and needs.
func (*Provider) Manifest() pay.Manifest {
	return pay.Manifest{
		ID: "yeniltoleg", Version: "1.0.0", Title: "Yenil-Toleg",
		Operations: []pay.OperationSpec{
			{Operation: pay.OpDescribe},
			{Operation: pay.OpCheckConfig},
			{
				Operation: pay.OpCreate, Idempotency: pay.IdempotencyNative,
				KeyForm: pay.KeyText, KeyMaxLen: 64, MoneyCalls: 1,
			},
			{Operation: pay.OpStatus},
			{Operation: pay.OpCancel, Idempotency: pay.IdempotencyLookup, MoneyCalls: 1},
			{Operation: pay.OpRefund, Idempotency: pay.IdempotencyLookup, MoneyCalls: 1},
		},
		Flows:      []pay.Flow{pay.FlowRedirect},
		Currencies: []pay.CurrencySpec{{Currency: currency, Step: 1, Min: 1}},
		Egress: []pay.EgressRule{
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: pathRegister},
			{Origin: "base_url", Methods: []string{"GET"}, PathPrefix: pathStatus, Read: true},
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: pathCancel},
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: pathRefund},
		},
		Secrets: []pay.SecretSpec{{
			Name: secretToken, Title: "Access token from the merchant cabinet", Required: true,
			Slots: []pay.Slot{pay.SlotBearer},
		}},
		PollInterval: 3 * time.Second,
		BatchSize:    1,
		// A session at the provider ends after 15 minutes; for as long, not knowing an
		// id that the provider gave proves nothing.
		VisibilityHorizon: 15 * time.Minute,
		SettingsSchema:    settingsSchema,
	}
}

// CheckConfig returns what is wrong with the settings.
func (*Provider) CheckConfig(h *sdk.Host) []pay.Problem {
	if _, ok := offset(h.Setting(settingZone, defaultZone)); !ok {
		return []pay.Problem{{
			Field:   "settings." + settingZone,
			Message: "must be Asia/Ashgabat, UTC or an offset such as +05:00: a plugin has no other zones",
		}}
	}
	return nil
}

// Create registers a payment and returns its page. It is safe to repeat: the
// provider knows the payment by the key.
func (*Provider) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	if problem := checkCreate(r); problem != nil {
		return nil, problem
	}
	zone, ok := offset(h.Setting(settingZone, defaultZone))
	if !ok {
		return nil, &pay.Error{Class: pay.ClassConfig, Field: "settings." + settingZone, Message: "is no time zone"}
	}
	body := registerBody(r, zone)
	a, err := send(h, sdk.PostJSON(pathRegister, body, sdk.Money))
	if err != nil {
		return nil, err
	}
	if !a.success() {
		return nil, registerFailure(a, r)
	}
	return registered(a)
}

// checkCreate returns what the provider could not carry, before anything is sent.
func checkCreate(r *pay.CreateRequest) *pay.Error {
	switch {
	case r.Amount.Currency != currency || r.Amount.Minor <= 0:
		return invalid("amount", "must be more than zero "+string(currency))
	case r.OrderID == "":
		return invalid("order_id", "is required by the provider")
	case r.Customer.Name == "":
		return invalid("customer.name", "is required by the provider")
	case r.ReturnURL == "":
		return invalid("return_url", "is required by the provider")
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
	for _, option := range r.Options {
		if option.Name != optionMethod {
			return invalid("options."+option.Name, "is not an option of this provider")
		}
		if n, err := strconv.Atoi(option.Value); err != nil || n < 0 {
			return invalid("options."+optionMethod, "must be a payment method's number, such as 0")
		}
	}
	return nil
}

// registered reads the answer to register.
func registered(a *answer) (*pay.Result, error) {
	id, page := a.text(fieldPaymentID), a.text(fieldReturnURL)
	result, told := a.result()
	switch {
	case told && !result && id == "":
		return nil, declined(a)
	case told && !result:
		return nil, protocol("register: answer says no and names a payment")
	case id == "":
		return nil, protocol("register: answer has no payment id")
	case !validID(id):
		return nil, protocol("register: payment id can't stand in a path")
	case !hasScheme(page):
		return nil, protocol("register: answer has no payment page")
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: id,
		Next: pay.NextAction{Type: pay.NextRedirect, URL: page},
	}, nil
}

// Status asks after each payment by the provider's id; there is no other way.
func (*Provider) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	items := make([]pay.StatusItem, 0, len(payments))
	for i := range payments {
		if item, ok := statusItem(h, &payments[i]); ok {
			items = append(items, item)
		}
	}
	return items, nil
}

func statusItem(h *sdk.Host, ref *pay.Ref) (pay.StatusItem, bool) {
	item := pay.StatusItem{ID: ref.ID}
	seen, err := look(h, ref)
	switch {
	case err != nil && err.Class == pay.ClassNotFound:
		item.Found = pay.FoundNot
	case err != nil:
		item.Err = err
	case seen.state == stateUnknown:
		return item, false
	default:
		item.Found = pay.FoundObserved
		item.Observations = []pay.Observation{seen.observation(ref)}
	}
	return item, true
}

// look asks after one payment and holds the answer against what we know of it.
func look(h *sdk.Host, ref *pay.Ref) (*payment, *pay.Error) {
	if ref.ProviderRef == "" {
		return nil, noID()
	}
	if !validID(ref.ProviderRef) {
		return nil, invalid("provider_ref", "is no payment id of this provider")
	}
	a, err := send(h, sdk.GetJSON(pathStatus+"/"+ref.ProviderRef))
	if err != nil {
		return nil, pay.AsError(err)
	}
	if !a.success() {
		return nil, failure(a)
	}
	seen, problem := readPayment(a.body, ref)
	if problem == nil && seen.state == stateUnknown {
		h.Log(sdk.Warn, "unknown payment status", "word", short(seen.word, 40), "payment", ref.ID)
	}
	return seen, problem
}

// invalid refuses a request that the provider can't carry.
func invalid(field, message string) *pay.Error {
	return &pay.Error{Class: pay.ClassInvalidRequest, Field: field, Message: message}
}

// noID says that the provider can't be asked about a payment whose register was
// never answered. Register with the same key brings the id.
func noID() *pay.Error {
	return &pay.Error{
		Class: pay.ClassUnsupported, Field: "provider_ref", Advice: pay.AdviceRetrySameKey,
		Message: "the provider answers for its own payment id only, and create has not brought it yet",
	}
}

// hasScheme reports whether a text is a link that a browser can follow safely. What
// follows the scheme is the provider's.
func hasScheme(link string) bool {
	for _, scheme := range []string{"https://", "http://"} {
		if len(link) > len(scheme) && json.EqualFold(link[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}
