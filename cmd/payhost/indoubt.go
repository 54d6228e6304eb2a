package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/cmd/payhost/internal/client"
)

func newInDoubt(out *output) *cobra.Command {
	a := &api{out: out}
	c := &cobra.Command{
		Use:   "in-doubt",
		Short: "List, probe and resolve what may or may not have happened",
		Long: `In-doubt is the operator's desk. payhost ends doubts by itself: it asks the provider until it is told, for as
long as it takes. Probe asks now. Resolve is for what the provider can't tell: it records an operator's proof.`,
	}
	c.AddCommand(a.doubts(), a.probe(), a.resolve())
	return a.flags(c)
}

func (a *api) doubts() *cobra.Command {
	var limit int
	var cursor string
	c := &cobra.Command{
		Use: "list", Short: "List what is in doubt, oldest first",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"limit": {strconv.Itoa(limit)}}
			if cursor != "" {
				query.Set("cursor", cursor)
			}
			answer, err := a.get(cmd, "/v1/in-doubt", query)
			if err != nil {
				return err
			}
			return show(a, answer, func(list client.Doubts) {
				if len(list.InDoubt) == 0 {
					fmt.Fprintln(a.out.stdout, "nothing is in doubt")
					return
				}
				w := tabwriter.NewWriter(a.out.stdout, 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "SINCE\tOPERATION\tID\tOF\tAT RISK\tWHY\tNEXT")
				for _, d := range list.InDoubt {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Since.Format(time.RFC3339), d.Operation, d.OperationID,
						cmp.Or(d.PaymentID, d.ReceiptID), moneyText(d.AmountAtRisk), d.Reason, d.Next)
				}
				_ = w.Flush()
				if list.NextCursor != "" {
					fmt.Fprintf(a.out.stdout, "more: --cursor %s\n", list.NextCursor)
				}
			})
		},
	}
	c.Flags().IntVar(&limit, "limit", 50, "how many, 1 to 200")
	c.Flags().StringVar(&cursor, "cursor", "", "the page behind this cursor")
	return c
}

func (a *api) probe() *cobra.Command {
	return &cobra.Command{
		Use: "probe OPERATION", Short: "Ask the provider about an operation now", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.desk(cmd, "/v1/operations/"+url.PathEscape(args[0])+"/probe", nil)
		},
	}
}

func (a *api) resolve() *cobra.Command {
	var outcome, evidence string
	c := &cobra.Command{
		Use:   "resolve OPERATION --outcome applied|declined|not_applied --evidence TEXT",
		Short: "End a doubt by proof: needs the scope admin", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if outcome == "" || evidence == "" {
				return &usageError{errors.New("--outcome and --evidence are both needed")}
			}
			return a.desk(cmd, "/v1/operations/"+url.PathEscape(args[0])+"/resolve",
				map[string]string{"outcome": outcome, "evidence": evidence})
		},
	}
	c.Flags().StringVar(&outcome, "outcome", "", "what is proven: applied, declined or not_applied")
	c.Flags().StringVar(&evidence, "evidence", "", "the provider's statement, a ticket, who said so")
	return c
}

// desk posts to an operation and shows what it belongs to.
func (a *api) desk(cmd *cobra.Command, path string, body any) error {
	answer, err := a.call(cmd, client.Request{Method: http.MethodPost, Path: path, Body: body}, false)
	if err != nil {
		return err
	}
	return show(a, answer, a.subject)
}

// subject prints what an operation belongs to: a payment, or a receipt that stands alone.
func (a *api) subject(p client.Payment) {
	if !strings.HasPrefix(p.ID, "rec_") {
		a.payment(p)
		return
	}
	a.out.line("receipt", p.ID)
	a.out.line("connection", p.Connection)
	a.out.line("status", p.Status)
	a.out.trouble(p.InDoubt, p.LastError)
	a.out.line("updated", p.UpdatedAt.Format(time.RFC3339))
}
