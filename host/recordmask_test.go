package host_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Canaries: none of them may stand in a masked recording, in any encoding.
const (
	canaryName   = "Аннагозель Çary-Q7"
	canaryMail   = "canary.q7+x@shop.example"
	canaryPhone  = "+99365123457"
	canaryCard   = "4111111111111111"
	canaryLine   = "Brass canary cage"
	canaryNonce  = "pay_1-9f86d081884c7d65"
	canaryToken  = "tok-of-the-answer-5522"
	canaryHolder = "ANNAGOZEL Q7 HOLDER"
)

func canaries() []string {
	all := []string{apiToken, macKey, "Çary-Q7", "99365123457", "canary.q7"}
	for _, s := range []string{canaryName, canaryMail, canaryPhone, canaryCard, canaryLine, canaryNonce, canaryToken, canaryHolder} {
		all = append(all, s, url.QueryEscape(s), url.PathEscape(s), hex.EncodeToString([]byte(s)),
			base64.RawStdEncoding.EncodeToString([]byte(s)), strings.ToUpper(s))
	}
	return all
}

// gossip is a plugin that puts what it knows wherever it can.
func gossip(i abi.Imports, op, inputLen int32) int32 {
	in := make([]byte, inputLen)
	i.Input(0, in)
	r, err := abi.DecodeCreate(in)
	if err != nil {
		return 1
	}
	blob := func(text string) int32 {
		h := i.BlobNew(0)
		i.BlobWrite(h, []byte(text))
		return h
	}
	holder := ""
	post := func(media, body string) {
		h := i.HTTPSend(abi.AppendHTTPRequest(nil, &abi.HTTPRequest{
			Method: "POST", URL: baseURL(i) + "/read/x?who=" + url.QueryEscape(r.Customer.Name), Effect: abi.EffectRead,
			Header: []pay.Field{{Name: "Content-Type", Value: media}, {Name: "X-Phone", Value: r.Customer.Phone}},
		}), blob(body))
		buffer := make([]byte, 4<<10)
		head, err := abi.DecodeHTTPResponse(buffer[:max(0, i.BlobRead(h, 0, buffer))])
		if err == nil {
			text := string(buffer[:max(0, i.BlobRead(head.Body, 0, buffer))])
			_, holder, _ = strings.Cut(text, `"card_holder":"`)
			holder, _, _ = strings.Cut(holder, `"`)
		}
	}
	form := url.Values{
		"name": {r.Customer.Name}, "mail": {r.Customer.Email}, "phone": {r.Customer.Phone}, "item": {r.Lines[0].Name},
		"postlink": {r.NotificationURL + "?e=1"}, "amount": {r.Amount.Decimal()}, "small": {r.Lines[1].Name},
	}
	post("application/x-www-form-urlencoded", form.Encode())
	post("application/json", `{"name":"`+r.Customer.Name+`","amount":2500,"card":`+canaryCard+`}`)
	post("text/plain", base64.StdEncoding.EncodeToString([]byte(r.Customer.Name)))
	post("text/plain", "key "+apiToken)
	i.Log(abi.LogInfo, []byte(r.Customer.Email+" 4111 1111 1111 1111 "+strings.ToUpper(r.Lines[0].Name)))
	_, version := i.KVPut([]byte(r.Customer.Phone), blob(r.Customer.Name), 0, -1)
	sum := make([]byte, 32)
	i.Digest(int32(abi.SHA256), blob(r.Customer.Phone), sum)
	post("text/plain", hex.EncodeToString(sum))
	spec := abi.AppendCryptoSpec(nil, &abi.CryptoSpec{Algorithm: "HS256", Key: "mac"})
	i.Sign(spec, blob(r.Customer.Name))
	return answer(abi.AppendReply(nil, &abi.Reply{Result: &pay.Result{
		Outcome: pay.OutcomeDeclined, PayerHint: holder, ProviderMessage: r.Customer.Name + " " + strings.Repeat("i", int(version)),
	}}))(i, op, inputLen)
}

func gossiped(t testing.TB) (*host.Recording, *host.Recording) {
	t.Helper()
	var p tape
	r := newRig(t, rogue(gossip), p.option, func(_ *host.Config, c *host.ConnectionConfig) {
		c.Secrets = map[string]vault.Secret{"api_token": vault.NewSecret(apiToken)}
	})
	r.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "session="+canaryToken)
		_, _ = w.Write([]byte(`{"id":"p1","access_token":"` + canaryToken + `","payer":{"card_holder":"` + canaryHolder + `"}}`))
	})
	request := create("")
	request.Customer = pay.Customer{Name: canaryName, Email: canaryMail, Phone: canaryPhone}
	request.Lines = []pay.Line{{Name: canaryLine, Quantity: 1}, {Name: "Te", Quantity: 1}, {Name: "amount", Quantity: 1}}
	request.NotificationURL = "https://shop.example/n/main/" + canaryNonce
	for i := range request.Lines {
		request.Lines[i].Price = pay.New(100, pay.KZT)
	}
	if _, err := r.conn.Create(t.Context(), request); pay.ClassOf(err) != pay.ClassDeclined {
		t.Fatal(err)
	}
	open := p.last(t, pay.OpCreate)
	masked, err := host.DecodeRecording(open.Mask().Encode())
	if err != nil {
		t.Fatal(err)
	}
	return open, masked
}

// TestMask looks for the canaries in a masked recording. What it needs to be
// replayed stays.
func TestMask(t *testing.T) {
	t.Parallel()
	open, masked := gossiped(t)
	text := string(masked.Encode())
	for _, canary := range canaries() {
		if strings.Contains(text, canary) {
			t.Errorf("%q stands in the masked recording", canary)
		}
	}
	if !strings.Contains(string(open.Encode()), canaryName) || !masked.Masked || open.Masked {
		t.Error("the recording itself was changed")
	}
	for _, kept := range []string{`"order_id": "100500"`, "2500.00", `amount=2500`, `\"amount\":2500`, "masked-name-1", "small=masked-item-2"} {
		if !strings.Contains(text, kept) {
			t.Errorf("%s is gone", kept)
		}
	}
	if again := masked.Mask(); string(again.Encode()) != text {
		t.Error("masking twice is not masking once")
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestMaskedStillFits: a masked recording replays as the same, but for what could
// not be cut out.
func TestMaskedStillFits(t *testing.T) {
	t.Parallel()
	open, masked := gossiped(t)
	for name, r := range map[string]*host.Recording{"open": open, "masked": masked} {
		got, err := host.Replay(t.Context(), rogue(gossip), r)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, line := range got.Differences {
			if name == "masked" && (strings.Contains(line, "masked-card") || strings.Contains(line, "key tok")) {
				continue // what this plugin knows by heart
			}
			left = append(left, line)
		}
		if len(left) > 0 {
			t.Errorf("%s:\n%s", name, strings.Join(left, "\n"))
		}
	}
}
