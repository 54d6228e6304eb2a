package aurora

import (
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// What the simulator accepts and signs with. Invented.
const (
	APIKey     = "sim-aurora-api-key"
	ShopID     = "sim-aurora-shop"
	WebhookKey = "sim-aurora-webhook-key"
)

// Lifetime is how long a new order may be paid, unless the setting says otherwise.
const Lifetime = 30 * time.Minute

// Options configure a Server. The zero value is good.
type Options struct {
	// BaseURL is how a payer reaches the simulator, without a slash at the end. Empty takes it from each
	// request.
	BaseURL string
	// Start, when not zero, makes the clock stand still there until it is advanced.
	Start time.Time
	// AllowRemote lets notifications go to merchants that are not on a loopback address.
	AllowRemote bool
}

// Server is the simulator, an http.Handler. The embedded Kit gives tests the control API in Go.
type Server struct {
	*simkit.Kit
	options Options
	book    *book
}

// New makes a simulator. Close it when done.
func New(o Options) *Server {
	s := &Server{options: o}
	s.book = newBook(s)
	s.Kit = simkit.New(simkit.Config{
		App: s.routes(), Model: s.book, Settings: settings(), Start: o.Start, AllowRemote: o.AllowRemote,
	})
	return s
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/orders", s.authorized(s.keyed(s.createOrder)))
	mux.HandleFunc("GET /v1/orders/{id}", s.authorized(s.getOrder))
	mux.HandleFunc("POST /v1/refunds", s.authorized(s.keyed(s.createRefund)))
	mux.HandleFunc("GET "+pagePath+"{id}", s.showPage)
	mux.HandleFunc("POST "+pagePath+"{id}", s.pressButton)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, &refusal{http.StatusNotFound, "not_found", "no such path", ""})
	})
	return mux
}

// baseURL is how the payer reaches the simulator.
func (s *Server) baseURL(r *http.Request) string {
	switch {
	case s.options.BaseURL != "":
		return s.options.BaseURL
	case r.TLS != nil:
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}
