// Command wasm is Aurora's plugin with mistakes that only a sandbox survives. The
// setting "mistake" chooses one: a module for each would take longer to build than
// to run.
package main

import (
	"fmt"
	"math/rand"

	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// mistaken is the plugin.
type mistaken struct{ aurora.Provider }

func init() { sdk.Register(mistaken{}) } //nolint:gochecknoinits // a reactor module never runs main

func main() {}

// Manifest is Aurora's, with the setting.
func (p mistaken) Manifest() pay.Manifest {
	m := p.Provider.Manifest()
	m.SettingsSchema = `{"type":"object","additionalProperties":false,"properties":{` +
		`"shop_id":{"type":"string","minLength":1},"mistake":{"type":"string"}},"required":["shop_id"]}`
	return m
}

// drawn is an author's own source of randomness, who likes to see the same ids again.
var drawn = rand.New(rand.NewSource(42))

// Create is Aurora's, with a nonce on the way back to the shop.
func (p mistaken) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	if h.Setting("mistake", "") == "seed" && r.ReturnURL != "" {
		r.ReturnURL += fmt.Sprintf("&nonce=%016x%016x", drawn.Uint64(), drawn.Uint64())
	}
	return p.Provider.Create(h, r)
}

var kept [][]byte

// Refund is Aurora's, and does not come to terms with a refusal.
func (p mistaken) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	result, err := p.Provider.Refund(h, r)
	if err == nil || pay.ClassOf(err) == pay.ClassUnavailable {
		return result, err
	}
	switch h.Setting("mistake", "") {
	case "loop":
		for n := 0; ; n++ {
			kept = kept[:min(n, 0)]
		}
	case "grow":
		for {
			kept = append(kept, make([]byte, 1<<20))
		}
	case "trap":
		kept[len(kept)][0] = 1
	}
	return result, err
}
