package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/payhost/payhost/sdk/pay"
)

const tagEvents = "Events and connections"

type eventQuery struct {
	After string `query:"after" maxLength:"512" doc:"next of the call before; absent for the beginning"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type eventPath struct {
	ID string `path:"id" doc:"Id of the event" example:"evt_01jd5x3v8c0000000000000000"`
}

func (a *API) serveEvents() {
	read(a, route{
		id: "list-events", method: http.MethodGet, path: "/v1/events", tag: tagEvents, scope: ScopePayments,
		summary: "Read events",
		about: "The outbound events in the order of the ledger, as often as you like: keep `next` and come back with it. " +
			"They are the same that webhooks deliver.",
	}, a.listEvents)
	read(a, route{
		id: "list-dead-letters", method: http.MethodGet, path: "/v1/events/dead-letters", tag: tagEvents, scope: ScopeAdmin,
		summary: "List deliveries that were given up", about: "Newest first.",
	}, a.listDeadLetters)
	write(a, route{
		id: "redeliver-event", method: http.MethodPost, path: "/v1/events/{id}/redeliver", tag: tagEvents, scope: ScopeAdmin,
		status: http.StatusNoContent, optional: true, fails: []int{404}, summary: "Deliver an event again",
		about:   "To one endpoint by its URL, or to all that it was for if the body is left out.",
		example: map[string]any{"endpoint": "https://shop.example/hooks"},
	}, a.redeliver)
	read(a, route{
		id: "list-connections", method: http.MethodGet, path: "/v1/connections", tag: tagEvents, scope: ScopePayments,
		summary: "List connections", about: "What is configured, what each can do, and why one is not connected.",
	}, a.listConnections)
}

func (a *API) listEvents(ctx context.Context, _ *exchange, in *eventQuery) (*found[eventsOut], error) {
	events, next, err := a.config.Engine.Events(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := eventsOut{Events: make([]json.RawMessage, 0, len(events)), Next: next}
	for _, e := range events {
		out.Events = append(out.Events, e.Body)
	}
	return &found[eventsOut]{out}, nil
}

func (a *API) listDeadLetters(ctx context.Context, _ *exchange, in *pageQuery) (*found[deadLetterList], error) {
	var before int64
	if in.Cursor != "" {
		n, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil || n < 1 {
			return nil, invalid(http.StatusUnprocessableEntity, FieldError{"cursor", "not a cursor of this list"})
		}
		before = n
	}
	letters, err := a.config.Engine.DeadLetters(ctx, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := deadLetterList{DeadLetters: make([]deadLetter, 0, len(letters))}
	for _, d := range letters {
		out.DeadLetters = append(out.DeadLetters, deadLetter{
			EventID: d.ID, Type: d.Type, At: d.At.UTC(), Endpoint: d.Endpoint, Tries: d.Tries, LastError: d.LastError,
		})
	}
	if len(letters) == in.Limit {
		out.NextCursor = text(decimal(letters[len(letters)-1].Seq))
	}
	return &found[deadLetterList]{out}, nil
}

func (a *API) redeliver(ctx context.Context, _ *exchange, in *eventPath, body *redelivery) (*struct{}, error) {
	rest, ok := strings.CutPrefix(in.ID, "evt_")
	if !ok || !isName(rest) {
		return nil, notFound("no such event")
	}
	return nil, a.config.Engine.Redeliver(ctx, in.ID, body.Endpoint)
}

func (a *API) listConnections(context.Context, *exchange, *struct{}) (*found[connectionList], error) {
	list := a.config.Engine.Connections()
	out := connectionList{Connections: make([]connection, 0, len(list))}
	for _, c := range list {
		out.Connections = append(out.Connections, viewConnection(c))
	}
	return &found[connectionList]{out}, nil
}

// isName reports whether a text can be a name of a connection, a plugin, a nonce:
// 1 to 128 letters, digits, dots, dashes and underscores.
func isName(s string) bool {
	for _, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 128
}

var errNoPlugins = &pay.Error{Class: pay.ClassUnsupported, Message: "no store of plugins is configured"}
