package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
	"github.com/payhost/payhost/cmd/payhost/internal/config"
)

// api is what every command that asks a running payhost has in common.
type api struct {
	out   *output
	url   string
	token string
	key   string
}

// flags adds the common flags to a command and all below it.
func (a *api) flags(c *cobra.Command) *cobra.Command {
	f := c.PersistentFlags()
	f.StringVar(&a.url, "url", "", "where payhost is (default $PAYHOST_URL, else http://127.0.0.1:8080)")
	f.StringVar(&a.token, "token", "", "the caller's token, or env:NAME or file:PATH (default $PAYHOST_TOKEN)")
	return c
}

// keyed adds the flag of a command that does something.
func (a *api) keyed(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&a.key, "key", "",
		"the idempotency key; a new one is made and printed if it is not given, so that a repeat can use it")
	return c
}

// call makes a request. One that changes something gets its key.
func (a *api) call(cmd *cobra.Command, r client.Request, keyed bool) (client.Answer, error) {
	token, err := config.Value(cmp.Or(a.token, os.Getenv("PAYHOST_TOKEN")))
	if err != nil {
		return client.Answer{}, fmt.Errorf("--token: %w", err)
	}
	if token == "" {
		return client.Answer{}, errors.New("no token: give it as --token, or in PAYHOST_TOKEN")
	}
	c := client.Client{URL: cmp.Or(a.url, os.Getenv("PAYHOST_URL"), "http://127.0.0.1:8080"), Token: token}
	if keyed {
		r.Key = a.key
		if r.Key == "" {
			r.Key = client.NewKey()
			fmt.Fprintf(a.out.stderr, "idempotency key %s (a repeat of this command with --key %s sends nothing twice)\n", r.Key, r.Key)
		}
	}
	answer, err := c.Do(cmd.Context(), r)
	var problem *client.Problem
	if errors.As(err, &problem) && a.out.format == "json" {
		if err := a.out.json(problem); err != nil {
			return answer, err
		}
		return answer, errReported
	}
	return answer, err
}

// get is call for what only reads.
func (a *api) get(cmd *cobra.Command, path string, query map[string][]string) (client.Answer, error) {
	return a.call(cmd, client.Request{Method: http.MethodGet, Path: path, Query: query}, false)
}

// show prints an answer: the API's JSON as it came, or what text makes of it.
func show[T any](a *api, answer client.Answer, text func(T)) error {
	if a.out.format == "json" {
		_, err := fmt.Fprintf(a.out.stdout, "%s\n", strings.TrimSpace(string(answer.Body)))
		return err
	}
	var v T
	if err := answer.Into(&v); err != nil {
		return err
	}
	text(v)
	return nil
}

// line prints a name and a text, unless there is none.
func (o *output) line(name, text string) {
	if text != "" {
		fmt.Fprintf(o.stdout, "%-14s%s\n", name, text)
	}
}

// needed wants flags to be given.
func needed(cmd *cobra.Command, flags ...string) error {
	for _, name := range flags {
		if f := cmd.Flags().Lookup(name); f.Value.String() == "" {
			return &usageError{fmt.Errorf("--%s is missing", name)}
		}
	}
	return nil
}

// money reads --amount and --currency. Both empty is no amount.
func money(amount, currency string) (*client.Money, error) {
	if amount == "" && currency == "" {
		return nil, nil
	}
	if n, err := strconv.ParseInt(amount, 10, 64); err != nil || n <= 0 {
		return nil, &usageError{fmt.Errorf("--amount: %q is not a number of minor units above 0", amount)}
	}
	if currency == "" {
		return nil, &usageError{errors.New("--currency is missing")}
	}
	return &client.Money{Value: amount, Currency: strings.ToUpper(currency)}, nil
}

// moneyText shows an amount for a person.
func moneyText(m *client.Money) string {
	if m == nil {
		return ""
	}
	return m.String()
}

// doubt warns of an operation that may or may not have happened.
func (a *api) doubt(answer client.Answer, id string) {
	if answer.InDoubt() && a.out.format == "text" {
		fmt.Fprintf(a.out.stdout, "IN DOUBT: it may or may not have happened. payhost finds out by itself; do not repeat it under another key.\n"+
			"          See how it ends: payhost payment get %s --refresh\n", id)
	}
}
