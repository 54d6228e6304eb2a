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
// [Host.Swap] puts another revision under the name while calls go on, and
// [Host.StartCanary] one beside it, for a share of what calls are about. A
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
// # Errors
//
// Every error of an operation is a *pay.Error. Before anything is sent:
// invalid_request with the field, unsupported for an operation that the plugin
// does not declare, host_fault once the host is closed. From the wire:
// unavailable, timeout, protocol, integrity (an answer that held a secret), auth
// (no token), rate_limited. From the plugin's reading: declined with a reason,
// code_invalid, code_expired, state_conflict, duplicate, not_found, auth, config,
// limit. And plugin_fault for a plugin that trapped, lied or broke the ABI.
//
// Effect says whether anything changed at the provider: none, done or maybe. What
// to do next is Advice, never a guess from the class: an error with effect maybe
// is no reason to send again.
//
// # Safety
//
// Whatever a plugin does (loop, trap, grow, lie, answer a gigabyte), it ends in an
// error of that one call. The instance is thrown away, the host and the other
// connections go on. Texts in errors, results and logs are masked: secrets, card
// numbers, e-mail addresses.
//
// This package keeps no ledger: it makes one attempt of one operation. Keys,
// repeats and the truth about a payment over time belong to the engine above it,
// which has each call written down before it leaves by [WithJournal].
package host
