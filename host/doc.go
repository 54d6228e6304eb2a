// Package host runs payment-provider plugins inside a Go program.
//
//	h, err := host.New(host.Config{})
//	defer h.Close()
//	_, err = h.Load(ctx, "rahmet", host.Source{Path: "build/plugins/rahmet.wasm"})
//	conn, err := h.Connect(ctx, host.ConnectionConfig{
//		Name: "rahmet-main", Plugin: "rahmet", BaseURL: "https://gateway.example.kz",
//		Settings: json.RawMessage(`{"branch_token":"…"}`), Secrets: secrets,
//	})
//	result, err := conn.Create(ctx, pay.CreateRequest{ … })
//
// # The pieces
//
// A plugin is a name; what runs under it is a [Revision], one immutable module.
// [Host.Swap] puts another revision under the name while calls go on. A
// [Connection] is one configured use of a plugin: a merchant's settings, secrets,
// keys and identities, and the places it may reach.
//
// # Outcomes
//
// A writing operation answers a pay.Result whose Outcome is the host's verdict on
// its own evidence: whether bytes left, and whether a whole answer came. The
// plugin can make the verdict more cautious, never bolder. An error beside it is
// a *pay.Error with a class, an effect and an advice; a result with outcome
// in_doubt always comes with one.
//
// This package keeps no ledger: it makes one attempt of one operation. Keys,
// repeats and the truth about a payment over time belong to the engine above it.
package host
