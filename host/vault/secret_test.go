package vault_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/payhost/payhost/host/vault"
)

const hushed = "hush-hush-4711"

func TestSecretRevealsOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	secret := vault.NewSecret(hushed)
	if secret.Reveal() != hushed || secret.Len() != len(hushed) {
		t.Errorf("Reveal = %q, Len = %d", secret.Reveal(), secret.Len())
	}
	var zero vault.Secret
	if zero.Reveal() != "" || zero.Len() != 0 {
		t.Errorf("zero Secret: Reveal = %q, Len = %d", zero.Reveal(), zero.Len())
	}
	if !secret.Equal(vault.NewSecret(hushed)) || secret.Equal(vault.NewSecret("other")) || secret.Equal(zero) {
		t.Error("Equal does not compare the texts")
	}
}

type xmlDoc struct{ S vault.Secret }

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	secret := vault.NewSecret(hushed)
	key := vault.KeyConfig{Secret: secret, PrivateKeyPEM: []byte(hushed)}
	outer := struct {
		Open   vault.Secret
		hidden vault.Secret // fmt calls no method of what stands here
		Many   map[string]vault.Secret
		ptr    *vault.Secret
	}{secret, secret, map[string]vault.Secret{"a": secret}, &secret}

	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%20s"} {
		printed["secret "+verb] = fmt.Sprintf(verb, secret)
		printed["pointer "+verb] = fmt.Sprintf(verb, &secret)
		printed["struct "+verb] = fmt.Sprintf(verb, outer)
		printed["key "+verb] = fmt.Sprintf(verb, key)
		printed["config "+verb] = fmt.Sprintf(verb, vault.Config{
			Secrets: map[string]vault.Secret{"a": secret},
			Keys:    map[string]vault.KeyConfig{"b": key},
		})
	}
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		var handler slog.Handler = slog.NewTextHandler(&out, nil)
		if format == "json" {
			handler = slog.NewJSONHandler(&out, nil)
		}
		slog.New(handler).Info("m", "secret", secret, "key", key)
		printed["slog "+format] = out.String()
	}
	printed["json"] = string(must(json.Marshal(map[string]any{"s": secret, "k": key})))
	printed["xml"] = string(must(xml.Marshal(xmlDoc{secret})))
	var gobbed bytes.Buffer
	if err := gob.NewEncoder(&gobbed).Encode(struct{ S vault.Secret }{secret}); err == nil {
		t.Error("gob takes a Secret")
	}
	printed["gob"] = gobbed.String()

	hex := fmt.Sprintf("%x", hushed)
	decimal := strings.Trim(fmt.Sprint([]byte(hushed)), "[]")
	for how, text := range printed {
		low := strings.ToLower(text)
		if strings.Contains(text, hushed) || strings.Contains(low, hex) || strings.Contains(text, decimal) {
			t.Errorf("%s gives the secret away: %s", how, text)
		}
	}
	for _, how := range []string{"secret %v", "secret %#v", "secret %x", "slog json", "json", "xml"} {
		if !strings.Contains(printed[how], "[secret]") {
			t.Errorf("%s = %s, want [secret] in it", how, printed[how])
		}
	}
}
