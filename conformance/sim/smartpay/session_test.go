package smartpay_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/certs"
	"github.com/payhost/payhost/conformance/sim/smartpay"
)

// sessionPaths are the calls that need a cookie.
func sessionPaths() []string {
	return []string{
		"/v1/purchase/code/commit", "/v1/purchase/release", "/v1/purchase/status",
		"/v1/purchase/kassa/status", "/v1/purchase/fiscal", "/v2/purchase/fiscal",
		"/v1/purchase/refund", "/v1/purchase/refund/status", "/v1/purchase/refund/kassa/status",
	}
}

func TestS1EveryCallNeedsASession(t *testing.T) {
	t.Parallel()
	srv := start(t, "session_lifetime", "30m")
	bare := newTill(t, srv, "till-1")
	madeUp := newTill(t, srv, "till-1")
	madeUp.cookies = []*http.Cookie{{Name: "kassa_session", Value: "made-up"}}
	misnamed := openTill(t, srv, "1")
	misnamed.cookies[0].Name = "another_name"
	good := openTill(t, srv, "1")
	thief := newTill(t, srv, "certificate of 2")
	thief.cookies = good.cookies

	for _, path := range sessionPaths() {
		bare.refused(smartpay.CodeNoSession, path, m{})
		madeUp.refused(smartpay.CodeNoSession, path, m{})
		misnamed.refused(smartpay.CodeNoSession, path, m{})
		thief.refused(smartpay.CodeSessionForeign, path, m{})
		if r := good.post(path, m{}); r.status == http.StatusUnauthorized {
			t.Errorf("%s with a good cookie: %s", path, r.raw)
		}
	}
	srv.Kit().Advance(30*time.Minute - time.Second)
	if r := good.post("/v1/purchase/status", m{"purchase_id": "x"}); r.code != smartpay.CodePurchaseNotFound {
		t.Errorf("a second before the end: %s", r.raw)
	}
	srv.Kit().Advance(time.Second)
	for _, path := range sessionPaths() {
		good.refused(smartpay.CodeSessionExpired, path, m{})
	}
	good.auth("1")
	good.refused(smartpay.CodePurchaseNotFound, "/v1/purchase/status", m{"purchase_id": "x"})
}

func TestS1SessionErrorsAre401(t *testing.T) {
	t.Parallel()
	srv := start(t)
	if r := newTill(t, srv, "till-1").post("/v1/purchase/status", m{}); r.status != http.StatusUnauthorized {
		t.Errorf("HTTP %d, want 401", r.status)
	}
}

func TestS1CertificateIsRefusedAtTheHandshake(t *testing.T) {
	t.Parallel()
	srv := start(t)
	stranger, err := certs.NewAuthority("stranger")
	must(t, err)
	foreign, err := stranger.Client("till-1")
	must(t, err)
	expired, err := srv.Authority().ClientFrom("till-1", time.Now().Add(-certs.Lifetime-time.Hour))
	must(t, err)

	for name, id := range map[string]*certs.Identity{"none": nil, "foreign": foreign, "expired": expired} {
		config := &tls.Config{RootCAs: srv.Authority().Pool()}
		if id != nil {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &id.TLS, nil
			}
		}
		till := &till{t: t, base: srv.URL(), client: httpClient(t, config)}
		if r, err := till.send(http.MethodPost, "/v1/auth", m{"till_id": "1"}); err == nil {
			t.Errorf("certificate %s was let in: %s", name, r.raw)
		}
	}
	if got := srv.Kit().Requests(); len(got) != 0 {
		t.Errorf("%d requests came through a refused handshake", len(got))
	}
}

func TestS1RenewedCertificateKeepsItsSession(t *testing.T) {
	t.Parallel()
	srv := start(t)
	old := openTill(t, srv, "1")
	renewed := newTill(t, srv, "certificate of 1")
	renewed.cookies = old.cookies
	renewed.refused(smartpay.CodePurchaseNotFound, "/v1/purchase/status", m{"purchase_id": "x"})
}

func TestAuthChecksTheTill(t *testing.T) {
	t.Parallel()
	srv := start(t, "tills", "1,2")
	till := newTill(t, srv, "till-1")
	for _, body := range []any{
		m{},
		m{"till_id": ""},
		m{"till_id": "with space"},
		m{"till_id": strings.Repeat("1", 65)},
		m{"till_id": 1},
		m{"till": "1"},
		"[]", "", `{"till_id":"1"} {}`,
	} {
		till.refused(smartpay.CodeBadRequest, "/v1/auth", body)
	}
	till.refused(smartpay.CodeUnknownTill, "/v1/auth", m{"till_id": "3"})
	till.auth("2")
}

func TestCookieName(t *testing.T) {
	t.Parallel()
	srv := start(t)
	names := map[string]bool{}
	for _, setting := range []string{"kassa_session", "JSESSIONID", "random", "random"} {
		must(t, srv.Kit().Set("cookie_name", setting))
		till := openTill(t, srv, "1")
		names[till.cookies[0].Name] = true
		if setting != "random" && till.cookies[0].Name != setting {
			t.Errorf("cookie %s, want %s", till.cookies[0].Name, setting)
		}
		till.refused(smartpay.CodePurchaseNotFound, "/v1/purchase/status", m{"purchase_id": "x"})
	}
	if len(names) != 4 {
		t.Errorf("cookie names %v, want four different ones", names)
	}
	for _, bad := range []string{"", "a b", "a;b", strings.Repeat("x", 65)} {
		if err := srv.Kit().Set("cookie_name", bad); err == nil {
			t.Errorf("cookie name %q was taken", bad)
		}
	}
}

func TestSingleSessionEndsTheEarlierOne(t *testing.T) {
	t.Parallel()
	srv := start(t, "single_session", "yes")
	first, other := openTill(t, srv, "1"), openTill(t, srv, "2")
	second := openTill(t, srv, "1")
	first.refused(smartpay.CodeSessionExpired, "/v1/purchase/status", m{"purchase_id": "x"})
	second.refused(smartpay.CodePurchaseNotFound, "/v1/purchase/status", m{"purchase_id": "x"})
	other.refused(smartpay.CodePurchaseNotFound, "/v1/purchase/status", m{"purchase_id": "x"})

	second.cookies = append(first.cookies, second.cookies...) // a jar that keeps old cookies, too
	second.refused(smartpay.CodePurchaseNotFound, "/v1/purchase/status", m{"purchase_id": "x"})
}

func TestS1SessionsEndAtOnce(t *testing.T) {
	t.Parallel()
	srv := start(t)
	one, two := openTill(t, srv, "1"), openTill(t, srv, "2")
	for code, end := range map[smartpay.Code]func(){
		smartpay.CodeSessionExpired: srv.ExpireSessions, smartpay.CodeNoSession: srv.ForgetSessions,
	} {
		one.auth("1")
		two.auth("2")
		end()
		for _, old := range []*till{one, two} {
			old.refused(code, "/v1/purchase/status", m{"purchase_id": "x"})
		}
		one.auth("1")
		one.refused(smartpay.CodePurchaseNotFound, "/v1/purchase/status", m{"purchase_id": "x"})
	}
}
