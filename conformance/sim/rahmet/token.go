package rahmet

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// tokenLife is how long a token is good for, by the simulator's clock.
const tokenLife = 3 * time.Hour

// tokenList holds the tokens given out and when each ends.
type tokenList struct {
	mu   sync.Mutex
	ends map[string]time.Time
}

func newTokenList() *tokenList { return &tokenList{ends: map[string]time.Time{}} }

func (l *tokenList) add(token string, end time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[token] = end
}

func (l *tokenList) good(token string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	end, known := l.ends[token]
	return known && now.Before(end)
}

func (l *tokenList) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.ends)
}

func (s *Server) issueToken(w http.ResponseWriter, _ *http.Request, form url.Values) {
	switch {
	case form.Get("grant_type") == "" || form.Get("client_id") == "":
		s.fail(w, &failure{code: 3, message: "The request is missing a required parameter"})
		return
	case form.Get("grant_type") != "client_credentials":
		s.fail(w, &failure{code: 2, message: "The authorization grant type is not supported"})
		return
	case !s.knows(form.Get("client_id"), form.Get("client_secret")):
		s.fail(w, &failure{code: 4, message: "Client authentication failed"})
		return
	}
	now := s.Now()
	token := fakeJWT(s.options.ClientID, now)
	s.tokens.add(token, now.Add(tokenLife))
	s.succeed(w, "Токен получен", map[string]any{
		"token_type": "Bearer",
		"token":      token,
		"expire_in":  int(tokenLife / time.Second),
	})
}

func (s *Server) knows(client, secret string) bool {
	return client == s.options.ClientID && secret == s.options.ClientSecret
}

// authorized lets a call through that bears a good token, spelled exactly as documented.
func (s *Server) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		headers := r.Header.Values("Authorization")
		token, bearer := "", false
		if len(headers) == 1 {
			token, bearer = strings.CutPrefix(headers[0], "Bearer ")
		}
		if !bearer || !s.tokens.good(token, s.Now()) || s.Setting(tokensSetting) == "refused" {
			s.fail(w, &failure{code: 9, message: "The authorization server denied the request."})
			return
		}
		next(w, r)
	}
}

// fakeJWT looks like the provider's token, with noise in place of the signature.
func fakeJWT(client string, now time.Time) string {
	var noise [256]byte
	_, _ = rand.Read(noise[:]) // crypto/rand never fails
	claims, _ := json.Marshal(map[string]any{
		"aud": client, "jti": base64.RawURLEncoding.EncodeToString(noise[:12]),
		"sub": "", "scopes": []string{},
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(tokenLife).Unix(),
	})
	return strings.Join([]string{
		base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"RS256"}`)),
		base64.RawURLEncoding.EncodeToString(claims),
		base64.RawURLEncoding.EncodeToString(noise[:]),
	}, ".")
}
