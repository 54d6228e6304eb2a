package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
)

// forms returns the ways in which a secret may stand in a text, none twice and none shorter than minPattern.
func forms(secret string) [][]byte {
	all := []string{
		secret,
		hex.EncodeToString([]byte(secret)),
		strings.ToUpper(hex.EncodeToString([]byte(secret))),
		strings.ReplaceAll(secret, " ", "+"),
	}
	all = append(all, base64Forms(secret)...)
	for _, text := range append([]string{secret}, base64Forms(secret)...) {
		all = append(all, urlForms(text)...)
		all = append(all, jsonForms(text)...)
	}
	seen := make(map[string]bool, len(all))
	var distinct [][]byte
	for _, form := range all {
		if len(form) >= minPattern && !seen[form] {
			seen[form] = true
			distinct = append(distinct, []byte(form))
		}
	}
	return distinct
}

// base64Forms returns what is certain of the secret's base64 when unknown bytes stand before and after it, as
// in the "user:password" of basic authentication. Three bytes make four characters, so there are three
// alignments; the characters at both ends that carry bits of a neighbor are left out, and padding with them.
func base64Forms(secret string) []string {
	var all []string
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			encoded := encoding.EncodeToString(append(make([]byte, before), secret...))
			first := (before*8 + 5) / 6
			last := (before + len(secret)) * 8 / 6
			all = append(all, encoded[first:last])
		}
	}
	return all
}

// urlForms returns the secret percent-encoded as a form's value and as a part of a path, in capital and small
// hex digits. Other choices of what to encode are found by decoding: see Scrubber.Contains.
func urlForms(secret string) []string {
	query, path := url.QueryEscape(secret), url.PathEscape(secret)
	spaced := strings.ReplaceAll(query, "+", "%20")
	return []string{query, path, spaced, smallEscapes(query), smallEscapes(path), smallEscapes(spaced)}
}

// smallEscapes turns %2F into %2f.
func smallEscapes(encoded string) string {
	out := []byte(encoded)
	for i := 0; i < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], bytes.ToLower(out[i+1:i+3]))
			i += 2
		}
	}
	return string(out)
}

// jsonForms returns the secret as it stands within a JSON string: as Go writes it, as most others do, and as
// PHP does, with the slash escaped.
func jsonForms(secret string) []string {
	var all []string
	for _, html := range []bool{true, false} {
		var buffer bytes.Buffer
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(html)
		if encoder.Encode(secret) != nil {
			continue
		}
		text := strings.TrimSuffix(buffer.String(), "\n")
		text = text[1 : len(text)-1]
		all = append(all, text, strings.ReplaceAll(text, "/", `\/`))
	}
	return all
}
