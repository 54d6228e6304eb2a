package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/conformance/sim/aurora"
	"github.com/payhost/payhost/conformance/sim/rahmet"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
)

func newSim(out *output) *cobra.Command {
	var listen, control, files string
	c := &cobra.Command{
		Use:   "sim rahmet|yeniltoleg|smartpay|aurora",
		Short: "Run a provider simulator until interrupted",
		Long: `Sim runs a simulator of a provider: its HTTP API as documented, a page where a person pays, and a control API under
/_sim/ that moves any object to any outcome and breaks any answer. SmartPay's API speaks mutual TLS, so its page and control
API have a listener of their own, and its certificates and keys are written to a directory. Aurora is the invented provider
of the example plugin.`,
		Example: `  payhost sim rahmet --listen 127.0.0.1:9001
  payhost sim smartpay --listen 127.0.0.1:9003 --control 127.0.0.1:9004 --files ./till`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"rahmet", "yeniltoleg", "smartpay", "aurora"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "rahmet":
				sim := rahmet.New(rahmet.Options{})
				return serveSim(cmd.Context(), out, listen, sim, sim.Close, map[string]string{
					"client_id": rahmet.ClientID, "client_secret": rahmet.ClientSecret, "branch_token": rahmet.BranchToken,
				})
			case "yeniltoleg":
				sim := yeniltoleg.New(yeniltoleg.Options{})
				return serveSim(cmd.Context(), out, listen, sim, sim.Close, map[string]string{
					"access_token": yeniltoleg.AccessToken,
				})
			case "aurora":
				sim := aurora.New(aurora.Options{})
				return serveSim(cmd.Context(), out, listen, sim, sim.Close, map[string]string{
					"api_key": aurora.APIKey, "shop_id": aurora.ShopID, "webhook": aurora.WebhookKey,
				})
			case "smartpay":
				return serveSmartPay(cmd.Context(), out, listen, control, files)
			}
			return &usageError{fmt.Errorf("no simulator %q: there are rahmet, yeniltoleg, smartpay and aurora", args[0])}
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address of the provider's API")
	c.Flags().StringVar(&control, "control", "127.0.0.1:0", "smartpay: address of the control API and the payer's page")
	c.Flags().StringVar(&files, "files", "",
		"smartpay: directory for the till's certificate and keys (default: one that is removed at the end)")
	return c
}

// serveSim serves a simulator until the context ends. The credentials it accepts
// are invented and no secret.
func serveSim(
	ctx context.Context, out *output, listen string, h http.Handler, closeSim func() error, accepts map[string]string,
) error {
	url, stop, err := simkit.Start(listen, h)
	if err != nil {
		return err
	}
	defer func() { _ = closeSim(); stop() }()
	view := map[string]string{"base_url": url, "control": url + simkit.ControlPrefix}
	for name, value := range accepts {
		view[name] = value
	}
	err = out.sim(view, "base_url", "control", "client_id", "client_secret", "branch_token", "access_token",
		"api_key", "shop_id", "webhook")
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func serveSmartPay(ctx context.Context, out *output, listen, control, files string) error {
	if files == "" {
		dir, err := os.MkdirTemp("", "payhost-smartpay-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		files = dir
	} else if err := os.MkdirAll(files, 0o700); err != nil {
		return err
	}
	sim, err := smartpay.New(smartpay.Options{Listen: listen, ControlListen: control})
	if err != nil {
		return err
	}
	defer sim.Close()
	f, err := sim.WriteFiles(files)
	if err != nil {
		return err
	}
	view := map[string]string{
		"base_url": sim.URL(), "control": sim.ControlURL() + simkit.ControlPrefix, "payer": sim.ControlURL() + "/payer",
		"client_cert_file": f.ClientCert, "client_key_file": f.ClientKey, "ca_file": f.CA,
		"qr_decrypt": f.QRKey, "qr_sign": f.AppPublic, "till_id": smartpay.DefaultTill,
	}
	err = out.sim(view, "base_url", "control", "payer", "till_id", "client_cert_file", "client_key_file", "ca_file",
		"qr_decrypt", "qr_sign")
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// sim prints where a simulator is and what it accepts.
func (o *output) sim(view map[string]string, order ...string) error {
	if o.format == "json" {
		return o.json(view)
	}
	for _, name := range order {
		if value, ok := view[name]; ok {
			fmt.Fprintf(o.stdout, "%-17s%s\n", name, value)
		}
	}
	return nil
}
