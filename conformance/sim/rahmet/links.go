package rahmet

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/payhost/payhost/conformance/sim/simkit"
)

// callPostlink tells the merchant of a payment of this amount, in tiyn, true or not.
func (b *book) callPostlink(o *order, amount int64) {
	if o.links.post == "" {
		return
	}
	fields := [][2]string{{"reference", formatID(o.id)}, {"amount", simkit.FormatShort(amount, 2)}}
	switch b.server.Setting(postlinkParamsSetting) {
	case "0":
		fields = nil
	case "4":
		fields = append(fields,
			[2]string{"cardAmount", simkit.FormatShort(amount-o.balance, 2)},
			[2]string{"balanceAmount", simkit.FormatShort(o.balance, 2)})
	}
	link := join(o.links.post, fields, b.server.Setting(postlinkJoinSetting) == "naive")
	b.server.Notify("postlink", formatID(o.id), link)
}

func (b *book) callFailedPostlink(o *order) {
	if o.links.failed != "" {
		b.server.Notify("failed_postlink", formatID(o.id), o.links.failed)
	}
}

// join appends fields to a link. The naive way puts ? after whatever is there, as the provider may do.
func join(link string, fields [][2]string, naive bool) string {
	if len(fields) == 0 {
		return link
	}
	pairs := make([]string, 0, len(fields))
	for _, f := range fields {
		pairs = append(pairs, url.QueryEscape(f[0])+"="+url.QueryEscape(f[1]))
	}
	query := strings.Join(pairs, "&")
	if naive {
		return link + "?" + query
	}
	base, fragment, hasFragment := strings.Cut(link, "#")
	switch {
	case !strings.Contains(base, "?"):
		base += "?"
	case !strings.HasSuffix(base, "?") && !strings.HasSuffix(base, "&"):
		base += "&"
	}
	if hasFragment {
		return base + query + "#" + fragment
	}
	return base + query
}

// payerPays is what the button does: ask checklink, then charge or decline.
func (b *book) payerPays(o *order) {
	b.mu.Lock()
	asks := !o.paid && o.links.check != ""
	l, amount := o.links, o.amount
	b.mu.Unlock()
	// The merchant may well ask for the status before it answers, so the lock is not held here.
	allowed := !asks || b.check(o, l, amount)
	b.mu.Lock()
	defer b.mu.Unlock()
	if allowed {
		b.charge(o)
		return
	}
	if !o.paid {
		b.unwind(o, declined)
	}
}

// check asks the merchant whether the order may be paid. Without a clear answer, failed_on_check decides.
func (b *book) check(o *order, l links, amount int64) bool {
	ctx, cancel := context.WithTimeout(context.Background(), b.server.DurationSetting(checkTimeoutSetting))
	defer cancel()
	form := url.Values{"amount": {simkit.FormatShort(amount, 2)}, "reference": {o.merchantID}}
	d := b.server.Ask(ctx, "checklink", formatID(o.id), l.check, form)
	var reply struct {
		Status *bool `json:"status"`
	}
	if d.Status == http.StatusOK && json.Unmarshal([]byte(d.Reply), &reply) == nil && reply.Status != nil {
		return *reply.Status
	}
	return !l.failedOnCheck
}
