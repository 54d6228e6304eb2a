package egress

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// OAuth2Profile is how the Client gets access tokens by the client credentials grant (RFC 6749, section 4.4).
// Paths are field names in the JSON answer, joined by dots; providers depart from the standard's names.
type OAuth2Profile struct {
	TokenURL           string // must be covered by Config.Allow for POST
	ClientIDSecret     string // name of the secret; it must be granted for the slot "oauth2"
	ClientSecretSecret string // likewise
	Identity           string // TLS identity for the token request; empty for none

	Style     TokenStyle // where the credentials stand; empty for FormStyle
	Scope     string
	ExtraForm url.Values // more form fields, such as an audience

	TokenPath   string // empty for "access_token"
	ExpiresPath string // seconds, as a number or a string; empty for "expires_in"
	TypePath    string // must lead to "bearer" in any case, or to nothing; empty for "token_type"
	ErrorPath   string // what to show of a refusal; empty for "error"
	ErrorOK     string // the value at ErrorPath that means success, for envelopes that always have one

	DefaultLifetime time.Duration // of a token that names none; zero for 5 minutes
	Leeway          time.Duration // a token is renewed this long before its end; zero for 30 seconds

	// Audience is where the token may be sent; empty for the origin of TokenURL.
	Audience []Rule
}

// TokenStyle says where a token request carries the client's credentials.
type TokenStyle string

// The styles.
const (
	FormStyle  TokenStyle = "form"  // as client_id and client_secret in the body
	BasicStyle TokenStyle = "basic" // as HTTP Basic
)

// maxLifetime bounds what an answer can make the cache keep. It also keeps seconds within time.Duration.
const maxLifetime = 24 * time.Hour

// profile is a checked OAuth2Profile and its token.
type profile struct {
	OAuth2Profile

	mu         sync.Mutex
	token      string // empty if there is none
	expires    time.Time
	generation uint64 // of the latest token, kept or not
}

// compile checks the profile and fills in what is empty.
func (p OAuth2Profile) compile(allow []Rule) (*profile, error) {
	t, err := parseTarget(p.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("token_url: %s", strings.TrimPrefix(err.Error(), "url: "))
	}
	if !covered(allow, http.MethodPost, t) {
		return nil, errors.New("token_url: is not covered by allow")
	}
	for _, f := range []struct {
		value    *string
		fallback string
	}{
		{&p.TokenPath, "access_token"},
		{&p.ExpiresPath, "expires_in"},
		{&p.TypePath, "token_type"},
		{&p.ErrorPath, "error"},
		{(*string)(&p.Style), string(FormStyle)},
	} {
		if *f.value == "" {
			*f.value = f.fallback
		}
	}
	if p.Style != FormStyle && p.Style != BasicStyle {
		return nil, errors.New("style: is neither form nor basic")
	}
	if p.DefaultLifetime < 0 || p.DefaultLifetime > maxLifetime || p.Leeway < 0 {
		return nil, errors.New("default_lifetime, leeway: are negative or above 24h")
	}
	if p.DefaultLifetime == 0 {
		p.DefaultLifetime = 5 * time.Minute
	}
	if p.Leeway == 0 {
		p.Leeway = 30 * time.Second
	}
	if len(p.Audience) == 0 {
		p.Audience = []Rule{{Scheme: t.scheme, Host: t.host, Port: t.port}}
	}
	p.Audience, err = compileRules("audience", p.Audience)
	return &profile{OAuth2Profile: p}, err
}

// current returns the token if it is fit for use.
func (p *profile) current(now time.Time) (token string, generation uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !now.Before(p.expires) {
		p.token = ""
	}
	return p.token, p.generation
}

// drop forgets the token of that generation. If a newer one took its place, it stays: it was not the one
// refused.
func (p *profile) drop(generation uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if generation == p.generation {
		p.token = ""
	}
}

// keep puts a new token in place and returns its generation. A lifetime below twice the leeway is used for
// half of it.
func (p *profile) keep(token string, fetched time.Time, lifetime time.Duration) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token = token
	p.generation++
	p.expires = fetched.Add(max(lifetime-p.Leeway, lifetime/2))
	return p.generation
}

// tokens is the profiles of a Client, and the fetches under way.
type tokens struct {
	profiles map[string]*profile
	flights  singleflight.Group
}

// accessToken returns the value of the Authorization header. The token is fetched if there is none; all calls
// that want it wait for one fetch, which a caller that gives up does not end.
func (c *call) accessToken(ctx context.Context, a *Auth) (string, *Error) {
	p := c.client.tokens.profiles[a.Profile]
	if p == nil {
		return "", refuse("auth.profile: %q is not a profile of this connection", a.Profile)
	}
	if !covered(p.Audience, c.request.Method, c.target) {
		return "", refuse("auth.profile: the tokens of %q are not for this host, method or path", a.Profile)
	}
	if a.RenewGeneration != 0 {
		p.drop(a.RenewGeneration)
	}
	token, generation := p.current(c.client.config.Now())
	if token == "" {
		// A token may be taken back while this call waits for it, by a call that met its refusal. It is used
		// all the same: that is one refused call, where another round might have no end.
		flight := c.client.tokens.flights.DoChan(a.Profile, func() (any, error) {
			return c.client.fetchToken(p), nil
		})
		select {
		case <-ctx.Done():
			return "", ended(ctx)
		case result := <-flight:
			f, _ := result.Val.(fetched)
			c.exchange.Token = f.exchange
			if f.err != nil && ctx.Err() != nil {
				return "", ended(ctx)
			}
			if f.err != nil {
				e := *f.err // shared with the others that waited
				return "", &e
			}
			token, generation = f.token, f.generation
		}
	}
	c.generation = generation
	return "Bearer " + token, nil
}

// fetched is the outcome of one fetch, for all that waited.
type fetched struct {
	token      string
	generation uint64
	exchange   *Exchange // nil if a fetch just before had brought the token
	err        *Error
}

// fetchToken gets a token and keeps it. Its time is that of a call of its own.
func (c *Client) fetchToken(p *profile) fetched {
	began := c.config.Now()
	if token, generation := p.current(began); token != "" {
		return fetched{token: token, generation: generation}
	}
	request, refused := c.tokenRequest(p)
	if refused != nil {
		return fetched{err: refused}
	}
	resp, x, err := c.do(context.Background(), request, true)
	if err != nil {
		return fetched{exchange: x, err: noToken("", "the token was not had: "+err.Error())}
	}
	token, lifetime, refused := p.read(resp)
	if refused != nil {
		if _, found := c.config.Scrubber.Contains([]byte(refused.Code)); found {
			refused.Code = ""
		}
		return fetched{exchange: x, err: refused}
	}
	c.config.Scrubber.Add(token)
	return fetched{token: token, generation: p.keep(token, began, lifetime), exchange: x}
}

// tokenRequest makes the token request. It may be repeated like a read: a second token does no harm.
func (c *Client) tokenRequest(p *profile) (*Request, *Error) {
	r := &Request{
		Method: http.MethodPost, URL: p.TokenURL, Effect: Read, Retry: RepeatRead, Identity: p.Identity,
		Header: []Field{
			{"Content-Type", "application/x-www-form-urlencoded"},
			{"Accept", "application/json"},
		},
	}
	t, err := parseTarget(p.TokenURL)
	if err != nil {
		return nil, refuse("%s", err)
	}
	k := &call{client: c, request: r, target: t}
	id, refused := k.secret(p.ClientIDSecret, "oauth2", "")
	if refused != nil {
		return nil, refused
	}
	secret, refused := k.secret(p.ClientSecretSecret, "oauth2", "")
	if refused != nil {
		return nil, refused
	}
	form := url.Values{}
	for name, values := range p.ExtraForm {
		form[name] = values
	}
	form.Set("grant_type", "client_credentials")
	if p.Scope != "" {
		form.Set("scope", p.Scope)
	}
	if p.Style == BasicStyle {
		// RFC 6749, section 2.3.1: both are form-encoded first.
		pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
		r.Header = append(r.Header, Field{
			"Authorization",
			"Basic " + base64.StdEncoding.EncodeToString([]byte(pair)),
		})
	} else {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	r.Body = []byte(form.Encode())
	return r, nil
}
