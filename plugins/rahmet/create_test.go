package rahmet_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/sdk/pay"
)

// now is where the clock of sdktest begins.
var now = time.Date(2026, time.January, 15, 10, 0, 0, 0, time.UTC)

func order() pay.CreateRequest {
	return pay.CreateRequest{PaymentID: "pay_1", OrderID: "100500", Amount: tenge(2500_00)}
}

func redirect(reference, url string) *pay.Result {
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: reference,
		Next: pay.NextAction{Type: pay.NextRedirect, URL: url},
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	const link, external = "https://rahmetapp.kz/?id=HASH", "https://rahmet.page.link/HASH"
	everything := order()
	everything.OrderID = "WEE-11122"
	everything.ReturnURL = "https://shop.test/thanks?id=1&x=да"
	everything.FailURL = "https://shop.test/failed"
	everything.NotificationURL = "https://pay.shop.test/n/rahmet/nonce?tenant=3"
	everything.ExpiresAt = now.Add(90*time.Second + 900*time.Millisecond)
	everything.Customer = pay.Customer{Name: "Ayan", Email: "ayan@shop.test", Phone: "+77000000000"}
	everything.Lines = []pay.Line{{Name: "Tea", Quantity: 1, Price: tenge(2500_00)}}
	everything.Description, everything.Locale = "Tea", "kk"
	timed := redirect("111", link)
	timed.ExpiresAt, timed.Next.ExpiresAt = everything.ExpiresAt, everything.ExpiresAt
	halfTenge := order()
	halfTenge.Amount = tenge(2500_50)
	qr := func(reference, url string) *pay.Result {
		r := redirect(reference, url)
		r.Next.Type, r.Next.QRPayload = pay.NextShowQR, url
		return r
	}
	tests := map[string]struct {
		settings string
		request  pay.CreateRequest
		want     *pay.Result
		picture  bool
	}{
		"v1":                 {plain, order(), redirect("111", link), false},
		"everything":         {plain, everything, timed, false},
		"tiyn":               {tiyn, halfTenge, redirect("111", link), false},
		"picture":            {picture, order(), qr("111", link), true},
		"picture_missing":    {picture, order(), qr("111", link), false},
		"picture_not_base64": {picture, order(), qr("111", link), false},
		"picture_not_png":    {picture, order(), qr("111", link), false},
		"v2":                 {second, order(), redirect("112", external), false},
		"v2_picture": {
			`{"branch_token": "branch-7", "api_version": "v2", "image_size": 300}`, order(), qr("112", external), true,
		},
		"odd_success": {plain, order(), redirect("111", link), false},
	}
	everySection(t, "testdata/create.txt", tests, func(t *testing.T, source string, test struct {
		settings string
		request  pay.CreateRequest
		want     *pay.Result
		picture  bool
	},
	) {
		p := newPlugin(t, test.settings)
		p.Transcript(source)
		got, err := p.Create(test.request)
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.HasPrefix(string(got.Next.QRPNG), "\x89PNG"); has != test.picture {
			t.Errorf("picture is there: %t, want %t", has, test.picture)
		}
		got.Next.QRPNG = nil
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
		warned := len(p.Logs()) > 0
		if asked := test.want.Next.Type == pay.NextShowQR; warned != (asked && !test.picture) {
			t.Errorf("logs: %q", p.Logs())
		}
	})
}

func TestCreateSurface(t *testing.T) {
	t.Parallel()
	for surface, want := range map[string]string{
		"": "https://rahmet.page.link/HASH", "external": "https://rahmet.page.link/HASH",
		"miniapp": "rahmet://pay?id=HASH",
	} {
		t.Run(surface, func(t *testing.T) {
			t.Parallel()
			p := newPlugin(t, second)
			p.Transcript("testdata/create.txt#v2")
			r := order()
			if surface != "" {
				r.Options = []pay.Option{{Name: "surface", Value: surface}}
			}
			got, err := p.Create(r)
			if err != nil {
				t.Fatal(err)
			}
			if got.Next.URL != want {
				t.Errorf("link is %s, want %s", got.Next.URL, want)
			}
		})
	}
}

// Nothing is sent in any of these: there is no transcript.
func TestCreateRefusesWhatCanNotBeCarried(t *testing.T) {
	t.Parallel()
	option := func(name, value string) func(*pay.CreateRequest) {
		return func(r *pay.CreateRequest) { r.Options = []pay.Option{{Name: name, Value: value}} }
	}
	amount := func(m pay.Money) func(*pay.CreateRequest) { return func(r *pay.CreateRequest) { r.Amount = m } }
	until := func(d time.Duration) func(*pay.CreateRequest) {
		return func(r *pay.CreateRequest) { r.ExpiresAt = now.Add(d) }
	}
	tests := map[string]struct {
		settings string
		change   func(*pay.CreateRequest)
		field    string
	}{
		"fraction of a tenge": {plain, amount(tenge(2500_50)), "amount.value"},
		"one tiyn":            {plain, amount(tenge(1)), "amount.value"},
		"no amount":           {plain, amount(pay.Money{}), "amount.currency"},
		"zero":                {plain, amount(tenge(0)), "amount.value"},
		"negative":            {tiyn, amount(tenge(-100)), "amount.value"},
		"another currency":    {plain, amount(pay.New(100, pay.RUB)), "amount.currency"},
		"past":                {plain, until(-time.Minute), "expires_at"},
		"now":                 {plain, until(0), "expires_at"},
		"in half a second":    {plain, until(500 * time.Millisecond), "expires_at"},
		"in a year and a bit": {plain, until(365*24*time.Hour + time.Second), "expires_at"},
		"in the year 9999":    {plain, until(1<<63 - 1), "expires_at"},
		"unknown option":      {plain, option("color", "red"), "options.color"},
		"unknown surface":     {second, option("surface", "tv"), "options.surface"},
		"mini app with v1":    {plain, option("surface", "miniapp"), "options.surface"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := order()
			test.change(&r)
			_, err := newPlugin(t, test.settings).Create(r)
			sameError(t, &pay.Error{Class: pay.ClassInvalidRequest, Field: test.field}, err)
		})
	}
}

func TestCreateBadAnswers(t *testing.T) {
	t.Parallel()
	unclear := &pay.Error{Class: pay.ClassProtocol}
	coded := func(class pay.Class, code string) *pay.Error {
		return &pay.Error{Class: class, ProviderCode: code}
	}
	tests := map[string]*pay.Error{
		"no_preorder_id": unclear, "preorder_id_null": unclear, "preorder_id_object": unclear,
		"no_url": unclear, "url_of_another_type": unclear, "url_not_absolute": unclear,
		"url_breaks_out":  unclear,
		"v2_answer_to_v1": unclear, "data_null": unclear, "data_array": unclear,
		"code_and_status_differ": coded(pay.ClassProtocol, "0"),
		"unknown_code":           coded(pay.ClassProtocol, "77"),
		"unknown_code_4xx":       coded(pay.ClassProtocol, "500"),
		"unknown_code_5xx":       coded(pay.ClassProtocol, "500"),
		"success_5xx":            coded(pay.ClassProtocol, "0"),
		"wrong_client":           coded(pay.ClassAuth, "101"),
		"wrong_client_401":       coded(pay.ClassAuth, "101"),
		"no_code":                unclear, "code_null": unclear, "code_bool": unclear, "array": unclear,
		"html": unclear, "html_502": unclear, "html_503": unclear, "html_403": unclear, "found": unclear,
		"truncated": unclear, "seed_typo": unclear, "not_utf8": unclear, "twice": unclear, "empty": unclear,
		"too_many":      {Class: pay.ClassRateLimited, RetryAfter: 7 * time.Second},
		"too_many_bare": {Class: pay.ClassRateLimited},
		"too_many_odd":  {Class: pay.ClassRateLimited},
		"too_many_days": {Class: pay.ClassRateLimited, RetryAfter: 24 * time.Hour},
		"too_many_date": {Class: pay.ClassRateLimited, ProviderCode: "4"},
		"not_sent":      {Class: pay.ClassUnavailable},
		"lost":          {Class: pay.ClassTimeout, Effect: pay.EffectMaybe},
		"no_token":      {Class: pay.ClassAuth, ProviderCode: "4"},
	}
	everySection(t, "testdata/create_bad.txt", tests, func(t *testing.T, source string, want *pay.Error) {
		p := newPlugin(t, plain)
		p.Transcript(source)
		got, err := p.Create(order())
		sameError(t, want, err)
		if got != nil {
			t.Errorf("result beside an error: %+v", got)
		}
	})
}

func TestProviderMessageIsKeptAndBounded(t *testing.T) {
	t.Parallel()
	p := newPlugin(t, plain)
	p.Transcript("testdata/create_bad.txt#unknown_code")
	_, err := p.Create(order())
	if got := pay.AsError(err).ProviderMessage; got != "Такой заказ уже есть" {
		t.Errorf("message is %q", got)
	}
	p.Transcript("> POST /orders/v1/preorder/create money\n>\n" +
		"> merchant_order_id=100500&amount=2500&token=branch-7\n< 200\n<\n" +
		`< {"error_code": 77, "message": "` + strings.Repeat("ж", 1000) + `"}`)
	_, err = p.Create(order())
	if got := pay.AsError(err).ProviderMessage; got != strings.Repeat("ж", 150) {
		t.Errorf("message has %d bytes", len(got))
	}
}

func TestCreateRenewsARefusedTokenOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]*pay.Error{
		"renewed": nil, "renewed_401": nil, "renewed_bare_401": nil, "renewed_other_code_401": nil,
		"success_401":       nil,
		"denied":            nil,
		"denied_twice":      {Class: pay.ClassProtocol, ProviderCode: "9"},
		"denied_5xx":        {Class: pay.ClassProtocol, ProviderCode: "9"},
		"denied_busy":       {Class: pay.ClassRateLimited, ProviderCode: "9"},
		"refused_twice":     {Class: pay.ClassAuth, ProviderCode: "4"},
		"refused_twice_401": {Class: pay.ClassAuth},
		"second_lost":       {Class: pay.ClassTimeout, Effect: pay.EffectMaybe},
	}
	everySection(t, "testdata/token.txt", tests, func(t *testing.T, source string, want *pay.Error) {
		p := newPlugin(t, plain)
		p.Transcript(source)
		_, err := p.Create(order())
		sameError(t, want, err)
	})
}

// A picture that would not fit into the host's message must not cost the link.
func TestCreateDropsAHugePicture(t *testing.T) {
	t.Parallel()
	p := newPlugin(t, picture)
	huge := base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n" + strings.Repeat("x", 300<<10)))
	p.Transcript("> POST /orders/v1/preorder/create money\n>\n" +
		"> merchant_order_id=100500&amount=2500&token=branch-7&image_size=300\n< 200\n<\n" +
		`< {"error_code": 0, "data": {"preorder_id": 111, "url": "https://rahmetapp.kz/?id=HASH", ` +
		`"qr_image_base_64": "data:image/png;base64,` + huge + `"}}`)
	got, err := p.Create(order())
	if err != nil {
		t.Fatal(err)
	}
	if got.Next.QRPNG != nil || got.Next.QRPayload != "https://rahmetapp.kz/?id=HASH" {
		t.Errorf("picture of %d bytes, link %q", len(got.Next.QRPNG), got.Next.QRPayload)
	}
}
