package rahmet

import (
	"strings"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/pay"
)

// The option "surface" says where the payer is: v2 of create answers a link for
// Rahmet's own mini app besides the one for everybody else.
const (
	optionSurface   = "surface"
	surfaceMiniApp  = "miniapp"
	surfaceExternal = "external"
)

// mostTimeout is how far off the end of an order may be. The provider names no limit,
// but what it refuses in words of its own is a doubt, and an order is paid within minutes.
const mostTimeout = 365 * 24 * time.Hour

const detailAgain = "link asked for again: an earlier create had no usable answer, " +
	"so its link was never handed out"

// Create places an order and returns its link, with a picture of the code if the
// settings ask for one.
//
// After an attempt of unknown outcome it asks status first. A paid order is applied
// without a link. Otherwise the same order is asked for again: status knows no link,
// and an order that nobody can reach has moved no money. If the provider refuses
// that repeat, the error is of class duplicate with the advice new_attempt: this
// order id gives no link any more, the next one may.
//
// When the time to pay is over by then, an order that status shows is applied as it is.
// One that status does not mention is placed with the shortest time there is, since
// nothing else would end the doubt; its link is handed to nobody.
func (*Provider) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	s := settingsOf(h)
	if err := checkCreate(&s, r); err != nil {
		return nil, err
	}
	again := r.Attempt > 1 || r.Earlier.Doubtful()
	timeout, late := timeoutOf(h, r)
	if timeout > int64(mostTimeout/time.Second) {
		return nil, invalid("expires_at", "must be within 365 days")
	}
	if again {
		if found, err := settle(h, r, late); found != nil || err != nil {
			return found, err
		}
	}
	if late && !r.Earlier.Doubtful() {
		return nil, invalid("expires_at", "must be at least a second from now")
	}
	order := createForm(&s, r, timeout)
	var body form.Writer
	order.encode(&body)
	path := pathCreateV1
	if s.v2 {
		path = pathCreateV2
	}
	a, err := send(h, sdk.PostForm(path, &body, sdk.Money))
	if err != nil {
		return nil, err
	}
	if e := a.failure(); e != nil {
		if again && a.refused() {
			e.Class, e.Advice = pay.ClassDuplicate, pay.AdviceNewAttempt
			e.Message = "provider refused to repeat an order that may exist: it gives no link any more"
		}
		return nil, doubtful(r, e)
	}
	out, err := created(h, &s, r, a, again)
	if late && err == nil {
		out.Next = pay.NextAction{Type: pay.NextNone}
	}
	return out, err
}

// checkCreate refuses what the provider can't carry, before anything is sent.
func checkCreate(s *settings, r *pay.CreateRequest) error {
	if err := checkAmount(s, r.Amount); err != nil {
		return err
	}
	for _, o := range r.Options {
		switch {
		case o.Name != optionSurface:
			return invalid("options."+o.Name, "is no option of this provider")
		case o.Value != surfaceMiniApp && o.Value != surfaceExternal:
			return invalid("options."+optionSurface, "must be miniapp or external")
		case o.Value == surfaceMiniApp && !s.v2:
			return invalid("options."+optionSurface, "miniapp needs the setting api_version v2")
		}
	}
	return nil
}

func checkAmount(s *settings, m pay.Money) error {
	if m.Currency != pay.KZT {
		return invalid("amount.currency", "must be KZT: the provider knows no other and names none")
	}
	if m.Minor < 1 {
		return invalid("amount.value", "must be above zero")
	}
	if _, whole := m.Whole(); !whole && !s.tiyn {
		return invalid("amount.value", "must be whole tenge unless the setting allow_tiyn is on")
	}
	return nil
}

// timeoutOf returns the seconds that are left to pay; 0 for the provider's default.
// Rounded down, so that the provider never takes money after the merchant's time. If
// none is left it is late, and the time is the shortest there is.
func timeoutOf(h *sdk.Host, r *pay.CreateRequest) (seconds int64, late bool) {
	if r.ExpiresAt.IsZero() {
		return 0, false
	}
	seconds = int64(r.ExpiresAt.Sub(h.Now()) / time.Second)
	return max(seconds, 1), seconds < 1
}

func createForm(s *settings, r *pay.CreateRequest, timeout int64) orderForm {
	f := orderForm{
		orderID: r.ProviderKey, amount: wireAmount(r.Amount), branch: s.branch, backlink: r.ReturnURL,
		imageSize: s.imageSize, timeout: timeout,
	}
	if r.NotificationURL != "" {
		f.postlink = marked(r.NotificationURL, eventPaid)
		f.failedPostlink = marked(r.NotificationURL, eventFailed)
	}
	return f
}

// marked tells the two postlinks apart, since the provider's calls do not.
func marked(url, event string) string {
	var query form.Writer
	query.Add(queryEvent, event)
	return form.AppendQuery(url, &query)
}

// created reads the answer to an order that was placed.
func created(h *sdk.Host, s *settings, r *pay.CreateRequest, a *answer, again bool) (*pay.Result, error) {
	field := fieldURL
	switch {
	case s.v2 && r.Option(optionSurface) == surfaceMiniApp:
		field = fieldInnerURL
	case s.v2:
		field = fieldExternalURL
	}
	reference, link := parseNumber(a.data.Get(fieldPreorderID)), a.data.Get(field).Str()
	switch {
	case reference == "":
		return nil, wrongField(fieldPreorderID)
	case !isLink(link):
		return nil, wrongField(field)
	}
	out := &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: reference, ExpiresAt: r.ExpiresAt,
		Next: pay.NextAction{Type: pay.NextRedirect, URL: link, ExpiresAt: r.ExpiresAt},
	}
	if s.imageSize > 0 {
		out.Next.Type, out.Next.QRPayload = pay.NextShowQR, link
		// The link is the code's text, so a missing picture costs nobody a payment.
		if out.Next.QRPNG = parsePicture(a.data.Get(fieldPicture)); out.Next.QRPNG == nil {
			h.Log(sdk.Warn, "create: answer has no usable picture", "order", r.ProviderKey)
		}
	}
	if again {
		out.Observations = []pay.Observation{{
			Subject: pay.SubjectPayment, Payment: pay.PaymentPending, ProviderRef: reference,
			ProviderKey: r.ProviderKey, Detail: detailAgain,
		}}
	}
	return out, nil
}

// isLink reports whether a text can be handed on as a link: it has a scheme, which
// may be an app's own, and nothing that would break out of a header or attribute.
func isLink(s string) bool {
	const most = 4096
	if len(s) > most || strings.Index(s, "://") < 1 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == '"' || s[i] == '<' || s[i] == '>' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// settle looks for an order that an earlier attempt may have placed. It returns a
// result if the order is paid, or is there and too late for anybody to pay, and neither
// result nor error if it may be asked for again.
func settle(h *sdk.Host, r *pay.CreateRequest, late bool) (*pay.Result, error) {
	found, err := ask(h, []string{r.ProviderKey})
	if err != nil {
		return nil, doubtful(r, pay.AsError(err))
	}
	o, known := found.orders[r.ProviderKey]
	switch {
	case !known: // told nothing, or refused as a whole: nobody has the link
		return nil, nil
	case o == nil:
		return nil, doubtful(r, unreadable())
	case !o.tookMoney() && !late:
		return nil, nil
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: o.reference, Next: pay.NextAction{Type: pay.NextNone},
		Observations: []pay.Observation{o.observe(r.ProviderKey, r.Amount)},
	}, nil
}

// doubtful keeps the doubt of an earlier attempt: what this attempt met does not
// tell what that one did.
func doubtful(r *pay.CreateRequest, e *pay.Error) *pay.Error {
	waited := r.Earlier.Wire == pay.WireAnswered && r.Earlier.Status == 429
	if r.Attempt > 1 && !waited && r.Earlier.Wire != pay.WireNotSent || r.Earlier.Doubtful() {
		e.Effect = pay.EffectMaybe
	}
	return e
}
