package smartpay

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// session is what a cookie stands for. It is bound to the name in the client certificate, not to the
// certificate itself, so that a till may renew that without authorizing anew.
type session struct {
	till    string
	peer    string
	cookie  string // the cookie's name; its value is the key in service.sessions
	expires time.Time
}

// auth opens a session for the till and hands out its cookie.
func (s *service) auth(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in authRequest
	if err := decode(r, &in); err != nil {
		answerError(w, err)
		return
	}
	if !validID(in.TillID) {
		answerError(w, refuse(CodeBadRequest))
		return
	}
	if tills := s.kit.Setting("tills"); tills != "" && !slices.Contains(strings.Split(tills, ","), in.TillID) {
		answerError(w, refuse(CodeUnknownTill))
		return
	}
	http.SetCookie(w, s.openSession(in.TillID, peerName(r.TLS)))
	simkit.WriteJSON(w, http.StatusOK, ok())
}

// openSession remembers a new session. The cookie tells no lifetime: a till learns of the end by a 401.
func (s *service) openSession(till, peer string) *http.Cookie {
	now := s.kit.Now()
	if s.kit.Setting("single_session") == wordYes {
		for token, old := range s.sessions {
			if old.till == till {
				old.expires = now
				s.sessions[token] = old
			}
		}
	}
	name := s.kit.Setting("cookie_name")
	if name == wordRandom {
		name = "s" + rand.Text()
	}
	token := rand.Text()
	s.sessions[token] = session{
		till: till, peer: peer, cookie: name, expires: now.Add(s.kit.DurationSetting("session_lifetime")),
	}
	return &http.Cookie{Name: name, Value: token, Path: "/", HttpOnly: true, Secure: true}
}

// session finds the request's session. Of several cookies a good one wins; expired sessions are remembered to
// tell an old cookie from a made-up one.
func (s *service) session(r *http.Request) (session, error) {
	worst := refuse(CodeNoSession)
	for _, cookie := range r.Cookies() {
		sess, known := s.sessions[cookie.Value]
		switch {
		case !known || sess.cookie != cookie.Name:
		case sess.peer != peerName(r.TLS):
			worst = refuse(CodeSessionForeign)
		case !s.kit.Now().Before(sess.expires):
			worst = refuse(CodeSessionExpired)
		default:
			return sess, nil
		}
	}
	return session{}, worst
}

// ExpireSessions makes every cookie that was given out too old, as if session_lifetime were over for each: the
// next call with one is refused with [CodeSessionExpired].
func (s *Server) ExpireSessions() {
	v := s.service
	v.mu.Lock()
	defer v.mu.Unlock()
	for token, old := range v.sessions {
		old.expires = s.kit.Now()
		v.sessions[token] = old
	}
}

// ForgetSessions makes every cookie that was given out one that nobody knows, as a restart of the service that
// keeps them in memory would: the next call with one is refused with [CodeNoSession].
func (s *Server) ForgetSessions() {
	s.service.mu.Lock()
	defer s.service.mu.Unlock()
	clear(s.service.sessions)
}
