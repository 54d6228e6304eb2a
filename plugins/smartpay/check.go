package smartpay

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// limits say how old a presented code may be.
type limits struct {
	maxAge time.Duration
	skew   time.Duration
}

// readLimits reads the limits from the settings, and says what is wrong with them.
func readLimits(h *sdk.Host) (limits, []pay.Problem) {
	var l limits
	var problems []pay.Problem
	read := func(name, fallback string, least, most time.Duration) time.Duration {
		d, err := time.ParseDuration(h.Setting(name, fallback))
		if err != nil || d < least || d > most {
			problems = append(problems, pay.Problem{
				Field:   "settings." + name,
				Message: "must be a duration from " + least.String() + " to " + most.String() + ", such as " + fallback,
			})
		}
		return d
	}
	l.maxAge = read(settingMaxAge, defaultMaxAge, time.Second, 24*time.Hour)
	l.skew = read(settingSkew, defaultSkew, 0, 10*time.Minute)
	return l, problems
}

// checkCode checks a presented code before it is claimed, if the connection has the
// keys for it: it opens, it is signed, it is fresh and it was not presented for
// another payment. Without keys all that is the service's.
//
// An operation that was sent before has passed these checks then, so the code may
// have grown old since: it is the same claim, not a new one. A payment whose claim is
// proven to have had no effect may claim the same code again, under another key.
func checkCode(h *sdk.Host, c *presented, intent *pay.Intent, payment string) error {
	if !h.HasKey(keyDecrypt) || !h.HasKey(keySign) {
		return nil
	}
	l, problems := readLimits(h)
	if len(problems) > 0 {
		return &pay.Error{Class: pay.ClassConfig, Field: problems[0].Field, Message: problems[0].Message}
	}
	text, shown, err := open(h, c)
	if err != nil {
		return err
	}
	if err := verify(h, c, text); err != nil {
		return err
	}
	if sentBefore(intent) {
		return nil
	}
	slot, err := codeSlot(h, text)
	if err != nil {
		return err
	}
	holder, err := holderOf(h, slot)
	if err != nil || holder != "" && holder == payment {
		return err
	}
	if problem := fresh(h.Now().Sub(shown), l); problem != nil {
		return problem
	}
	return claim(h, slot, payment, l.maxAge+2*l.skew)
}

// open decrypts a code and finds when it was shown. All that can be wrong with the
// encryption and with what is inside gets one answer: whoever could tell the two
// apart, scan by scan, could read other codes where RSA1_5 is in use.
func open(h *sdk.Host, c *presented) (text []byte, shown time.Time, err error) {
	encrypted, ok := decode(c.encrypted)
	if !ok {
		return nil, time.Time{}, badCode("encrypted is not base64")
	}
	text, err = h.Decrypt(h.Setting(settingDecryptAlg, defaultDecryptAlg), keyDecrypt, encrypted)
	if err != nil && !sdk.IsBadInput(err) {
		return nil, time.Time{}, err
	}
	if err == nil {
		shown, ok = shownAt(string(text))
	}
	if err != nil || !ok {
		return nil, time.Time{}, badCode("encrypted does not open, or holds no <otp>.<timestamp>.<user_id>")
	}
	return text, shown, nil
}

// verify checks the app's signature, which is over exactly the decrypted text.
func verify(h *sdk.Host, c *presented, text []byte) error {
	sign, ok := decode(c.sign)
	if !ok {
		return badCode("sign is not base64")
	}
	valid, err := h.Verify(h.Setting(settingSignAlg, defaultSignAlg), keySign, text, sign)
	switch {
	case err != nil:
		return err
	case !valid:
		return badCode("sign is not the app's signature of this code")
	}
	return nil
}

// fresh judges a code's age. The skew goes both ways, so codes are good for maxAge
// and two skews in all.
func fresh(age time.Duration, l limits) *pay.Error {
	switch {
	case age < -l.skew:
		return badCode("is dated in the future")
	case age > l.maxAge+l.skew:
		return &pay.Error{Class: pay.ClassCodeExpired, Field: fieldCode, Message: "was shown too long ago"}
	}
	return nil
}

// holderOf returns the payment that a code was presented for, or "".
func holderOf(h *sdk.Host, slot string) (string, error) {
	holder, _, err := h.Get(slot)
	if sdk.IsNotFound(err) {
		return "", nil
	}
	return string(holder), err
}

// claim remembers which payment a code was presented for, as long as the code could
// be fresh. Of two payments the first gets it.
func claim(h *sdk.Host, slot, payment string, ttl time.Duration) error {
	_, err := h.Put(slot, []byte(payment), ttl, sdk.Absent)
	if !sdk.IsConflict(err) {
		return err
	}
	holder, err := holderOf(h, slot)
	if err != nil || holder == payment {
		return err
	}
	return &pay.Error{
		Class: pay.ClassCodeInvalid, Field: fieldCode, Advice: pay.AdviceAskPayer,
		Message: "code was already presented",
	}
}

// codeSlot is the storage key of a code: a digest, since the text is the payer's.
func codeSlot(h *sdk.Host, text []byte) (string, error) {
	sum, err := h.Digest(sdk.SHA256, text)
	if err != nil {
		return "", err
	}
	const hex = "0123456789abcdef" // package encoding/hex brings fmt along
	slot := append(make([]byte, 0, 5+2*len(sum)), "code/"...)
	for _, b := range sum {
		slot = append(slot, hex[b>>4], hex[b&15])
	}
	return string(slot), nil
}

// shownAt reads <otp>.<timestamp>.<user_id>. The one-time password has no dot; a
// timestamp with a fraction and a user's id may, so the timestamp is the shortest
// text up to a dot that is one.
func shownAt(text string) (time.Time, bool) {
	otp, rest, found := strings.Cut(text, ".")
	if !found || otp == "" {
		return time.Time{}, false
	}
	for i := range len(rest) {
		if rest[i] != '.' {
			continue
		}
		if at, ok := parseTime(rest[:i]); ok {
			return at, i+1 < len(rest)
		}
	}
	return time.Time{}, false
}

// parseTime reads a timestamp in the forms that the document ("временная метка utc")
// leaves open: Unix seconds, Unix milliseconds, RFC 3339.
func parseTime(text string) (time.Time, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		at, err := time.Parse(time.RFC3339, text)
		return at, err == nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || len(text) > 13:
		return time.Time{}, false
	case len(text) > 11: // as seconds it would be the year 5138 or later
		return time.UnixMilli(n), true
	}
	return time.Unix(n, 0), true
}

// decode reads base64 with or without padding, in either alphabet: the till must
// not be stricter than the service.
func decode(text string) ([]byte, bool) {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	data, err := encoding.DecodeString(strings.TrimRight(text, "="))
	return data, err == nil && len(data) > 0
}
