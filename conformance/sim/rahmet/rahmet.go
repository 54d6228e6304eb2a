package rahmet

import (
	"cmp"
	"net/http"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// What the simulator accepts unless Options say otherwise. All invented.
const (
	ClientID     = "sim-rahmet-client"
	ClientSecret = "sim-rahmet-secret"
	BranchToken  = "sim-rahmet-branch"
)

// Options configure a Server. The zero value is good.
type Options struct {
	// BaseURL is how a payer reaches the simulator, without a slash at the end. Empty takes it from each
	// request.
	BaseURL string
	// ClientID, ClientSecret and BranchToken are what is accepted; empty means the constants.
	ClientID, ClientSecret, BranchToken string
	// Start, when not zero, makes the clock stand still there until it is advanced.
	Start time.Time
	// AllowRemote lets the links called after a payment leave the loopback interface.
	AllowRemote bool
}

// Server is the simulator, an http.Handler. The embedded Kit gives tests the control API in Go.
type Server struct {
	*simkit.Kit
	options Options
	book    *book
	tokens  *tokenList
}

// New makes a simulator. Close it when done.
func New(o Options) *Server {
	o.ClientID = cmp.Or(o.ClientID, ClientID)
	o.ClientSecret = cmp.Or(o.ClientSecret, ClientSecret)
	o.BranchToken = cmp.Or(o.BranchToken, BranchToken)
	s := &Server{options: o, tokens: newTokenList()}
	s.book = newBook(s)
	s.Kit = simkit.New(simkit.Config{
		App:         s.routes(),
		Model:       s.book,
		Settings:    settings(),
		Start:       o.Start,
		AllowRemote: o.AllowRemote,
	})
	return s
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /auth/token", s.form(s.issueToken))
	mux.HandleFunc("GET /orders/v1/preorder/availability", s.authorized(s.availability))
	mux.HandleFunc("POST /orders/v1/preorder/create", s.authorized(s.form(s.createV1)))
	mux.HandleFunc("POST /orders/v2/preorder/create", s.authorized(s.form(s.createV2)))
	mux.HandleFunc("POST /orders/v1/preorder/status", s.authorized(s.form(s.status)))
	mux.HandleFunc("POST /orders/v1/preorder/refund", s.authorized(s.form(s.refund)))
	mux.HandleFunc("GET /pay", s.showPage)
	mux.HandleFunc("POST /pay", s.pressButton)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, &failure{code: 404, message: "Страница не найдена: " + r.Method + " " + r.URL.Path})
	})
	return mux
}

func (s *Server) availability(w http.ResponseWriter, _ *http.Request) {
	switch s.Setting(availabilitySetting) {
	case "legacy_400":
		s.fail(w, &failure{code: 400, message: "Rahmet временно недоступен"})
	case "unavailable":
		s.succeed(w, "Доступность", map[string]bool{"available": false})
	default:
		s.succeed(w, "Доступность", map[string]bool{"available": true})
	}
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
