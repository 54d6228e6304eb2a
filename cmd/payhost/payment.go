package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
)

func newPayment(out *output) *cobra.Command {
	a := &api{out: out}
	c := &cobra.Command{
		Use:   "payment",
		Short: "Take, query, cancel and refund payments of a running payhost",
		Long: `Payment is a client of payhost's HTTP API. With --output json it prints the API's JSON as it came. An
operation that is in doubt exits 0 and says so: payhost finds out by itself how it ended. Anything that the API refuses
is printed as one line, with its class, field and advice, and exits 1.`,
	}
	c.AddCommand(
		a.keyed(a.create()), a.paymentGet(), a.paymentList(), a.keyed(a.bind()), a.keyed(a.release()),
		a.keyed(a.finish("confirm", "Finish an authorized payment, or acknowledge a refund at the till")),
		a.keyed(a.finish("cancel", "Void, unbind or withdraw a payment, or give up waiting for a refund at the till")),
		a.keyed(a.refund()), a.timeline(),
	)
	return a.flags(c)
}

func (a *api) create() *cobra.Command {
	var amount, currency, file string
	c := &cobra.Command{
		Use:   "create --connection NAME --order-id ID [--amount MINOR --currency CODE]",
		Short: "Start a payment",
		Example: `  payhost payment create --connection rahmet-main --order-id 17 --amount 250000 --currency KZT
  payhost payment create --connection smartpay-till-1 --order-id till-7
  payhost payment create --body payment.json --key order-17`,
	}
	text := map[string]*string{}
	for _, f := range [][3]string{
		{"connection", "connection", "the connection"},
		{"order-id", "order_id", "the merchant's id of the order"},
		{"description", "description", "what is paid for"},
		{"return-url", "return_url", "where the payer comes back to"},
		{"fail-url", "fail_url", "where the payer comes back to if it failed"},
		{"locale", "locale", "the payer's language"},
	} {
		text[f[1]] = c.Flags().String(f[0], "", f[2])
	}
	c.Flags().StringVar(&amount, "amount", "", "minor units; none at a till")
	c.Flags().StringVar(&currency, "currency", "", "ISO 4217 code")
	c.Flags().StringVar(&file, "body", "", "a file with the API's JSON, - for stdin; flags win over it")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		m, err := money(amount, currency)
		if err != nil {
			return err
		}
		body := map[string]any{}
		if file != "" {
			if body, err = readJSON(cmd.InOrStdin(), file); err != nil {
				return fmt.Errorf("--body: %w", err)
			}
		} else if err := needed(cmd, "connection", "order-id"); err != nil {
			return err
		}
		for name, value := range text {
			if *value != "" {
				body[name] = *value
			}
		}
		if m != nil {
			body["amount"] = m
		}
		return a.act(cmd, "/v1/payments", body)
	}
	return c
}

// act posts an operation on a payment and shows the payment.
func (a *api) act(cmd *cobra.Command, path string, body any) error {
	if body == nil {
		body = map[string]any{}
	}
	answer, err := a.call(cmd, client.Request{Method: http.MethodPost, Path: path, Body: body}, true)
	if err != nil {
		return err
	}
	return show(a, answer, func(p client.Payment) { a.payment(p); a.doubt(answer, p.ID) })
}

func (a *api) paymentGet() *cobra.Command {
	var refresh bool
	c := &cobra.Command{
		Use: "get ID", Short: "Show a payment", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{}
			if refresh {
				query.Set("refresh", "true")
			}
			answer, err := a.get(cmd, "/v1/payments/"+url.PathEscape(args[0]), query)
			if err != nil {
				return err
			}
			return show(a, answer, a.payment)
		},
	}
	c.Flags().BoolVar(&refresh, "refresh", false, "ask the provider first")
	return c
}

func (a *api) paymentList() *cobra.Command {
	var limit int
	var inDoubt bool
	c := &cobra.Command{Use: "list", Short: "List payments, newest first"}
	text := map[string]*string{
		"order_id":   c.Flags().String("order-id", "", "only of this order"),
		"connection": c.Flags().String("connection", "", "only of this connection"),
		"status":     c.Flags().String("status", "", "only with this status"),
		"cursor":     c.Flags().String("cursor", "", "the page behind this cursor"),
	}
	c.Flags().BoolVar(&inDoubt, "in-doubt", false, "only those in doubt")
	c.Flags().IntVar(&limit, "limit", 50, "how many, 1 to 200")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		query := url.Values{"limit": {strconv.Itoa(limit)}}
		for name, value := range text {
			if *value != "" {
				query.Set(name, *value)
			}
		}
		if inDoubt {
			query.Set("in_doubt", "true")
		}
		answer, err := a.get(cmd, "/v1/payments", query)
		if err != nil {
			return err
		}
		return show(a, answer, a.payments)
	}
	return c
}

func (a *api) bind() *cobra.Command {
	return &cobra.Command{
		Use: "bind ID CODE", Short: "Submit the code that the payer shows at the till",
		Long: "Bind submits the code that the payer shows at the till. CODE is the text as scanned, or - to read it from stdin.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			code := args[1]
			if code == "-" {
				text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 64<<10))
				if err != nil {
					return err
				}
				code = strings.TrimRight(string(text), "\r\n")
			}
			return a.act(cmd, "/v1/payments/"+url.PathEscape(args[0])+"/bind", map[string]string{"code": code})
		},
	}
}

func (a *api) release() *cobra.Command {
	var amount, currency string
	c := &cobra.Command{
		Use: "release ID --amount MINOR --currency CODE", Short: "Send the amount for a bound code", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needed(cmd, "amount", "currency"); err != nil {
				return err
			}
			m, err := money(amount, currency)
			if err != nil {
				return err
			}
			return a.act(cmd, "/v1/payments/"+url.PathEscape(args[0])+"/release", map[string]any{"amount": m})
		},
	}
	c.Flags().StringVar(&amount, "amount", "", "minor units")
	c.Flags().StringVar(&currency, "currency", "", "ISO 4217 code")
	return c
}

// finish is confirm or cancel, of a payment or of one of its refunds.
func (a *api) finish(verb, short string) *cobra.Command {
	var refund string
	c := &cobra.Command{
		Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/v1/payments/" + url.PathEscape(args[0])
			if refund == "" {
				return a.act(cmd, path+"/"+verb, nil)
			}
			return a.actRefund(cmd, args[0], path+"/refunds/"+url.PathEscape(refund)+"/"+verb, map[string]any{})
		},
	}
	c.Flags().StringVar(&refund, "refund", "", "the id of a refund of the payment, instead of the payment itself")
	return c
}

func (a *api) refund() *cobra.Command {
	var amount, currency, reason string
	c := &cobra.Command{
		Use: "refund ID --amount MINOR [--currency CODE]", Short: "Give money back", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needed(cmd, "amount"); err != nil {
				return err
			}
			if currency == "" {
				answer, err := a.get(cmd, "/v1/payments/"+url.PathEscape(args[0]), nil)
				if err != nil {
					return err
				}
				var p client.Payment
				if err := answer.Into(&p); err != nil {
					return err
				}
				if p.Amount != nil {
					currency = p.Amount.Currency
				}
			}
			m, err := money(amount, currency)
			if err != nil {
				return err
			}
			return a.actRefund(cmd, args[0], "/v1/payments/"+url.PathEscape(args[0])+"/refunds",
				map[string]any{"amount": m, "reason": reason})
		},
	}
	c.Flags().StringVar(&amount, "amount", "", "minor units")
	c.Flags().StringVar(&currency, "currency", "", "ISO 4217 code; the payment's if not given")
	c.Flags().StringVar(&reason, "reason", "", "why, for whoever reads the timeline")
	return c
}

func (a *api) actRefund(cmd *cobra.Command, payment, path string, body any) error {
	answer, err := a.call(cmd, client.Request{Method: http.MethodPost, Path: path, Body: body}, true)
	if err != nil {
		return err
	}
	return show(a, answer, func(r client.Refund) {
		a.out.line("refund", r.ID)
		a.out.line("payment", r.PaymentID)
		a.out.line("status", r.Status)
		a.out.line("amount", moneyText(r.Amount))
		a.out.line("provider ref", r.ProviderRef)
		a.out.trouble(r.InDoubt, r.LastError)
		a.doubt(answer, payment)
	})
}

// readJSON reads an object from a file, or from stdin. Numbers stay as they are written:
// an amount must not pass through a float.
func readJSON(stdin io.Reader, path string) (map[string]any, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	decoder := json.NewDecoder(io.LimitReader(in, 1<<20))
	decoder.UseNumber()
	var body map[string]any
	if err := decoder.Decode(&body); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF || body == nil { // null is no object
		return nil, errors.New("is not one JSON object")
	}
	return body, nil
}
