// Command hostile is a plugin on the SDK that misbehaves as its caller asks, by the
// option "do" of create. It is the neighbor that good plugins have in the soak.
package main

import (
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

func init() { sdk.Register(provider{}) }

func main() {}

type provider struct{}

// Manifest asks for as little as a plugin may.
func (provider) Manifest() pay.Manifest {
	return pay.Manifest{
		ID: "hostile", Version: "1.0.0", Title: "Hostile",
		Operations: []pay.OperationSpec{
			{Operation: pay.OpDescribe},
			{Operation: pay.OpCheckConfig},
			{Operation: pay.OpStatus},
			{Operation: pay.OpCreate, Idempotency: pay.IdempotencyNative, KeyForm: pay.KeyText, MoneyCalls: 1},
		},
		Flows:          []pay.Flow{pay.FlowRedirect},
		Currencies:     []pay.CurrencySpec{{Currency: "EUR", Step: 1, Min: 1}},
		Egress:         []pay.EgressRule{{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: "/"}},
		BatchSize:      1,
		SettingsSchema: `{"type":"object","additionalProperties":false}`,
	}
}

// CheckConfig has nothing to say.
func (provider) CheckConfig(*sdk.Host) []pay.Problem { return nil }

// Status knows nothing.
func (provider) Status(*sdk.Host, []pay.Ref) ([]pay.StatusItem, error) { return nil, nil }

// Create does what the option says.
func (provider) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	switch r.Option("do") {
	case "loop":
		for {
			sink++
		}
	case "recurse":
		sink = endless(1)
	case "sleep":
		time.Sleep(time.Hour)
	case "allocate":
		for {
			kept = append(kept, make([]byte, 1<<20))
			kept[len(kept)-1][0] = 1
		}
	case "straight":
		sink = twofold(60)
	case "panic":
		panic("hostile: order " + r.OrderID)
	case "exit":
		os.Exit(3)
	case "reply":
		return &pay.Result{Outcome: pay.OutcomeDeclined, ProviderMessage: strings.Repeat("x", 1<<20)}, nil
	case "flood":
		flood(h)
	case "keep":
		keep(r.OrderID)
	case "bulk":
		bulk()
	case "touch":
		touch()
	}
	return &pay.Result{Outcome: pay.OutcomeDeclined, ProviderCode: found()}, nil
}

var (
	sink   uint64
	kept   [][]byte
	secret string
	ledger map[string]int
)

//go:noinline
func endless(n uint64) uint64 { return endless(n+1) + sink }

// twofold takes 2^n steps and has no loop.
//
//go:noinline
func twofold(n uint64) uint64 {
	if n == 0 {
		return 1
	}
	return twofold(n-1) + twofold(n-1)
}

// flood writes far more to the log and to both streams than anybody keeps.
func flood(h *sdk.Host) {
	line := strings.Repeat("x", 4<<10)
	for range 256 {
		h.Log(sdk.Info, line)
		_, _ = os.Stdout.WriteString(line)
		_, _ = os.Stderr.WriteString(line)
	}
}

// bulk fills and copies as much memory as there is, by one instruction each.
func bulk() {
	b := make([]byte, 48<<20)
	for {
		clear(b)
		copy(b, b[len(b)/2:])
	}
}

// touch writes a word to each page of as much memory as there is: as many pages that the
// kernel finds, for as few steps, as can be.
func touch() {
	b := make([]byte, 48<<20)
	for {
		for i := 0; i < len(b); i += 4 << 10 {
			b[i]++
		}
	}
}

// keep leaves a text wherever a plugin can: in a global, on the heap, in a map, and
// in a goroutine that outlives the call.
func keep(text string) {
	secret = text
	kept = append(kept, []byte(text))
	if ledger == nil {
		ledger = map[string]int{}
	}
	ledger[text]++
	go func() {
		for {
			runtime.Gosched()
			sink++
		}
	}()
	runtime.Gosched()
}

// goroutines is how many there are before the first call.
var goroutines = runtime.NumGoroutine() + 1 // and the one that serves a call

// found names what an earlier call left; nothing is "clean".
func found() string {
	var list []string
	for name, there := range map[string]bool{
		"global": secret != "", "heap": len(kept) != 0, "map": len(ledger) != 0, "count": sink != 0,
		"goroutine": runtime.NumGoroutine() > goroutines,
	} {
		if there {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return "clean"
	}
	return strings.Join(list, " ")
}
