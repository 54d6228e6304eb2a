package yeniltoleg

import (
	"cmp"
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// AccessToken is what the simulator accepts unless Options say otherwise. Invented.
const AccessToken = "sim-yeniltoleg-token"

// Options configure a Server. The zero value is good.
type Options struct {
	// BaseURL is how a payer reaches the simulator, without a slash at the end. Empty takes it from each
	// request.
	BaseURL string
	// AccessToken is the bearer token that is accepted; empty means the constant.
	AccessToken string
	// Zone is where the times without a zone are. Nil means Ashgabat, UTC+5.
	Zone *time.Location
	// Start, when not zero, makes the clock stand still there until it is advanced.
	Start time.Time
}

// Server is the simulator, an http.Handler. The embedded Kit gives tests the control API in Go.
type Server struct {
	*simkit.Kit
	options Options
	book    *book
}

// New makes a simulator. Close it when done.
func New(o Options) *Server {
	o.AccessToken = cmp.Or(o.AccessToken, AccessToken)
	if o.Zone == nil {
		// Turkmenistan has no summer time, so no zone database is needed.
		o.Zone = time.FixedZone("Asia/Ashgabat", 5*60*60)
	}
	s := &Server{options: o}
	s.book = newBook(s)
	s.Kit = simkit.New(simkit.Config{App: s.routes(), Model: s.book, Settings: settings(), Start: o.Start})
	return s
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/payment/register", s.authorized(s.json(s.register)))
	mux.HandleFunc("GET /api/v1/payment/getPaymentStatus/{paymentId}", s.authorized(s.status))
	mux.HandleFunc("POST /api/v1/payment/cancel", s.authorized(s.json(s.cancel)))
	mux.HandleFunc("POST /api/v1/payment/refund", s.authorized(s.json(s.refund)))
	mux.HandleFunc("GET "+checkoutPath+"{page}", s.showPage)
	mux.HandleFunc("POST "+checkoutPath+"{page}", s.pressButton)
	mux.HandleFunc("GET "+bankPath, s.showPage)
	mux.HandleFunc("POST "+bankPath, s.pressButton)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.fail(w, &problem{status: http.StatusNotFound})
	})
	return mux
}

// baseURL is how the payer reaches the simulator, or the foreign host that is set.
func (s *Server) baseURL(r *http.Request) string {
	switch foreign := s.Setting(pageHostSetting); {
	case foreign != "":
		return foreign
	case s.options.BaseURL != "":
		return s.options.BaseURL
	case r.TLS != nil:
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}

// money writes an amount in manat, exactly, as the JSON type that is set.
func (s *Server) money(minor int64) any {
	return moneyAs(simkit.FormatShort(minor, 2), s.Setting(amountTypeSetting))
}
