package egress

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/payhost/payhost/host/vault"
)

// header returns the header that the Auth fills, in canonical spelling; empty for none.
func (a *Auth) header() string {
	switch {
	case a == nil:
		return ""
	case (a.Kind == Header || a.Kind == HMAC) && a.Name != "":
		return http.CanonicalHeaderKey(a.Name)
	}
	return "Authorization"
}

// check checks what needs no secret.
func (a *Auth) check() *Error {
	if a == nil {
		return nil
	}
	switch a.Kind {
	case Basic, Bearer, OAuth2:
		return nil
	case Header, HMAC:
		switch name := a.header(); {
		case !validToken(name):
			return refuse("auth.name: is not a token")
		case hostOwned(name):
			return refuse("auth.name: %s is set by the host", name)
		case !validHeaderValue(a.Prefix):
			return refuse("auth.prefix: holds a line end or a control character")
		}
		return nil
	}
	return refuse("auth.kind: unknown")
}

// authorize puts the Auth's header into the call. It may wait for an access token.
func (c *call) authorize(ctx context.Context) *Error {
	a := c.request.Auth
	if a == nil {
		return nil
	}
	var (
		value string
		err   *Error
	)
	switch a.Kind {
	case Basic:
		value, err = c.basic(a)
	case Bearer:
		value, err = c.secret(a.Secret, "bearer", "")
		value = "Bearer " + value
	case Header:
		value, err = c.secret(a.Secret, "header", a.header())
		value = a.Prefix + value
	case OAuth2:
		value, err = c.accessToken(ctx, a)
	case HMAC:
		value, err = c.sign(a)
	}
	if err != nil {
		return err
	}
	if !validHeaderValue(value) {
		return refuse("auth: a secret with a line end or a control character can't stand in a header")
	}
	c.header.Set(a.header(), value)
	return nil
}

func (c *call) basic(a *Auth) (string, *Error) {
	user, err := c.secret(a.User, "basic", "")
	if err != nil {
		return "", err
	}
	pass, err := c.secret(a.Pass, "basic", "")
	if err != nil {
		return "", err
	}
	if strings.Contains(user, ":") {
		return "", refuse("auth.user: the secret holds a colon, which ends the user's name")
	}
	credential := base64.StdEncoding.EncodeToString([]byte(user + ":" + pass))
	c.withhold(credential)
	return "Basic " + credential, nil
}

func (c *call) sign(a *Auth) (string, *Error) {
	var (
		key   *vault.Key
		known bool
	)
	if v := c.client.config.Vault; v != nil {
		key, known = v.Key(a.Key)
	}
	if !known {
		return "", refuse("auth.key: %q is not a key of this connection", a.Key)
	}
	signature, err := key.Sign(a.Algorithm, a.Message)
	if errors.Is(err, vault.ErrAlgorithm) {
		return "", refuse("auth.algorithm: the key %q does not allow %q", a.Key, a.Algorithm)
	}
	if err != nil {
		return "", refuse("auth.key: %q can't sign", a.Key)
	}
	var text string
	switch a.Encoding {
	case Hex:
		text = hex.EncodeToString(signature)
	case Base64:
		text = base64.StdEncoding.EncodeToString(signature)
	case Base64URL:
		text = base64.RawURLEncoding.EncodeToString(signature)
	default:
		return "", refuse("auth.encoding: is none of hex, base64, base64url")
	}
	c.withhold(text)
	return a.Prefix + text, nil
}

// fillForm appends the form secrets to the body.
func (c *call) fillForm() *Error {
	if len(c.request.FormSecrets) == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return refuse("form_secrets: the body's Content-Type is not application/x-www-form-urlencoded")
	}
	fields, err := url.ParseQuery(string(c.body))
	if err != nil {
		return refuse("form_secrets: the body is not a form")
	}
	form := bytes.NewBuffer(bytes.Clone(c.body))
	for _, f := range c.request.FormSecrets {
		if f.Field == "" || fields.Has(f.Field) {
			return refuse("form_secrets: the field %q is empty or given twice", f.Field)
		}
		fields.Set(f.Field, "")
		value, err := c.secret(f.Secret, "form", f.Field)
		if err != nil {
			return err
		}
		if form.Len() > 0 {
			form.WriteByte('&')
		}
		form.WriteString(url.QueryEscape(f.Field) + "=" + url.QueryEscape(value))
	}
	if int64(form.Len()) > c.client.config.Limits.RequestBytes {
		return refuse("body: is larger than %d bytes with its secrets", c.client.config.Limits.RequestBytes)
	}
	c.body = form.Bytes()
	return nil
}

// withhold has a value that was made of a secret searched for in this call's answers. Such values are as many
// as there are calls, so the Scrubber, which remembers, is not told.
func (c *call) withhold(value string) {
	if len(value) >= vault.MinSecretLen {
		c.made = append(c.made, []byte(value))
	}
}

// secret returns the secret's text if it may go into this slot of this request.
func (c *call) secret(name, slot, field string) (string, *Error) {
	binding, bound := c.client.secrets[name]
	if v := c.client.config.Vault; v != nil && bound {
		if secret, ok := v.Secret(name); ok {
			if !binding.takes(slot, field) {
				return "", refuse("secret %q: is not granted for the slot %q", name, slot)
			}
			if !covered(binding.Rules, c.request.Method, c.target) {
				return "", refuse("secret %q: is not granted for this host, method or path", name)
			}
			return secret.Reveal(), nil
		}
	}
	return "", refuse("secret %q: is unknown to this connection, or granted for nothing", name)
}

// takes reports whether the secret may stand in the slot; field is the header or the form field.
func (b SecretBinding) takes(slot, field string) bool {
	for _, granted := range b.Slots {
		kind, name, narrowed := strings.Cut(granted, ":")
		if kind != slot {
			continue
		}
		if !narrowed || name == field || slot == "header" && strings.EqualFold(name, field) {
			return true
		}
	}
	return false
}

// compile checks the binding; field is its place in the configuration.
func (b SecretBinding) compile(field string) (SecretBinding, error) {
	for _, slot := range b.Slots {
		kind, name, narrowed := strings.Cut(slot, ":")
		switch {
		case kind == "header" && (!narrowed || validToken(name)):
		case kind == "form" && (!narrowed || name != ""):
		case (kind == "basic" || kind == "bearer" || kind == "oauth2") && !narrowed:
		default:
			return SecretBinding{}, errors.New(field +
				".slots: are basic, bearer, oauth2, header[:NAME] and form[:FIELD]")
		}
	}
	rules, err := compileRules(field+".rules", b.Rules)
	return SecretBinding{Slots: b.Slots, Rules: rules}, err
}
