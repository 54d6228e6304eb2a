package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
)

// payment prints one payment.
func (a *api) payment(p client.Payment) {
	o := a.out
	o.line("payment", p.ID)
	o.line("status", p.Status)
	o.line("order", p.OrderID+" on "+p.Connection+" ("+p.Provider+")")
	o.line("provider ref", p.ProviderRef)
	o.line("amount", moneyText(p.Amount))
	for _, m := range []struct {
		name  string
		money *client.Money
	}{{"paid", p.AmountPaid}, {"refunded", p.AmountRefunded}, {"refund pending", p.AmountRefundPending}} {
		if m.money != nil && m.money.Value != "0" {
			o.line(m.name, moneyText(m.money))
		}
	}
	if n := p.NextAction; n != nil {
		o.line("next", strings.TrimSpace(n.Type+" "+n.URL))
	}
	o.line("payer", p.PayerHint)
	o.trouble(p.InDoubt, p.LastError)
	if p.Alerts > 0 {
		o.line("ALERTS", fmt.Sprintf("%d: a person must look at the timeline", p.Alerts))
	}
	if p.ExpiresAt != nil {
		o.line("expires", p.ExpiresAt.Format(time.RFC3339))
	}
	o.line("updated", p.UpdatedAt.Format(time.RFC3339))
}

// trouble prints what is in doubt and what went wrong.
func (o *output) trouble(d *client.Doubt, e *client.LastError) {
	if d != nil {
		o.line("in doubt", fmt.Sprintf("%s (%s) since %s: %s", d.Operation, d.OperationID, d.Since.Format(time.RFC3339), d.Reason))
	}
	if e != nil {
		o.line("last error", fmt.Sprintf("%s: %s [effect %s, advice %s]", e.Class, e.Message, e.Effect, e.Advice))
	}
}

func (a *api) payments(page client.Payments) {
	w := tabwriter.NewWriter(a.out.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "PAYMENT\tSTATUS\tAMOUNT\tORDER\tCONNECTION\tCREATED\t")
	for _, p := range page.Payments {
		mark := ""
		if p.InDoubt != nil {
			mark = "in doubt: " + p.InDoubt.Operation
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Status, moneyText(p.Amount), p.OrderID, p.Connection,
			p.CreatedAt.Format(time.RFC3339), mark)
	}
	_ = w.Flush()
	if page.NextCursor != "" {
		fmt.Fprintf(a.out.stdout, "more: --cursor %s\n", page.NextCursor)
	}
}

func (a *api) timeline() *cobra.Command {
	return &cobra.Command{
		Use: "timeline ID", Short: "Show everything that happened to a payment", Args: cobra.ExactArgs(1),
		Long: `Timeline shows the ledger of a payment: what was asked for, what was sent, what was seen, and by whom. Secrets
and persons are masked.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := a.get(cmd, "/v1/payments/"+url.PathEscape(args[0])+"/timeline", nil)
			if err != nil {
				return err
			}
			return show(a, answer, func(t client.Timeline) {
				w := tabwriter.NewWriter(a.out.stdout, 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "AT\tWHO\tWHAT\t")
				for _, e := range t.Entries {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.At.Format("2006-01-02 15:04:05.000"), e.Actor, e.Kind, brief(e.Body))
				}
				_ = w.Flush()
			})
		},
	}
}

// brief is an entry's body on one line, in the order of the API and without the
// marks of JSON.
func brief(body json.RawMessage) string {
	const most = 240
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	text := plain(decoder)
	if len(text) > 1 && text[0] == '{' {
		text = text[1 : len(text)-1]
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// plain reads one JSON value and writes it as people would.
func plain(d *json.Decoder) string {
	token, err := d.Token()
	if err != nil {
		return ""
	}
	open, ok := token.(json.Delim)
	switch {
	case token == nil:
		return "null"
	case !ok:
		return fmt.Sprint(token)
	}
	var parts []string
	for d.More() {
		part := ""
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				break
			}
			part = fmt.Sprint(key) + ": "
		}
		parts = append(parts, part+plain(d))
	}
	_, _ = d.Token() // the closing one
	if open == '{' {
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
