package smartpay_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RSA-OAEP is defined over it, and one setting asks for that
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

// keys are the service's key, the app's and a stranger's.
var keys = sync.OnceValue(func() (pair struct{ service, app, stranger *rsa.PrivateKey }) {
	for _, key := range []**rsa.PrivateKey{&pair.service, &pair.app, &pair.stranger} {
		made, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		*key = made
	}
	return pair
})

// withKeys binds both keys of the connection.
func withKeys(c *sdktest.Config) {
	c.Keys = map[string]any{"qr_decrypt": keys().service, "qr_sign": &keys().app.PublicKey}
}

// code is a presented code in the making: what a test does not change is good.
type code struct {
	text     string           // <otp>.<timestamp>.<user_id>
	signed   string           // what the signature is over; text if empty
	signer   *rsa.PrivateKey  // the app's if nil
	sealer   *rsa.PublicKey   // the service's if nil
	oaep     func() hash.Hash // SHA-256 if nil
	encoding *base64.Encoding // standard if nil
	change   func(map[string]any)
}

// json makes the code's text as the app shows it.
func (c code) json(t *testing.T) string {
	t.Helper()
	if c.signed == "" {
		c.signed = c.text
	}
	if c.signer == nil {
		c.signer = keys().app
	}
	if c.sealer == nil {
		c.sealer = &keys().service.PublicKey
	}
	if c.oaep == nil {
		c.oaep = sha256.New
	}
	if c.encoding == nil {
		c.encoding = base64.StdEncoding
	}
	sealed, err := rsa.EncryptOAEP(c.oaep(), rand.Reader, c.sealer, []byte(c.text), nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(c.signed))
	sign, err := rsa.SignPKCS1v15(nil, c.signer, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]any{
		"id_loyalty": "9643100020003000", "encrypted": c.encoding.EncodeToString(sealed),
		"sign": c.encoding.EncodeToString(sign),
	}
	if c.change != nil {
		c.change(members)
	}
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shown is the text of a code that was shown at a time.
func shown(at time.Time) string { return "493817." + strconv.FormatInt(at.Unix(), 10) + ".user-77" }

// now is where the harness's clock begins.
func now() time.Time { return time.Date(2026, time.January, 15, 10, 0, 0, 0, time.UTC) }

const claimed = "testdata/bind.txt#claimed"

func TestGoodCodes(t *testing.T) {
	t.Parallel()
	fresh := shown(now().Add(-10 * time.Second))
	tests := map[string]struct {
		code     code
		settings string
	}{
		"unix seconds":            {code: code{text: fresh}},
		"unix milliseconds":       {code: code{text: "493817." + strconv.FormatInt(now().UnixMilli(), 10) + ".user-77"}},
		"RFC 3339":                {code: code{text: "493817.2026-01-15T09:59:00Z.user-77"}},
		"RFC 3339, zone":          {code: code{text: "493817.2026-01-15T12:59:00+03:00.user-77"}},
		"RFC 3339, fraction":      {code: code{text: "493817.2026-01-15T09:59:00.125Z.user-77"}},
		"user with dots":          {code: code{text: fresh + ".of.the.app"}},
		"user in Cyrillic":        {code: code{text: "Ж." + strconv.FormatInt(now().Unix(), 10) + ".иванов"}},
		"just young enough":       {code: code{text: shown(now().Add(-6 * time.Minute))}},
		"just not in the future":  {code: code{text: shown(now().Add(60 * time.Second))}},
		"base64 without padding":  {code: code{text: fresh, encoding: base64.RawStdEncoding}},
		"base64 of URLs":          {code: code{text: fresh, encoding: base64.URLEncoding}},
		"other settings":          {code: code{text: shown(now().Add(-time.Hour)), oaep: sha1.New}, settings: `{"till_id": "1", "code_max_age": "1h", "clock_skew": "0s", "qr_decrypt_alg": "RSA-OAEP"}`},
		"not in loyalty program":  {code: code{text: fresh, change: func(m map[string]any) { m["id_loyalty"] = "" }}},
		"members that come later": {code: code{text: fresh, change: func(m map[string]any) { m["version"] = 2 }}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.settings == "" {
				tt.settings = `{"till_id": "1"}`
			}
			text := tt.code.json(t)
			p := openTill(t, claimed, withKeys, settings(tt.settings))
			result, err := p.Bind(pay.BindRequest{Code: " " + text + "\r\n"}) // as scanners deliver it
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "purchase", result.ProviderRef, "p-1")
		})
	}
}

// TestBadCodes expects every refusal before anything is sent: there is no
// transcript.
func TestBadCodes(t *testing.T) {
	t.Parallel()
	fresh := shown(now())
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	drop := func(name string) func(map[string]any) { return func(m map[string]any) { delete(m, name) } }
	short := base64.StdEncoding.EncodeToString([]byte("short"))
	long := base64.StdEncoding.EncodeToString(make([]byte, 4096))
	tests := map[string]struct {
		code code
		want pay.Class
	}{
		"no id_loyalty":          {code: code{text: fresh, change: drop("id_loyalty")}},
		"no encrypted":           {code: code{text: fresh, change: drop("encrypted")}},
		"no sign":                {code: code{text: fresh, change: drop("sign")}},
		"empty encrypted":        {code: code{text: fresh, change: set("encrypted", "")}},
		"sign is null":           {code: code{text: fresh, change: set("sign", nil)}},
		"sign is a number":       {code: code{text: fresh, change: set("sign", 7)}},
		"encrypted not base64":   {code: code{text: fresh, change: set("encrypted", "§§§")}},
		"sign not base64":        {code: code{text: fresh, change: set("sign", "a")}},
		"encrypted only padding": {code: code{text: fresh, change: set("encrypted", "==")}},
		"encrypted too short":    {code: code{text: fresh, change: set("encrypted", short)}},
		"encrypted too long":     {code: code{text: fresh, change: set("encrypted", long)}},
		"sign too short":         {code: code{text: fresh, change: set("sign", short)}},
		"for another service":    {code: code{text: fresh, sealer: &keys().stranger.PublicKey}},
		"another padding":        {code: code{text: fresh, oaep: sha1.New}},
		"signed by a stranger":   {code: code{text: fresh, signer: keys().stranger}},
		"signature of another":   {code: code{text: fresh, signed: shown(now().Add(time.Second))}},
		"signature of a part":    {code: code{text: fresh, signed: "493817"}},
		"one part":               {code: code{text: "493817"}},
		"two parts":              {code: code{text: "493817." + strconv.FormatInt(now().Unix(), 10)}},
		"no password":            {code: code{text: strings.TrimPrefix(fresh, "493817")}},
		"no user":                {code: code{text: strings.TrimSuffix(fresh, "user-77")}},
		"empty timestamp":        {code: code{text: "493817..user-77"}},
		"timestamp is a word":    {code: code{text: "493817.today.user-77"}},
		"timestamp without zone": {code: code{text: "493817.2026-01-15T10:00:00.user-77"}},
		"negative timestamp":     {code: code{text: "493817.-1768471200.user-77"}},
		"endless timestamp":      {code: code{text: "493817." + strings.Repeat("9", 60) + ".user-77"}},
		"timestamp of microsec.": {code: code{text: "493817." + strconv.FormatInt(now().UnixMicro(), 10) + ".user-77"}},
		"from the future":        {code: code{text: shown(now().Add(61 * time.Second))}},
		"stale":                  {code: code{text: shown(now().Add(-6*time.Minute - time.Second))}, want: pay.ClassCodeExpired},
		"stale by years":         {code: code{text: "493817.0.user-77"}, want: pay.ClassCodeExpired},
		// A forger learns nothing of the age: the signature is looked at first.
		"stale and forged": {code: code{text: shown(now().Add(-time.Hour)), signer: keys().stranger}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := failure{Class: tt.want, Field: "code"}
			if tt.want == 0 {
				want.Class = pay.ClassCodeInvalid
			}
			_, err := openTill(t, "", withKeys).Bind(pay.BindRequest{Code: tt.code.json(t)})
			equal(t, "error", failed(t, err), want)
		})
	}
}

// TestNoOracle: what does not decrypt and what decrypts to nonsense must look alike.
func TestNoOracle(t *testing.T) {
	t.Parallel()
	var messages []string
	for _, c := range []code{
		{text: "nonsense"}, {text: shown(now()), sealer: &keys().stranger.PublicKey},
	} {
		_, err := openTill(t, "", withKeys).Bind(pay.BindRequest{Code: c.json(t)})
		messages = append(messages, err.Error())
	}
	if messages[0] != messages[1] {
		t.Errorf("%q and %q", messages[0], messages[1])
	}
}

// TestGarbageIsNoCode is for connections without keys: what is no code of SmartPay
// is refused here, whatever else is the service's to judge.
func TestGarbageIsNoCode(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"barcode": "4607001234567", "link": "https://qr.nspk.ru/AS10003", "half": `{"id_loyalty": "1", "encr`,
		"array": `["1", "ZW5j", "c2lnbg=="]`, "two objects": `{} {}`, "empty object": `{}`, "null": `null`,
		"empty texts": `{"id_loyalty": "", "encrypted": "", "sign": ""}`, "no sign": `{"id_loyalty": "", "encrypted": "a", "sign": ""}`,
		"deep": strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := openTill(t, "").Bind(pay.BindRequest{Code: text})
			equal(t, "error", failed(t, err), failure{Class: pay.ClassCodeInvalid, Field: "code"})
		})
	}
}

// TestForwardedAsItIs shows that without keys nothing in the members is judged.
func TestForwardedAsItIs(t *testing.T) {
	t.Parallel()
	p := openTill(t, `> POST /v1/purchase/code/commit money
>
> {"kassa_purchase_id": "1-1768471200-1", "id_loyalty": "Иван \"№1\"/\\", "encrypted": "not base64 §", "sign": " "}
< 200
<
< {"purchase_id": "p-1"}
`)
	_, err := p.Bind(pay.BindRequest{
		Code: "\ufeff" + `{"sign":" ","id_loyalty":"Иван \"№1\"\/\\","encrypted":"not base64 \u00a7","more":{}}`,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReplayedCode(t *testing.T) {
	t.Parallel()
	text := code{text: shown(now())}.json(t)
	again := code{text: shown(now())}.json(t) // the same inside, encrypted anew
	p := openTill(t, claimed, withKeys)
	bind := func(payment, key, text string) error {
		_, err := p.Bind(pay.BindRequest{Intent: pay.Intent{ProviderKey: key}, Payment: pay.Ref{ID: payment}, Code: text})
		return err
	}
	if err := bind("pay_1", "1-1768471200-1", text); err != nil {
		t.Fatal(err)
	}
	replayed := failure{Class: pay.ClassCodeInvalid, Field: "code", Advice: pay.AdviceAskPayer}
	equal(t, "another purchase", failed(t, bind("pay_2", "1-1768471201-2", text)), replayed)
	equal(t, "encrypted anew", failed(t, bind("pay_2", "1-1768471201-2", again)), replayed)

	p.Transcript(claimed) // S3: the same purchase again is the same claim
	if err := bind("pay_1", "1-1768471200-1", text); err != nil {
		t.Errorf("the same operation: %v", err)
	}
	// The same payment under another key: the first claim is proven to have had no
	// effect, or the host would not ask.
	p.Transcript("testdata/bind.txt#claimed again")
	if err := bind("pay_1", "1-1768471205-3", text); err != nil {
		t.Errorf("the same payment: %v", err)
	}

	p.Advance(6 * time.Minute) // the last moment at which the code is not stale
	equal(t, "as long as it is fresh", failed(t, bind("pay_2", "1-1768471201-2", text)), replayed)
	p.Advance(time.Second)
	equal(t, "later", failed(t, bind("pay_2", "1-1768471201-2", text)), failure{Class: pay.ClassCodeExpired, Field: "code"})
}

// TestReplayIsRememberedPastItsAge presents a code of the future's edge: it is fresh
// for longer than code_max_age, and must be remembered as long.
func TestReplayIsRememberedPastItsAge(t *testing.T) {
	t.Parallel()
	text := code{text: shown(now().Add(60 * time.Second))}.json(t)
	p := openTill(t, claimed, withKeys)
	if _, err := p.Bind(pay.BindRequest{Payment: pay.Ref{ID: "pay_1"}, Code: text}); err != nil {
		t.Fatal(err)
	}
	p.Advance(7*time.Minute - time.Second)
	_, err := p.Bind(pay.BindRequest{Payment: pay.Ref{ID: "pay_2"}, Code: text})
	equal(t, "error", failed(t, err), failure{Class: pay.ClassCodeInvalid, Field: "code", Advice: pay.AdviceAskPayer})
}

// TestCodeGrowsOldBetweenSends repeats a lost bind hours later: it is the same claim,
// which the service may have, and must not be refused here.
func TestCodeGrowsOldBetweenSends(t *testing.T) {
	t.Parallel()
	text := code{text: shown(now())}.json(t)
	p := openTill(t, "testdata/bind.txt#lost", withKeys)
	intent := pay.Intent{ProviderKey: "1-1768471200-1"}
	_, err := p.Bind(pay.BindRequest{Intent: intent, Code: text})
	equal(t, "lost", failed(t, err), failure{Class: pay.ClassTimeout, Effect: pay.EffectMaybe})

	p.Advance(3 * time.Hour)
	p.Transcript(claimed)
	intent.Attempt, intent.Earlier = 2, pay.Evidence{Wire: pay.WireUnknown, Calls: 1}
	result, err := p.Bind(pay.BindRequest{Intent: intent, Code: text})
	if err != nil || result.ProviderRef != "p-1" {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestUnsentCodeMayExpire is the other side: nothing was sent, so a code that had
// been good is judged anew once it is forgotten.
func TestUnsentCodeMayExpire(t *testing.T) {
	t.Parallel()
	text := code{text: shown(now().Add(-5 * time.Minute))}.json(t)
	p := openTill(t, "testdata/bind.txt#not_sent", withKeys)
	intent := pay.Intent{ProviderKey: "1-1768471200-1"}
	if _, err := p.Bind(pay.BindRequest{Intent: intent, Payment: pay.Ref{ID: "pay_1"}, Code: text}); pay.ClassOf(err) != pay.ClassUnavailable {
		t.Fatal(err)
	}
	intent.Attempt, intent.Earlier = 2, pay.Evidence{Wire: pay.WireNotSent, Calls: 1}
	p.Advance(2 * time.Minute) // too old for another bind, not for the one that had it
	p.Transcript(claimed)
	if _, err := p.Bind(pay.BindRequest{Intent: intent, Payment: pay.Ref{ID: "pay_1"}, Code: text}); err != nil {
		t.Errorf("minutes later: %v", err)
	}
	p.Advance(3 * time.Hour)
	_, err := p.Bind(pay.BindRequest{Intent: intent, Payment: pay.Ref{ID: "pay_1"}, Code: text})
	equal(t, "hours later", failed(t, err), failure{Class: pay.ClassCodeExpired, Field: "code"})
}

// TestKeyOfTheWrongKind is the operator's fault, not the payer's.
func TestKeyOfTheWrongKind(t *testing.T) {
	t.Parallel()
	p := openTill(t, "", withKeys, settings(`{"till_id": "1", "qr_sign_alg": "ES256"}`))
	_, err := p.Bind(pay.BindRequest{Code: code{text: shown(now())}.json(t)})
	equal(t, "class", pay.ClassOf(err), pay.ClassConfig)
}

func TestOneKeyChecksNothing(t *testing.T) {
	t.Parallel()
	p := openTill(t, claimed, func(c *sdktest.Config) { c.Keys = map[string]any{"qr_sign": &keys().app.PublicKey} })
	if _, err := p.Bind(pay.BindRequest{Code: code{text: shown(now()), signer: keys().stranger}.json(t)}); err != nil {
		t.Error(err)
	}
}

func TestPayerHint(t *testing.T) {
	t.Parallel()
	for loyalty, want := range map[string]string{
		"9643100020003000": "***3000", "12345678": "***5678", "1234567": "", "": "", " 1234567 ": "",
		"иван-петров": "***тров",
	} {
		p := openTill(t, claimed)
		text, _ := json.Marshal(map[string]string{"id_loyalty": loyalty, "encrypted": "a", "sign": "a"})
		result, err := p.Bind(pay.BindRequest{Code: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, loyalty, result.PayerHint, want)
	}
}
