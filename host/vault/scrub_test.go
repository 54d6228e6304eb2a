package vault_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host/vault"
)

// awkward has what encodings change: a space, a slash, a plus, quotes, an ampersand, a percent sign, Cyrillic
// letters.
const awkward = `p/a+ss "wörd" & 100% <ключ>`

func newScrubber(t testing.TB, secrets map[string]string) *vault.Scrubber {
	t.Helper()
	config := vault.Config{Secrets: map[string]vault.Secret{}}
	for name, value := range secrets {
		config.Secrets[name] = vault.NewSecret(value)
	}
	v, err := vault.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return vault.NewScrubber(v)
}

// encodings are the ways in which a secret comes back. Those with a prefix hide it in a longer encoded text.
func encodings(secret string) map[string]string {
	all := map[string]string{
		"plain":            secret,
		"hex":              hex.EncodeToString([]byte(secret)),
		"HEX":              strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"query":            url.QueryEscape(secret),
		"query, small":     lowerEscapes(url.QueryEscape(secret)),
		"path":             url.PathEscape(secret),
		"%20":              strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		"every byte as %":  percentAll(secret),
		"JSON":             jsonString(secret),
		"JSON by PHP":      strings.ReplaceAll(jsonString(secret), "/", `\/`),
		"JSON in ASCII":    jsonASCII(secret),
		"JSON, every char": jsonEscaped(secret),
		"both":             strings.ReplaceAll(percentAll(secret), "%", `\u0025`),
		"query in JSON":    jsonString(lowerEscapes(url.PathEscape(secret)) + "\n"),
	}
	for before := range 4 {
		for after := range 3 {
			text := []byte("abcd"[:before] + secret + "xyz"[:after])
			for name, encoding := range map[string]*base64.Encoding{
				"std": base64.StdEncoding, "raw": base64.RawStdEncoding,
				"url": base64.URLEncoding, "raw url": base64.RawURLEncoding,
			} {
				encoded := encoding.EncodeToString(text)
				what := fmt.Sprintf("base64 %s %d+%d", name, before, after)
				all[what] = encoded
				all[what+" in query"] = url.QueryEscape(encoded)
				all[what+" by PHP"] = strings.ReplaceAll(encoded, "/", `\/`)
			}
		}
	}
	return all
}

func jsonString(text string) string {
	quoted := string(must(json.Marshal(text)))
	return quoted[1 : len(quoted)-1]
}

// jsonASCII escapes as JSON encoders do that keep to ASCII.
func jsonASCII(text string) string {
	var out strings.Builder
	for _, char := range jsonString(text) {
		if char < 0x80 {
			out.WriteRune(char)
		} else {
			out.WriteString(jsonEscaped(string(char)))
		}
	}
	return out.String()
}

// jsonEscaped escapes every character, as a JSON encoder may.
func jsonEscaped(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&out, `\u%04x`, unit)
	}
	return out.String()
}

func percentAll(text string) string {
	var out strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&out, "%%%02x", text[i])
	}
	return out.String()
}

func lowerEscapes(text string) string {
	out := []byte(text)
	for i := range out {
		if out[i] == '%' {
			copy(out[i+1:], strings.ToLower(string(out[i+1:i+3])))
		}
	}
	return string(out)
}

func TestScrubberFindsEveryForm(t *testing.T) {
	t.Parallel()
	binary := "\x00\xff\xfe\xfb\xef\xbe++//"
	secrets := []string{awkward, "emoji 😀 here", "12345678", "s3cr3t-t0ken", strings.Repeat("?~>", 40), binary}
	for _, secret := range secrets {
		scrubber := newScrubber(t, map[string]string{"the one": secret, "another": "unrelated-value"})
		for what, encoded := range encodings(secret) {
			if secret == binary && strings.HasPrefix(what, "JSON") {
				continue // bytes that are no UTF-8 cannot stand in JSON
			}
			text := `{"data": "` + encoded + `", "n": 1}`
			if name, found := scrubber.Contains([]byte(text)); !found || name != "the one" {
				t.Errorf("%q, %s: Contains(%s) = %q, %v", secret, what, text, name, found)
			}
			masked := scrubber.Mask(text)
			if _, found := scrubber.Contains([]byte(masked)); found || !strings.Contains(masked, "[secret]") {
				t.Errorf("%q, %s: Mask gave %s", secret, what, masked)
			}
		}
	}
}

func TestScrubberPassesInnocentData(t *testing.T) {
	t.Parallel()
	scrubber := newScrubber(t, map[string]string{"a": awkward, "b": "s3cr3t-t0ken", "short": "1234567"})
	innocent := []string{
		"", "s", "s3cr3t-t0ke", "3cr3t-t0ken", "s3cr3t t0ken", "S3CR3T-T0KEN",
		`\`, `\u`, `\u00`, "%", "%4", `\ud83d`,
		`{"short": "1234567"}`, strings.Repeat("s3cr3t-t", 100), string(randomBytes(1 << 16)),
	}
	for _, data := range innocent {
		if name, found := scrubber.Contains([]byte(data)); found {
			t.Errorf("Contains(%.40q) found %q", data, name)
		}
	}
	if diff := cmp.Diff([]string{"short"}, scrubber.Unsearched()); diff != "" {
		t.Error(diff)
	}
}

func TestScrubberKnowsSharedKeys(t *testing.T) {
	t.Parallel()
	algorithms := []vault.Algorithm{vault.HS256}
	v, err := vault.New(vault.Config{Keys: map[string]vault.KeyConfig{
		"mac": {Secret: vault.NewSecret(hushed), Algorithms: algorithms},
		"tin": {Secret: vault.NewSecret("tin"), Algorithms: algorithms},
		"rsa": {PrivateKeyPEM: pkcs8(rsaKey()), Algorithms: []vault.Algorithm{vault.RS256}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	scrubber := vault.NewScrubber(v)
	if name, found := scrubber.Contains([]byte("a" + hushed)); !found || name != "mac" {
		t.Errorf("Contains = %q, %v", name, found)
	}
	if diff := cmp.Diff([]string{"tin"}, scrubber.Unsearched()); diff != "" {
		t.Error(diff)
	}
}

func TestScrubberKeepsTheLastAdded(t *testing.T) {
	t.Parallel()
	scrubber := vault.NewScrubber(nil)
	token := func(i int) string { return fmt.Sprintf("token-%08d", i) }
	has := func(i int) bool {
		name, found := scrubber.Contains([]byte(token(i)))
		if found && name != vault.AddedName {
			t.Errorf("found as %q", name)
		}
		return found
	}
	for i := range vault.MaxAdded {
		scrubber.Add(token(i))
	}
	scrubber.Add(token(0)) // used again: now the newest
	scrubber.Add("short")
	scrubber.Add(token(vault.MaxAdded))
	if !has(0) || has(1) || !has(2) || !has(vault.MaxAdded) {
		t.Errorf("has 0, 1, 2, last: %v %v %v %v; want all but 1", has(0), has(1), has(2), has(vault.MaxAdded))
	}
	if _, found := scrubber.Contains([]byte("short")); found {
		t.Error("a short value is searched for")
	}
	huge := string(randomBytes(2 * vault.MaxSecretLen))
	scrubber.Add(huge)
	if _, found := scrubber.Contains([]byte(huge)); !found {
		t.Error("a huge value is not searched for")
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	scrubber := newScrubber(t, map[string]string{
		"long": "abcdefgh-ijklmnop", "inner": "abcdefgh", "overlap": "ijklmnop-qrst", "short": "1234567",
	})
	tests := map[string]string{
		"":                        "",
		"nothing here":            "nothing here",
		"x abcdefgh y":            "x [secret] y",
		"abcdefgh-ijklmnop":       "[secret]",
		"abcdefgh-ijklmnop-qrst.": "[secret].",
		"abcdefgh abcdefgh":       "[secret] [secret]",
		"abcdefghabcdefgh":        "[secret]",
		"a%62%63defgh":            "[secret]", // cannot be cut out: all of it goes
		"4111111111111111":        "411111******1111",
		"pan=4111111111111111&x":  "pan=411111******1111&x",
		"4111 1111 1111 1111":     "4111 11** **** 1111",
		"4111-1111-1111-1111, ok": "4111-11**-****-1111, ok",
		"378282246310005":         "378282*****0005", // 15 digits
		"4222222222222":           "422222***2222",   // 13
		"6304000000000000000":     "630400*********0000",
		"4111111111111112":        "4111111111111112", // Luhn fails
		"4111  1111 1111 1111":    "4111  1111 1111 1111",
		"41111111111111110000000": "41111111111111110000000", // longer than a card number

		"at 2024-01-05 4111111111111111 12 items": "at 2024-01-05 411111******1111 12 items",

		"411111111111":                          "411111111111",
		"to ivan.petrov+x@mail.example.com now": "to ***@mail.example.com now",
		"email=ivan%40example.com&a=1":          "email=***%40example.com&a=1",
		"<ivan@example.com>, olga@example.org":  "<***@example.com>, ***@example.org",
		"почта иван@почта.рф":                   "почта ***@почта.рф",
		"user@localhost @example.com a@b@c.de":  "user@localhost @example.com a@***@c.de",
		"ivan@example..com":                     "ivan@example..com",
	}
	for text, want := range tests {
		got := scrubber.Mask(text)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Mask(%q):\n%s", text, diff)
		}
		if again := scrubber.Mask(got); again != got {
			t.Errorf("Mask(%q) = %q is not stable: %q", text, got, again)
		}
	}
}

func TestScrubberConcurrently(t *testing.T) {
	t.Parallel()
	scrubber := newScrubber(t, map[string]string{"fixed": awkward})
	var users sync.WaitGroup
	for user := range 4 {
		users.Go(func() {
			for i := range 50 {
				token := fmt.Sprintf("token-%d-%d", user, i)
				scrubber.Add(token)
				if _, found := scrubber.Contains([]byte("x" + token)); !found {
					t.Errorf("%s is not found right after Add", token)
				}
				if got := scrubber.Mask(awkward); got != "[secret]" {
					t.Errorf("Mask = %q", got)
				}
			}
		})
	}
	users.Wait()
}

// Mask and Contains take anything; a secret is found wherever it stands, in every form.
func FuzzScrubber(f *testing.F) {
	f.Add("s3cr3t-t0ken", "before ", " after", uint8(0))
	f.Add(awkward, "{\"a\":\"", "\"}", uint8(3))
	f.Add("aaaaaaaaaa", "aaa", "aaab", uint8(9))
	f.Add("4111111111111111", "a@b.c 4", "@x.yz", uint8(17))
	f.Add("[secret]", `\`, "%", uint8(1))
	f.Fuzz(func(t *testing.T, secret, before, after string, form uint8) {
		if len(secret) < vault.MinSecretLen || len(secret) > 256 || len(before)+len(after) > 4096 {
			return // not a secret that is searched for, or more than a round may take
		}
		scrubber := newScrubber(t, map[string]string{"s": secret})
		forms := []string{
			secret, hex.EncodeToString([]byte(secret)), url.QueryEscape(secret), url.PathEscape(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)),
			base64.RawURLEncoding.EncodeToString([]byte("x" + secret)),
			base64.URLEncoding.EncodeToString([]byte("xy" + secret + after)),
		}
		text := before + forms[int(form)%len(forms)] + after
		if _, found := scrubber.Contains([]byte(text)); !found {
			t.Errorf("%q is not found in %q", secret, text)
		}
		masked := scrubber.Mask(text)
		if _, found := scrubber.Contains([]byte(masked)); found && masked != "[secret]" {
			t.Errorf("Mask left %q in %q", secret, masked)
		}
	})
}

func TestScrubberAtEveryOffset(t *testing.T) {
	t.Parallel()
	scrubber := newScrubber(t, map[string]string{"s": "s3cr3t-t0ken", "t": awkward})
	noise := randomBytes(200)
	for _, encoded := range encodings("s3cr3t-t0ken") {
		for at := range noise {
			text := string(noise[:at]) + encoded + string(noise[at:])
			if _, found := scrubber.Contains([]byte(text)); !found {
				t.Fatalf("%s is not found at offset %d", encoded, at)
			}
		}
	}
}

// randomBytes is noise, the same in every run, in which no escape begins.
func randomBytes(size int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	out := make([]byte, size)
	for i := range out {
		for out[i] = '%'; out[i] == '%' || out[i] == '\\'; {
			out[i] = byte(random.UintN(256))
		}
	}
	return out
}

func BenchmarkContains(b *testing.B) {
	secrets := map[string]string{}
	for i := range 10 {
		secrets[fmt.Sprint(i)] = hex.EncodeToString(randomBytes(64)[6*i:][:10]) + awkward
	}
	scrubber := newScrubber(b, secrets)
	random := rand.New(rand.NewPCG(3, 4))
	var object strings.Builder
	for object.Len() < 1<<20 {
		fmt.Fprintf(&object, `{"id":%d,"status":"success","url":"https://pay.example/o/%x","ok":true},`,
			random.Uint64(), random.Uint64())
	}
	plain := object.String()[:1<<20]
	bodies := map[string]string{
		"json":      plain,
		"escaped":   strings.ReplaceAll(plain, "/", `\/`)[:1<<20],
		"percent":   url.QueryEscape(plain)[:1<<20],
		"base64":    base64.StdEncoding.EncodeToString(randomBytes(3 << 18)),
		"hostile":   strings.Repeat(secrets["0"][:8], 1<<17),
		"small 1KB": plain[:1<<10],
	}
	for name, body := range bodies {
		data := []byte(body)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, found := scrubber.Contains(data); found {
					b.Fatal("found")
				}
			}
		})
	}
	b.Run("mask log line", func(b *testing.B) {
		line := plain[:300]
		for b.Loop() {
			scrubber.Mask(line)
		}
	})
}
